"""The cost model of a run: the tokens and the money of one end of a forecast. Pure functions.

The sums are closed formulas, so that a run of ten thousand turns is forecast as fast as one of ten. The tokens of the
conversation in successive prompts are an arithmetic series up to the limit of the context, and constant from there on.
For a nested team this is an approximation: a run in the middle stands for all of its runs.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from typing_extensions import override

from symposia.agentchat.base import AgentOutline, Bounds, ModelUse, TeamOutline
from symposia.agentchat.checks._prompts import Prompts
from symposia.core.models import TokenPrice

FRAME_TOKENS: Final = 4
"""Tokens of a message in addition to its text; the same as in `symposia.core.models.estimate_tokens`."""


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
    return Bounds(least, own.at_most(most).high)


def _sum(bounds: Iterable[Bounds]) -> Bounds:
    added = list(bounds)
    highs = [each.high for each in added if each.high is not None]
    return Bounds(sum(each.low for each in added), sum(highs) if len(highs) == len(added) else None)


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens, and their price. An amount without limit is infinite.

    Attributes:
        prompt: The tokens of prompts.
        completion: The tokens of answers.
        usd: US dollars, for the models whose price is known.
        repeated: The tokens of prompts that repeat the beginning of the previous prompt.
    """

    prompt: float = 0.0
    completion: float = 0.0
    usd: float = 0.0
    repeated: float = 0.0

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.usd + other.usd,
            self.repeated + other.repeated,
        )

    def times(self, factor: float) -> Cost:
        amounts = (self.prompt, self.completion, self.usd, self.repeated)
        return Cost(*(_times(amount, factor) for amount in amounts))

    def at_most(self, other: Cost) -> Cost:
        return _combined(min, [self, other])

    def within(self, tokens: float, dearest: float) -> Cost:
        """Limited to a number of tokens, each at the highest price, `dearest`, in dollars."""
        return self.at_most(Cost(tokens, tokens, _times(tokens, dearest), tokens))


class ForecastEnd(ABC):
    """One end of a forecast: which case of a decision it assumes.

    Attributes:
        frame_tokens: The tokens that are added to the text of a message.
    """

    frame_tokens: ClassVar[int]

    @abstractmethod
    def of(self, bounds: Bounds) -> float:
        """This end of a range."""

    @abstractmethod
    def extreme(self, numbers: Sequence[float]) -> float:
        """The assumed one of several numbers."""

    @abstractmethod
    def turns_before(self, turns: float) -> float:
        """The number of turns before the one that stands for all."""

    @abstractmethod
    def price(self, price: TokenPrice, asked: float, answered: float, repeated: float) -> float:
        """US dollars for the tokens of many requests, `repeated` of which repeat the prompt before.

        The sum of the requests says nothing about the length of one, for which some vendors have a price of their own.
        """


class LowEnd(ForecastEnd):
    """The low end takes the cheapest case of every decision."""

    frame_tokens = 0

    @override
    def of(self, bounds: Bounds) -> float:
        return bounds.low

    @override
    def extreme(self, numbers: Sequence[float]) -> float:
        return min(numbers)

    @override
    def turns_before(self, turns: float) -> float:
        return 0.0

    @override
    def price(self, price: TokenPrice, asked: float, answered: float, repeated: float) -> float:
        # No request is assumed to have the price of a long one.
        return price._replace(long=None).cost(asked, answered, cached_tokens=min(asked, repeated))


class HighEnd(ForecastEnd):
    """The high end takes the most expensive case."""

    frame_tokens = FRAME_TOKENS

    @override
    def of(self, bounds: Bounds) -> float:
        return math.inf if bounds.high is None else bounds.high

    @override
    def extreme(self, numbers: Sequence[float]) -> float:
        return max(numbers)

    @override
    def turns_before(self, turns: float) -> float:
        return max(0.0, turns - 1)

    @override
    def price(self, price: TokenPrice, asked: float, answered: float, repeated: float) -> float:
        # Every request may be long if their sum is, and may be written into the cache, which some vendors charge for.
        return max(price.cost(asked, answered), price.cost(asked, answered, cache_write_tokens=asked))


