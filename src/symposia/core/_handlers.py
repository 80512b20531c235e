"""The decorators that make a method a message handler."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast, overload

from symposia.core._handler_signature import HandlerSignature, MessageType, read_signature
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._worker_threads import as_coroutine_function, run_handler_in_worker_thread
from symposia.core.exceptions import CantHandleException

logger = logging.getLogger(ROOT_LOGGER_NAME)

P = ParamSpec("P")
R = TypeVar("R")
Match = Callable[[Any, MessageContext], bool]  # Any: a program's function says which messages it is asked about
Method = Callable[..., object]
"""A method of an agent, before its signature was read: it takes the agent, a message and its context."""


class Handler(Protocol):
    """A decorated method: the method, and its data for routing."""

    __name__: str
    is_message_handler: bool
    target_types: list[MessageType]
    produces_types: list[MessageType]
    router: Match | None

    def __call__(self, agent: object, message: object, ctx: MessageContext) -> Coroutine[object, None, object]:
        """Handle one message."""
        ...


class _Decorator(Protocol):
    """Makes a method a handler; a plain one becomes a coroutine function that runs it in a worker thread."""

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...


@overload
def message_handler(func: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
@overload
def message_handler(func: None = None, *, strict: bool = True, match: Match | None = None) -> _Decorator: ...
@overload
def message_handler(func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...
def message_handler(func: Method | None = None, *, strict: bool = True, match: Match | None = None) -> object:
    """Make a method of a `RoutedAgent` handle messages, sent or published.

    The method takes the message and its `MessageContext`. The message's annotation says which types it handles, the
    return annotation what it may answer; both may be unions. A plain ``def`` runs in a worker thread.

    Args:
        func: The method.
        strict: Whether a wrong message or answer type is an error (else it is logged).
        match: Asked with message and context whether to handle this one. Where several methods handle one type, they
            are asked in alphabetical order of their names, and the first takes the message.

    Raises:
        HandlerSignatureError: The method cannot be a handler.
    """
    return _decorate(func, strict=strict, router=match)


@overload
def event(func: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, Coroutine[Any, Any, None]]: ...
@overload
def event(func: None = None, *, strict: bool = True, match: Match | None = None) -> _Decorator: ...
@overload
def event(func: Callable[P, None]) -> Callable[P, Coroutine[Any, Any, None]]: ...
def event(func: Method | None = None, *, strict: bool = True, match: Match | None = None) -> object:
    """Make a method handle published messages: see `message_handler`."""

    def router(message: object, ctx: MessageContext) -> bool:
        return not ctx.is_rpc and (match is None or match(message, ctx))

    return _decorate(func, strict=strict, router=is_publication if match is None else router)


@overload
def rpc(func: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
@overload
def rpc(func: None = None, *, strict: bool = True, match: Match | None = None) -> _Decorator: ...
@overload
def rpc(func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...
def rpc(func: Method | None = None, *, strict: bool = True, match: Match | None = None) -> object:
    """Make a method handle requests, whose sender waits for the answer: see `message_handler`."""

    def router(message: object, ctx: MessageContext) -> bool:
        return ctx.is_rpc and (match is None or match(message, ctx))

    return _decorate(func, strict=strict, router=is_request if match is None else router)


def is_publication(_message: object, ctx: MessageContext) -> bool:
    """The router of an `event` without a match."""
    return not ctx.is_rpc


def is_request(_message: object, ctx: MessageContext) -> bool:
    """The router of an `rpc` without a match."""
    return ctx.is_rpc


UNCONDITIONAL: Final = (None, is_publication, is_request)
"""The routers of handlers that take every message of their types and kind, so that a second such one never runs."""


def _decorate(func: Method | None, *, strict: bool, router: Match | None) -> Handler | Callable[[Method], Handler]:
    def decorate(method: Method) -> Handler:
        signature = read_signature(method)
        handler = cast("Handler", _checked(method, signature, strict=strict))
        handler.is_message_handler = True
        handler.target_types = list(signature.target_types)
        handler.produces_types = list(signature.produces_types)
        handler.router = router
        return handler

    return decorate if func is None else decorate(func)


def _checked(
    method: Method, signature: HandlerSignature, *, strict: bool
) -> Callable[[object, object, MessageContext], Coroutine[object, None, object]]:
    """The method as a coroutine function that holds its arguments and answers to its signature."""
    call = as_coroutine_function(method, run_handler_in_worker_thread)
    usual_messages = frozenset(signature.target_types)
    usual_answers = frozenset(signature.produces_types)  # looked up first: an exact type is the common case

    @functools.wraps(method)
    async def handle(self: object, message: object, ctx: MessageContext) -> object:
        if type(message) not in usual_messages and not signature.takes(message):
            _complain(
                f"{method.__qualname__} does not take {type(message).__name__}", CantHandleException, strict=strict
            )
        answer = await call(self, message, ctx)
        if type(answer) not in usual_answers and not signature.may_return(answer):
            expected = " | ".join(getattr(t, "__name__", str(t)) for t in signature.produces_types)
            _complain(
                f"{method.__qualname__} returned {type(answer).__name__}, its signature says {expected}",
                ValueError,
                strict=strict,
            )
        return answer

    return handle


def _complain(what: str, error: type[Exception], *, strict: bool) -> None:
    if strict:
        raise error(what)
    logger.warning(what)
