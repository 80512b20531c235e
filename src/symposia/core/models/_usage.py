"""The tokens that models take, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from symposia.core.telemetry import Attributes
from symposia.core.telemetry.conventions import (
    CACHE_WRITE_INPUT_TOKENS,
    CACHED_INPUT_TOKENS,
    COST,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REASONING_OUTPUT_TOKENS,
)

MILLION: Final = 1_000_000
SMALLEST_SHOWN: Final = 0.0001
"""US dollars; less is not written as zero, since it is not free."""


class TokenPrice(NamedTuple):
    """The price of a model's tokens, in US dollars for a million of them.

    Attributes:
        prompt: Tokens of a prompt.
        completion: Tokens of an answer, those of reasoning included.
        cached: Tokens of a prompt that the vendor reads from its prompt cache; None for the price of the others.
        cache_write: Tokens of a prompt that the vendor writes into its prompt cache; None for the price of the others.
        long_from: A request with a longer prompt has the price `long` for all of its tokens.
        long: The price of such a request; None if there is one price only.
    """

    prompt: float
    completion: float
    cached: float | None = None
    cache_write: float | None = None
    long_from: int = 0
    long: TokenPrice | None = None

    @property
    def highest(self) -> float:
        """The price of the dearest kind of token."""
        kinds = (self.prompt, self.completion, self.cached or 0.0, self.cache_write or 0.0)
        return max(*kinds, 0.0 if self.long is None else self.long.highest)

    def cost(
        self, prompt_tokens: float, completion_tokens: float, *, cached_tokens: float = 0, cache_write_tokens: float = 0
    ) -> float:
        """US dollars for the tokens of one request.

        Args:
            prompt_tokens: All tokens of the prompt.
            completion_tokens: All tokens of the answer.
            cached_tokens: Those of the prompt that came from the cache.
            cache_write_tokens: Those of the prompt that were written into the cache.
        """
        if self.long is not None and prompt_tokens > self.long_from:
            return self.long.cost(
                prompt_tokens, completion_tokens, cached_tokens=cached_tokens, cache_write_tokens=cache_write_tokens
            )
        cached = self.prompt if self.cached is None else self.cached
        write = self.prompt if self.cache_write is None else self.cache_write
        plain = max(prompt_tokens - cached_tokens - cache_write_tokens, 0)  # some servers count cached tokens apart
        prompt_cost = self.prompt * plain + cached * cached_tokens + write * cache_write_tokens
        return (prompt_cost + self.completion * completion_tokens) / MILLION

    def cost_of(self, usage: RequestUsage) -> float:
        """US dollars for the tokens of one request."""
        return self.cost(
            usage.prompt_tokens,
            usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )


def _is_unset(value: object) -> bool:
    return not value


def _is_none(value: object) -> bool:
    return value is None


@dataclass(slots=True, repr=False)
class RequestUsage:
    """Prompt and completion tokens. Usages can be added: ``sum(usages, RequestUsage(0, 0))``.

    Attributes:
        estimated: Whether any of the counts is an estimate, because the server sent none. A sum with an estimate is
            one.
        cached_tokens: Those of the prompt tokens that the vendor read from its prompt cache.
        cache_write_tokens: Those of the prompt tokens that the vendor wrote into its prompt cache.
        reasoning_tokens: Those of the completion tokens with which the model reasoned, where the vendor counts them.
        model: The model; None if it is not known, and for a sum over several.
        usd: US dollars by the model's price; None if it is not known. The money of a sum is that of the tokens whose
            price is known: see `unpriced_tokens`.
        parts: Of a sum over several models, the usage of each; see `by_model`.
        reported_models: The names that the server has for the model, in alphabetical order, where they are others than
            the one that was asked for: a version of it, or the model of a deployment.

    The marks that AutoGen lacks are no part of the comparison, and are written to JSON only where they are set.
    """

    prompt_tokens: int
    completion_tokens: int
    # A subclass was rejected: pydantic writes a field by its declared type, and the marks would be lost in JSON.
    estimated: Annotated[bool, Field(exclude_if=_is_unset)] = field(default=False, kw_only=True, compare=False)
    cached_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(default=0, kw_only=True, compare=False)
    cache_write_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(default=0, kw_only=True, compare=False)
    reasoning_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(default=0, kw_only=True, compare=False)
    model: Annotated[str | None, Field(exclude_if=_is_none)] = field(default=None, kw_only=True, compare=False)
    usd: Annotated[float | None, Field(exclude_if=_is_none)] = field(default=None, kw_only=True, compare=False)
    parts: Annotated[tuple[RequestUsage, ...], Field(exclude_if=_is_unset)] = field(
        default=(), kw_only=True, compare=False
    )
    reported_models: Annotated[tuple[str, ...], Field(exclude_if=_is_unset)] = field(
        default=(), kw_only=True, compare=False
    )

    def __repr__(self) -> str:
        # Without the marks that are not set, as they were before there were marks.
        marks = {field.name: getattr(self, field.name) for field in fields(self) if field.kw_only}
        shown = [f"{name}={value!r}" for name, value in marks.items() if value]
        tokens = (f"prompt_tokens={self.prompt_tokens!r}", f"completion_tokens={self.completion_tokens!r}")
        return f"RequestUsage({', '.join([*tokens, *shown])})"

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def by_model(self) -> tuple[RequestUsage, ...]:
        """The usage of each model, in the order in which they were first asked; empty if nothing was spent.

        A model that was asked through several clients, of which some have a price and others have none, is there
        twice.
        """
        return self.parts or ((self,) if self._is_spent else ())

    @property
    def unpriced_tokens(self) -> int:
        """Tokens whose price is not known, and which are not in `usd`."""
        return sum(part.total_tokens for part in self.by_model if part.usd is None)

    @property
    def money(self) -> str:
        """The money in words: ``$0.0128``, ``under $0.0001``, ``$0.0062 and 930 tokens without a known price``."""
        if self.usd is None:
            return "price not known"
        unpriced = f" and {self.unpriced_tokens:,} tokens without a known price" if self.unpriced_tokens else ""
        return f"{_dollars(self.usd)}{unpriced}"

    def __add__(self, other: RequestUsage) -> RequestUsage:
        added = RequestUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )
        if self._key == other._key and not self.parts and not other.parts:
            added.model = self.model
            added.usd = None if self.usd is None or other.usd is None else self.usd + other.usd
            added.reported_models = tuple(sorted({*self.reported_models, *other.reported_models}))
            return added
        parts: dict[object, RequestUsage] = {}
        for part in (*self.by_model, *other.by_model):
            parts[part._key] = parts[part._key] + part if part._key in parts else replace(part)
        if len(parts) == 1:  # the other one was empty
            [part] = parts.values()
            added.model, added.usd, added.reported_models = part.model, part.usd, part.reported_models
        elif parts:
            added.parts = tuple(parts.values())
            known = [part.usd for part in added.parts if part.usd is not None]
            added.usd = sum(known) if known else None
        return added

    @property
    def _is_spent(self) -> bool:
        return bool(self.prompt_tokens or self.completion_tokens)

    @property
    def _key(self) -> tuple[str | None, bool]:
        return self.model, self.usd is None


def _dollars(usd: float) -> str:
    if not usd:
        return "$0.00"
    return f"under ${SMALLEST_SHOWN}" if usd < SMALLEST_SHOWN else f"${usd:.4f}"


def usage_attributes(usage: RequestUsage) -> Attributes:
    """The tokens as attributes of a span, and the money where a price is known, for which there is no convention."""
    return {
        INPUT_TOKENS: usage.prompt_tokens,
        OUTPUT_TOKENS: usage.completion_tokens,
        CACHED_INPUT_TOKENS: usage.cached_tokens or None,
        CACHE_WRITE_INPUT_TOKENS: usage.cache_write_tokens or None,
        REASONING_OUTPUT_TOKENS: usage.reasoning_tokens or None,
        COST: usage.usd,
    }
