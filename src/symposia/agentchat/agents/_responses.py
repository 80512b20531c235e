from collections.abc import AsyncGenerator
from contextlib import aclosing

from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.exceptions import AgentError


async def response_of(stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]) -> Response:
    """The response that ends the stream of a turn.

    Raises:
        AgentError: The stream has none.
    """
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, Response):
                return item
    raise AgentError("The stream of an agent's turn ended without a Response.")
