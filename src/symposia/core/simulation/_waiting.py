"""Who waits for what: the text of the error when nothing can run any more."""

from __future__ import annotations

import asyncio
import inspect
import linecache
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, cast

from symposia.core._runtime._call import Call
from symposia.core._runtime._driver import resume
from symposia.core._runtime._supervision import Supervisor

_STDLIB = sysconfig.get_path("stdlib")
_OWN = str(Path(__file__).parents[2])


def who_waits(loop: asyncio.AbstractEventLoop) -> str:
    """One line a task that has not ended."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "number", 0))
    return "\n".join(f"- {_describe(task)}" for task in tasks)


def _describe(task: asyncio.Task[Any]) -> str:
    frames = list(_frames(task.get_coro()))
    theirs = [frame for frame in frames if not frame.f_code.co_filename.startswith((_STDLIB, _OWN))]
    where = next(reversed(theirs or frames), None)
    parts = [task.get_name(), *_agents(frames), f"waits for {_awaited(task, frames)}"]
    return " ".join(parts) + ("" if where is None else f", {_place(where)}")


def _frames(awaited: object) -> Iterator[FrameType]:
    """The frames of a suspended coroutine, outermost first, through the handlers that run inside it."""
    while awaited is not None:
        frame: FrameType | None
        if inspect.iscoroutine(awaited):
            frame, awaited = awaited.cr_frame, awaited.cr_await
        elif inspect.isgenerator(awaited):
            frame, awaited = awaited.gi_frame, awaited.gi_yieldfrom
        else:
            return
        if frame is None:
            return
        yield frame
        if frame.f_code is resume.__code__:
            awaited = frame.f_locals["handler"]


def _agents(frames: list[FrameType]) -> list[str]:
    """The agents whose answers the frames await, one through the other."""
    calls = [cast("Call", f.f_locals["call"]) for f in frames if f.f_code is Supervisor.supervise.__code__]
    if not calls:
        return []
    turn = "" if calls[-1].active else ", whose turn has not come,"
    return [f"in a message for {' → '.join(str(call.mailbox.id) for call in calls)}{turn}"]


def _awaited(task: asyncio.Task[Any], frames: list[FrameType]) -> str:
    """What a task waits for, as its author would name it: `Event.wait()`, another task, a future."""
    future: object = getattr(task, "_fut_waiter", None)  # undocumented; without it the frames say nearly as much
    if isinstance(future, asyncio.Task):
        return cast("asyncio.Task[Any]", future).get_name()
    if frames and frames[-1].f_code.co_filename.startswith(_STDLIB):
        return f"{frames[-1].f_code.co_qualname}()"
    return "a future"


def _place(frame: FrameType) -> str:
    code = frame.f_code
    line = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"in {code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno}): {line}"
