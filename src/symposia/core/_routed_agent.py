"""Agents whose handlers are selected by the type of the message."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, cast

from symposia.core._base_agent import BaseAgent
from symposia.core._handler_context import current_handler_context
from symposia.core._handler_signature import ANYTHING, MessageType
from symposia.core._handlers import UNCONDITIONAL, Handler
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core.exceptions import HandlerSignatureError

logger = logging.getLogger(ROOT_LOGGER_NAME)

RoutingTable = dict[MessageType, tuple[Handler, ...]]


class RoutedAgent(BaseAgent):
    """An agent whose methods, decorated with `message_handler`, `event` or `rpc`, each handle some message types.

    A message goes to the handler whose annotation names exactly its type, else to one that takes `Any`.

    Args:
        description: What the agent is for, in words that a model can read.
    """

    _routes: ClassVar[RoutingTable] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._routes = _routing_table(cls)

    @classmethod
    def _message_types(cls) -> Collection[MessageType]:
        """The types that the handlers' annotations name."""
        return cls._routes.keys()

    async def on_message_impl(self, message: object, ctx: MessageContext) -> Any:
        """Give the message to its handler, or to `on_unhandled_message`."""
        # By exact type, as AutoGen: with base classes, a handler that is added would take messages from others
        # silently.
        routes = self._routes
        message_type: MessageType = type(message)
        for handler in routes.get(message_type) or routes.get(ANYTHING, ()):
            if handler.router is None or handler.router(message, ctx):
                return await handler(self, message, ctx)
        return await self.on_unhandled_message(message, ctx)

    async def on_unhandled_message(self, message: Any, ctx: MessageContext) -> None:
        """Called with messages that no handler takes: reports a dead letter, unless overridden."""
        handler = current_handler_context()
        if handler is not None:
            why = "" if self._routes else f": {type(self).__name__} has no method with @message_handler, @event or @rpc"
            handler.report_dead_letter(message, ctx, f"no handler takes it{why}")
        else:
            logger.info("%s has no handler for %s", type(self).__name__, type(message).__name__)


def _routing_table(cls: type) -> RoutingTable:
    """Every handler of a class by message type, in alphabetical order of their names.

    Raises:
        HandlerSignatureError: Two of them take every message of one type.
    """
    table: RoutingTable = {}
    for name in dir(cls):
        attribute: object = getattr(cls, name, None)
        if getattr(attribute, "is_message_handler", False):
            handler = cast("Handler", attribute)
            for target in handler.target_types:
                others = table.get(target, ())
                _refuse_rivals(cls, handler, others, target)
                table[target] = (*others, handler)
    return table


def _refuse_rivals(cls: type, handler: Handler, others: Sequence[Handler], target: MessageType) -> None:
    if handler.router not in UNCONDITIONAL:
        return
    rival = next((other for other in others if other.router is handler.router), None)
    if rival is not None:
        raise HandlerSignatureError(
            f"{cls.__name__}.{rival.__name__} and {cls.__name__}.{handler.__name__} both handle every "
            f"{getattr(target, '__name__', target)}, so the second would never run. Give one of them "
            "match=lambda message, ctx: …, or make them one method."
        )
