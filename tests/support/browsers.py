"""Whether this machine has a browser, and which processes of one there are."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from symposia.core.tools import ToolResult
from symposia.ext.tools.browser import BrowserWorkbench

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine")
SECONDS = 90.0
"""How long tests wait for a browser that starts or ends: a loaded machine takes ten seconds."""


@asynccontextmanager
async def browsing(**options: object) -> AsyncGenerator[BrowserWorkbench, None]:
    """A workbench of small pages, which is closed in the end."""
    given = {"viewport_width": 600, "viewport_height": 400, **options}
    async with BrowserWorkbench(**given) as workbench:  # type: ignore[arg-type]  # options of many types
        yield workbench


async def text_of(workbench: BrowserWorkbench, tool: str, **arguments: object) -> str:
    """The text of a result that is no error."""
    result = await workbench.call_tool(tool, arguments)
    assert not result.is_error, result.to_text("")
    return result.to_text("[picture]")


async def error_of(workbench: BrowserWorkbench, tool: str, **arguments: object) -> str:
    """The first line of a result that is an error."""
    result: ToolResult = await workbench.call_tool(tool, arguments)
    assert result.is_error, result.to_text("")
    return result.to_text("").partition("\n")[0]


def processes_with(marker: str) -> list[int]:
    """The ids of the processes with a text in their command line."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if marker.encode() in command:
            found.append(int(folder.name))
    return found


def descendants(parent: int, marker: str) -> list[int]:
    """The ids of the processes under another one with a text in their command line."""
    marked, found = set(processes_with(marker)), list[int]()
    for child in _children(parent):
        found += [*([child] if child in marked else []), *descendants(child, marker)]
    return found


def _children(parent: int) -> list[int]:
    try:
        return [
            int(child)
            for thread in Path(f"/proc/{parent}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:  # it has ended meanwhile
        return []


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, asking again and again."""
    async with asyncio.timeout(SECONDS):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - nothing tells when another process ends
            await asyncio.sleep(0.02)
