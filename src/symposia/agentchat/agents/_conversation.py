"""The conversation of an agent with its model, and the base class of agents that keep one.

A conversation is what the agent received, and what the model is shown of it. It is an agent's whole state.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field

from symposia.agentchat import base
from symposia.agentchat._arguments import check_model_context, check_optional_text, check_state
from symposia.agentchat._response import final_response
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage
from symposia.agentchat.state import AssistantAgentState
from symposia.agentchat.utils import remove_images
from symposia.core import CancellationToken, uninterrupted
from symposia.core.changes import Change, diff, members, save_changes
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import ChatCompletionClient, LLMMessage, SystemMessage
from symposia.core.tools import ToolSchema


class ConversationState(AssistantAgentState):
    """A saved conversation. One without pending input has AutoGen's shape.

    Attributes:
        pending_input: The messages of a turn that failed, which are in the context without an answer.
    """

    pending_input: list[LLMMessage] = Field(default_factory=list[LLMMessage], exclude_if=lambda value: not value)


class Conversation:
    """A model context, the system message in front of it, and the input that has no answer yet.

    A turn that fails leaves its input in the context, without an answer. When it is tried again, the same messages are
    given again; they are recognised by what the model reads, since the second attempt may make new message objects.
    Removing them from the context on failure was rejected: a context can only be appended to or cleared.

    Args:
        context: The conversation.
        system_message: The instructions of the model; None for none.
        takes_images: Whether the model takes images. Otherwise each is written as ``<image>``.
    """

    def __init__(self, context: ChatCompletionContext, system_message: str | None, *, takes_images: bool) -> None:
        self.context = context
        self._system = [] if system_message is None else [SystemMessage(content=system_message)]
        self._text_only = None if takes_images else _TextOnly()
        self._pending: list[LLMMessage] = []

    @classmethod
    def of_agent(
        cls,
        agent: str,
        client: ChatCompletionClient | None,
        context: ChatCompletionContext | None,
        system_message: str | None,
        instructions: str | None = None,
    ) -> Self:
        """The conversation of an agent, from the arguments of its constructor.

        Args:
            agent: The agent, as errors name it.
            client: Its model; None for an agent without one.
            context: The conversation; None for one that shows the model everything.
            system_message: The instructions of the model, as given; None for none.
            instructions: Further instructions, behind those.

        Raises:
            ArgumentTypeError: `context` or `system_message` is of another kind.
        """
        check_model_context("model_context", agent, context)
        check_optional_text("system_message", agent, system_message)
        told = [text for text in (system_message, instructions) if text is not None]
        return cls(
            context if context is not None else UnboundedChatCompletionContext(),
            "\n".join(told) if told else None,
            takes_images=client is not None and client.model_info["vision"],
        )

    def model_use(self, client: ChatCompletionClient, tools: Sequence[ToolSchema], calls: base.Bounds) -> base.ModelUse:
        """The use of a model with this conversation, for the outline of an agent."""
        limits = self.context.shown_at_most()
        return base.ModelUse(
            client=client,
            prompt=self._system,
            tools=tools,
            calls=calls,
            shown_messages=limits.messages,
            shown_tokens=limits.tokens,
        )

    async def receive(self, messages: Sequence[BaseChatMessage]) -> None:
        """Add `messages` to the context, except for those that a failed turn has left there.

        Raises:
            ArgumentTypeError: It is one message or a text, or a list of something else than chat messages.
        """
        if isinstance(messages, str | BaseChatMessage):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise _no_message(messages)
        given = [entry for message in messages for entry in _model_messages(message)]
        if not given:
            return
        known = self._pending if given[: len(self._pending)] == self._pending else []
        self._pending = known
        for entry in given[len(known) :]:
            await self.context.add_message(entry)
            self._pending.append(entry)

    def end_turn(self) -> None:
        """The input has its answer. The next turn's messages are new, even if their text is the same."""
        self._pending = []

    async def shown(self) -> list[LLMMessage]:
        """The messages for the model: the system message, and those that the context selects."""
        conversation = await self.context.get_messages()
        return [*self._system, *(conversation if self._text_only is None else self._text_only.of(conversation))]

    async def remember(self, *messages: LLMMessage) -> None:
        """Add `messages` to the context: all of them, also when the turn is cancelled meanwhile.

        A call without its result makes vendors refuse the conversation from then on.
        """
        # The built-in contexts never wait, so there is nothing to cancel; a task takes a tenth of a short turn.
        if type(self.context).add_message is ChatCompletionContext.add_message:
            await self._add(messages)
            return
        await uninterrupted(self._add(messages))

    async def _add(self, messages: Sequence[LLMMessage]) -> None:
        for message in messages:
            await self.context.add_message(message)

    async def clear(self) -> None:
        """Forget everything but the system message."""
        self.end_turn()
        await self.context.clear()

    @property
    def pending_input(self) -> list[LLMMessage]:
        """The messages of a turn that failed, which are in the context without an answer."""
        return self._pending

    async def load(self, saved: ConversationState) -> None:
        """Continue from a saved conversation, in place of this one."""
        await self.context.load_state(saved.llm_context)
        self._pending = saved.pending_input


