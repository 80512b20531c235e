"""The agent that represents a person."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar

from pydantic import BaseModel

from symposia.agentchat import base
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent, declared_types
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    TextMessage,
    UserInputRequestedEvent,
    new_message_id,
)
from symposia.core import CancellationToken, ClassMethodsOnly, variable_set
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanFunction, HumanQuestion, ask_human, ask_on_terminal

_request_id: ContextVar[str | None] = ContextVar("symposia_input_request_id", default=None)


class UserProxyAgent(BaseChatAgent):
    """An agent that represents a person: each turn asks for an answer and waits for it.

    Args:
        name: Unique within a team; a Python identifier.
        description: Describes the agent to the speaker selection.
        input_func: Asks the person: ``def ask(prompt)`` runs in a thread, ``async def ask(prompt, cancellation_token)``
            is awaited and cancelled with the run. Python's `input` by default, which asks one question at a time.
    """

    component_transient = frozenset({"input_func"})

    class InputRequestContext(ClassMethodsOnly):
        """The id of the request that an input function answers."""

        @classmethod
        def populate_context(cls, ctx: str) -> AbstractContextManager[None]:
            """Everything inside answers the request `ctx`."""
            return variable_set(_request_id, ctx)

        @classmethod
        def request_id(cls) -> str:
            """The `request_id` of the `UserInputRequestedEvent` that is being answered.

            Raises:
                RuntimeError: This is not the input function of a `UserProxyAgent`.
            """
            request_id = _request_id.get()
            if request_id is None:
                raise RuntimeError(
                    "InputRequestContext.request_id() must be called within the input callback of a UserProxyAgent."
                )
            return request_id

    def __init__(
        self, name: str, *, description: str = "A human user", input_func: HumanFunction | None = None
    ) -> None:
        super().__init__(name, description)
        check_function("input_func", f"agent '{name}'", input_func, "def ask(prompt)")
        self.input_func: HumanFunction = input_func or ask_on_terminal

    def _to_config(self) -> BaseModel:
        """The arguments. Python's `input` is the default."""
        given = self._constructor_arguments().get("input_func")
        return self._derived_config(input_func=None if given is input else given)

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text, and a handoff back where the person was handed the turn."""
        return (TextMessage, HandoffMessage)

    def check_outline(self) -> base.AgentOutline:
        """An outline without models. The agent hands back only to agents that handed over to it."""
        return base.AgentOutline(models=(), handoffs=(), tools=(), produces=declared_types(self, UserProxyAgent))

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Ask the person."""
        return await self._answer(messages, cancellation_token, new_message_id())

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Ask the person. The first item is the request for input, the last one the response.

        Raises:
            InputEndedError: The input function raised `EOFError`, as `input` does where the input ends.
            HumanInputError: The input function raised another error, or returned something that is no answer.
            asyncio.CancelledError: The token was cancelled.
        """
        request_id = new_message_id()
        yield UserInputRequestedEvent(request_id=request_id, source=self.name)
        yield await self._answer(messages, cancellation_token, request_id)

    async def _answer(self, messages: Sequence[BaseChatMessage], token: CancellationToken, request_id: str) -> Response:
        handoff = self._handoff_to_me(messages)
        prompt = "Enter your response: "
        if handoff is not None:
            prompt = f"Handoff received from {handoff.source}. {prompt}"
        with self.InputRequestContext.populate_context(request_id):
            answer = await ask_human(self.input_func, HumanQuestion(prompt, source=self.name), token)
        if handoff is None:
            return Response(chat_message=TextMessage(content=answer.text, source=self.name))
        return Response(chat_message=HandoffMessage(content=answer.text, target=handoff.source, source=self.name))

    def _handoff_to_me(self, messages: Sequence[BaseChatMessage]) -> HandoffMessage | None:
        last = messages[-1] if messages else None
        return last if isinstance(last, HandoffMessage) and last.target == self.name else None

    async def on_reset(self, cancellation_token: CancellationToken | None = None) -> None:
        """Do nothing: a person is not reset."""
