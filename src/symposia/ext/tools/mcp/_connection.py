"""The sessions with a server: each is for many calls, and is replaced when the server dies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import SymposiaError, ToolServiceError
from symposia.core.text_limits import beginning_of
from symposia.ext.tools.mcp._params import McpServerParams, StdioServerParams
from symposia.ext.tools.mcp._session import OwnFailureError, Send, Session, SessionLostError, Setting

if TYPE_CHECKING:
    from symposia.ext.tools.mcp import _sdk as sdk
else:
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")


_MOST_SAID: Final = 2_000
"""Characters of what a server says about a request that it refuses."""


class Connection:
    """The sessions with a server: at most one at a time in each event loop.

    Args:
        setting: What they begin with.
        idle_seconds: Seconds without a call after which the server is stopped; None for never.
    """

    def __init__(self, setting: Setting, idle_seconds: float | None = None) -> None:
        self.setting = setting
        self._idle_seconds = idle_seconds
        self._sessions: dict[asyncio.AbstractEventLoop, Session] = {}
        self._replaced: set[asyncio.Task[None]] = set()

    @property
    def params(self) -> McpServerParams:
        """The server."""
        return self.setting.params

    @property
    def _server(self) -> str:
        return f"The MCP server {self.setting.name}"

    @property
    def initialized(self) -> Any:
        """The SDK's result of the first exchange with the server; None while there is no session."""
        session = self._current()
        return None if session is None else session.initialized

    async def start(self) -> None:
        """Start the server, unless it runs.

        Raises:
            ToolServiceError: It did not start.
        """
        await self._ready()

    async def close(self) -> None:
        """Stop the server, if it runs. The next call starts it again."""
        loop = asyncio.get_running_loop()
        session = self._sessions.pop(loop, None)
        if session is not None:
            await session.close()
        # A server that was replaced may still be in its time of grace.
        if replaced := [task for task in self._replaced if task.get_loop() is loop]:
            await asyncio.wait(replaced)

    async def request(self, what: str, send: Send, *, repeatable: bool = True) -> Any:
        """Send a request, and start the server first if it does not run.

        Args:
            what: The request in an error: ``the tool 'add'``.
            send: Sends it.
            repeatable: Whether it may be sent again to a new server, after one that died before its answer.

        Raises:
            ToolServiceError: The server did not start, died, did not answer in time, refused, or answered what is no
                answer.
            asyncio.CancelledError: The task was cancelled. The server is told.
        """
        try:
            return await self._repeat(what, send, repeatable=repeatable)
        finally:
            session = self._current()
            if self._idle_seconds is not None and session is not None:
                session.end_later(self._idle_seconds)

    async def _repeat(self, what: str, send: Send, *, repeatable: bool) -> Any:
        session = await self._ready()
        try:
            return await self._perform(session, what, send)
        except SessionLostError as lost:
            if not (repeatable or lost.refused):
                await session.wait_over()
                raise ToolServiceError(self._lost(session, what, "It may or may not have been carried out. ")) from lost
        session = await self._ready()
        try:
            return await self._perform(session, what, send)
        except SessionLostError as lost:
            await session.wait_over()
            raise ToolServiceError(self._lost(session, what, "That is the second time. ")) from lost

    async def _perform(self, session: Session, what: str, send: Send) -> Any:
        try:
            return await session.perform(send)
        except OwnFailureError as own:
            raise own.failure  # noqa: B904 - it happened elsewhere, and has its own cause
        except (SessionLostError, SymposiaError):
            raise
        except TimeoutError as error:
            await session.check()
            raise ToolServiceError(f"{self._server} {error}: {what} was cancelled.") from error
        except Exception as error:
            code = sdk.error_code(error)
            if code == sdk.UNREADABLE:
                reason = session.describe_fault() or _first_lines(error)
                raise ToolServiceError(f"{self._server} gave no valid answer to {what}: {reason}") from error
            if code is not None:
                said = beginning_of(str(error), _MOST_SAID)
                raise ToolServiceError(
                    f"{self._server} refused {what}: {said} {session.describe_fault()}".strip()
                ) from error
            raise ToolServiceError(f"{self._server} gave no valid answer to {what}: {_first_lines(error)}") from error

    def _lost(self, session: Session, what: str, effect: str) -> str:
        again = "starts the server again" if isinstance(self.params, StdioServerParams) else "connects again"
        return f"{self._server} ended during {what}. {effect}The next call {again}. {session.why_over()}".strip()

    def _current(self) -> Session | None:
        for loop in [each for each in self._sessions if each.is_closed()]:
            del self._sessions[loop]
        try:
            session = self._sessions.get(asyncio.get_running_loop())
        except RuntimeError:  # no loop runs in this thread
            return None
        return None if session is None or session.is_over else session

    async def _ready(self) -> Session:
        session = self._current()
        if session is None:
            loop = asyncio.get_running_loop()
            if (former := self._sessions.get(loop)) is not None:
                self._replaced.add(former.task)
                former.task.add_done_callback(self._replaced.discard)
            session = self._sessions[loop] = Session(self.setting)
        await session.wait_ready()
        return session


def _first_lines(error: Exception) -> str:
    """The beginning of an error of the SDK's, whose text may hold a whole answer and a schema."""
    return str(error).partition("\n\n")[0][:500] or type(error).__name__
