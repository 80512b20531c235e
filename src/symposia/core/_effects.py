"""What decides the effects that core itself has, as they pass the door of `symposia.core.step`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symposia.core.models import LLMMessage
from symposia.core.tools import ToolSchema


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRequest:
    """A model is asked for an answer.

    Attributes:
        messages: All that the model is shown.
        tools: What it may call.
    """

    messages: Sequence[LLMMessage]
    tools: Sequence[ToolSchema] = ()
