"""A cell of a kernel: its request, which messages are its own, when it has ended, and its output. Does no I/O.

The messages are those of Jupyter's messaging protocol, version 5. A kernel in a container is hostile: a field of
another type than the protocol's counts as missing.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from symposia.core.code_executor import OutputListener, OutputStream, SandboxPolicy
from symposia.ext.code_executors._sandbox._results import KeptOutput

ESCAPE_SEQUENCE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FILE_SUFFIXES: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "text/html": ".html",
}
"""The media types that become files; the protocol has images and documents in base64, and the rest as text."""
TEXTS: Final = ("text/plain", "text/markdown", "text/latex", "application/json")
"""What is shown of an object, the first that it has."""


ENDED: Final = "The Jupyter kernel has ended."


class KernelMessage(NamedTuple):
    """A message of a kernel about the cell that runs.

    Attributes:
        kind: ``stream``, ``display_data``, ``error``, …
        content: What belongs to the kind.
    """

    kind: str
    content: Mapping[str, object]


CUT: Final = KernelMessage("cut", {})
"""Stands for messages that were too large to be received."""


def execute_request(code: str) -> dict[str, object]:
    """The content of the request to run a cell."""
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


class RunningCell:
    """Tells which messages of a kernel belong to a cell, and when the cell has ended.

    It has ended when the kernel has replied to the request and is idle. Both are messages, of channels of their own, so
    that either can come first.

    Args:
        request: The id of the request that runs it.

    Attributes:
        ends_kernel: Whether the kernel ends after it, as after ``quit()``. It still runs cells for a moment.
    """

    def __init__(self, request: str) -> None:
        self.ends_kernel = False
        self._request = request
        self._has_replied = False
        self._is_idle = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it follows."""
        return self._has_replied and self._is_idle

    def take(self, request: str, kind: str, content: Mapping[str, object]) -> KernelMessage | None:
        """Take a message of the kernel, and return it if it is output of the cell.

        Args:
            request: The id of the request that it belongs to. It may be that of an earlier cell, which has left a
                thread running.
            kind: Its kind.
            content: What belongs to the kind.
        """
        if request != self._request:
            return None
        if kind.endswith("_reply"):
            self._has_replied = True
            self.ends_kernel = _asks_to_exit(content)
        elif kind == "status":
            self._is_idle = self._is_idle or content.get("execution_state") == "idle"
        else:
            return KernelMessage(kind, content)
        return None

    def lose_output(self) -> None:
        """Take note that output was lost. The message that the kernel is idle may have been lost with it."""
        self._is_idle = True


@dataclass(frozen=True, slots=True)
class _Part:
    """A stream, or what is shown of one object."""

    stream: OutputStream
    kept: KeptOutput


