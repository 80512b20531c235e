"""The effects of agents as they pass the door of `symposia.core.step`: what decides each of them, in one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from symposia.core import FunctionCall
from symposia.core.code_executor import CodeBlock
from symposia.core.models import LLMMessage
from symposia.core.tools import ToolSchema


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRequest:
    """A model is asked for an answer.

    Attributes:
        messages: All that the model is shown.
        tools: What it may call.
        tool_choice: ``"none"`` keeps it from calling what it knows of.
        json_output: The schema that its answer must have.
    """

    messages: Sequence[LLMMessage]
    tools: Sequence[ToolSchema] = ()
    tool_choice: Literal["auto", "none"] = "auto"
    json_output: type[BaseModel] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRequest:
    """A tool is called, as the model asked for it."""

    call: FunctionCall


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRequest:
    """Code is run."""

    blocks: Sequence[CodeBlock]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalQuestion:
    """Someone is asked whether code may run."""

    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanRequest:
    """A person is asked for an answer."""

    prompt: str
