"""One session with a server for many calls, which is replaced when the server dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import SymposiaError, ToolServiceError
from symposia.ext.tools.mcp._deadlines import Deadlines
from symposia.ext.tools.mcp._lines import ServerOutput
from symposia.ext.tools.mcp._opening import import_sdk, open_streams
from symposia.ext.tools.mcp._params import McpServerParams, StdioServerParams, answer_seconds, start_seconds, where

if TYPE_CHECKING:
    import mcp

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    mcp = lazy_module("mcp")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

_log: Final = logging.getLogger(__name__)

_PING_SECONDS: Final = 5.0
"""Seconds that a server has to answer a ping, after a call that it did not answer in time."""
_END_SECONDS: Final = 5.0
"""Seconds that a caller waits to learn how a server has ended."""

Send = Callable[["mcp.ClientSession", Callable[[], None]], Awaitable[Any]]
"""Sends a request on a session. The second argument is called with each sign of progress."""


class SessionLostError(Exception):
    """The session ended before the answer.

    Attributes:
        refused: Whether the request was not carried out.
    """

    def __init__(self, *, refused: bool) -> None:
        super().__init__()
        self.refused = refused


class OwnFailureError(Exception):
    """This program failed, and not the server.

    Attributes:
        failure: The error.
    """

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


@dataclass(slots=True)
class _Call:
    """A call under way.

    Attributes:
        context: That of its caller.
        failure: Why this program could not answer what the server asked for meanwhile.
    """

    context: Context
    failure: Exception | None = None


class _Life:
    """One session, from the start of the server to its end, in a task of its own.

    The SDK's streams hold scopes of anyio, which have to be left in the task that entered them. The task that calls
    first may end long before the last call, so none of the callers can be it. The requests themselves are sent by the
    tasks of the callers: a hundred at once wait for each other no more than the server makes them.
    """

    def __init__(self, connection: Connection) -> None:
        self.deadlines = Deadlines()
        self.session: mcp.ClientSession | None = None
        self.is_over = False
        self.initialized: Any = None
        self._connection = connection
        self._calls: dict[object, _Call] = {}
        self._ending = asyncio.Event()
        self._failure: BaseException | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._output = ServerOutput(self.end)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run(), context=Context())  # of no call: it lives longer than any

    async def _run(self) -> None:
        params = self._connection.params
        try:
            await import_sdk(params)
            async with asyncio.timeout(start_seconds(params)) as starting:
                async with open_streams(params, self._connection.auth, self._output) as (read, write):
                    requests = self._connection.requests
                    async with sdk.client_session(
                        read, write, requests and _Answers(self, requests), self._notice
                    ) as session:
                        self.initialized = await session.initialize()
                        starting.reschedule(None)
                        self.session = session
                        self._ready.set_result(None)
                        await self._ending.wait()
        except Exception as error:  # noqa: BLE001 - told to the callers, who find the session over
            self._failure = error
            _log.debug("The session with %s failed", where(params), exc_info=error)
        finally:
            self.end()
            self.deadlines.expire()  # the SDK has ended the calls, but for any that it has forgotten
            if not self._ready.done():
                self._ready.set_exception(ToolServiceError(self._why_not_started()))
                self._ready.exception()  # read here too: nobody may be waiting any more

    def _why_not_started(self) -> str:
        name = self._connection.name
        failure = _first(self._failure)
        if isinstance(failure, ToolServiceError):
            return str(failure)
        if isinstance(failure, TimeoutError):
            seconds = start_seconds(self._connection.params)
            return f"The MCP server {name} did not start within {seconds:g} seconds. {self._output.describe()}".strip()
        return f"The MCP server {name} did not start. {self.why_over()}".strip()

    def why_over(self) -> str:
        """Sentences about the end of the session; empty if nothing is known."""
        failure = _first(self._failure)
        # An answer that the SDK refuses is the reason itself. Otherwise the process, which has ended, says it best.
        is_refused = isinstance(failure, Exception) and not sdk.is_lost(failure)
        if is_refused:
            return f"{_sentence(failure)} {self.describe_fault()}".strip()
        return self._output.describe() or _sentence(failure)

    def describe_fault(self) -> str:
        """Why the last request failed, as a sentence; empty if that is not known."""
        return self._output.describe_fault()

    async def wait_ready(self) -> None:
        """Wait until calls can be made. A caller that is cancelled leaves the start to the others.

        Raises:
            ToolServiceError: The server did not start.
        """
        await asyncio.shield(self._ready)

    def end(self) -> None:
        """Let the session end, and the calls under way with it, but for those whose answers have come."""
        self.is_over = True
        self._ending.set()

    def end_later(self, seconds: float) -> None:
        """Let the session end when there is no call for so long."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = None if self._calls else asyncio.get_running_loop().call_later(seconds, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._calls:
            self.end()

    async def close(self) -> None:
        """End the session, and wait for the server to end."""
        self.end()
        if not self._ready.done():
            self.task.cancel()
        await asyncio.wait([self.task])

    async def wait_over(self) -> None:
        """Wait until it is known how the server has ended, but not for long: it may hang."""
        await asyncio.wait([self.task], timeout=_END_SECONDS)

    async def perform(self, send: Send, seconds: float) -> Any:
        """Send a request and wait for the answer.

        Raises:
            SessionLostError: The session ended first.
            TimeoutError: There is no answer after `seconds`.
            Exception: What the SDK raises about the answer.
        """
        key = object()
        call = self._calls[key] = _Call(copy_context())
        try:
            async with self.deadlines.within(seconds) as deadline:
                if self.is_over:
                    raise SessionLostError(refused=True)  # noqa: TRY301 - between the waiting and the sending
                assert self.session is not None  # noqa: S101 - it is ready
                result = await send(self.session, lambda: self.deadlines.restart(deadline, seconds))
        except SessionLostError:
            raise
        except Exception as error:
            if sdk.is_lost(error) or (self.is_over and isinstance(error, TimeoutError)):
                self.end()
                raise SessionLostError(refused=sdk.was_refused(error)) from error
            raise
        finally:
            del self._calls[key]
            if call.failure is not None:  # whatever the server made of it
                raise OwnFailureError(call.failure)
        return result

    async def check(self) -> None:
        """End the session unless the server answers a ping."""
        assert self.session is not None  # noqa: S101 - it is ready
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self.session.send_ping()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next call needs another session
            self._failure = error
            self.end()

    @contextmanager
    def waiting_for_us(self) -> Generator[_Call]:
        """The server waits for this program. Yields the call for which to do what it asks for.

        The work is done in the context of that call, so that its budgets, journals and traces see what it costs. A
        server does not say for which of several calls it asks; it is put down to the oldest.
        """
        with self.deadlines.paused():
            yield next(iter(self._calls.values()), _Call(Context()))

    def _notice(self, method: str) -> None:
        self._connection.on_notification(method)


