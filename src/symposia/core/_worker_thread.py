"""Plain functions among the coroutines: they run in worker threads, and an agent stays busy until theirs has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

from symposia.core._runtime._call import current_call

T = TypeVar("T")


async def run_in_worker_thread(function: Callable[..., T], *args: Any) -> T:
    """Call a plain function in a worker thread, with this context's variables.

    A thread cannot be stopped. When the caller is cancelled it leaves at once, but the agent on whose behalf the thread
    runs takes its next message only after the thread has ended.
    """
    context = copy_context()
    work = asyncio.get_running_loop().run_in_executor(None, lambda: context.run(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        call = current_call.get()
        if call is not None and not work.done():
            call.hold_until(work)
        raise
