"""What services with threads answer: runs, messages, and how far they are."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

ACTIVE: Final = frozenset({"queued", "in_progress", "cancelling"})
"""The states of a run that works, or is about to."""
WAITING: Final = "requires_action"
"""The state of a run that waits for the results of calls."""
ENDED: Final = frozenset({"cancelled", "completed", "expired", "failed", "incomplete"})


class Identified(BaseModel, defer_build=True):
    """Anything with an id."""

    id: str


class _Function(BaseModel, defer_build=True):
    name: str
    arguments: str = "{}"


class PendingCall(BaseModel, defer_build=True):
    """A call of a tool for which a run waits. Only calls of functions have a `function`."""

    id: str
    type: str = "function"
    function: _Function | None = None


class _Outputs(BaseModel, defer_build=True):
    tool_calls: list[PendingCall]


class _Action(BaseModel, defer_build=True):
    type: str = ""
    submit_tool_outputs: _Outputs | None = None


class _Fault(BaseModel, defer_build=True):
    code: str | None = None
    message: str | None = None
    reason: str | None = None


class _Usage(BaseModel, defer_build=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Run(BaseModel, defer_build=True):
    """A run of an agent over a thread.

    Attributes:
        status: Its state: one of `ACTIVE`, `WAITING`, or one of `ENDED`.
    """

    id: str
    status: str
    required_action: _Action | None = None
    last_error: _Fault | None = None
    incomplete_details: _Fault | None = None
    usage: _Usage | None = None

    @property
    def calls(self) -> list[PendingCall]:
        """The calls for whose results it waits."""
        outputs = self.required_action and self.required_action.submit_tool_outputs
        return outputs.tool_calls if outputs else []

    @property
    def fault(self) -> str:
        """What the service says about the failure of the run."""
        said = self.last_error or self.incomplete_details or _Fault()
        return ": ".join(filter(None, (said.code, said.message or said.reason))) or "it does not say why"


class _Text(BaseModel, defer_build=True):
    value: str = ""


class _ImageFile(BaseModel, defer_build=True):
    file_id: str


class Part(BaseModel, defer_build=True):
    """A part of a message: a text, a refusal or an image. Parts of other types have none of these."""

    type: str
    text: _Text | None = None
    refusal: str | None = None
    image_file: _ImageFile | None = None


class ThreadMessage(BaseModel, defer_build=True):
    """A message of a thread. One that no run has written has no `run_id`."""

    id: str
    role: str
    content: list[Part] = []
    run_id: str | None = None

    @property
    def text(self) -> str:
        """Its text, or the refusal."""
        texts = [part.text.value if part.text else part.refusal or "" for part in self.content]
        return "\n".join(filter(None, texts))

    @property
    def image_files(self) -> list[str]:
        """The ids of the files of its images."""
        return [part.image_file.file_id for part in self.content if part.image_file]


class Page(BaseModel, defer_build=True):
    """A part of a list."""

    data: list[Any]  # Any: JSON, of the shape that the list is of
    has_more: bool = False
    last_id: str | None = None


class State(BaseModel, defer_build=True):
    """How far the service is with a file or a vector store."""

    id: str
    status: str = "processed"
