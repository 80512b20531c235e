"""The order of the console's output and a user's input."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import cast

from symposia.agentchat.agents import UserProxyAgent
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanFunction, HumanReply, call_human_function


class UserInputManager:
    """Lets a `UserProxyAgent` ask only once the console has shown everything up to the request.

    Give `get_wrapped_callback()` to the agent as its ``input_func``, and the manager to `Console`. The callback may
    also answer questions for approvals, which have no request in the stream and are asked at once.

    Args:
        callback: Asks the person, as the ``input_func`` of a `UserProxyAgent`.

    Raises:
        ArgumentTypeError: `callback` cannot be called.
    """

    def __init__(self, callback: HumanFunction) -> None:
        check_function("callback", "a UserInputManager", callback, "input or def ask(prompt)")
        self._callback = callback
        self._shown: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def get_wrapped_callback(self) -> Callable[[str, CancellationToken | None], Awaitable[HumanReply]]:
        """The callback, held back until its request is shown."""
        return self._ask

    def notify_event_received(self, request_id: str) -> None:
        """Everything up to this request is shown."""
        self._shown[request_id].set()

    async def _ask(self, prompt: str, cancellation_token: CancellationToken | None) -> HumanReply:
        try:
            request_id = UserProxyAgent.InputRequestContext.request_id()
        except RuntimeError:  # no `UserProxyAgent` asks
            request_id = None
        if request_id is not None:
            try:
                await self._shown[request_id].wait()
            finally:
                del self._shown[request_id]
        # Whatever it replies is checked by the one that asks.
        return cast("HumanReply", await call_human_function(self._callback, prompt, cancellation_token))
