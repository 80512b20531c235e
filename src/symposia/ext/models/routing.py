"""A client that chooses a model for each request."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing

from symposia.core.argument_checks import check_function, check_instance
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient, CreateResult, model_name
from symposia.ext.models.wrappers import ModelCall, OneOfSeveral, signed

__all__ = ["RoutingClient"]


class RoutingClient(OneOfSeveral):
    """Asks the client that a function chooses for a request: a cheap model for short questions, another for the rest.

        def choose(call: ModelCall) -> str:
            return "large" if call.options.get("tools") else "small"

        client = RoutingClient({"small": small, "large": large}, choose)

    Its abilities are those that all clients have. The result says in `answered_by` which model answered.

    JSON cannot hold a function, so `dump_component` refuses a client with one. A subclass that overrides `route` can be
    saved and loaded.

    Args:
        clients: The clients by name.
        route: Is given the call, and returns the name of a client. A plain function is called in the event loop: one
            that waits for anything has to be a coroutine function. None in a subclass that overrides the method.

    Raises:
        ArgumentTypeError: One of `clients` is not a client, or `route` is not a function.
        InvalidArgumentError: There are no clients, or nothing that chooses.
    """

    def __init__(
        self,
        clients: Mapping[str, ChatCompletionClient],
        route: Callable[[ModelCall], str | Awaitable[str]] | None = None,
    ) -> None:
        check_instance("clients", type(self).__name__, clients, Mapping, "{'small': client, 'large': other}")
        super().__init__(list(clients.values()))
        check_function("route", type(self).__name__, route, "lambda call: 'small'")
        if not clients:
            raise InvalidArgumentError("RoutingClient has no clients: give at least one, by name.")
        if route is None and type(self).route is RoutingClient.route:
            raise InvalidArgumentError("RoutingClient has nothing that chooses: give route=, or override the method.")
        self._by_name = dict(clients)
        self._route = route

    async def route(self, call: ModelCall) -> str:
        """The name of the client that is to answer a call."""
        chosen = self._route(call) if self._route is not None else ""
        return await chosen if inspect.isawaitable(chosen) else chosen

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`.

        Raises:
            InvalidArgumentError: The function returned a name that no client has.
        """
        name = await self.route(call)
        client = self._by_name.get(name)
        if client is None:
            raise InvalidArgumentError(f"route returned {name!r}, but the clients are {', '.join(self._by_name)}.")
        async with aclosing(call.ask(client)) as items:
            async for item in items:
                yield signed(item, model_name(client))
