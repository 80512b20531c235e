"""A forecast of the tokens and the money of a run: a range, computed from the outline of a team. Pure functions.

The low end assumes the cheapest case of every decision, the high end the most expensive one: the number of turns, the
speakers, the calls of a model in a turn, the length of its answers. The conversation grows by each answer, and every
prompt includes the part of it that the context shows. Discounts for cached input are not subtracted.

The sums are closed formulas, so that a run of ten thousand turns is forecast as fast as one of ten. The tokens of the
conversation in successive prompts are an arithmetic series up to the limit of the context, and constant from there on.
For a nested team this is an approximation: a run in the middle stands for all of its runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from symposia.agentchat._arguments import check_prices
from symposia.agentchat.base import AgentOutline, Bounds, ModelUse, TeamOutline
from symposia.agentchat.checks._prompts import Prompts
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import TokenPrice

ANSWER_TOKENS: Final = (50, 1_000)
"""The assumed length of an answer: from two sentences to a page and a half. It is not measured."""

_EXAMPLE: Final = "the least and the most tokens of an answer, such as (50, 1000)."

FRAME_TOKENS: Final = 4
"""Tokens of a message in addition to its text; the same as in `symposia.core.models.estimate_tokens`."""


class Range(NamedTuple):
    """A range of an amount of money.

    Attributes:
        low: The least.
        high: The most; None for no limit, or where a part is not known.
    """

    low: float
    high: float | None

    def __str__(self) -> str:
        low = _dollars(self.low)
        if self.high is None:
            return f"{low} or more"
        return low if low == _dollars(self.high) else f"{low} to {_dollars(self.high)}"


class Estimate(BaseModel):
    """The estimated tokens and costs of a turn or a run.

    Attributes:
        prompt_tokens: The tokens of all prompts.
        completion_tokens: The tokens of all answers.
        tokens: Both together.
        usd: US dollars; None if no price is known.
        repeated_tokens: At the high end, about how many tokens of the prompts repeat the beginning of the previous
            prompt. Vendors may read these from their caches. None for no limit.
    """

    model_config = ConfigDict(frozen=True)

    prompt_tokens: Bounds
    completion_tokens: Bounds
    tokens: Bounds
    usd: Range | None
    repeated_tokens: int | None

    def __str__(self) -> str:
        return f"{self.tokens} tokens{'' if self.usd is None else f', {self.usd}'}"


class Forecast(BaseModel):
    """A forecast for a team.

    Attributes:
        turns: The turns of a run.
        per_turn: One turn: the low end is the first turn, the high end the last.
        per_run: A whole run.
        answer_tokens: The assumed tokens of an answer.
        unknown_prices: The models without a known price, each with the agents that ask it.
        unknown_agents: The agents whose use of models is not known. They are not counted.
    """

    model_config = ConfigDict(frozen=True)

    turns: Bounds
    per_turn: Estimate
    per_run: Estimate
    answer_tokens: Bounds
    unknown_prices: Mapping[str, Sequence[str]]
    unknown_agents: Sequence[str]

    def __str__(self) -> str:
        return f"a run takes {self.turns} turn{'' if self.turns == (1, 1) else 's'}, {self.per_run}"


def forecast(
    team: TeamOutline,
    prompts: Prompts,
    task: int = 0,
    *,
    answer_tokens: tuple[int, int] = ANSWER_TOKENS,
    prices: Mapping[str, TokenPrice] | None = None,
) -> Forecast:
    """Forecast the turns, tokens and costs of a run.

    Args:
        team: The outline of the team.
        prompts: Counts the prompts.
        task: The tokens of the task.
        answer_tokens: How long an answer is, at least and at most.
        prices: The prices of models by their names. They take precedence over list prices.

    Raises:
        ArgumentTypeError: `answer_tokens` is no pair of whole numbers, or a price is no `TokenPrice`.
        InvalidArgumentError: The bounds of `answer_tokens` are negative, or in the wrong order.
    """
    known: Mapping[str, TokenPrice] = {} if prices is None else prices
    _check_answer_tokens(answer_tokens)
    check_prices(known, "models")
    priced: list[TokenPrice] = []
    unpriced: dict[str, list[str]] = {}
    parts = list(_parts(team))
    for name, use in [(name, use) for name, part in parts for use in _uses(part) or ()]:
        model = prompts.of(use).model
        price = known.get(model, use.client.token_price)
        if price is not None:
            priced.append(price)
        elif name not in unpriced.setdefault(model, []):
            unpriced[model].append(name)
    low = _Side(prompts, known, answer_tokens[0], is_high=False)
    high = _Side(prompts, known, answer_tokens[1], is_high=True)
    token_limit = math.inf if team.condition is None or team.condition.tokens is None else team.condition.tokens
    run = low.run(team, task), high.run(team, task)
    turn = low.turn(team, task), high.turn(team, task, added=token_limit).at_most(run[1])
    if math.isfinite(token_limit):  # the run ends after the turn in which the limit is passed
        token_limit += turn[1].tokens
        run = run[0], run[1].within(token_limit, max(map(max, priced), default=0.0) / 1_000_000)
    return Forecast(
        turns=turns_of(team),
        per_turn=_estimate(*turn, token_limit, has_price=bool(priced), is_complete=not unpriced),
        per_run=_estimate(*run, token_limit, has_price=bool(priced), is_complete=not unpriced),
        answer_tokens=Bounds(*answer_tokens),
        unknown_prices=unpriced,
        unknown_agents=[name for name, part in parts if _uses(part) is None],
    )


def _check_answer_tokens(given: object) -> None:
    match given:
        case (int(low), int(high)) if 0 <= low <= high:
            pass
        case (int(), int()):
            raise InvalidArgumentError(f"answer_tokens is {given!r}: give {_EXAMPLE}")
        case _:
            raise ArgumentTypeError(f"answer_tokens is {given!r}: give a pair, {_EXAMPLE}")


def _parts(team: TeamOutline) -> Iterator[tuple[str, AgentOutline | TeamOutline | None]]:
    """The team and all agents and teams inside it, by name; None for a part without an outline."""
    waiting: list[tuple[str, AgentOutline | TeamOutline | None]] = [(team.name, team)]
    while waiting:
        name, outline = waiting.pop()
        yield name, outline
        if isinstance(outline, TeamOutline):
            waiting += reversed(list(outline.participants.items()))
        elif outline is not None:
            waiting += [(run.name, run.outline) for run in outline.inner]


def _uses(outline: AgentOutline | TeamOutline | None) -> Sequence[ModelUse] | None:
    """How a part itself asks models; None if that is not known."""
    if isinstance(outline, TeamOutline):
        return outline.rule.models or ()
    return None if outline is None else outline.models


def turns_of(team: TeamOutline) -> Bounds:
    """The number of turns of a run, until the rule, the condition or `max_turns` ends it."""
    lows = [team.rule.turns.low] if team.rule.can_end is not False else []
    highs = [team.rule.turns.high, team.max_turns]
    if team.max_turns is not None:
        lows.append(team.max_turns)
    if team.condition is not None and team.condition.impossible is None:
        lows.append(team.condition.turns.low)
        highs.append(team.condition.turns.high)
    return Bounds(min(lows, default=1), min((high for high in highs if high is not None), default=None))


def _speeches(team: TeamOutline) -> Bounds:
    """The number of turns of participants in a run. Several of them may speak in one turn of the team."""
    turns, speakers, by_name = turns_of(team), team.rule.speakers, team.rule.speeches
    most = None if turns.high is None or speakers.high is None else turns.high * speakers.high
    if by_name is None:
        return Bounds(turns.low * speakers.low, most)
    own = _sum(by_name.values())
    least = own.low if team.condition is None and team.max_turns is None else min(own.low, turns.low * speakers.low)
    return Bounds(least, own.most(most).high)


def _sum(bounds: Iterable[Bounds]) -> Bounds:
    added = list(bounds)
    highs = [each.high for each in added if each.high is not None]
    return Bounds(sum(each.low for each in added), sum(highs) if len(highs) == len(added) else None)


@dataclass(frozen=True, slots=True)
class _Load:
    """Tokens and costs. An amount without limit is infinite."""

    prompt: float = 0.0
    completion: float = 0.0
    usd: float = 0.0
    repeated: float = 0.0

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion

    def __add__(self, other: _Load) -> _Load:
        return _Load(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.usd + other.usd,
            self.repeated + other.repeated,
        )

    def times(self, factor: float) -> _Load:
        amounts = (self.prompt, self.completion, self.usd, self.repeated)
        return _Load(*(_times(amount, factor) for amount in amounts))

    def at_most(self, other: _Load) -> _Load:
        return _combined(min, [self, other])

    def within(self, tokens: float, dearest: float) -> _Load:
        """Limited to a number of tokens, each at the highest price, `dearest`, in dollars."""
        return self.at_most(_Load(tokens, tokens, _times(tokens, dearest), tokens))


class _Side:
    """One end of the range.

    Args:
        prompts: Counts the prompts.
        prices: Prices by the names of models.
        answer: The tokens of an answer.
        is_high: Whether it is the high end.
    """

    def __init__(self, prompts: Prompts, prices: Mapping[str, TokenPrice], answer: int, *, is_high: bool) -> None:
        self._prompts = prompts
        self._prices = prices
        self._answer = answer
        self._message = answer + (FRAME_TOKENS if is_high else 0)
        self._is_high = is_high
        self._runs: dict[tuple[int, float], _Load] = {}  # by the id of the outline, and the tokens received

    def run(self, team: TeamOutline, received: float) -> _Load:
        """A run of a team.

        Args:
            team: Its outline.
            received: The tokens that its participants are given at the start.
        """
        speaking = self._speaking_in_run(team, received, self._of(_speeches(team)))
        return speaking + self._deciding(team, received, self._of(turns_of(team)))

    def turn(self, team: TeamOutline, received: float, added: float = math.inf) -> _Load:
        """One turn of a team: at the low end the first; at the high end the last, after at most `added` more tokens."""
        speakers = self._of(team.rule.speakers)
        if self._is_high:
            received += min(added, _times(self._step(team), max(0.0, self._of(_speeches(team)) - 1)))
        return self._speaking(team, received, speakers) + self._deciding(team, received, 1)

    def _of(self, bounds: Bounds) -> float:
        if not self._is_high:
            return bounds.low
        return math.inf if bounds.high is None else bounds.high

    def _speaking_in_run(self, team: TeamOutline, received: float, count: float) -> _Load:
        """The turns of participants in a run, each as often as the rule says, if it says so."""
        by_name = {name: self._of(each) for name, each in (team.rule.speeches or {}).items()}
        total = sum(by_name.values())
        if not by_name or math.isinf(total):
            return self._speaking(team, received, count)
        # The order of the speakers is unknown, so each speaks at the average length of the conversation.
        step = self._step(team)
        mean = _mean(received, step, total)
        loads = [
            self._participant(team.participants[name], received, step, total, mean, stride=len(by_name)).times(
                each / total
            )
            for name, each in by_name.items()
            if name in team.participants
        ]
        return sum(loads, _Load()).times(min(1, count / total))

    def _speaking(self, team: TeamOutline, received: float, count: float) -> _Load:
        """The turns of participants: whole rounds of all, and a rest of the cheapest or the most expensive ones."""
        speakers, step = self._speakers(team), self._step(team)
        if not speakers:
            return _Load()
        mean = _mean(received, step, count)
        rounds = count if math.isinf(count) else count - count % len(speakers)
        if not team.rule.is_even or not rounds:
            return self._extreme([self._participant(outline, received, step, count, mean) for outline in speakers])
        each = [self._participant(outline, received, step, rounds, mean, stride=len(speakers)) for outline in speakers]
        left = count - rounds if rounds < count else 0
        last = [self._participant(outline, received + _times(step, rounds), step, left, mean) for outline in speakers]
        return sum(each, _Load()).times(1 / len(each)) + self._extreme(last)

    def _extreme(self, loads: Sequence[_Load]) -> _Load:
        return _combined(max if self._is_high else min, loads)

    def _deciding(self, team: TeamOutline, received: float, count: float) -> _Load:
        step = _times(self._step(team), self._of(team.rule.speakers))
        return sum((self._use(use, received, step, count) for use in team.rule.models or ()), _Load())

    def _step(self, team: TeamOutline) -> float:
        """The tokens that one participant's turn adds to the conversation."""
        added = [self._added_tokens(outline) for outline in self._speakers(team)]
        if not added:
            return self._message
        return sum(added) / len(added) if team.rule.is_even else (max if self._is_high else min)(added)

    def _added_tokens(self, outline: AgentOutline | TeamOutline | None) -> float:
        if isinstance(outline, TeamOutline):
            return _times(self._step(outline), self._of(_speeches(outline)))
        return self._message

    @staticmethod
    def _speakers(team: TeamOutline) -> Sequence[AgentOutline | TeamOutline | None]:
        return [outline for name, outline in team.participants.items() if name not in team.rule.silent]

    def _participant(
        self,
        outline: AgentOutline | TeamOutline | None,
        received: float,
        step: float,
        count: float,
        mean: float,
        *,
        stride: int = 1,
    ) -> _Load:
        """A number of turns of a participant.

        Args:
            outline: Its outline.
            received: The tokens of the conversation at the first of them.
            step: The tokens by which it grows from one to the next.
            count: How many.
            mean: The tokens of the conversation at a turn in the middle. One run of a nested team there stands for all
                its runs, and is computed once: with two for each team, ten teams in one another would take an hour.
            stride: The distance between two turns of this participant: 3 where it speaks in every third of the turns.
        """
        if outline is None or not count:
            return _Load()
        if isinstance(outline, TeamOutline):
            key = id(outline), mean
            if key not in self._runs:
                self._runs[key] = self.run(outline, mean)
            return self._runs[key].times(count)
        load = sum((self._use(use, received, step, count, stride) for use in outline.models or ()), _Load())
        for run in outline.inner:
            given, grows, middle = (self._message, 0.0, self._message) if run.is_given_task else (received, step, mean)
            load += self._participant(run.outline, given, grows, _times(count, self._of(run.runs)), middle)
        return load

    def _use(self, use: ModelUse, received: float, step: float, count: float, stride: int = 1) -> _Load:
        calls = self._of(use.calls)
        prompt = self._prompts.of(use)
        shown = [max(0, prompt.room)]
        shown += [use.shown_tokens] if use.shown_tokens is not None else []
        shown += [use.shown_messages * self._message] if use.shown_messages is not None else []
        each = _series(received, step, count, min(shown)) + _times(prompt.tokens, count)
        # Within a turn, every further call is shown the calls before it, and their results.
        again = _times(calls * (calls - 1) * self._message, count)
        # A first call repeats what the last turn of the same agent was shown, as long as all of it is shown; a further
        # call repeats the whole prompt of the call before it.
        later = max(0.0, count - stride)
        whole = later if step == 0 else min(later, max(0.0, (min(shown) - received) // step))
        first = _times(prompt.tokens, later) + _series(received, step, whole, min(shown))
        repeated = (first if calls else 0.0) + _times(max(0.0, calls - 1), each)
        asked, answered = _times(calls, each) + again, _times(calls * self._answer, count)
        price = self._prices.get(prompt.model, use.client.token_price)
        return _Load(asked, answered, 0.0 if price is None else price.cost(asked, answered), repeated)


def _mean(first: float, step: float, count: float) -> float:
    """The mean of ``first + n * step`` for the first `count` numbers from 0 on."""
    return first + _times(step, max(0.0, count - 1)) / 2


def _series(first: float, step: float, count: float, limit: float) -> float:
    """The sum of ``min(limit, first + n * step)`` for the first `count` numbers from 0 on."""
    if math.isinf(first) or math.isinf(step):
        return _times(limit, count)
    if math.isinf(count):
        return math.inf if first or step else 0.0
    if first >= limit:
        return limit * count
    growing = count if step == 0 else min(count, math.ceil((limit - first) / step))
    return growing * first + step * growing * (growing - 1) / 2 + (count - growing) * limit


def _times(one: float, other: float) -> float:
    """The product, where 0 times infinity is 0."""
    return one * other if one and other else 0.0


def _combined(by: Callable[[list[float]], float], loads: Sequence[_Load]) -> _Load:
    columns = zip(*((load.prompt, load.completion, load.usd, load.repeated) for load in loads), strict=True)
    return _Load(*(by(list(column)) for column in columns))


def _estimate(low: _Load, high: _Load, token_limit: float, *, has_price: bool, is_complete: bool) -> Estimate:
    usd = Range(low.usd, high.usd if is_complete and math.isfinite(high.usd) else None) if has_price else None
    return Estimate(
        prompt_tokens=_bounds(low.prompt, high.prompt),
        completion_tokens=_bounds(low.completion, high.completion),
        tokens=_bounds(low.tokens, min(high.tokens, token_limit)),
        usd=usd,
        repeated_tokens=math.ceil(high.repeated) if math.isfinite(high.repeated) else None,
    )


def _bounds(low: float, high: float) -> Bounds:
    return Bounds(math.floor(low), math.ceil(high) if math.isfinite(high) else None)


def _dollars(amount: float) -> str:
    """An amount of dollars: two decimals, or below one dollar two significant digits."""
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    return f"${max(amount, 0.0001):.2g}"  # instead of 2e-05
