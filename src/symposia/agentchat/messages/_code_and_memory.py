"""Code that a model wrote, what it prints and what running it gave; and memories.

These are apart because what they hold is defined where code runs and memories are kept, which many programs never
import.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from symposia.agentchat.messages._base import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.messages._events import (
    GuardrailEvent,
    ModelClientStreamingChunkEvent,
    OutputRejectedEvent,
    ProgressLedgerEvent,
    SelectSpeakerEvent,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    UserInputRequestedEvent,
)
from symposia.core import Image
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock, CodeResult, OutputStream
from symposia.core.memory import MemoryContent
from symposia.core.models import UserMessage
from symposia.core.text_limits import ends_of

SHOWN_TO_MODELS: Final = 8_000
"""Characters of each of stdout and stderr that go to a model: some 2,000 tokens, so that forty messages fit into any
context. The message itself holds all of it."""

_PICTURE_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG begin, the formats that every vendor takes. The name of a file does not count, since generated code
chooses it. Nothing here decodes the bytes."""
_PICTURES_SHOWN: Final = 4
_PICTURE_BYTES: Final = 3 * 1024 * 1024
"""Anthropic takes pictures of up to 5 MB, counted in base64."""


class CodeGenerationEvent(BaseAgentEvent):
    """The model wrote code.

    Attributes:
        retry_attempt: 0 for the first attempt, 1 for the first retry after an error, …
        content: The whole answer of the model.
        code_blocks: The blocks found in it that will run.
    """

    retry_attempt: int
    content: str
    code_blocks: list[CodeBlock]
    type: Literal["CodeGenerationEvent"] = "CodeGenerationEvent"

    def to_text(self) -> str:
        """The whole answer of the model."""
        return self.content


class CodeExecutionEvent(BaseAgentEvent):
    """Code ran.

    Attributes:
        retry_attempt: That of the `CodeGenerationEvent` before it.
        result: The exit status and the output. A dump of the event keeps only these two.
    """

    retry_attempt: int
    result: CodeResult
    type: Literal["CodeExecutionEvent"] = "CodeExecutionEvent"

    def to_text(self) -> str:
        """The output of the code."""
        return self.result.output


class CodeOutputEvent(ModelClientStreamingChunkEvent):
    """A piece of what running code prints, as it comes.

    It is a chunk: it is shown, and is not part of results and transcripts. The `full_message_id` of the pieces of one
    execution is the same, and is not the id of a message.

    Attributes:
        stream: Where the code prints it.
    """

    stream: OutputStream
    type: Literal["CodeOutputEvent"] = "CodeOutputEvent"  # type: ignore[assignment]  # each class has a type of its own


class MemoryQueryEvent(BaseAgentEvent):
    """Memories were put into an agent's model context."""

    content: list[MemoryContent]
    type: Literal["MemoryQueryEvent"] = "MemoryQueryEvent"

    def to_text(self) -> str:
        """The memories, as Python shows them."""
        return str(self.content)


AgentEvent = Annotated[
    ToolCallRequestEvent
    | ToolCallExecutionEvent
    | MemoryQueryEvent
    | UserInputRequestedEvent
    | ModelClientStreamingChunkEvent
    | ThoughtEvent
    | SelectSpeakerEvent
    | CodeGenerationEvent
    | CodeExecutionEvent
    | CodeOutputEvent
    | OutputRejectedEvent
    | ProgressLedgerEvent
    | GuardrailEvent,
    Field(discriminator="type"),
]
"""Any of the agent events that come with the library, for fields of pydantic models."""


class ExecutionMessage(BaseChatMessage):
    """The results of code that ran, block by block, with the files that it made.

    A model is shown each block's ending and output in words, shortened in the middle where it is long, and pictures.

    Attributes:
        runs: The blocks that ran, in order, up to the first that failed; empty if there was nothing to run.
        remark: A note to the author of the code, such as why nothing ran, or not all of it.
    """

    runs: tuple[BlockResult, ...] = ()
    remark: str = ""
    type: Literal["ExecutionMessage"] = "ExecutionMessage"

    @property
    def succeeded(self) -> bool:
        """Whether something ran, and all of it well."""
        return bool(self.runs) and self.runs[-1].exit_code == 0

    @property
    def output(self) -> str:
        """All that the blocks printed to stdout."""
        return "".join(run.streams[0][1] for run in self.runs)

    @property
    def files(self) -> tuple[Artifact, ...]:
        """The files that were made; of one that was made twice, the later."""
        return tuple({file.path: file for run in self.runs for file in run.artifacts}.values())

    @property
    def pictures(self) -> list[Image]:
        """The first four of the files that are PNG or JPEG pictures of up to 3 MiB."""
        small = (file.data for file in self.files if file.size <= _PICTURE_BYTES)
        return [Image(data) for data in small if data.startswith(_PICTURE_SIGNATURES)][:_PICTURES_SHOWN]

    def to_text(self) -> str:
        """Each block's ending, output and files, and the remark."""
        parts = [_in_words(run) for run in self.runs]
        return "\n\n".join([*parts, self.remark] if self.remark else parts)

    def to_model_text(self) -> str:
        """As `to_text`."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """`to_text` and the pictures, as a message from `source`. Pictures are left out for models without vision."""
        pictures = self.pictures
        if not pictures:
            return UserMessage(content=self.to_text(), source=self.source)
        return UserMessage(
            content=[self.to_text(), "The pictures that the program made:", *pictures], source=self.source
        )


def _in_words(run: BlockResult) -> str:
    parts = [run.ending]
    note = "\n[… {left} characters left out …]\n"
    parts += [f"{name}:\n{ends_of(text.rstrip(), SHOWN_TO_MODELS, note)}" for name, text in run.streams if text.strip()]
    if not run.streams[0][1].strip():
        parts.append("Nothing was printed to stdout.")
    parts += [f"file made: {file.path} ({file.kind}, {file.size:,} bytes)" for file in run.artifacts]
    parts += [f"file left behind: {path} ({reason})" for path, reason in run.artifacts_skipped]
    parts += run.notes
    return "\n".join(parts)
