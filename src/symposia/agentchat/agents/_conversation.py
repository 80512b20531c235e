"""The conversation of an agent with its model: what the agent received, and what the model is shown of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field

from symposia.agentchat.messages import BaseChatMessage, HandoffMessage
from symposia.agentchat.state import AssistantAgentState
from symposia.agentchat.utils import remove_images
from symposia.core.changes import Change, diff, members, save_changes
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage, SystemMessage


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
        context: What was said.
        system_message: What the model is told first; None for nothing.
        takes_images: Whether the model takes images. Otherwise ``<image>`` stands for each.
    """

    def __init__(self, context: ChatCompletionContext, system_message: str | None, *, takes_images: bool) -> None:
        self.context = context
        self._system = [] if system_message is None else [SystemMessage(content=system_message)]
        self._text_only = None if takes_images else _TextOnly()
        self._pending: list[LLMMessage] = []

    async def receive(self, messages: Sequence[BaseChatMessage]) -> None:
        """Add `messages` to the context, except for those that a failed turn has left there."""
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
        """What the model is shown now: the system message, and what the context chooses."""
        conversation = await self.context.get_messages()
        return [*self._system, *(conversation if self._text_only is None else self._text_only.of(conversation))]

    async def remember(self, *messages: LLMMessage) -> None:
        """Add `messages` to the context: all of them, also when the turn is cancelled meanwhile.

        A call without its result makes vendors refuse the conversation from then on.
        """
        if type(self.context).add_message is ChatCompletionContext.add_message:  # it never waits: nothing to cancel
            await self._add(messages)
            return
        task = asyncio.ensure_future(self._add(messages))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    async def _add(self, messages: Sequence[LLMMessage]) -> None:
        for message in messages:
            await self.context.add_message(message)

    async def clear(self) -> None:
        """Forget everything but the system message."""
        self.end_turn()
        await self.context.clear()

    async def save_state(self, state_type: str) -> Mapping[str, Any]:  # Any: JSON
        """The context and the pending input.

        Args:
            state_type: The name of the agent's kind of state.
        """
        context = await self.context.save_state()
        return ConversationState(type=state_type, llm_context=context, pending_input=self._pending).model_dump()

    async def save_changes(self, state_type: str, since: object | None) -> tuple[Change | None, object]:
        """What changed in the state since a mark: see `symposia.core.changes.IncrementalState`."""
        before = since if isinstance(since, _Mark) else None
        change, mark = await save_changes(self.context, None if before is None else before.context)
        rest = ConversationState(type=state_type, pending_input=self._pending).model_dump(exclude={"llm_context"})
        if before is None:
            return {"set": {**rest, "llm_context": (change or {"set": {}})["set"]}}, _Mark(mark, rest)
        changed = diff(before.rest, rest) or {}
        update = {"llm_context": change, **changed.get("update", {})}
        return members(update, changed.get("remove", ())), _Mark(mark, rest)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `save_state` returned, in place of the conversation so far.

        Raises:
            pydantic.ValidationError: `state` is not a saved conversation.
        """
        saved = ConversationState.model_validate(state)
        await self.context.load_state(saved.llm_context)
        self._pending = saved.pending_input


class _Mark(NamedTuple):
    """A state that was told: the mark of the context, and the state without it."""

    context: object
    rest: Mapping[str, Any]


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
    before = message.context if isinstance(message, HandoffMessage) else []
    return [*before, message.to_model_message()]
