"""One session with a server, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp._deadlines import Deadlines
from symposia.ext.tools.mcp._lines import ServerOutput
from symposia.ext.tools.mcp._opening import import_sdk, open_streams
from symposia.ext.tools.mcp._params import McpServerParams, answer_seconds, start_seconds, where
from symposia.ext.tools.mcp._server_requests import ServerRequests

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

_MOST_REQUESTS: Final = 100
"""How often a server may ask the model or a person during one call. It could go on for ever."""

OnProgress: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
"""Is given a report of progress: how far, of how much, and a message."""
Send: TypeAlias = Callable[["mcp.ClientSession", OnProgress], Awaitable[Any]]
"""Sends a request on a session. The second argument is called with each report of progress."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What sessions with a server begin with.

    Attributes:
        params: The server.
        auth: An authentication of the SDK or of its HTTP client, for servers at an address.
        requests: Answers the requests that the server makes.
        on_notification: Called with the method of each notification of the server.
    """

    params: McpServerParams
    auth: object = None
    requests: ServerRequests | None = None
    on_notification: Callable[[str], None] = lambda _method: None

    @property
    def name(self) -> str:
        """The server in the text of an error."""
        return f"'{where(self.params)}'"


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
        requests: How often the server has asked.
    """

    context: Context
    failure: Exception | None = None
    requests: int = 0


class Session:
    """One session, from the start of the server to its end, in a task of its own.

    The SDK's streams hold scopes of anyio, which have to be left in the task that entered them. The task that calls
    first may end long before the last call, so none of the callers can be it. The requests themselves are sent by the
    tasks of the callers: a hundred at once wait for each other no more than the server makes them.
    """

    def __init__(self, setting: Setting) -> None:
        self.deadlines = Deadlines()
        self.session: mcp.ClientSession | None = None
        self.is_over = False
        self.initialized: Any = None
        self._setting = setting
        self._calls: dict[object, _Call] = {}
        self._ending = asyncio.Event()
        self._failure: BaseException | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._output = ServerOutput(self.end)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run(), context=Context())  # of no call: it lives longer than any

    async def _run(self) -> None:
        params = self._setting.params
        try:
            await import_sdk(params)
            async with asyncio.timeout(start_seconds(params)) as starting:
                async with open_streams(params, self._setting.auth, self._output) as (read, write):
                    requests = self._setting.requests
                    answers = None if requests is None else _Answers(self, requests)
                    async with sdk.client_session(read, write, answers, self._setting.on_notification) as session:
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
        name = self._setting.name
        failure = _first(self._failure)
        if isinstance(failure, ToolServiceError):
            return str(failure)
        if isinstance(failure, TimeoutError):
            seconds = start_seconds(self._setting.params)
            return f"The MCP server {name} did not start within {seconds:g} seconds. {self._output.describe()}".strip()
        return f"The MCP server {name} did not start. {self.why_over()}".strip()

    def why_over(self) -> str:
        """Sentences about the end of the session; empty if nothing is known."""
        failure = _first(self._failure)
        if _has_status(failure):
            return self.describe_fault()
        # An answer that the SDK refuses is the reason itself. Otherwise the process, which has ended, says it best.
        is_refused = isinstance(failure, Exception) and not sdk.is_lost(failure)
        if is_refused:
            return f"{_sentence(failure)} {self.describe_fault()}".strip()
        return self._output.describe() or _sentence(failure)

    def describe_fault(self) -> str:
        """Why the last request failed, as a sentence; empty if that is not known."""
        return self._output.describe_fault()

    @property
    def has_calls(self) -> bool:
        """Whether a call is under way."""
        return bool(self._calls)

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

    async def perform(self, send: Send) -> Any:
        """Send a request and wait for the answer.

        Raises:
            SessionLostError: The session ended first.
            TimeoutError: There is no answer in time; its text says what the server did, without a subject.
            Exception: What the SDK raises about the answer.
        """
        params = self._setting.params
        key = object()
        call = self._calls[key] = _Call(copy_context())
        try:
            async with self.deadlines.within(answer_seconds(params), params.call_timeout_seconds) as deadline:

                async def on_progress(*_report: object) -> None:
                    deadline.restart()

                if self.is_over:
                    raise SessionLostError(refused=True)  # noqa: TRY301 - between the waiting and the sending
                assert self.session is not None  # noqa: S101 - it is ready
                result = await send(self.session, on_progress)
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
        with self.deadlines.while_answering():
            yield next(iter(self._calls.values()), _Call(Context()))


class _Answers:
    """Answers the requests of the server of one session."""

    def __init__(self, session: Session, requests: ServerRequests) -> None:
        self._session = session
        self._requests = requests.pausing(session.deadlines.while_asking)
        self.offered = requests.offered

    async def answer(self, request: str, params: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        if request != "roots" and not self._session.has_calls:
            # It would be nobody's: no budget would be charged, and no limit of time would hold.
            raise sdk.RequestRefused("No call is under way, for which this could be answered.")
        with self._session.waiting_for_us() as call:
            call.requests += request != "roots"
            if call.requests > _MOST_REQUESTS:
                raise sdk.RequestRefused(f"This call has asked {_MOST_REQUESTS} times already.")
            try:
                return await asyncio.create_task(self._requests.answer(request, params), context=call.context.copy())
            except sdk.RequestRefused:
                raise
            except Exception as error:
                # A person who cannot be asked, or a budget that is used up, concerns the caller. The server is not told
                # more: the text may hold what is none of its business.
                call.failure = error
                raise sdk.RequestRefused("The request could not be answered.") from error


def _first(error: BaseException | None) -> BaseException | None:
    """The error inside of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _has_status(error: BaseException | None) -> bool:
    """Whether it is the HTTP client's error about a status, whose text has the whole address, and with it a key."""
    return getattr(getattr(error, "response", None), "status_code", None) is not None


def _sentence(error: BaseException | None) -> str:
    if error is None:
        return ""
    first, _, _ = str(error).partition("\n")  # the second line of an error of HTTP names a page about its status
    return f"{type(error).__name__}: {first}".rstrip(": ").rstrip(".") + "."
