"""The deadlines of the calls of a session.

A call has two clocks. That of silence runs from the request or from the last report of progress, and stands still
while the server waits for this program: a model or a person may take longer than a server is allowed to. That of the
whole call stands still only while a person is asked. Without it, a server could report progress, or ask models, for
ever.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager


class _Clock:
    """Seconds that run out, unless the clock stands still."""

    def __init__(self, seconds: float) -> None:
        self._seconds = self._left = seconds
        self._end: float | None = None  # None while it stands still

    @property
    def end(self) -> float:
        """When the seconds have run out, in the time of the loop."""
        return math.inf if self._end is None else self._end

    def run(self, *, is_running: bool) -> None:
        """Let it go on, or stand still."""
        now = asyncio.get_running_loop().time()
        if is_running and self._end is None:
            self._end = now + self._left
        elif not is_running and self._end is not None:
            self._left, self._end = self._end - now, None

    def restart(self) -> None:
        """Give all the seconds again."""
        self._left = self._seconds
        if self._end is not None:
            self._end = asyncio.get_running_loop().time() + self._seconds


class Deadline:
    """The deadline of one call.

    Args:
        timeout: Ends the call.
        silence: Seconds without an answer or a report of progress.
        whole: Seconds of the whole call.
    """

    def __init__(self, timeout: asyncio.Timeout, silence: float, whole: float) -> None:
        self._timeout = timeout
        self._silence, self._whole = _Clock(silence), _Clock(whole)
        self._reasons = f"did not answer within {silence:g} seconds", f"took more than {whole:,g} seconds in all"

    @property
    def reason(self) -> str:
        """Why the time is over, without a subject."""
        return self._reasons[self._whole.end < self._silence.end]

    def restart(self) -> None:
        """Note a report of progress."""
        self._silence.restart()
        self._reschedule()

    def run(self, *, silence: bool, whole: bool) -> None:
        """Let each clock go on, or stand still."""
        self._silence.run(is_running=silence)
        self._whole.run(is_running=whole)
        self._reschedule()

    def expire(self) -> None:
        """End the call now."""
        if not self._timeout.expired():
            self._timeout.reschedule(0)

    def _reschedule(self) -> None:
        if not self._timeout.expired():
            end = min(self._silence.end, self._whole.end)
            self._timeout.reschedule(None if end == math.inf else end)


class Deadlines:
    """The deadlines of the calls under way. A server does not say for which of them it waits, so all stand still."""

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._requests = 0  # of the server, which this program is answering
        self._questions = 0  # to a person, among them

    @asynccontextmanager
    async def within(self, silence: float, whole: float) -> AsyncGenerator[Deadline]:
        """Cancel the block at its deadline.

        Raises:
            TimeoutError: The time is over; its text is `Deadline.reason`.
        """
        timeout = asyncio.timeout(None)
        deadline = Deadline(timeout, silence, whole)
        try:
            async with timeout:
                self._open.add(deadline)
                try:
                    self._run(deadline)
                    yield deadline
                finally:
                    self._open.discard(deadline)
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise TimeoutError(deadline.reason) from error

    @contextmanager
    def while_answering(self) -> Generator[None]:
        """The server waits for an answer of this program."""
        self._change(requests=1)
        try:
            yield
        finally:
            self._change(requests=-1)

    @contextmanager
    def while_asking(self) -> Generator[None]:
        """A person is asked, for such an answer."""
        self._change(questions=1)
        try:
            yield
        finally:
            self._change(questions=-1)

    def expire(self) -> None:
        """End all calls now."""
        for deadline in self._open:
            deadline.expire()

    def _change(self, *, requests: int = 0, questions: int = 0) -> None:
        self._requests += requests
        self._questions += questions
        for deadline in self._open:
            self._run(deadline)

    def _run(self, deadline: Deadline) -> None:
        is_asked = self._questions > 0
        deadline.run(silence=not is_asked and self._requests == 0, whole=not is_asked)
