"""Who waits for what: the text of the error when nothing can run any more."""

from __future__ import annotations

import asyncio
import linecache
import sysconfig
from pathlib import Path
from types import FrameType
from typing import cast

from symposia.core.inspection import awaited_agents, suspended_frames, waits_for_turn

_STDLIB = sysconfig.get_path("stdlib")
_OWN = str(Path(__file__).parents[2])


def who_waits(loop: asyncio.AbstractEventLoop) -> str:
    """One line a task that has not ended."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "number", 0))
    return "\n".join(f"- {_describe(task)}" for task in tasks)


def _describe(task: asyncio.Task[object]) -> str:
    frames = suspended_frames(task)
    theirs = [frame for frame in frames if not frame.f_code.co_filename.startswith((_STDLIB, _OWN))]
    where = next(reversed(theirs or frames), None)
    parts = [task.get_name(), *_request(frames), f"waits for {_awaited(task, frames)}"]
    return " ".join(parts) + ("" if where is None else f", {_place(where)}")


def _request(frames: list[FrameType]) -> list[str]:
    agents = " → ".join(map(str, awaited_agents(frames)))
    turn = ", whose turn has not come," if waits_for_turn(frames) else ""
    return [f"in a message for {agents}{turn}"] if agents else []


def _awaited(task: asyncio.Task[object], frames: list[FrameType]) -> str:
    """What a task waits for, as its author would name it: `Event.wait()`, another task, a future."""
    future: object = getattr(task, "_fut_waiter", None)  # undocumented; without it the frames show nearly as much
    if isinstance(future, asyncio.Task):
        return cast("asyncio.Task[object]", future).get_name()
    if frames and frames[-1].f_code.co_filename.startswith(_STDLIB):
        return f"{frames[-1].f_code.co_qualname}()"
    return "a future"


def _place(frame: FrameType) -> str:
    code = frame.f_code
    line = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"in {code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno}): {line}"
