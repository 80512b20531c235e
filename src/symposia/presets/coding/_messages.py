"""What the executor says: the message with a program's real results."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from symposia.agentchat.messages import BaseChatMessage
from symposia.core import Image
from symposia.core.code_executor import OutputStream, RunStatus
from symposia.core.models import UserMessage

SHOWN_TO_MODELS = 8_000
"""Characters of each of stdout and stderr that go to a model: some 2,000 tokens, so that forty messages fit into any
context. The whole is in the run's folder."""

PICTURE_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG begin. Other bytes are not pictures to us, whatever they are called: nothing here decodes them."""
PICTURES_SHOWN: Final = 4
PICTURE_BYTES: Final = 3 * 1024 * 1024
"""Anthropic takes pictures of up to 5 MB, counted in base64."""


class MadeFile(BaseModel):
    """A file that a block made or changed.

    Attributes:
        path: Relative to the work folder.
        kind: Its media type.
        data: Its bytes, which a dump leaves out: they are in the run's folder.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    kind: str
    size: int
    sha256: str
    data: bytes = Field(default=b"", exclude=True, repr=False)


class BlockRun(BaseModel):
    """One block that ran, and what it really did.

    Attributes:
        limit: The limit that ended it, in words: "the time limit of 60 s"; empty where none did.
        interrupted: Why it could not run to its end; empty where it did, or a limit ended it. Its output is what came
            until then.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    language: str
    status: RunStatus
    exit_code: int
    stdout: str
    stderr: str
    files: tuple[MadeFile, ...] = ()
    files_left_behind: tuple[tuple[str, str], ...] = ()
    wall_seconds: float = 0.0
    limit: str = ""
    interrupted: str = ""

    @property
    def ending(self) -> str:
        """How it ended: its exit status, or what ended it."""
        match self.status:
            case "ok" | "error":
                return f"exit status {self.exit_code}"
            case _ if self.interrupted:
                return f"interrupted: {self.interrupted}"
            case _ if self.limit:
                return f"exit status {self.exit_code}: ended at {self.limit}"
            case _:
                return f"exit status {self.exit_code} ({self.status.replace('_', ' ')})"

    def report(self, shown: int = SHOWN_TO_MODELS) -> str:
        """The outcome, in words for a model.

        Args:
            shown: Characters of each of stdout and stderr to keep.
        """
        parts = [self.ending]
        parts += [f"{name}:\n{shorten(text, shown)}" for name, text in self.streams() if text.strip()]
        if not self.stdout.strip():
            parts.append("Nothing was printed to stdout.")
        parts += [f"file made: {file.path} ({file.kind}, {file.size:,} bytes)" for file in self.files]
        parts += [f"file left behind: {path} ({reason})" for path, reason in self.files_left_behind]
        return "\n".join(parts)

    def streams(self) -> tuple[tuple[OutputStream, str], ...]:
        """Stdout and stderr, each with its name."""
        return ("stdout", self.stdout.rstrip()), ("stderr", self.stderr.rstrip())


class ExecutionMessage(BaseChatMessage):
    """The result of running the coder's answer.

    Attributes:
        runs: The blocks that ran, in order, up to the first that failed; empty when there was nothing to run.
        remark: What the coder should know besides: why nothing ran.
    """

    runs: tuple[BlockRun, ...] = ()
    remark: str = ""
    type: Literal["ExecutionMessage"] = "ExecutionMessage"

    @property
    def succeeded(self) -> bool:
        """Whether something ran, and all of it well."""
        return bool(self.runs) and self.runs[-1].exit_code == 0

    @property
    def output(self) -> str:
        """All that the blocks printed to stdout."""
        return "".join(run.stdout for run in self.runs)

    @property
    def files(self) -> tuple[MadeFile, ...]:
        """The files that were made; of one that was made twice, the later."""
        return tuple({file.path: file for run in self.runs for file in run.files}.values())

    def to_text(self) -> str:
        """Each block's exit status, output and files."""
        parts = [run.report() for run in self.runs]
        return "\n\n".join([*parts, self.remark] if self.remark else parts)

    def to_model_text(self) -> str:
        """As `to_text`."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """`to_text`, said by `source`, and the pictures that were made, which a model that cannot see is not shown."""
        pictures = self.pictures
        if not pictures:
            return UserMessage(content=self.to_text(), source=self.source)
        return UserMessage(
            content=[self.to_text(), "The pictures that the program made:", *pictures], source=self.source
        )

    @property
    def pictures(self) -> list[Image]:
        """The first few of the files that are pictures which a vendor takes."""
        small = (file.data for file in self.files if file.size <= PICTURE_BYTES)
        return [Image(data) for data in small if data.startswith(PICTURE_SIGNATURES)][:PICTURES_SHOWN]


def shorten(text: str, limit: int) -> str:
    """Keep the head and the tail of a long text, and say how much is missing between them."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
