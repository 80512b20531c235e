"""The tools: list, read, search, write and edit. Each is bounded in time, and in what a model is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from symposia.core.argument_checks import check_flag
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.terminal_text import printable
from symposia.core.text_limits import beginning_of
from symposia.core.tools import FunctionTool
from symposia.ext.tools.files._edit import edited
from symposia.ext.tools.files._folder import MOST_FILE_BYTES, ConfinedFolder, FolderEntry
from symposia.ext.tools.files._folder_workbench import FolderWorkbench

MOST_SHOWN: Final = 32_000
"""The most characters of a result, some 8,000 tokens."""

MOST_WRITTEN: Final = 256 * 1024 * 1024
"""The most bytes that a workbench writes in its life, by default."""

MOST_LISTED: Final = 500
MOST_MATCHES: Final = 100
MOST_LINE: Final = 1_000
"""The most entries of a list, lines that a search finds, and characters of one line."""

MOST_PATTERN: Final = 1_000
"""The most characters of a pattern of names. Compiling one of 40,000 takes seconds."""

_Path = Annotated[str, Field(description="Relative to the folder, with '/'.")]


class FileWorkbench(FolderWorkbench):
    """Tools with which a model works on the text files of one folder, and of no other; see `ConfinedFolder`.

    ``list_files``, ``read_file`` and ``search_files``; unless `read_only`, ``write_file`` and ``edit_file``. A file is
    replaced as a whole, so that no reader sees a part of it. What is wrong with a path is a result for the model.

    Reading may be repeated, and writing the same content may be, too: `ToolTraits.idempotency` is ``idempotent``. An
    edit may not: its new text may contain the old one.

    Args:
        root: The folder.
        read_only: Leave out the tools that write.
        hidden: Whether hidden files, whose names begin with a dot, can be used.
        max_file_bytes: The most bytes of a file that is read or written.
        max_written_bytes: The most bytes that all calls together write.
        timeout: Seconds until a call ends. A disk that hangs keeps its thread, and may still write later.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: There is no such folder, or a limit is not positive.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        read_only: bool = False,
        hidden: bool = False,
        max_file_bytes: int = MOST_FILE_BYTES,
        max_written_bytes: int = MOST_WRITTEN,
        timeout: float = 30.0,
    ) -> None:
        check_flag("read_only", "FileWorkbench", read_only)
        if max_written_bytes < 1:
            raise InvalidArgumentError(f"max_written_bytes of FileWorkbench is {max_written_bytes!r}: give at least 1.")
        self._left_to_write = max_written_bytes
        # An edit reads and writes, and the calls of one answer run at the same time, in threads.
        self._writing = threading.Lock()
        readers: list[Callable[..., str]] = [self.list_files, self.read_file, self.search_files]
        tools = [_tool(each, idempotent=True) for each in readers]
        if not read_only:
            tools += [_tool(self.write_file, idempotent=True), _tool(self.edit_file, idempotent=False)]
        super().__init__(tools, ConfinedFolder(root, max_file_bytes=max_file_bytes, hidden=hidden), timeout)

    def list_files(self, path: _Path = ".") -> str:
        """List the files and folders in a folder, with the bytes of each file."""
        entries = self._files.entries(path)
        lines = [f"{entry.path}/" if entry.is_folder else f"{entry.path}  {entry.size:,}" for entry in entries]
        if len(lines) > MOST_LISTED:
            lines[MOST_LISTED:] = [f"[{len(entries) - MOST_LISTED:,} more: search_files finds files by their names]"]
        return _shortened("\n".join(lines)) or "The folder is empty."

    def read_file(
        self,
        path: _Path,
        first_line: Annotated[int, Field(description="From 1.")] = 1,
        line_count: Annotated[int, Field(description="The most lines.")] = 1_000,
    ) -> str:
        """Read a text file, or some lines of it. A long file comes in parts."""
        lines = _lines(self._text(path))
        if lines and not lines[-1]:
            lines.pop()
        start = max(first_line, 1) - 1
        shown: list[str] = []
        size = 0
        for line in lines[start : start + max(line_count, 1)]:
            shown.append(_shown(line))
            size += len(shown[-1]) + 1
            if size > MOST_SHOWN:
                shown.pop()
                break
        end = start + len(shown)
        text = "\n".join(shown)
        if end < len(lines):
            return f"{text}\n[Lines {start + 1} to {end} of {len(lines)}. The next part: first_line={end + 1}]"
        if not shown:
            return f"[The file has {len(lines)} lines.]" if lines else "[The file is empty.]"
        return text

    def search_files(
        self,
        text: Annotated[str, Field(description="The text to find in a line; empty to find files by name alone.")] = "",
        name_pattern: Annotated[str, Field(description="Of the path, such as '*.py' or 'docs/*'.")] = "*",
        path: _Path = ".",
        ignore_case: bool = True,
    ) -> str:
        """Find the lines that contain a text, or the files of some names, in a folder and its folders."""
        if "\n" in text or len(name_pattern) > MOST_PATTERN:
            raise InvalidArgumentError(
                f"Search for a text of one line, and a pattern of at most {MOST_PATTERN} characters."
            )
        wanted = text.casefold() if ignore_case else text
        deadline = time.monotonic() + self._timeout  # ends the thread, whose caller has left by then
        found: list[str] = []
        for entry in self._files.walk(path):
            if time.monotonic() > deadline:
                raise self._too_slow()
            if not fnmatch(entry.path, name_pattern) and not fnmatch(entry.path.rpartition("/")[2], name_pattern):
                continue
            found += [entry.path] if not wanted else self._matches(entry, wanted, ignore_case=ignore_case)
            if len(found) > MOST_MATCHES:
                found[MOST_MATCHES:] = [f"[More than {MOST_MATCHES} are found. Search for something narrower.]"]
                break
        return _shortened("\n".join(found)) or "Nothing is found."

    def write_file(self, path: _Path, content: Annotated[str, Field(description="The whole file.")]) -> str:
        """Write a text file, in place of an older one. Folders on the way are made."""
        with self._exclusive_writing():
            self._write(path, content)
        return f"{self._files.relative(path)} is written, {len(content.encode(errors='replace')):,} bytes."

    def edit_file(
        self,
        path: _Path,
        old_text: Annotated[str, Field(description="As it is in the file, and in one place only.")],
        new_text: str,
    ) -> str:
        """Replace a text in a file by another."""
        with self._exclusive_writing():
            content, line = edited(self._text(path, strict=True), old_text, new_text, path)
            self._write(path, content)
        return f"{self._files.relative(path)} is changed at line {line}."

    @contextmanager
    def _exclusive_writing(self) -> Generator[None]:
        # With a limit: behind a disk that hangs, each call would keep a thread, and write when nobody expects it.
        if not self._writing.acquire(timeout=self._timeout):
            raise self._too_slow()
        try:
            yield
        finally:
            self._writing.release()

    def _write(self, path: str, content: str) -> None:
        data = content.encode("utf-8", errors="replace")  # half of a surrogate pair, which models can write
        if len(data) > self._left_to_write:
            raise InvalidArgumentError(
                f"{path!r} is not written: {self._left_to_write:,} bytes are left to write, and it has {len(data):,}."
            )
        self._files.write(path, data)
        self._left_to_write -= len(data)

    def _text(self, path: str, *, strict: bool = False) -> str:
        """The text of a file.

        Args:
            path: The file.
            strict: Refuse bytes that are no UTF-8, which would be lost when the file is written again.
        """
        data = self._files.read(path)
        if b"\0" in data:
            raise InvalidArgumentError(f"{path!r} is not text. It has {len(data):,} bytes.")
        try:
            return data.decode("utf-8", errors="strict" if strict else "replace")
        except UnicodeDecodeError:
            raise InvalidArgumentError(
                f"{path!r} is not text in UTF-8, and cannot be edited. Write it as a whole instead."
            ) from None

    def _matches(self, entry: FolderEntry, wanted: str, *, ignore_case: bool) -> list[str]:
        if entry.size > self._files.max_file_bytes:
            return []
        try:
            text = self._text(entry.path)
        except InvalidArgumentError:  # not text, or changed since it was listed
            return []
        if wanted not in (text.casefold() if ignore_case else text):
            return []
        matches: Iterator[str] = (
            f"{entry.path}:{number}: {_shown(line.strip())}"
            for number, line in enumerate(_lines(text), 1)
            if wanted in (line.casefold() if ignore_case else line)
        )
        return list(islice(matches, MOST_MATCHES + 1))


def _tool(function: Callable[..., str], *, idempotent: bool) -> FunctionTool:
    description = str(function.__doc__).partition("\n")[0]
    return FunctionTool(function, description, idempotency="idempotent" if idempotent else "unknown")


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _shown(line: str) -> str:
    """A line as a model is shown it. Made of the shown lines only: `printable` takes seconds for a large file."""
    return printable(_shortened(line, MOST_LINE))


def _shortened(text: str, most: int = MOST_SHOWN) -> str:
    return beginning_of(text, most, " [{left} more characters]")
