from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from typing import Any
from uuid import uuid4

from symposia.agentchat.agents._cancellation import cancelled_by
from symposia.agentchat.agents._effects import ModelRequest
from symposia.agentchat.messages import ModelClientStreamingChunkEvent
from symposia.core import CancellationToken, step, step_stream
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient, CreateResult


class ModelCall:
    """One question to a model on behalf of an agent."""

    def __init__(
        self, agent: str, client: ChatCompletionClient, request: ModelRequest, token: CancellationToken, *, stream: bool
    ) -> None:
        self._agent = agent
        self._client = client
        self._request = request
        self._token = token
        self._stream = stream
        self._result: CreateResult | None = None

    @cached_property
    def message_id(self) -> str:
        """The id for the message that will hold the answer; the streamed chunks name it."""
        return str(uuid4())

    @property
    def result(self) -> CreateResult:
        """The whole answer, once `chunks` has come to its end.

        Raises:
            ModelError: The stream ended without a whole answer.
        """
        if self._result is None:
            raise ModelError(
                f"Agent '{self._agent}': the model client's stream ended without a CreateResult as its last item."
            )
        return self._result

    @property
    def text(self) -> str:
        """The whole answer of a model that was given no tools to call.

        Raises:
            ModelError: It asks for tools all the same, or the stream ended without a whole answer.
        """
        if isinstance(self.result.content, str):
            return self.result.content
        names = ", ".join(call.name for call in self.result.content)
        raise ModelError(
            f"Agent '{self._agent}': the model gave no text but asked for tools that it was not given: {names}"
        )

    async def whole(self) -> CreateResult:
        """Ask, and give the whole answer at once."""
        with cancelled_by(self._token):
            self._result = await step("model", self._agent, self._request, self._create)
        return self._result

    async def chunks(self) -> AsyncGenerator[ModelClientStreamingChunkEvent, None]:
        """Ask, and yield the pieces of text as they come: none unless the call streams."""
        if not self._stream:
            await self.whole()
            return
        async with aclosing(step_stream("model", self._agent, self._request, self._create_stream)) as pieces:
            while (piece := await self._next(pieces)) is not None:
                if isinstance(piece, CreateResult):
                    self._result = piece
                else:
                    yield ModelClientStreamingChunkEvent(
                        content=piece, source=self._agent, full_message_id=self.message_id
                    )

    async def _next(self, pieces: AsyncGenerator[str | CreateResult, None]) -> str | CreateResult | None:
        with cancelled_by(self._token):
            return await anext(pieces, None)

    async def _create(self) -> CreateResult:
        return await self._client.create(self._request.messages, **self._options())

    def _create_stream(self) -> AsyncGenerator[str | CreateResult, None]:
        return self._client.create_stream(self._request.messages, **self._options())

    def _options(self) -> dict[str, Any]:  # Any: the parameters of `create`, which is where they are typed
        options: dict[str, Any] = {
            "tools": self._request.tools,
            "json_output": self._request.json_output,
            "cancellation_token": self._token,
        }
        if self._request.tool_choice != "auto":  # clients that are older than this parameter work without it
            options["tool_choice"] = self._request.tool_choice
        return options
