"""A program of its own process: reads documents on standard input, and writes their Markdown to standard output.

Each request is a frame with the suffix, and a frame with the bytes; the answer is a frame with JSON: ``{"text": …}``,
``{"refused": …}`` with what is wrong, or ``{"error": …}`` with what a library said. A frame is its length as eight
bytes, the highest first, and so many bytes. It imports nothing of Symposia, so that it starts with what it needs. Its
argument is the most seconds for one document.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import struct
import sys
import zipfile
from typing import BinaryIO

MOST_MEMORY = 4 * 1024**3
"""Bytes of address space."""

MOST_UNPACKED = 256 * 1024**2
"""Bytes of the files in an Office file. The libraries take ten times as many in memory."""


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits, and macOS not this one
        import resource  # noqa: PLC0415 - see above

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _convert(suffix: str, data: bytes) -> str:
    """The Markdown of a document. Pages of a PDF end with a form feed."""
    from markitdown import StreamInfo, converters  # noqa: PLC0415 - missing where the extra is not installed

    # The converter of the kind alone. `MarkItDown` tries others after it has failed, and reads a PDF that is none as
    # text.
    kinds = {
        ".docx": converters.DocxConverter,
        ".htm": converters.HtmlConverter,
        ".html": converters.HtmlConverter,
        ".pdf": converters.PdfConverter,
        ".pptx": converters.PptxConverter,
        ".xls": converters.XlsConverter,
        ".xlsx": converters.XlsxConverter,
        ".xhtml": converters.HtmlConverter,
    }
    return kinds[suffix]().convert(io.BytesIO(data), StreamInfo(extension=suffix)).markdown


def _unpacked_size(data: bytes) -> int:
    """The bytes of the files in a ZIP archive, by its directory. No more are read of them, whatever they hold."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _end_after(seconds: int) -> None:
    """Let the system end this process then; 0 for never. Its parent does so before, unless it was killed itself."""
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(seconds)


def _answer(suffix: str, data: bytes) -> dict[str, str]:
    try:
        if data.startswith(b"PK\x03\x04") and (size := _unpacked_size(data)) > MOST_UNPACKED:
            return {"refused": f"has {size:,} bytes when it is unpacked, and {MOST_UNPACKED:,} are allowed"}
        return {"text": _convert(suffix, data)}
    except ImportError as error:
        return {"missing": str(error)}
    except MemoryError:
        return {"refused": "needs too much memory"}
    except RecursionError:
        return {"refused": "is nested too deeply"}
    except Exception as error:  # noqa: BLE001 - libraries raise anything on broken files
        if type(error).__name__ == "PDFPasswordIncorrect":  # of pdfminer, which other kinds do not need
            return {"refused": "has a password. Save it without one"}
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def _read_frame(stream: BinaryIO) -> bytes | None:
    header = stream.read(8)
    return stream.read(struct.unpack(">Q", header)[0]) if len(header) == 8 else None  # noqa: PLR2004 - see the top


def main() -> None:
    """Answer requests until standard input ends."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while (suffix := _read_frame(sys.stdin.buffer)) is not None:
        data = _read_frame(sys.stdin.buffer)
        if data is None:
            return
        _end_after(int(sys.argv[1]))
        answer = json.dumps(_answer(suffix.decode(), data)).encode()
        _end_after(0)
        answers.write(struct.pack(">Q", len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
