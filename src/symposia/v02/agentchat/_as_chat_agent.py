"""An agent of AutoGen 0.2 as an agent of 0.4, which can be in a team."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.messages import BaseChatMessage, MessageType, MultiModalMessage, StopMessage, TextMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, UsageError
from symposia.v02.agentchat._converted_messages import from_dict, to_dict
from symposia.v02.agentchat._messages import Message, as_message, called_functions
from symposia.v02.agentchat._partners import check_agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent


def to_chat_agent(agent: ConversableAgent, *, name: str | None = None, description: str | None = None) -> BaseChatAgent:
    """An agent of AutoGen 0.2 for teams of 0.4.

    It keeps its conversation with the team under an agent named `team`. Functions that its model calls and it executes
    itself are executed within its turn. Where it ends its conversation, it answers with an empty `StopMessage`.

    Args:
        agent: The agent.
        name: Its name in the team; by default its own, with underscores for what a Python identifier cannot have.
        description: Its description in the team; by default its own.

    Raises:
        ArgumentTypeError: It is no agent of AutoGen 0.2.
    """
    if isinstance(agent, ChatAgent):
        raise ArgumentTypeError(f"{agent.name} is an agent of AutoGen 0.4. Give it to the team as it is.")
    check_agent("The agent for a team", agent)
    return ConversableParticipant(
        agent, name or re.sub(r"\W|^(?=\d)", "_", agent.name), description or str(agent.description or agent.name)
    )


class ConversationState(BaseModel):
    """The state of such an agent.

    Attributes:
        messages: Its conversation with the team.
    """

    type: str = "ConversableParticipantState"
    messages: list[Message]


class ConversableParticipant(BaseChatAgent):
    """The result of `to_chat_agent`.

    Args:
        agent: The agent.
        name: Its name in the team.
        description: Its description in the team.
    """

    def __init__(self, agent: ConversableAgent, name: str, description: str) -> None:
        super().__init__(name, description)
        self._agent = agent
        self._team = ConversableAgent("team", llm_config=False, human_input_mode="NEVER", silent=True)

    @property
    @override
    def produced_message_types(self) -> Sequence[MessageType]:
        return (TextMessage, MultiModalMessage, StopMessage)

    @override
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        conversation = self._agent.chat_messages[self._team]
        before = list(conversation)
        turn = asyncio.ensure_future(self._turn([to_dict(message) for message in messages]))
        try:
            return Response(chat_message=await cancellation_token.link_future(turn))
        except BaseException:  # the team gives the messages again, and no model takes calls without results
            conversation[:] = before
            raise

    async def _turn(self, messages: Sequence[Message]) -> BaseChatMessage:
        for message in messages:
            await self._hear(message)
        while (reply := await self._agent.a_generate_reply(sender=self._team)) is not None:
            await self._agent.a_send(as_message(reply), self._team, request_reply=False, silent=True)
            spoken = self._team.chat_messages[self._agent][-1]  # as the agent's hooks have left it
            self._team.clear_history(self._agent)  # the agent itself keeps the conversation
            if not (functions := called_functions(spoken)):
                return from_dict({**spoken, "name": self.name}, self.name)
            await self._hear(await self._results(spoken, functions))
        return StopMessage(content="", source=self.name)

    async def _hear(self, message: Message) -> None:
        await self._agent.a_receive(message, self._team, request_reply=False, silent=True)

    async def _results(self, message: Message, functions: list[str]) -> Message:
        if not self._agent.can_execute_function(functions):
            raise UsageError(
                f"Agent '{self.name}' calls {', '.join(functions)}, which it cannot execute. In a team, nobody else "
                "does: register the functions with its register_for_execution too."
            )
        if message.get("tool_calls"):
            _, results = await self._agent.a_generate_tool_calls_reply([message])
        else:
            _, results = await self._agent.a_generate_function_call_reply([message])
        return cast("Message", results)

    @override
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self._agent.clear_history(self._team)
        self._agent.reset_consecutive_auto_reply_counter(self._team)

    @override
    async def save_state(self) -> Mapping[str, Any]:  # Any: JSON
        return ConversationState(messages=self._agent.chat_messages[self._team]).model_dump()

    @override
    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._agent.chat_messages[self._team] = ConversationState.model_validate(state).messages
