"""Kinds of effects, and the chain of handlers that each effect passes.

Handlers nest like middleware: the outermost sees an effect first, and its `proceed` goes inwards to the next handler
and in the end to the real call. With ``with handle_effects(journal): with handle_effects(budget):`` a result that the
journal has recorded is not charged again. The other order, in which the innermost handler is asked first, was rejected
for that reason.

What a handler performs itself passes all handlers as well, its own included. So a handler that approves tool calls by
asking a person makes a human effect that a journal around it records.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from symposia.core._cancellation_token import cancel_and_wait
from symposia.core.effects._identity import Idempotency
from symposia.core.effects._results import PydanticCodec, ResultCodec, ResultT, class_of, plain_json
from symposia.core.effects._scope import Scope, ScopeFrame, current_frame
from symposia.core.exceptions import ArgumentTypeError


class EffectRequest(BaseModel):
    """The base class of requests: everything that decides an effect's outcome, without ids and times.

    A subclass declares ``kind: Literal["…"] = "…"``, so that requests of all kinds form one tagged union.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")


RequestT = TypeVar("RequestT", bound=EffectRequest)
ChunkT = TypeVar("ChunkT")
Proceed: TypeAlias = Callable[[], Awaitable[ResultT]]


_kinds: dict[str, EffectKind[Any, Any]] = {}  # Any: each kind has its own request and result
_HOMES: Final[Mapping[str, str]] = {
    "model": "symposia.core.models:MODEL_EFFECT",
    "tool": "symposia.core.tools:TOOL_EFFECT",
    "tool_list": "symposia.core.tools:TOOL_LIST_EFFECT",
    "code": "symposia.core.code_executor:CODE_EFFECT",
    "memory": "symposia.core.memory:MEMORY_EFFECT",
    "human": "symposia.core.effects:HUMAN_EFFECT",
}
"""Where the library's own kinds are made. They are imported with the first effect of the kind."""


def find_effect_kind(name: str) -> EffectKind[Any, Any]:  # Any: only the name is known here
    """The kind of this name.

    Raises:
        LookupError: No kind of this name was made; import the module that defines it.
    """
    if name not in _kinds and name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        getattr(import_module(module), attribute)
    try:
        return _kinds[name]
    except KeyError:
        raise LookupError(
            f"There is no effect kind {name!r}; known are {sorted({*_kinds, *_HOMES})}. Import the module that defines "
            "it."
        ) from None


