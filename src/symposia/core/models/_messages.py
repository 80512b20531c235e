"""What a conversation with a model is made of.

Messages are values: a receiver may keep one and must not change it. The lists in them are the only parts that
validation copies.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from symposia.core._function_call import FunctionCall
from symposia.core._image import Image

VendorBlocks: TypeAlias = dict[str, list[dict[str, object]]]
"""Parts of an answer that only its vendor understands, by vendor: thinking signatures, encrypted reasoning, item ids.

``{"anthropic": [{"type": "thinking", "thinking": "…", "signature": "…"}]}``. A client reads the entry under its own
name and sends it back as it was; it ignores the others, so that a conversation can move from one vendor to another.
"""


def _is_none(value: object) -> bool:
    return value is None


class SystemMessage(BaseModel, defer_build=True):
    """Instructions of the developer to the model."""

    content: str
    type: Literal["SystemMessage"] = "SystemMessage"


class UserMessage(BaseModel, defer_build=True):
    """A message of a person, or of another agent, to the model.

    Attributes:
        content: Text, or text and images in order.
        source: The name of the agent that it comes from.
    """

    content: str | list[str | Image]
    source: str
    type: Literal["UserMessage"] = "UserMessage"


class AssistantMessage(BaseModel, defer_build=True):
    """An answer of the model.

    Attributes:
        content: Text, or tool calls.
        thought: The reasoning before the answer, or the text that came along with tool calls.
        source: The name of the agent.
        vendor_blocks: Data that the vendor needs again, unchanged. Left out of dumps when None, and of `repr` always.
    """

    content: str | list[FunctionCall]
    thought: str | None = None
    source: str
    type: Literal["AssistantMessage"] = "AssistantMessage"
    vendor_blocks: VendorBlocks | None = Field(default=None, repr=False, exclude_if=_is_none)


class FunctionExecutionResult(BaseModel, defer_build=True):
    """The result of one tool call.

    Attributes:
        content: The result as text; the error's text when `is_error`.
        name: The tool.
        call_id: The `id` of the call that this answers.
        is_error: Whether the tool failed; None where that is not known.
    """

    content: str
    name: str
    call_id: str
    is_error: bool | None = None


class FunctionExecutionResultMessage(BaseModel, defer_build=True):
    """The results of the tool calls in the assistant message before it."""

    content: list[FunctionExecutionResult]
    type: Literal["FunctionExecutionResultMessage"] = "FunctionExecutionResultMessage"


LLMMessage = Annotated[
    SystemMessage | UserMessage | AssistantMessage | FunctionExecutionResultMessage, Field(discriminator="type")
]
"""Any message to or from a model."""