class _Answers:
    """Answers the requests of the server of one session."""

    def __init__(self, life: _Life, requests: sdk.ServerRequests) -> None:
        self._life = life
        self._requests = requests
        self.offered = requests.offered

    async def answer(self, request: str, params: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        with self._life.waiting_for_us() as call:
            try:
                return await asyncio.create_task(self._requests.answer(request, params), context=call.context.copy())
            except sdk.RequestRefused:
                raise
            except Exception as error:
                # A person who cannot be asked, or a budget that is used up, concerns the caller. The server is not told
                # more: the text may hold what is none of its business.
                call.failure = error
                raise sdk.RequestRefused("The request could not be answered.") from error


class Connection:
    """The sessions with a server: at most one at a time in each event loop.

    Args:
        params: The server.
        auth: An authentication of the SDK or of its HTTP client, for servers at an address.
        requests: Answers the requests that the server makes.
        on_notification: Called with the method of each notification of the server.
        idle_seconds: Seconds without a call after which the server is stopped; None for never.
    """

    def __init__(
        self,
        params: McpServerParams,
        *,
        auth: object = None,
        requests: sdk.ServerRequests | None = None,
        on_notification: Callable[[str], None] = lambda _method: None,
        idle_seconds: float | None = None,
    ) -> None:
        self.params = params
        self.auth = auth
        self.requests = requests
        self.on_notification = on_notification
        self._idle_seconds = idle_seconds
        self._lives: dict[asyncio.AbstractEventLoop, _Life] = {}
        self._replaced: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The server in the text of an error."""
        return f"'{where(self.params)}'"

    @property
    def initialized(self) -> Any:
        """The SDK's result of the first exchange with the server; None while there is no session."""
        life = self._current()
        return None if life is None else life.initialized

    async def start(self) -> None:
        """Start the server, unless it runs.

        Raises:
            ToolServiceError: It did not start.
        """
        await self._ready()

    async def close(self) -> None:
        """Stop the server, if it runs. The next call starts it again."""
        loop = asyncio.get_running_loop()
        life = self._lives.pop(loop, None)
        if life is not None:
            await life.close()
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
            life = self._current()
            if self._idle_seconds is not None and life is not None:
                life.end_later(self._idle_seconds)

    async def _repeat(self, what: str, send: Send, *, repeatable: bool) -> Any:
        life = await self._ready()
        try:
            return await self._perform(life, what, send)
        except SessionLostError as lost:
            if not (repeatable or lost.refused):
                await life.wait_over()
                raise ToolServiceError(self._lost(life, what, "It may or may not have been carried out. ")) from lost
        life = await self._ready()
        try:
            return await self._perform(life, what, send)
        except SessionLostError as lost:
            await life.wait_over()
            raise ToolServiceError(self._lost(life, what, "That is the second time. ")) from lost

    async def _perform(self, life: _Life, what: str, send: Send) -> Any:
        seconds = answer_seconds(self.params)
        try:
            return await life.perform(send, seconds)
        except OwnFailureError as own:
            raise own.failure  # noqa: B904 - it happened elsewhere, and has its own cause
        except (SessionLostError, SymposiaError):
            raise
        except TimeoutError as error:
            await life.check()
            raise ToolServiceError(
                f"The MCP server {self.name} did not answer within {seconds:g} seconds: {what} was cancelled."
            ) from error
        except Exception as error:
            if sdk.error_code(error) is not None:
                raise ToolServiceError(
                    f"The MCP server {self.name} refused {what}: {error} {life.describe_fault()}".strip()
                ) from error
            raise ToolServiceError(
                f"The MCP server {self.name} gave no valid answer to {what}: {_first_lines(error)}"
            ) from error

    def _lost(self, life: _Life, what: str, effect: str) -> str:
        again = "starts the server again" if isinstance(self.params, StdioServerParams) else "connects again"
        return (
            f"The MCP server {self.name} ended during {what}. {effect}The next call {again}. {life.why_over()}"
        ).strip()

    def _current(self) -> _Life | None:
        for loop in [each for each in self._lives if each.is_closed()]:
            del self._lives[loop]
        try:
            life = self._lives.get(asyncio.get_running_loop())
        except RuntimeError:  # no loop runs in this thread
            return None
        return None if life is None or life.is_over else life

    async def _ready(self) -> _Life:
        life = self._current()
        if life is None:
            loop = asyncio.get_running_loop()
            if (former := self._lives.get(loop)) is not None:
                self._replaced.add(former.task)
                former.task.add_done_callback(self._replaced.discard)
            life = self._lives[loop] = _Life(self)
        await life.wait_ready()
        return life


def _first(error: BaseException | None) -> BaseException | None:
    """The error inside of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _sentence(error: BaseException | None) -> str:
    if error is None:
        return ""
    first, _, _ = str(error).partition("\n")  # the second line of an error of HTTP names a page about its status
    return f"{type(error).__name__}: {first}".rstrip(": ").rstrip(".") + "."


def _first_lines(error: Exception) -> str:
    """The beginning of an error of the SDK's, whose text may hold a whole answer and a schema."""
    return str(error).partition("\n\n")[0][:500] or type(error).__name__
