"""The steps of a handler, and of other work with an agent: each runs inside a context of its own.

A request's handler runs in the task of its caller, which waits for it anyway: a task for each message would cost ten
times what most messages do. Only its context variables must not be the caller's. `asyncio` offers a context of its own
for whole tasks only, so `begin` and `resume` drive the coroutine of the handler step by step, inside its context.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Final, TypeVar, cast

from symposia.core._contexts import handling_agent
from symposia.core._handler_context import current_handler, current_handler_context
from symposia.core._runtime._mailbox import Call

T = TypeVar("T")

ENDED: Final = object()
"""In place of what a handler waits for: it did not wait for anything."""


def begin(call: Call, handler: Coroutine[object, None, object]) -> object:
    """Run a handler to its first wait; to be called inside its own context.

    Most handlers never wait. Their end is caught here and noted on the call: an exception that passes through the
    callers of this costs more than the rest of a message.

    Returns:
        The future that it waits for; `ENDED` if it has ended.
    """
    current_handler.set(call)
    handling_agent.set(call.mailbox.id)  # not reset: the context is the handler's own, and ends with it
    try:
        return handler.send(None)
    except StopIteration as done:
        call.answer = done.value
        return ENDED


def begin_work(call: Call, work: Coroutine[object, None, object]) -> object:
    """Run to its first wait what an agent does in a turn besides handling messages: it is made, saved or closed.

    Returns:
        As `begin`.
    """
    # Its lines are those of `begin`, which does not call this: a call more would be paid by each message.
    current_handler.set(call)
    try:
        return work.send(None)
    except StopIteration as done:
        call.answer = done.value
        return ENDED


async def run_work(call: Call, work: Coroutine[object, None, T]) -> T:
    """Run such work, in a context of its own."""
    context = copy_context()
    waits_for = context.run(begin_work, call, work)
    answer = call.answer if waits_for is ENDED else await resume(call, work, context, waits_for)
    return cast("T", answer)


@types.coroutine
def resume(
    call: Call, handler: Coroutine[object, None, object], context: Context, waits_for: object
) -> Generator[object, None, object]:
    """Run a handler from its first wait to its end, each step inside its own context."""
    thrown: BaseException | None = None
    while True:
        if call.undecided is not None:
            call.supervisor.waits.look_again_soon(call)
        try:
            yield waits_for
        except GeneratorExit:
            context.run(handler.close)
            raise
        except BaseException as error:  # noqa: BLE001 - whatever is thrown at the task belongs to the handler
            thrown = error
        try:
            waits_for = context.run(handler.send, None) if thrown is None else context.run(handler.throw, thrown)
        except StopIteration as done:
            return done.value
        finally:
            thrown = None  # its traceback refers to this frame: see `Supervisor.supervise`


def awaiting_call() -> Call | None:
    """The call whose handler is running here, if it still is, and if a runtime of this class runs it."""
    call = current_handler_context()
    return call if isinstance(call, Call) and call.active else None
