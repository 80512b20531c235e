"""Where the tasks of a program wait, seen through the embedded runtime: for debuggers and for error texts.

The embedded runtime runs a request's handler inside the task of the caller, by hand, so Python's own way from coroutine
to awaited coroutine ends at the runtime. These functions follow it further.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from types import FrameType
from typing import cast

from symposia.core._agent_id import AgentId
from symposia.core._runtime._mailbox import Call
from symposia.core._runtime._steps import resume
from symposia.core._runtime._supervision import Supervisor
from symposia.core._task_waits import task_awaits

__all__ = ["awaited_agents", "suspended_frames", "task_awaits", "waits_for_turn"]


def suspended_frames(task: asyncio.Task[object]) -> list[FrameType]:
    """The frames of a task that waits, the outermost first, those of the handlers that run inside it included."""
    return list(_frames(task.get_coro()))


def awaited_agents(frames: list[FrameType]) -> list[AgentId]:
    """The agents whose answers the frames of one task await, each through the one before it."""
    return [call.mailbox.id for call in _calls(frames)]


def waits_for_turn(frames: list[FrameType]) -> bool:
    """Whether the last of `awaited_agents` has not begun to handle the request yet."""
    calls = _calls(frames)
    return bool(calls) and not calls[-1].active


def _frames(awaited: object) -> Iterator[FrameType]:
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


def _calls(frames: list[FrameType]) -> list[Call]:
    return [cast("Call", f.f_locals["call"]) for f in frames if f.f_code is Supervisor.supervise.__code__]