class EffectKind(Generic[RequestT, ResultT]):
    """A kind of effect: what its requests and results are, and how they are written as JSON.

        WEATHER = EffectKind("weather", WeatherRequest, float)
        degrees = await WEATHER.perform(lambda: WeatherRequest(city=city), lambda: measure(city))

    Args:
        name: Unique in the process; the `kind` of its requests.
        request: The class of its requests.
        result: The type of its results. What a handler returns is checked against it, if it is a class.
        codec: Encodes its results, if pydantic cannot validate their type.

    Raises:
        ValueError: Another kind has this name, or neither `result` nor `codec` is given.
    """

    def __init__(
        self,
        name: str,
        request: type[RequestT],
        result: type[ResultT] | None = None,
        *,
        codec: ResultCodec[ResultT] | None = None,
    ) -> None:
        if result is None and codec is None:
            raise ValueError(f"The effect kind {name!r} needs either a result type or a codec.")
        if name in _kinds:
            raise ValueError(f"There already is an effect kind {name!r}: choose another name.")
        self.name = name
        self.request_type = request
        self._result_class = class_of(result)
        self.result_name = (
            "values for its codec" if result is None else f"of type {getattr(result, '__name__', result)}"
        )
        self._codec: ResultCodec[ResultT] = codec or PydanticCodec(cast("type[ResultT]", result))
        _kinds[name] = self

    def __repr__(self) -> str:
        return f"EffectKind({self.name!r})"

    def encode_request(self, request: RequestT) -> JsonValue:
        """The request as a JSON value, its `kind` included.

        It is JSON that every reader accepts: see `plain_json`.
        """
        return plain_json(cast("JsonValue", request.model_dump(mode="json")))

    def decode_request(self, value: JsonValue) -> RequestT:
        """The request that `encode_request` was given.

        Raises:
            pydantic.ValidationError: It is not a request of this kind.
        """
        return self.request_type.model_validate_json(json.dumps(value))

    def encode_result(self, result: ResultT) -> JsonValue:
        """The result as a JSON value that every reader accepts: see `plain_json`."""
        return plain_json(self._codec.encode(result))

    def decode_result(self, value: JsonValue) -> ResultT:
        """The result that `encode_result` was given.

        Raises:
            pydantic.ValidationError: It is not a result of this kind.
        """
        return self._codec.decode(value)

    def accepts(self, result: object) -> bool:
        """Whether this can be a result: of the class that the kind was made with, or anything but an awaitable."""
        return not inspect.isawaitable(result) if self._result_class is None else isinstance(result, self._result_class)

    def perform(
        self,
        request: Callable[[], RequestT],
        call: Callable[[], Awaitable[ResultT]],
        *,
        idempotency: Idempotency = "unknown",
    ) -> Awaitable[ResultT]:
        """Do one effect: directly where no handler is installed, else through the handlers.

        Args:
            request: Makes the request. Called only if there is a handler.
            call: Does the effect. A handler may call it once, several times, or not at all.
            idempotency: Whether doing it again does harm.
        """
        # A plain function: without handlers, an effect costs this lookup and nothing else. A coroutine function around
        # `call` would cost a coroutine more, and a request of a model holds the whole conversation.
        chain = _handlers.get()
        if not chain:
            return call()
        return _pass(chain, 0, self._effect(request(), idempotency), call)

    def stream(
        self,
        request: Callable[[], RequestT],
        call: Callable[[], AsyncGenerator[ChunkT | ResultT, None]],
        *,
        result_type: type[ResultT],
        idempotency: Idempotency = "unknown",
    ) -> AsyncGenerator[ChunkT | ResultT, None]:
        """Do one effect whose result comes last, after pieces that are shown as they come.

        Handlers see the result alone. The pieces go past them to the consumer, and a recorded result comes without
        pieces: so a handler is one method, and nothing has to be stored twice.

        Args:
            request: Makes the request. Called only if there is a handler.
            call: Does the effect.
            result_type: The type that distinguishes the result from the pieces.
            idempotency: Whether doing it again does harm.
        """
        chain = _handlers.get()
        if not chain:
            return call()
        return self._stream(chain, lambda: self._effect(request(), idempotency), call, result_type)

    async def _stream(
        self,
        chain: tuple[EffectHandler, ...],
        make_effect: Callable[[], Effect[RequestT, ResultT]],
        call: Callable[[], AsyncGenerator[ChunkT | ResultT, None]],
        result_type: type[ResultT],
    ) -> AsyncGenerator[ChunkT | ResultT, None]:
        # Made with the first step and not by `stream`: a generator that is made and never consumed is no effect, and
        # must not take a number in its scope. And the scope is that in which it is consumed.
        effect = make_effect()
        # Unbounded: handlers may not ask for the result before the consumer has taken the pieces, and a bound would
        # then stop the model's stream while its consumer does something else.
        pieces: asyncio.Queue[ChunkT | _End] = asyncio.Queue()

        async def drain() -> ResultT:
            results: list[ResultT] = []
            async with aclosing(call()) as items:
                async for item in items:
                    if isinstance(item, result_type):
                        results.append(item)
                    else:
                        pieces.put_nowait(cast("ChunkT", item))
            if not results:
                raise StreamWithoutResultError(f"The stream of an effect of kind {self.name!r} ended without a result.")
            return results[-1]

        # A task of its own, since handlers await the whole result while the consumer takes the pieces. Handlers that
        # are generators themselves were rejected: each would have to pass pieces on, and a recorded result has none.
        task = asyncio.ensure_future(_pass(chain, 0, effect, drain))
        task.add_done_callback(lambda _: pieces.put_nowait(_END))
        try:
            while not isinstance(piece := await pieces.get(), _End):
                yield piece
            try:
                result = await task
            except StreamWithoutResultError:
                return  # as without handlers: the consumer sees a stream that ended
            yield result
        finally:
            # A consumer that leaves early ends the effect, and does not go on beside it. What the task raises by being
            # cancelled is not the consumer's, while a cancellation of the consumer itself still gets through.
            await cancel_and_wait(task)

    def _effect(self, request: RequestT, idempotency: Idempotency) -> Effect[RequestT, ResultT]:
        # By digest and not by order of arrival alone: of two effects that run at the same time, each finds its own
        # number however they interleave, unless they are equal, and then it does not matter which is which.
        digest = _digest(self.encode_request(request))
        frame = current_frame.get()
        return Effect(
            kind=self,
            scope=Scope() if frame is None else frame.scope,
            request=request,
            idempotency=idempotency,
            digest=digest,
            ordinal=0 if frame is None else frame.count(digest),
        )


@dataclass(frozen=True, kw_only=True)
class Effect(Generic[RequestT, ResultT]):
    """One effect that is about to happen.

    Attributes:
        kind: What sort of effect it is.
        scope: Where in the program it happens.
        request: Everything that decides its outcome.
        idempotency: Whether doing it again does harm.
        digest: SHA-256 of the request's JSON, in hexadecimal.
        ordinal: How many effects with the same request came before in the same scope.
    """

    kind: EffectKind[RequestT, ResultT]
    scope: Scope
    request: RequestT
    idempotency: Idempotency
    digest: str
    ordinal: int

    @cached_property
    def id(self) -> str:
        """A text that is the same each time the program comes to this effect: 32 hexadecimal digits.

        Services that take an idempotency key can be given it.
        """
        return _digest([str(self.scope), self.kind.name, self.digest, self.ordinal])[:32]