class ConversationAgent(BaseChatAgent):
    """The base class of agents that keep a conversation with a model. Implement `on_messages_stream`.

    A subclass sets `_conversation` in its constructor, and `_state_type`, the name of its kind of state.
    """

    _state_type: ClassVar[str]
    _conversation: Conversation

    @property
    def model_context(self) -> ChatCompletionContext:
        """The conversation, from which the messages for the model are selected."""
        return self._conversation.context

    _model_context = model_context  # AutoGen's name of it, which programs of its guide read

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Take one turn; see `on_messages_stream`."""
        return await final_response(self.name, self.on_messages_stream(messages, cancellation_token))

    @abstractmethod
    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield its messages and events; the last item is the response."""

    async def on_reset(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the contract's
        """Forget the conversation. Memories, the state of tools and files that code has made stay."""
        await self._conversation.clear()

    async def save_state(self) -> Mapping[str, Any]:  # Any: AutoGen's signature; the values are JSON
        """The model context, and the input of a turn that failed."""
        return self._saved(await self._conversation.context.save_state()).model_dump()

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        before = since if isinstance(since, _Mark) else None
        change, mark = await save_changes(self._conversation.context, None if before is None else before.context)
        rest = self._saved({}).model_dump(exclude={"llm_context"})
        if before is None:
            return {"set": {**rest, "llm_context": (change or {"set": {}})["set"]}}, _Mark(mark, rest)
        changed = diff(before.rest, rest) or {}
        update = {"llm_context": change, **changed.get("update", {})}
        return members(update, changed.get("remove", ())), _Mark(mark, rest)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `save_state` returned, in place of the conversation so far.

        Raises:
            ArgumentTypeError: `state` is no mapping, but for instance JSON text.
            InvalidArgumentError: It is the state of something else, such as a team.
            pydantic.ValidationError: It is not a saved conversation.
        """
        owner = f"agent '{self.name}'"
        check_state(owner, state)
        # A state without a conversation is an empty one, as in AutoGen: only members that no agent saves tell.
        if "llm_context" not in state and not state.keys() <= ConversationState.model_fields.keys():
            raise InvalidArgumentError(
                f"The state of {owner} has to be what its save_state() returned, and this is a"
                f" {state.get('type', 'mapping')} of {', '.join(map(repr, state))}."
            )
        await self._conversation.load(ConversationState.model_validate(state))

    def _saved(self, context: Mapping[str, Any]) -> ConversationState:
        pending = self._conversation.pending_input
        return ConversationState(type=self._state_type, llm_context=context, pending_input=pending)


class _Mark(NamedTuple):
    """A saved state: the mark of the context, and the state without it."""

    context: object
    rest: Mapping[str, object]


class _TextOnly:
    """A growing conversation without its images.

    A message is looked at once while the conversation only grows, so that the cost of a turn does not grow with it. A
    conversation that changed in another way is noticed by its messages having moved.
    """

    def __init__(self) -> None:
        self._shown: list[LLMMessage] = []
        self._last_seen: LLMMessage | None = None

    def of(self, conversation: Sequence[LLMMessage]) -> list[LLMMessage]:
        known = len(self._shown)
        if known > len(conversation) or (known and conversation[known - 1] is not self._last_seen):
            known = 0
        self._shown[known:] = remove_images(conversation[known:])
        self._last_seen = conversation[-1] if conversation else None
        return self._shown


def _model_messages(message: BaseChatMessage) -> list[LLMMessage]:
    if not isinstance(message, BaseChatMessage):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise _no_message(message)
    before = message.context if isinstance(message, HandoffMessage) else []
    return [*before, message.to_model_message()]


def _no_message(given: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"An agent is given a list of chat messages, such as [TextMessage(content='…', source='user')], not {given!r}"
    )
