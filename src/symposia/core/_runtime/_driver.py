"""Running a handler's coroutine inside the awaiting task, yet in a context of its own.

A task for each message would cost ten times what most messages do, so a request's handler runs in its caller's task.
Only its context variables must not be the caller's; `asyncio` offers that for whole tasks only, hence these few lines.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, TypeVar

from symposia.core._contexts import handling_agent
from symposia.core._handler_context import current_handler
from symposia.core._runtime._call import Call
from symposia.core._runtime._wait_graph import look_again_soon

T = TypeVar("T")


OVER: Final = object()
"""In place of what a handler waits for: it did not wait for anything."""


def begin(call: Call, handler: Coroutine[Any, Any, Any]) -> Any:
    """Run a handler to its first wait; to be called inside its own context.

    Most handlers never wait. Their end is caught here and noted on the call: an exception that passes through the
    callers of this costs more than the rest of a message.

    Returns:
        What it waits for; `OVER` if it is over.
    """
    current_handler.set(call)
    handling_agent.set(call.mailbox.id)
    try:
        return handler.send(None)
    except StopIteration as done:
        call.answer = done.value
        return OVER


def begin_beside(call: Call, work: Coroutine[Any, Any, Any]) -> Any:
    """Likewise for what an agent does in a turn besides handling messages: it is made, saves its state, is closed."""
    current_handler.set(call)
    try:
        return work.send(None)
    except StopIteration as done:
        call.answer = done.value
        return OVER


async def run_beside(call: Call, work: Coroutine[Any, Any, T]) -> T:
    """Run such work in a context of its own, where its requests are known as those of `call`."""
    context = copy_context()
    waits_for = context.run(begin_beside, call, work)
    if waits_for is OVER:
        return call.answer
    return await resume(call, work, context, waits_for)


@types.coroutine
def resume(call: Call, handler: Coroutine[Any, Any, Any], context: Context, waits_for: Any) -> Generator[Any, Any, Any]:
    """Run a handler from its first wait to its end, each step inside its own context."""
    while True:
        if call.undecided is not None:
            look_again_soon(call)
        try:
            value = yield waits_for
        except GeneratorExit:
            context.run(handler.close)
            raise
        except BaseException as error:  # noqa: BLE001 - whatever is thrown at the task belongs to the handler
            step, argument = handler.throw, error
        else:
            step, argument = handler.send, value
        try:
            waits_for = context.run(step, argument)
        except StopIteration as done:
            return done.value
