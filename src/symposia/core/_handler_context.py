"""The part of a runtime's interface that the code of message handlers uses, of any runtime.

Agents reach their runtime in two ways: `AgentRuntime` is what they ask of it in the open, to send and to publish. The
rest is here, and it belongs to the one message that is being handled. It travels in a context variable, since handlers
are called with AutoGen's signature and what they call in turn, such as a tool, is not given anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from symposia.core._agent_id import AgentId
from symposia.core._contexts import handling_agent, variable_set
from symposia.core._message_context import MessageContext


class HandlerContext(Protocol):
    """One message while an agent handles it, as the handler's code sees it. Implemented by runtimes."""

    def hold_until(self, work: asyncio.Future[Any]) -> None:  # Any: of the result of the work nothing is asked
        """Keep the agent's next message waiting until `work` is done, whatever happens to this one.

        For work that cannot be cancelled, such as a function in a thread. The sender is not kept waiting. A runtime
        that stops waits for `work`. Only the last work of a message is waited for.
        """
        ...

    def report_dead_letter(self, message: object, ctx: MessageContext, reason: str) -> None:
        """Report that `message` has no recipient, in the way of the runtime.

        Args:
            message: The message.
            ctx: What is known about it: its sender, its topic.
            reason: Why, as the end of a sentence: ``"no handler takes it"``.
        """
        ...


current_handler: ContextVar[HandlerContext | None] = ContextVar("symposia_current_handler", default=None)


def current_handler_context() -> HandlerContext | None:
    """The context of the message handler that runs here; None outside of handlers.

    Tasks that a handler starts, and threads that it runs functions in, see it too.
    """
    return current_handler.get()


@contextmanager
def populate_handler_context(agent_id: AgentId, handler: HandlerContext) -> Generator[None]:
    """For runtimes: everything inside is a message handler of the agent `agent_id`.

    `MessageHandlerContext` then knows the agent. Enter it in the task that runs the handler, and not over a ``yield``.
    """
    with variable_set(handling_agent, agent_id), variable_set(current_handler, handler):
        yield
