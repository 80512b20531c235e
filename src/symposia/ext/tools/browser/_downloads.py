"""Files that a page sends: saved in one folder under safe names, up to a size, or refused."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core import cancel_and_wait
from symposia.ext.tools.browser._page import first_line

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

MOST_BYTES: Final = 100 * 1024 * 1024
_NAME_LENGTH: Final = 120
_UNSAFE: Final = re.compile(r"[^\w .()+,@=-]")
_SECONDS_BETWEEN_LOOKS: Final = 0.1
_SECONDS_TO_START: Final = 3.0
_MOST_FILES: Final = 10  # from one action to the next: a page can start any number


class Downloads:
    """The downloads of a browser.

    Args:
        folder: Where they are saved; None refuses them.
        unfinished: The browser's own folder for files that are not complete, by which their size is seen before the
            end; None if it is not known, and the size is then looked at in the end.
        most_bytes: The size of the largest file.
    """

    def __init__(self, folder: Path | None, unfinished: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._unfinished = unfinished
        self._most_bytes = most_bytes
        self._saving: set[asyncio.Task[None]] = set()
        self._started = 0
        self._taken = 0
        self._surplus = 0
        self._begun = asyncio.Event()
        self._reports: list[str] = []

    @property
    def started(self) -> int:
        """How many downloads have begun."""
        return self._started

    async def wait_for(self, started: int) -> bool:
        """Wait shortly until that many downloads have begun; whether they have."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_START):
                while self._started < started:
                    self._begun.clear()
                    await self._begun.wait()
        return self._started >= started

    def accept(self, download: playwright_api.Download) -> None:
        """Save a download, or refuse it. A handler of the event ``download``."""
        self._started += 1
        self._begun.set()
        self._taken += 1
        is_surplus = self._taken > _MOST_FILES
        self._surplus += is_surplus
        task = asyncio.ensure_future(_refuse(download) if is_surplus else self._accept(download))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def reports(self, seconds: float) -> list[str]:
        """What became of the downloads since the last call, one sentence each, after waiting for those that go on."""
        if self._saving:
            await asyncio.wait(self._saving, timeout=seconds)
        reports, self._reports = self._reports, []
        if self._surplus:
            reports.append(f"{self._surplus} more files were not downloaded: at most {_MOST_FILES} are at a time.")
        if self._saving:
            reports.append("A file is still being downloaded.")
        self._taken, self._surplus = len(self._saving), 0
        return reports

    async def close(self) -> None:
        """Give up the downloads that go on."""
        await cancel_and_wait(*self._saving)

    async def _accept(self, download: playwright_api.Download) -> None:
        name = safe_name(download.suggested_filename)
        try:
            self._reports.append(await self._outcome(download, name))
        except (playwright_api.Error, OSError) as error:
            self._reports.append(f"The file {name!r} could not be downloaded: {first_line(error)}")

    async def _outcome(self, download: playwright_api.Download, name: str) -> str:
        if self._folder is None:
            await download.cancel()
            return f"The address is a file ({name!r}) and no page. It was not downloaded: this browser saves no files."
        finished = asyncio.ensure_future(download.path())
        try:
            while not finished.done():
                await asyncio.wait([finished], timeout=_SECONDS_BETWEEN_LOOKS)
                if await asyncio.to_thread(self._is_too_large, finished):
                    await download.cancel()
                    return f"The file {name!r} was not downloaded: it is larger than {self._most_bytes:,} bytes."
            source = await finished
        finally:
            finished.cancel()
            with suppress(playwright_api.Error, asyncio.CancelledError):
                await finished
        path, size = await asyncio.to_thread(_copy, source, self._folder, name)
        await download.delete()  # the browser's, which would stay until it is closed
        return f"The file {path.name!r} ({size:,} bytes) was downloaded to {path}."

    def _is_too_large(self, finished: asyncio.Future[Path]) -> bool:
        if finished.done() and not finished.cancelled() and finished.exception() is None:
            return finished.result().stat().st_size > self._most_bytes
        if self._unfinished is None:
            return False
        sizes: list[int] = []
        for file in self._unfinished.iterdir():
            with suppress(OSError):  # it has just been finished, and has another name
                sizes.append(file.stat().st_size)
        return max(sizes, default=0) > self._most_bytes


async def _refuse(download: playwright_api.Download) -> None:
    with suppress(playwright_api.Error):
        await download.cancel()


def safe_name(suggested: str) -> str:
    """A file's name from one that a server suggests: no path, no leading dot, no special characters, not long."""
    plain = _UNSAFE.sub("_", suggested.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > _NAME_LENGTH:
        plain = f"{stem[: _NAME_LENGTH - 20]}{dot}{ending[:19]}" if dot else plain[:_NAME_LENGTH]
    return plain or "download"


def _copy(source: Path, folder: Path, name: str) -> tuple[Path, int]:
    """Copy the file under a name that is free: one that exists is never overwritten, nor a link there followed."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, ending = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{ending}")
        try:
            with path.open("xb") as target, source.open("rb") as data:
                while chunk := data.read(1024 * 1024):
                    target.write(chunk)
                return path, target.tell()
        except FileExistsError:
            number += 1
