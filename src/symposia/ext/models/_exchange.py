"""One request to a model and its answer: sent, received and read, with the error of each way to fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from symposia.core import CancellationToken
from symposia.core.exceptions import ModelError
from symposia.core.models import CreateResult
from symposia.ext.models._bounded_bodies import lost_body
from symposia.ext.models._cancellable_calls import CancellableCalls
from symposia.ext.models._context_overflow import RequestSize
from symposia.ext.models._response_listeners import report_response
from symposia.ext.models._service import Service, response_of
from symposia.ext.models._transport import EventStream, Response, Transport
from symposia.ext.models._wire_format import Body, StreamAssembly, WireFormat

T = TypeVar("T")


class Answer(NamedTuple):
    """A whole answer.

    Attributes:
        whole: As the vendor sent it.
        result: What was read of it.
    """

    whole: object
    result: CreateResult


@dataclass(slots=True)
class StreamedAnswer:
    """An answer that is being received."""

    assembly: StreamAssembly[object]
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)  # tracebacks show reprs, and headers have keys
class Exchange:
    """A request to a model, and the ways to its answer.

    Attributes:
        service: The service, as errors name it.
        model: The model's name.
        wire: The vendor's format.
        transport: The way to the vendor.
        body: The request.
        token: Ends the request when it is cancelled.
        is_closed: Whether the client has been closed.
        estimate: Estimates the size of the request.
    """

    service: Service
    model: str
    wire: WireFormat[Any]  # Any: only the format itself looks into its answers
    transport: Transport
    body: Body
    token: CancellationToken | None
    is_closed: Callable[[], bool]
    estimate: Callable[[], RequestSize]

    async def send(self) -> Answer:
        """Send the request, and read the whole answer.

        Raises:
            ModelError: It was not answered.
        """
        with CancellableCalls(self.token) as calls:
            response = await self._call(calls, lambda: self.transport.send(self.body))
        report_response(response.status, response.headers)
        try:
            if response.problem is not None:
                raise response.problem
            whole = self.wire.parse(response.body)
            return Answer(whole, self.wire.read(whole))
        except ValueError as problem:
            raise self._broken(response, problem) from problem

    async def receive(self, streamed: StreamedAnswer) -> AsyncGenerator[list[str], None]:
        """Send the request, and put the streamed answer together: its texts, as many at a time as arrive together.

        Raises:
            ModelError: It was not answered to its end.
        """
        assembly = streamed.assembly
        with CancellableCalls(self.token) as calls:
            stream = await self._call(calls, lambda: self.transport.open(self.body))
            report_response(stream.response.status, stream.response.headers)
            # The vendor's end marker ends the reading, and not the end of the bytes: some servers keep the connection
            # open after it, and a connection that is cut ends the bytes as well.
            try:
                while not assembly.complete and (events := await self._read(stream, calls)):
                    texts, problem = _feed(assembly, events)
                    if texts:  # before the error of a later event: they arrived before it
                        yield texts
                    if problem is not None:
                        raise self._broken(stream.response, problem) from problem
                streamed.answer = self._read_whole(assembly, stream)
                await stream.finish()
            finally:
                await stream.close()

    async def _read(self, stream: EventStream, calls: CancellableCalls) -> Sequence[bytes]:
        try:
            return await calls.run(stream.read)
        except self.transport.errors as error:
            if self.is_closed():
                raise self._failed(error) from error
            raise self.service.broken_off(self.model, error, stream.response) from error
        except ValueError as problem:
            raise self._broken(stream.response, problem) from problem

    async def _call(self, calls: CancellableCalls, start: Callable[[], Awaitable[T]]) -> T:
        try:
            return await calls.run(start)
        except self.transport.errors as error:
            raise self._failed(error) from error
        except RuntimeError as error:
            if not self.is_closed():  # which the HTTP clients report by this error
                raise
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ModelError:
        """The error of a request that the vendor refused, or that did not reach it."""
        status, headers = response_of(error)
        if status is None and self.is_closed():
            return ModelError(
                f"The client of model {self.model!r} was closed while a request was under way. Close it when all "
                "requests have ended.",
                is_transient=False,
            )
        if status is not None:
            report_response(status, headers)
        elif (lost := lost_body(error)) is not None:
            return self.service.broken_off(self.model, lost)
        return self.service.failed(self.model, error, self.estimate)

    def _broken(self, response: Response, problem: ValueError) -> ModelError:
        """The error of a response that is no answer."""
        return self.service.broken(self.model, response, problem, self.estimate)

    def _read_whole(self, assembly: StreamAssembly[object], stream: EventStream) -> Answer:
        """The answer that a stream was, now that it has ended."""
        try:
            whole = assembly.whole()
        except ValueError as problem:
            raise self.service.ended_early(self.model, stream.response, problem) from problem
        try:
            return Answer(whole, self.wire.read(whole))
        except ValueError as problem:
            raise self._broken(stream.response, problem) from problem


def _feed(assembly: StreamAssembly[object], events: Sequence[bytes]) -> tuple[list[str], ValueError | None]:
    """The texts of events up to the first broken one, and the error of that one."""
    texts: list[str] = []
    for event in events:
        try:
            text = assembly.feed(event)
        except ValueError as problem:
            return texts, problem
        if text:
            texts.append(text)
    return texts, None