class EffectHandler(Protocol):
    """What stands around effects: it may look at one, delay it, refuse it, do it again, or answer in its place."""

    async def handle(self, effect: Effect[RequestT, ResultT], proceed: Proceed[ResultT]) -> ResultT:
        """Give the outcome of an effect.

        Args:
            effect: The effect.
            proceed: Performs the effect: calls the next handler inside this one, or makes the real call.

        Raises:
            Exception: It becomes the outcome of the effect.
        """
        ...


class StreamWithoutResultError(Exception):
    """A stream gave pieces and no result. It never leaves this module but to handlers, as the effect's outcome."""


class _End:
    """Marks the end of the pieces."""


_END = _End()
_handlers: ContextVar[tuple[EffectHandler, ...]] = ContextVar("symposia_effect_handlers", default=())
_current: ContextVar[Effect[Any, Any] | None] = ContextVar("symposia_current_effect", default=None)


@contextmanager
def handle_effects(*handlers: EffectHandler) -> Generator[None]:
    """Let `handlers` handle every effect that begins inside, the first of them outermost.

    It nests: handlers that were installed before stay around these. Tasks started inside keep the handlers.
    The embedded runtime passes them on with each message. A runtime that carries messages to other processes, or that
    passes no context variables on, such as `symposia.testing.SerializingRuntime`, passes on the scope alone: there,
    install them inside the agents.

    Raises:
        ArgumentTypeError: One of them is a function, a class, or anything else without a method ``handle``.
    """
    for handler in handlers:
        if isinstance(handler, type) or not hasattr(handler, "handle"):
            raise ArgumentTypeError(f"A handler of effects is an object with a method handle, not {handler!r}")
    handlers_token = _handlers.set((*_handlers.get(), *handlers))
    # Scopes are tracked from here inwards. An outer handler has begun that already, and its counters go on.
    frame_token = None if current_frame.get() is not None else current_frame.set(ScopeFrame(Scope()))
    try:
        yield
    finally:
        if frame_token is not None:
            current_frame.reset(frame_token)
        _handlers.reset(handlers_token)


def effects_are_handled() -> bool:
    """Whether a handler is installed here, so that what only handlers need is worth preparing."""
    return bool(_handlers.get())


def current_effect() -> Effect[Any, Any] | None:  # Any: of whichever kind
    """The innermost effect inside which this code runs, such as the tool call; None where no handler is installed.

    Its `id` serves as the idempotency key of calls to services.
    """
    return _current.get()


async def _pass(
    chain: tuple[EffectHandler, ...],
    position: int,
    effect: Effect[RequestT, ResultT],
    call: Callable[[], Awaitable[ResultT]],
) -> ResultT:
    # The chain is that of the moment in which the effect began, and travels as an argument: what a handler performs
    # itself begins at the outermost handler again, while `proceed` goes inwards.
    if position < len(chain):
        return await _handle(chain[position], effect, lambda: _pass(chain, position + 1, effect, call))
    token = _current.set(effect)
    try:
        return await call()
    finally:
        _current.reset(token)


async def _handle(
    handler: EffectHandler, effect: Effect[RequestT, ResultT], inwards: Callable[[], Awaitable[ResultT]]
) -> ResultT:
    """What a handler returns for an effect.

    Raises:
        ArgumentTypeError: It is not a result of the effect's kind. Its user would else be the one that fails, far from
            the handler.
    """
    proceeded: list[object] = []

    async def proceed() -> ResultT:
        result = await inwards()
        proceeded.append(result)
        return result

    handling: object = handler.handle(effect, proceed)
    if not inspect.isawaitable(handling):
        raise _wrong_result(handler, effect, handling, "Write the method as `async def handle`.")
    result = await handling
    # What the effect itself returned is not the handler's choice: programs have stand-ins for results in their tests.
    if effect.kind.accepts(result) or any(result is each for each in proceeded):
        return result
    if inspect.iscoroutine(result):
        result.close()  # else Python would warn as well that it was never awaited
    if inspect.isawaitable(result):
        raise _wrong_result(handler, effect, result, "Write `return await proceed()`.")
    raise _wrong_result(handler, effect, result, "A `return` may be missing." if result is None else "")


def _wrong_result(
    handler: EffectHandler, effect: Effect[Any, Any], result: object, advice: str
) -> ArgumentTypeError:  # Any: of whichever kind
    return ArgumentTypeError(
        f"The effect handler {type(handler).__name__} returned {result!r} for an effect of kind {effect.kind.name!r}, "
        f"whose results are {effect.kind.result_name}. {advice}".rstrip()
    )


def _digest(value: JsonValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
