"""One turn of an agent that has a model: its model calls, and the events that it yields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cached_property

from symposia.agentchat.agents._conversation import Conversation
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseChatMessage,
    Item,
    ModelClientStreamingChunkEvent,
    ThoughtEvent,
    new_message_id,
)
from symposia.core import CancellationToken, cancelled_by, models
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    ChatCompletionClient,
    CreateOptions,
    CreateResult,
    LLMMessage,
)

# Calls of models are effects, which are not needed to make an agent: they are imported when `models` is first asked for
# them. An import statement in the methods was rejected: it takes a microsecond of each call.


class ModelCall:
    """One call of a model.

    Args:
        agent: The name of the agent that makes it.
        client: The model.
        messages: The messages for the model.
        options: Of the call; see `ChatCompletionClient.create`.
        token: Cancelling it ends the call.
        stream: Whether the text is wanted as it comes.

    Attributes:
        streams: The same.
    """

    def __init__(
        self,
        agent: str,
        client: ChatCompletionClient,
        messages: Sequence[LLMMessage],
        options: CreateOptions,
        token: CancellationToken,
        *,
        stream: bool,
    ) -> None:
        self._agent = agent
        self._client = client
        self._messages = messages
        self._options: CreateOptions = {**options, "cancellation_token": token}
        self._token = token
        self.streams = stream
        self._result: CreateResult | None = None

    @cached_property
    def message_id(self) -> str:
        """The id for the message that will hold the answer. The streamed chunks refer to it."""
        return new_message_id()

    @property
    def result(self) -> CreateResult:
        """The whole answer, once the call was made.

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
            ModelError: It calls tools all the same, or the stream ended without a whole answer.
        """
        if isinstance(self.result.content, str):
            return self.result.content
        names = ", ".join(call.name for call in self.result.content)
        raise ModelError(
            f"Agent '{self._agent}': the model gave no text but asked for tools that it was not given: {names}"
        )

    async def complete(self) -> CreateResult:
        """Make the call, and return the whole answer."""
        with cancelled_by(self._token):
            self._result = await models.call_model(self._client, self._messages, **self._options)
        return self._result

    async def chunks(self) -> AsyncGenerator[ModelClientStreamingChunkEvent, None]:
        """Make the call, and yield the pieces of text as they come."""
        step = cancelled_by(self._token)  # around each step, and not around the loop, which yields
        async with aclosing(models.stream_model(self._client, self._messages, **self._options)) as pieces:
            while True:
                with step:
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                if isinstance(piece, CreateResult):
                    self._result = piece
                else:
                    yield ModelClientStreamingChunkEvent(
                        content=piece, source=self._agent, full_message_id=self.message_id
                    )


class ModelTurn:
    """The base class of turns: one conversation, one model, and the events that belong to the response.

    Args:
        agent: The name of the agent.
        client: The model.
        conversation: The messages for the model.
        token: Cancelling it ends the turn.
        stream: Whether the model's text is shown as it comes.
    """

    def __init__(
        self,
        agent: str,
        client: ChatCompletionClient,
        conversation: Conversation,
        token: CancellationToken,
        *,
        stream: bool,
    ) -> None:
        self.agent = agent
        self.conversation = conversation
        self.token = token
        self._client = client
        self._stream = stream
        self._inner_messages: list[Item] = []

    async def model_call(
        self, options: CreateOptions, *, then: Sequence[LLMMessage] = (), stream: bool | None = None
    ) -> ModelCall:
        """A call of the model, to be made.

        Args:
            options: Of the call.
            then: The messages for the model after the conversation.
            stream: Whether its text is shown as it comes; by default, as in the whole turn.
        """
        messages = await self.conversation.shown()
        return self.call_with([*messages, *then] if then else messages, options, stream=stream)

    def call_with(
        self, messages: Sequence[LLMMessage], options: CreateOptions, *, stream: bool | None = None
    ) -> ModelCall:
        """A call of the model with other messages than those of the conversation, to be made."""
        stream = self._stream if stream is None else stream
        return ModelCall(self.agent, self._client, messages, options, self.token, stream=stream)

    async def make(self, call: ModelCall) -> AsyncGenerator[Item, None]:
        """Make a call, and yield its text as it comes, and the model's thought."""
        if call.streams:
            async with aclosing(call.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:  # not by `chunks`: a generator more for each call takes a fiftieth of a short turn
            await call.complete()
        if call.result.thought:
            yield self.note(ThoughtEvent(content=call.result.thought, source=self.agent))

    def note(self, event: Item) -> Item:
        """Keep an event for the response, unless it is a piece of a stream."""
        if not isinstance(event, ModelClientStreamingChunkEvent):
            self._inner_messages.append(event)
        return event

    def response(self, message: BaseChatMessage) -> Response:
        """End the turn with `message`."""
        self.conversation.end_turn()
        return Response(chat_message=message, inner_messages=self._inner_messages)
