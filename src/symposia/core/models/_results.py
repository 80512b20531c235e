"""The answers of models, and their usage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field

from symposia.core._function_call import FunctionCall
from symposia.core.models._messages import AssistantMessage, VendorBlocks

FinishReasons: TypeAlias = Literal["stop", "length", "function_calls", "content_filter", "unknown"]
"""Why a model stopped."""


def _is_unset(value: object) -> bool:
    return not value


@dataclass(slots=True)
class RequestUsage:
    """Prompt and completion tokens. Usages can be added: ``sum(usages, RequestUsage(0, 0))``.

    Attributes:
        estimated: Whether any of the counts is an estimate, because the server sent none. A sum with an estimate is
            one.
        cached_tokens: Those of the prompt tokens that the vendor read from its prompt cache.
        cache_write_tokens: Those of the prompt tokens that the vendor wrote into its prompt cache.
        reasoning_tokens: Those of the completion tokens that the model reasoned with; 0 where the vendor does not
            count them apart.

    The marks that AutoGen lacks are no part of the comparison, and are written to JSON only where they are set.
    """

    prompt_tokens: int
    completion_tokens: int
    # A subclass was rejected: pydantic writes a field by its declared type, and the marks would be lost in JSON.
    estimated: Annotated[bool, Field(exclude_if=_is_unset)] = field(
        default=False, kw_only=True, compare=False, repr=False
    )
    cached_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(
        default=0, kw_only=True, compare=False, repr=False
    )
    cache_write_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(
        default=0, kw_only=True, compare=False, repr=False
    )
    reasoning_tokens: Annotated[int, Field(exclude_if=_is_unset)] = field(
        default=0, kw_only=True, compare=False, repr=False
    )

    def __add__(self, other: RequestUsage) -> RequestUsage:
        return RequestUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class TokenPrice(NamedTuple):
    """The price of a model's tokens.

    Attributes:
        prompt: US dollars for a million tokens of a prompt.
        completion: US dollars for a million tokens of an answer.
        cached_prompt: US dollars for a million tokens of a prompt that the vendor reads from its cache; None if that is
            not known, and they cost as much as others.
    """

    prompt: float
    completion: float
    cached_prompt: float | None = None

    def cost(self, prompt_tokens: float, completion_tokens: float, cached_tokens: float = 0) -> float:
        """US dollars for these tokens, `cached_tokens` of the prompt being read from the vendor's cache."""
        discount = 0.0 if self.cached_prompt is None else (self.prompt - self.cached_prompt) * cached_tokens
        return (self.prompt * prompt_tokens + self.completion * completion_tokens - discount) / 1_000_000


@dataclass(slots=True)
class TopLogprob:
    """One of the tokens that were likely at a place.

    Attributes:
        logprob: The natural logarithm of its probability.
        bytes: Its UTF-8 bytes.
    """

    logprob: float
    bytes: list[int] | None = None


class ChatCompletionTokenLogprob(BaseModel, defer_build=True):
    """A token of an answer and how likely it was.

    Attributes:
        token: Its text.
        logprob: The natural logarithm of its probability.
        top_logprobs: The likeliest tokens at this place.
        bytes: Its UTF-8 bytes.
    """

    token: str
    logprob: float
    top_logprobs: list[TopLogprob] | None = None
    bytes: list[int] | None = None


def _is_none(value: object) -> bool:
    return value is None


class CreateResult(BaseModel, defer_build=True):
    """A model's whole answer.

    Attributes:
        finish_reason: Why it stopped.
        content: Text, or tool calls.
        usage: The tokens of this request.
        cached: Whether the answer comes from a cache, so that nothing was spent.
        logprobs: One entry a token, where they were asked for.
        thought: What the model thought before it answered, or the text that came along with its tool calls.
        vendor_blocks: Data that the vendor needs again, unchanged, in the next request; see `AssistantMessage`.
        answered_by: The name of the model that answered, where a client chose among several.
    """

    finish_reason: FinishReasons
    content: str | list[FunctionCall]
    usage: RequestUsage
    cached: bool
    logprobs: list[ChatCompletionTokenLogprob] | None = None
    thought: str | None = None
    vendor_blocks: VendorBlocks | None = Field(default=None, repr=False, exclude_if=_is_none)
    answered_by: str | None = Field(default=None, repr=False, exclude_if=_is_none)

    def to_message(self, source: str) -> AssistantMessage:
        """This answer as a message of the conversation, with the data that the vendor needs again.

        Args:
            source: The name of the agent.
        """
        return AssistantMessage(
            content=self.content, thought=self.thought, source=source, vendor_blocks=self.vendor_blocks
        )
