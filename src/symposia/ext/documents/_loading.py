"""Folders of documents, read and added to a memory."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from symposia.core import run_in_worker_thread
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import Memory, add_memory
from symposia.core.terminal_text import printable_name
from symposia.ext.documents._conversion import SIGNATURES, DocumentConverter, DocumentError, is_document
from symposia.ext.documents._passages import DEFAULT_SIZE, Passage, split_into_passages

MOST_DEPTH: Final = 64
"""The most folders in one another that are looked into."""

_KINDS: Final = ", ".join(sorted(SIGNATURES))


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentLimits:
    """How much is read of a folder.

    Attributes:
        file_bytes: The most bytes of one file.
        total_bytes: The most bytes of all files together.
        files: The most documents.
        seconds: The most seconds for one document.
        passage_characters: The most characters of a passage.
    """

    file_bytes: int = 50 * 1024 * 1024
    total_bytes: int = 500 * 1024 * 1024
    files: int = 5_000
    seconds: float = 60.0
    passage_characters: int = DEFAULT_SIZE


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedDocuments:
    """What was read of a folder.

    Attributes:
        documents: The paths of the documents, relative to the folder and with ``/``, sorted.
        passages: Their passages, in the same order.
        errors: The documents that could not be read, where `on_error` was given.
    """

    documents: Sequence[str]
    passages: Sequence[Passage]
    errors: Sequence[DocumentError] = field(default=())


async def load_documents(
    folder: Path | str,
    *,
    limits: DocumentLimits | None = None,
    on_error: Callable[[DocumentError], None] | None = None,
) -> LoadedDocuments:
    """Read the documents of a folder and of the folders in it, or one document.

    Files of other kinds, links, and hidden files and folders are left out.

    Args:
        folder: The folder, or a file.
        limits: How much is read.
        on_error: Is given each document that cannot be read, and the others are read. None raises the first error, as
            does a single document.

    Raises:
        ArgumentTypeError: `folder` is no path.
        DocumentError: There is no such folder, it has no documents or too many, or, without `on_error`, a document
            cannot be read or has no text; with it, none of them can.
        MissingExtraError: The extra ``documents`` is not installed, and a document needs it.
    """
    if not isinstance(folder, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance] - checks the caller
        raise ArgumentTypeError(f"The folder of documents has to be a path, such as 'handbook', not {folder!r}.")
    limits = limits or DocumentLimits()
    found, errors = await run_in_worker_thread(_find, Path(folder), limits)
    for error in errors:
        if on_error is None:
            raise error
        on_error(error)
    passages: list[Passage] = []
    documents: list[str] = []
    async with DocumentConverter(limits.seconds) as converter:
        for path, file in found.items():
            try:
                data = await run_in_worker_thread(_read, path, file, limits.file_bytes)
                text = await converter.convert(path, data)
                passages += await run_in_worker_thread(_split, path, text, limits.passage_characters)
            except DocumentError as error:
                if on_error is None or len(found) == 1:
                    raise
                errors.append(error)
                on_error(error)
            else:
                documents.append(path)
    if not documents:
        raise DocumentError(
            f"None of the documents in {printable_name(str(folder))!r} can be read. Each has an error of its own, "
            "which on_error is given."
        )
    return LoadedDocuments(documents=documents, passages=passages, errors=errors)


async def add_documents(
    memory: Memory,
    folder: Path | str,
    *,
    limits: DocumentLimits | None = None,
    on_error: Callable[[DocumentError], None] | None = None,
) -> LoadedDocuments:
    """Read the documents of a folder, and add their passages to a memory.

    Nothing is added unless the folder could be read. Adding the same folder twice adds the passages twice: clear the
    memory before. The arguments and errors are those of `load_documents`.
    """
    check_instance("memory", "add_documents", memory, Memory, "SQLiteMemory(':memory:')")
    loaded = await load_documents(folder, limits=limits, on_error=on_error)
    for number, passage in enumerate(loaded.passages):
        await add_memory(memory, passage.as_memory())
        if number % 50 == 0:
            await asyncio.sleep(0)  # a memory in the process awaits nothing, and thousands of passages take a second
    return loaded


def _find(folder: Path, limits: DocumentLimits) -> tuple[dict[str, Path], list[DocumentError]]:
    """The documents by their paths in the folder, sorted, and what in it cannot be read.

    Raises:
        DocumentError: There is no such folder, or it has no documents, or too many.
    """
    name = printable_name(str(folder))
    if folder.is_file():
        if not is_document(folder.name):
            raise DocumentError(f"{name!r} is no document that can be read: give text, Markdown, or one of {_KINDS}.")
        return {folder.name: folder.resolve()}, []  # a link that the user names is followed
    if not folder.is_dir():
        raise DocumentError(f"There is no folder {name!r}. Give a folder with documents.")
    found: dict[str, Path] = {}
    errors: list[DocumentError] = []
    total = 0
    for path, size in _walk(folder, errors):
        found[path] = folder / path
        total += size if size <= limits.file_bytes else 0  # a larger one is an error of its own
        if len(found) > limits.files:
            raise DocumentError(f"{name!r} has more than {limits.files:,} documents. Give a folder in it.")
        if total > limits.total_bytes:
            raise DocumentError(
                f"The documents in {name!r} have more than {limits.total_bytes:,} bytes together. Give a folder in "
                "it, or other limits."
            )
    if not found and errors:
        raise errors[0]
    if not found:
        raise DocumentError(f"{name!r} has no documents: put in text, Markdown, or {_KINDS}.")
    return dict(sorted(found.items())), errors


def _walk(root: Path, errors: list[DocumentError]) -> Iterator[tuple[str, int]]:
    def unreadable(error: OSError) -> None:
        errors.append(
            DocumentError(
                f"The folder {printable_name(str(error.filename))!r} cannot be read: {error.strerror}. Make it "
                "readable."
            )
        )

    for folder, folders, files in os.walk(root, onerror=unreadable):  # follows no links
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if folders and len(Path(folder).relative_to(root).parts) == MOST_DEPTH:
            name = printable_name(Path(folder).relative_to(root).as_posix())
            errors.append(
                DocumentError(f"The folders in {name!r} are not read: {MOST_DEPTH} are above them. Move them up.")
            )
            folders.clear()
        for name in files:
            if name.startswith(".") or not is_document(name):
                continue
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            with suppress(FileNotFoundError):  # deleted since
                found = path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    continue
                if printable_name(relative) == relative:
                    yield relative, found.st_size
                else:
                    shown = printable_name(relative)
                    errors.append(DocumentError(f"The name of {shown!r} cannot be shown. Rename the document."))


def _read(path: str, file: Path, most: int) -> bytes:
    # It may have become a link or a pipe since it was found. To open a pipe, a reader waits for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(file, flags), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise DocumentError(f"The document {path!r} is no regular file. Put the file itself there.")
            data = opened.read(most + 1) if found.st_size <= most else b""
    except OSError as error:
        raise DocumentError(
            f"The document {path!r} cannot be read: {error.strerror}. Make it readable, or take it out."
        ) from error
    if max(len(data), found.st_size) > most:
        raise DocumentError(f"The document {path!r} is too large: it has more than {most:,} bytes. Split it.")
    return data


def _split(path: str, text: str, size: int) -> list[Passage]:
    passages = split_into_passages(path, text, size=size)
    if not passages:
        hint = " Its pages may be pictures of text" if path.lower().endswith(".pdf") else " It may be empty"
        raise DocumentError(f"The document {path!r} has no text.{hint}.")
    return passages
