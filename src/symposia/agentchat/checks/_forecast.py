"""A forecast of the tokens and the money of a run: a range, computed from the outline of a team. Pure functions.

The low end assumes the cheapest case of every decision, the high end the most expensive one: the number of turns, the
speakers, the calls of a model in a turn, the length of its answers. The conversation grows by each answer, and every
prompt includes the part of it that the context shows. What repeats the prompt before costs, at the low end, what
vendors charge for tokens from their caches; at the high end, every token of a prompt costs what writing it into the
cache costs, if that is more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from symposia.agentchat._prices import ANSWER_TOKENS, check_prices
from symposia.agentchat.base import AgentOutline, Bounds, ModelUse, TeamOutline
from symposia.agentchat.checks._cost_model import Cost, CostModel, HighEnd, LowEnd, turns_of
from symposia.agentchat.checks._prompts import Prompts
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import TokenPrice

SMALLEST_SHOWN: Final = 0.0001
"""US dollars. Less would be written as 2e-05."""
_EXAMPLE: Final = "the least and the most tokens of an answer, such as (50, 1000)."


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
    low = CostModel(prompts, known, answer_tokens[0], LowEnd())
    high = CostModel(prompts, known, answer_tokens[1], HighEnd())
    token_limit = math.inf if team.condition is None or team.condition.tokens is None else team.condition.tokens
    run = low.run(team, task), high.run(team, task)
    turn = low.turn(team, task), high.turn(team, task, added=token_limit).at_most(run[1])
    if math.isfinite(token_limit):  # the run ends after the turn in which the limit is passed
        token_limit += turn[1].tokens
        run = run[0], run[1].within(token_limit, max((price.highest for price in priced), default=0.0) / 1_000_000)
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
        return (*(outline.rule.models or ()), *outline.rule.at_start, *outline.rule.at_end)
    return None if outline is None else outline.models


def _estimate(low: Cost, high: Cost, token_limit: float, *, has_price: bool, is_complete: bool) -> Estimate:
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
    return f"${amount:.2g}" if amount >= SMALLEST_SHOWN else f"under ${SMALLEST_SHOWN}"
