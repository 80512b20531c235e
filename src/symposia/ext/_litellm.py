"""LiteLLM itself, in a thread with an event loop of its own.

Its coroutines block: they import modules, and read certificates and other files, in the middle of a request. In that
thread they delay no agent. The loop lives as long as the process, and so do the connections that LiteLLM keeps for each
loop, and the task by which it calls its callbacks. Rejected: to run only the import and the first request in a thread,
since each vendor and each error has a first time.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from importlib import import_module
from typing import Any, Final, TypeVar

T = TypeVar("T")

OFFLINE: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_MODE": "PRODUCTION",
}
"""Environment variables by which LiteLLM fetches no lists from the network and reads no ``.env`` of the folder.

They stay set, since it reads some of them later. A value that the user gave is kept.
"""
_lock: Final = threading.Lock()


def load() -> Any:  # Any: its types are incomplete
    """Import LiteLLM without its look-ups in the network, which takes seconds.

    What a program has set that imported it before is left as it is.
    """
    with _lock:
        if "litellm" in sys.modules:
            return sys.modules["litellm"]
        for name, value in OFFLINE.items():
            os.environ.setdefault(name, value)
        litellm: Any = import_module("litellm")  # Any: see above
        litellm.telemetry = False
        litellm.suppress_debug_info = True  # it prints advice for each error
        litellm.disable_token_counter = True  # where a vendor sends no counts, it would fetch a tokenizer
        return litellm


class _LoopThread:
    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="litellm", daemon=True).start()


_thread: _LoopThread | None = None


def _running_loop() -> asyncio.AbstractEventLoop:
    """The loop of the thread, which is begun again in a process that was forked."""
    global _thread  # noqa: PLW0603 - one for the process, as LiteLLM's own state is
    if _thread is None or _thread.process != os.getpid():
        _thread = _LoopThread()
    return _thread.loop


async def run(work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine is sent and yields
    """Await LiteLLM's coroutine in its thread. To cancel this cancels the coroutine there."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _running_loop()))
