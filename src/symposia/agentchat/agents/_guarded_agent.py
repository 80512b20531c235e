"""An agent around another one whose input and output are checked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from symposia.agentchat._arguments import checked_guardrails
from symposia.agentchat._checked_turn import checked_turn, guarded_outline
from symposia.agentchat._response import ask_agent_stream, final_response
from symposia.agentchat.agents._wrapping_agent import WrappingAgent, check_wrapped_agent
from symposia.agentchat.base import AgentOutline, Bounds, ChatAgent, Response
from symposia.agentchat.guardrails import Guardrail
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageType, StopMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError


class GuardedAgent(WrappingAgent):
    """An agent around another one, of any kind, whose input and output guardrails check.

    Where one of them blocks, the answer is a `StopMessage` with the reason, and a `GuardrailEvent` is shown before it.
    The pieces of a streamed answer are withheld until the output has passed. Other events of the inner agent, such as
    thoughts and tool results, are not checked.

    Tool calls are made inside of the inner agent, where they cannot be checked from here: an `AssistantAgent` takes
    guardrails for them.

    Args:
        agent: The inner agent. This one has its name and its description.
        guardrails: The guardrails, each of which sees what those before it have let through.

    Raises:
        ArgumentTypeError: `agent` is no agent, or `guardrails` no list of guardrails.
        InvalidArgumentError: A guardrail checks tool calls.
    """

    def __init__(self, agent: ChatAgent, guardrails: Sequence[Guardrail]) -> None:
        check_wrapped_agent("agent of a GuardedAgent", agent)
        self._guardrails = checked_guardrails(f"agent '{agent.name}'", guardrails)
        if unusable := [each.name for each in self._guardrails if "tool_call" in each.stages]:
            raise InvalidArgumentError(
                f"The guardrails {unusable} check tool calls, which agent '{agent.name}' makes by itself. Give them to"
                " AssistantAgent(guardrails=…), or take 'tool_call' out of their stages."
            )
        super().__init__(agent.name, agent, agent.description)

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The types of the inner agent, and the message in place of a blocked one."""
        return (*self._wrapped.produced_message_types, StopMessage)

    def check_outline(self) -> AgentOutline:
        """The outline of the inner agent, with the models that its guardrails ask."""
        return guarded_outline(super().check_outline(), self._guardrails, Bounds(0, 0))

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Take one turn; see `on_messages_stream`."""
        return await final_response(self.name, self.on_messages_stream(messages, cancellation_token))

    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Let the inner agent take a turn, and check what it receives and answers."""
        return checked_turn(
            self.name,
            self._guardrails,
            messages,
            cancellation_token,
            lambda passed: ask_agent_stream(self._wrapped, passed, cancellation_token),
        )