class CellOutput:
    """What a cell has printed and shown so far.

    Args:
        policy: How much of it is kept, and how much ends the cell.
        listener: Called with each piece of text.

    Attributes:
        files: The files that it has shown, each with the suffix of its name.
        skipped: The suffixes of those that were dropped, with the reasons.
        failed: Whether it ended with an error.
        interrupted: Set to True when the cell is interrupted. The error that follows is the interruption's and is
            dropped; what was printed before and is still on its way is kept.
    """

    def __init__(self, policy: SandboxPolicy, listener: OutputListener) -> None:
        self.files: list[tuple[str, bytes]] = []
        self.skipped: list[tuple[str, str]] = []
        self.failed = False
        self.interrupted = False
        self._policy = policy
        self._listener = listener
        self._left = policy.output_limit_bytes
        self._file_bytes_left = policy.artifact_bytes
        self._parts: list[_Part] = []
        self._streams: dict[OutputStream, _Part] = {}
        self._displays: dict[str, _Part] = {}

    @property
    def is_too_much(self) -> bool:
        """Whether the cell printed more than the policy allows."""
        return self._left < 0

    def add(self, message: KernelMessage) -> None:
        """Take the next message. One that is no output is ignored."""
        if self.is_too_much:
            return
        content = message.content
        match message.kind:
            case "stream":
                self._print("stderr" if content.get("name") == "stderr" else "stdout", _text(content.get("text")))
            case "error":
                self._fail(content)
            case "display_data" | "execute_result":
                self._show(_mapping(content.get("data")), _display_id(content))
            case "update_display_data":
                self._show(_mapping(content.get("data")), _display_id(content), is_update=True)
            case CUT.kind:
                self._left = -1
            case _:
                pass

    def text(self) -> str:
        """All of it, in the order of the first piece of each stream and of the objects, each on lines of its own."""
        return "\n".join(part.kept.result()[0] for part in self._parts)

    def stream_text(self, stream: OutputStream) -> str:
        """What belongs to one stream: objects to stdout, errors to stderr."""
        return "\n".join(part.kept.result()[0] for part in self._parts if part.stream == stream)

    def _print(self, stream: OutputStream, text: str) -> None:
        if not text:
            return
        if stream not in self._streams:
            self._streams[stream] = self._new_part(stream)
        self._write(self._streams[stream], text)

    def _fail(self, content: Mapping[str, object]) -> None:
        if self.interrupted:
            return
        self.failed = True
        frames = content.get("traceback")
        lines = [_text(line) for line in cast("list[object]", frames)] if isinstance(frames, list) else []
        traceback = "\n".join(lines) or f"{_text(content.get('ename'))}: {_text(content.get('evalue'))}"
        self._write(self._new_part("stderr"), ESCAPE_SEQUENCE.sub("", traceback))

    def _show(self, data: Mapping[str, object], display: str, *, is_update: bool = False) -> None:
        for kind, suffix in FILE_SUFFIXES.items():
            if kind in data:
                self._keep_file(kind, suffix, data[kind])
        shown = next((data[kind] for kind in TEXTS if kind in data), None)
        if shown is None:
            return
        if is_update:  # a progress bar: the latest state stands for all
            self._parts = [part for part in self._parts if part is not self._displays.get(display)]
        part = self._new_part("stdout")
        if display:
            self._displays[display] = part
        self._write(part, shown if isinstance(shown, str) else json.dumps(shown))

    def _keep_file(self, kind: str, suffix: str, content: object) -> None:
        data = _decoded(kind, _text(content))
        if data is None:
            self.skipped.append((suffix, "not in base64"))
        elif len(self.files) >= self._policy.artifacts:
            self.skipped.append((suffix, "too many files"))
        elif len(data) > self._file_bytes_left:
            self.skipped.append((suffix, "too large"))
        else:
            self._file_bytes_left -= len(data)
            self.files.append((suffix, data))

    def _new_part(self, stream: OutputStream) -> _Part:
        part = _Part(stream, KeptOutput(self._policy.output_kept_bytes))
        self._parts.append(part)
        return part

    def _write(self, part: _Part, text: str) -> None:
        data = text.encode("utf-8", "replace")  # a kernel can send half of a surrogate pair
        self._left -= len(data)
        part.kept.add(data)
        self._listener(part.stream, text)


def _asks_to_exit(reply: Mapping[str, object]) -> bool:
    """Whether the reply to a cell says that the kernel ends."""
    payload = reply.get("payload")
    entries = cast("list[object]", payload) if isinstance(payload, list) else []
    return any(_mapping(entry).get("source") == "ask_exit" for entry in entries)


def is_text(kind: str) -> bool:
    """Whether the messages have a media type as text, and not in base64."""
    return kind.startswith("text/") or kind == "image/svg+xml"


def _decoded(kind: str, content: str) -> bytes | None:
    if is_text(kind):
        return content.encode("utf-8", "replace")
    try:
        return base64.b64decode(content)
    except (binascii.Error, ValueError):
        return None


def _display_id(content: Mapping[str, object]) -> str:
    return _text(_mapping(content.get("transient")).get("display_id"))


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """A text; the notebook format has texts as lists of lines, too."""
    if isinstance(value, list):
        return "".join(line for line in cast("list[object]", value) if isinstance(line, str))
    return value if isinstance(value, str) else ""
