"""Documents as Markdown: text is decoded here, and all else is converted in a process of its own.

A document may come from a stranger, and the libraries that read it are large: a few bytes can take any time and memory,
or end the process. So they run in a child process without the environment's secrets, with a limit of memory, which is
killed when a document takes too long. Rejected: a worker thread, which nothing can stop.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import math
import os
import struct
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from symposia.core import run_in_worker_thread, uninterrupted
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.terminal_text import printable_name

EXTRA: Final = "documents"

TEXT_SUFFIXES: Final = frozenset(
    (
        *(".txt", ".md", ".markdown", ".rst", ".adoc", ".org", ".tex", ".log", ".csv", ".tsv", ".json", ".jsonl"),
        *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".xml", ".py", ".js", ".ts", ".java", ".c", ".h", ".cpp", ".cs"),
        *(".go", ".rs", ".rb", ".sh", ".sql", ".css", ".eml", ".vtt", ".srt"),
    )
)
"""The suffixes of files that are read as text."""

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES: Final = {
    ".docx": ("a Word document", _ZIP),
    ".htm": ("a HTML page", b""),
    ".html": ("a HTML page", b""),
    ".pdf": ("a PDF", b"%PDF-"),
    ".pptx": ("a PowerPoint presentation", _ZIP),
    ".xhtml": ("a HTML page", b""),
    ".xls": ("an Excel workbook", _OLE),
    ".xlsx": ("an Excel workbook", _ZIP),
}
"""The kinds of files that are converted, and how each begins; an HTML page begins with anything."""

_PDF_HEADER_WITHIN: Final = 1024
"""The bytes in which a PDF's header is: Adobe's readers allow so many before it (PDF Reference 1.7, appendix H)."""

MOST_ANSWER: Final = 64 * 1024 * 1024
"""The most bytes of a converted document. The text of a large book has a few million."""

_LONGEST: Final = 24 * 60 * 60
_PROGRAM: Final = Path(__file__).with_name("_converter_program.py")
_KEPT_VARIABLES: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


class DocumentError(InvalidArgumentError):
    """A document, or a folder of them, cannot be read; the text names it and says why."""


def is_document(path: str) -> bool:
    """Whether files of this suffix are read."""
    suffix = _suffix(path)
    return suffix in TEXT_SUFFIXES or suffix in SIGNATURES


class DocumentConverter:
    """Turns documents into Markdown. Use it as an async context manager, or call `close`.

    The child process starts with the first document that needs it, and ends with `close`. One that was killed is
    started again. It reads one document after the other: calls at the same time wait for each other.

    Args:
        timeout: Seconds for one document, the start of the process included.

    Raises:
        InvalidArgumentError: `timeout` is not positive, or longer than a day.
    """

    def __init__(self, timeout: float = 60.0) -> None:
        if not 0 < timeout <= _LONGEST:
            raise InvalidArgumentError(
                f"The timeout of DocumentConverter is {timeout!r}: give seconds above 0, up to a day."
            )
        self._timeout = timeout
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def convert(self, path: str, data: bytes) -> str:
        """The text of a document. Pages of a PDF are separated by form feeds.

        Args:
            path: Its name, whose suffix says what it is.
            data: Its bytes.

        Raises:
            DocumentError: It is not what its suffix says, is damaged, or takes too much time or memory.
            MissingExtraError: The extra ``documents`` is not installed, and its kind needs it.
        """
        suffix = _suffix(path)
        if suffix not in SIGNATURES:
            return await run_in_worker_thread(_decoded, path, data)
        kind = _checked_kind(path, suffix, data)
        async with self._turn:
            answer = await self._answer(path, suffix, data)
        if "missing" in answer:
            raise MissingExtraError(f"Reading {printable_name(path)!r}", EXTRA)
        if "refused" in answer:
            raise _unreadable(path, answer["refused"])
        if "error" in answer:
            raise _unreadable(path, f"is damaged, or is not {kind} ({printable_name(answer['error'])})")
        return answer["text"]

    async def _answer(self, path: str, suffix: str, data: bytes) -> dict[str, str]:
        """What the process answers. One that does not is ended."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(suffix, data)
        except TimeoutError:
            await self.close()
            raise _unreadable(path, f"was not read within {self._timeout:g} s. Split it, or allow more time") from None
        except (OSError, EOFError) as error:  # EOFError: the base class of asyncio.IncompleteReadError
            await self.close()
            raise _unreadable(path, "ended the program that reads it. It is damaged, or made to do harm") from error
        except BaseException:
            await self.close()  # in the middle of a request: the next answer would be of this one
            raise

    async def close(self) -> None:
        """End the process. Closing twice is harmless."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()  # it has nothing to finish
        await uninterrupted(process.communicate())  # closes the pipes, too

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, suffix: str, data: bytes) -> dict[str, str]:
        process = self._process = self._process or await _start(self._timeout)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        name = suffix.encode()
        process.stdin.write(struct.pack(">Q", len(name)) + name + struct.pack(">Q", len(data)))
        process.stdin.write(data)
        await process.stdin.drain()
        (size,) = struct.unpack(">Q", await process.stdout.readexactly(8))
        if size > MOST_ANSWER:
            await self.close()
            return {"refused": f"has {size:,} bytes of text, and {MOST_ANSWER:,} are allowed"}
        # A large answer is parsed in a thread: it would block the event loop for a tenth of a second and more.
        return await run_in_worker_thread(_parsed, await process.stdout.readexactly(size))


async def _start(timeout: float) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # its own folder holds modules of Symposia's, which are not to be imported by their short names
        str(_PROGRAM),
        str(math.ceil(timeout) + 1),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
    )


def _checked_kind(path: str, suffix: str, data: bytes) -> str:
    """What a document is by its suffix.

    Raises:
        DocumentError: It begins otherwise.
    """
    kind, signature = SIGNATURES[suffix]
    if not data.strip():
        raise _unreadable(path, "is empty")
    if signature == _ZIP and data.startswith(_OLE):
        raise _unreadable(path, "has a password, or the format of Office before 2007. Save it anew, without a password")
    if signature not in data[: _PDF_HEADER_WITHIN if suffix == ".pdf" else len(signature)]:
        raise _unreadable(path, f"is not {kind}, though its name says so")
    return kind


def _parsed(answer: bytes) -> dict[str, str]:
    # Half of a surrogate pair, which broken fonts of PDFs map to, is text that no encoding writes.
    parsed: dict[str, str] = json.loads(answer)
    return {
        name: text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8") for name, text in parsed.items()
    }


def _decoded(path: str, data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or else the code page of Windows for western Europe."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    elif b"\0" in data:
        raise _unreadable(path, "is not text")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _unreadable(path: str, reason: str) -> DocumentError:
    return DocumentError(f"The document {printable_name(path)!r} {reason}.")