class CostModel:
    """Computes the costs at one end of a forecast.

    Args:
        prompts: Counts the prompts.
        prices: Prices by the names of models.
        answer: The tokens of an answer.
        end: The end.
    """

    def __init__(self, prompts: Prompts, prices: Mapping[str, TokenPrice], answer: int, end: ForecastEnd) -> None:
        self._prompts = prompts
        self._prices = prices
        self._answer = answer
        self._message = answer + end.frame_tokens
        self._end = end
        self._of = end.of
        self._runs: dict[tuple[int, float], Cost] = {}  # by the id of the outline, and the tokens received

    def run(self, team: TeamOutline, received: float) -> Cost:
        """The cost of a run of a team.

        Args:
            team: Its outline.
            received: The tokens that its participants are given at the start.
        """
        starting = sum((self._use(use, received, 0, 1) for use in team.rule.at_start), Cost())
        received += self._briefing(team)
        speeches = self._of(_speeches(team))
        spoken = received + _times(self._step(team), speeches)
        ending = sum((self._use(use, spoken, 0, 1) for use in team.rule.at_end), Cost())
        working = self._speaking_in_run(team, received, speeches) + self._deciding(
            team, received, self._of(turns_of(team))
        )
        return starting + working + ending

    def _briefing(self, team: TeamOutline) -> float:
        """The tokens that the rule adds to the conversation at the start of a run: what its model has written then."""
        return sum(self._of(use.calls) for use in team.rule.at_start) * self._message

    def turn(self, team: TeamOutline, received: float, added: float = math.inf) -> Cost:
        """The cost of one turn: at the low end the first, at the high end the last, after at most `added` tokens."""
        speakers = self._of(team.rule.speakers)
        received += self._briefing(team)
        received += min(added, _times(self._step(team), self._end.turns_before(self._of(_speeches(team)))))
        return self._speaking(team, received, speakers) + self._deciding(team, received, 1)

    def _speaking_in_run(self, team: TeamOutline, received: float, count: float) -> Cost:
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
        return sum(loads, Cost()).times(min(1, count / total))

    def _speaking(self, team: TeamOutline, received: float, count: float) -> Cost:
        """The turns of participants: whole rounds of all, and a rest of the cheapest or the most expensive ones."""
        speakers, step = self._speakers(team), self._step(team)
        if not speakers:
            return Cost()
        mean = _mean(received, step, count)
        rounds = count if math.isinf(count) else count - count % len(speakers)
        if not team.rule.is_even or not rounds:
            return self._extreme([self._participant(outline, received, step, count, mean) for outline in speakers])
        each = [self._participant(outline, received, step, rounds, mean, stride=len(speakers)) for outline in speakers]
        left = count - rounds if rounds < count else 0
        last = [self._participant(outline, received + _times(step, rounds), step, left, mean) for outline in speakers]
        return sum(each, Cost()).times(1 / len(each)) + self._extreme(last)

    def _extreme(self, loads: Sequence[Cost]) -> Cost:
        return _combined(self._end.extreme, loads)

    def _deciding(self, team: TeamOutline, received: float, count: float) -> Cost:
        step = _times(self._step(team), self._of(team.rule.speakers))
        return sum((self._use(use, received, step, count) for use in team.rule.models or ()), Cost())

    def _step(self, team: TeamOutline) -> float:
        """The tokens that one participant's turn adds to the conversation, with what the rule says before it."""
        added = [self._added_tokens(outline) for outline in self._speakers(team)] or [self._message]
        said = self._of(team.rule.says) * self._message
        return said + (sum(added) / len(added) if team.rule.is_even else self._end.extreme(added))

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
    ) -> Cost:
        """The cost of a number of turns of a participant.

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
            return Cost()
        if isinstance(outline, TeamOutline):
            key = id(outline), mean
            if key not in self._runs:
                self._runs[key] = self.run(outline, mean)
            return self._runs[key].times(count)
        load = sum((self._use(use, received, step, count, stride) for use in outline.models or ()), Cost())
        for run in outline.inner:
            given, grows, middle = (self._message, 0.0, self._message) if run.is_given_task else (received, step, mean)
            load += self._participant(run.outline, given, grows, _times(count, self._of(run.runs)), middle)
        return load

    def _use(self, use: ModelUse, received: float, step: float, count: float, stride: int = 1) -> Cost:
        calls = self._of(use.calls)
        prompt = self._prompts.of(use)
        if use.interval > 1:
            step, count = _times(step, use.interval), count if math.isinf(count) else count // use.interval
        if use.shows != "conversation":
            return self._separate_use(use, received, step, count, stride)
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
        return self._priced(use, _times(calls, each) + again, _times(calls * self._answer, count), repeated)

    def _separate_use(self, use: ModelUse, received: float, step: float, count: float, stride: int) -> Cost:
        """The cost of calls that are not shown the conversation, but one message, or what is new since the last turn.

        An agent that alone speaks hears nothing new after its first turn. At the low end, where the order of the
        speakers is not known, that is assumed.
        """
        prompt, shown = self._prompts.of(use), _times(count, self._message)
        if use.shows == "new messages":
            count = self._end.extreme([1.0, count]) if stride == 1 and count else count
            shown = stride * (received + _times(step, max(0.0, count - stride)))
        calls = _times(self._of(use.calls), count)
        shown = min(_times(self._of(use.calls), shown), _times(calls, max(0, prompt.room)))
        repeated = _times(prompt.tokens, max(0.0, calls - 1))
        return self._priced(use, shown + _times(prompt.tokens, calls), _times(self._answer, calls), repeated)

    def _priced(self, use: ModelUse, asked: float, answered: float, repeated: float) -> Cost:
        price = self._prices.get(self._prompts.of(use).model, use.client.token_price)
        usd = 0.0 if price is None else self._end.price(price, asked, answered, repeated)
        return Cost(asked, answered, usd, repeated)


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


def _combined(by: Callable[[Sequence[float]], float], loads: Sequence[Cost]) -> Cost:
    columns = zip(*((load.prompt, load.completion, load.usd, load.repeated) for load in loads), strict=True)
    return Cost(*(by(list(column)) for column in columns))
