"""The answers of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from symposia.core._function_call import FunctionCall
from symposia.core.models._messages import AssistantMessage, VendorBlocks
from symposia.core.models._usage import RequestUsage

FinishReasons: TypeAlias = Literal["stop", "length", "function_calls", "content_filter", "unknown"]
"""Why a model stopped."""


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
