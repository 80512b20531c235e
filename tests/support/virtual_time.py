"""An event loop whose clock jumps to the next timer when nothing else is left to do: minutes pass in no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.DefaultSelector):
    """Waits for nothing: where it would, it moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is None:
            return ready or super().select(timeout)
        self.passed += max(0.0, timeout)
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.passed


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on such a loop. `asyncio.get_running_loop().time()` inside is the virtual time, from 0."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main)
