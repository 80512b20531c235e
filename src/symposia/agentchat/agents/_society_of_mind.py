"""An agent whose answer is made by a team: the team talks, and a model sums up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from typing import Any, ClassVar, NamedTuple

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat._arguments import check_model_context, check_state
from symposia.agentchat._response import final_response, usage_event
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent, declared_types
from symposia.agentchat.base import Response, TaskResult, Team
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    Item,
    MessageType,
    TextMessage,
)
from symposia.agentchat.state import SocietyOfMindAgentState
from symposia.agentchat.utils import remove_images
from symposia.core import CancellationToken, uninterrupted
from symposia.core.argument_checks import check_model_client, check_text
from symposia.core.changes import Change, members, save_changes
from symposia.core.exceptions import AgentError, ArgumentTypeError
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    LLMMessage,
    UserMessage,
    call_model,
)


class SocietyState(SocietyOfMindAgentState):
    """A saved `SocietyOfMindAgent`.

    Attributes:
        llm_context: The saved state of the model context; None where AutoGen saved it, which leaves it out.
    """

    llm_context: Mapping[str, Any] | None = None


class _Mark(NamedTuple):
    """A saved state: the mark of the team, and that of the context."""

    team: object
    context: object


class SocietyOfMindAgent(BaseChatAgent):
    """An agent that lets a team work on each turn, and answers with what a model makes of the team's conversation.

    The team begins anew in each turn. Of the turns before, it is given the messages to this agent and its answers, as
    the context of a `HandoffMessage`. What the team says is shown before the answer. If it says nothing, the answer is
    ``No response.``, and no model is asked.

    Args:
        name: Unique within a team; a Python identifier.
        team: The team. It belongs to this agent, which resets it.
        model_client: The model that writes the answer.
        description: Describes the agent to the speaker selection.
        instruction: What the model is told before the conversation of the team.
        response_prompt: What it is told after it.
        model_context: Keeps the messages to this agent and its answers; all of them, by default.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: `name` is not a Python identifier.
    """

    DEFAULT_INSTRUCTION: ClassVar[str] = (
        "You speak for a team. It was given a request and has discussed it. Its discussion follows, message by message."
    )
    DEFAULT_RESPONSE_PROMPT: ClassVar[str] = (
        "Write the answer to the request, for a reader who does not know the discussion. Mention neither the team nor "
        "its discussion."
    )
    DEFAULT_DESCRIPTION: ClassVar[str] = "An agent whose answers are worked out by a team."

    def __init__(
        self,
        name: str,
        team: Team,
        model_client: ChatCompletionClient,
        *,
        description: str = DEFAULT_DESCRIPTION,
        instruction: str = DEFAULT_INSTRUCTION,
        response_prompt: str = DEFAULT_RESPONSE_PROMPT,
        model_context: ChatCompletionContext | None = None,
    ) -> None:
        super().__init__(name, description)
        owner = f"agent '{name}'"
        if not isinstance(team, Team):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"The team of {owner} has to be a Team, such as RoundRobinGroupChat, not {team!r}.")
        check_model_client(owner, model_client)
        check_text("instruction", owner, instruction)
        check_text("response_prompt", owner, response_prompt)
        check_model_context("model_context", owner, model_context)
        self._team = team
        self._model_client = model_client
        self._instruction = instruction
        self._response_prompt = response_prompt
        self._model_context = model_context or UnboundedChatCompletionContext()

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """Text, and the messages of the team."""
        return (TextMessage, *self._team.produced_message_types)

    @override
    def learn_message_types(self, message_types: Sequence[MessageType]) -> None:
        """Pass them to the team, which receives the messages."""
        self._team.learn_message_types(message_types)

    @property
    def model_context(self) -> ChatCompletionContext:
        """The messages to this agent, and its answers."""
        return self._model_context

    def check_outline(self) -> base.AgentOutline:
        """The outline for `team.check()`: the team runs in each turn, and the model reads its messages."""
        instructions = (self._instruction, self._response_prompt)
        use = base.ModelUse(
            client=self._model_client, prompt=[UserMessage(content=text, source="user") for text in instructions]
        )
        outline = base.participant_outline(self._team.name, self._team.check_outline)
        inner = base.InnerRun(name=self._team.name, outline=outline)
        produces = None if declared_types(self, SocietyOfMindAgent) is None else (TextMessage,)  # beside the team's
        return base.AgentOutline(models=[use], handoffs=(), tools=(), produces=produces, inner=[inner])

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Let the team work, and answer."""
        return await final_response(self.name, self.on_messages_stream(messages, cancellation_token))

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Let the team work, show what it says, and answer.

        Raises:
            Exception: Whatever the team or the model raised. The next turn begins anew.
        """
        if self._team.transcript:  # of a turn that failed or was cancelled
            await self._team.reset()
        result = TaskResult(messages=[])
        task = [*await self._earlier(), *messages]
        stream = self._team.run_stream(
            task=task or None, cancellation_token=cancellation_token, output_task_messages=False
        )
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, TaskResult):
                    result = item
                else:
                    yield item
        shown = list(result.messages)
        if event := usage_event(result.silent_usage, self._team.name):
            shown.append(event)
            yield event
        response = await self._response(shown, result.uncommitted, cancellation_token)
        # Last, since a turn that fails is taken again: whatever it added before would be added twice.
        await self._team.reset()
        await self._remember(messages, response.chat_message)
        yield response

    async def _earlier(self) -> Sequence[BaseChatMessage]:
        """The earlier turns, as one message for the team."""
        context = await self._model_context.get_messages()
        if not context:
            return ()
        return [HandoffMessage(content="relevant previous messages", source=self.name, target="", context=context)]

    async def _response(
        self, shown: Sequence[Item], uncommitted: AbstractSet[str], token: CancellationToken
    ) -> Response:
        discussion = [
            item.to_model_message()
            for item in shown
            if isinstance(item, BaseChatMessage) and item.id not in uncommitted
        ]
        if not discussion:
            return Response(chat_message=TextMessage(source=self.name, content="No response."), inner_messages=shown)
        prompt: list[LLMMessage] = [
            UserMessage(content=self._instruction, source="user"),
            *discussion,
            UserMessage(content=self._response_prompt, source="user"),
        ]
        if not self._model_client.model_info["vision"]:
            prompt = remove_images(prompt)
        result = await call_model(self._model_client, prompt, cancellation_token=token)
        if not isinstance(result.content, str):
            raise AgentError(f"The model of the agent {self.name!r} called a tool, though it was given none.")
        answer = TextMessage(source=self.name, content=result.content, models_usage=result.usage)
        return Response(chat_message=answer, inner_messages=shown)

    async def _remember(self, messages: Sequence[BaseChatMessage], answer: BaseChatMessage) -> None:
        """Add a whole turn to the context. Cancelling does not interrupt it: once it has begun, the answer counts."""
        entries: list[LLMMessage] = []
        for message in messages:
            if isinstance(message, HandoffMessage):
                entries += message.context
            entries.append(message.to_model_message())
        entries.append(AssistantMessage(content=answer.to_model_text(), source=self.name))
        try:
            await uninterrupted(self._add(entries))
        except asyncio.CancelledError as cancelled:
            if cancelled.__cause__ is not None:  # what the context raised
                raise

    async def _add(self, entries: Sequence[LLMMessage]) -> None:
        for entry in entries:
            await self._model_context.add_message(entry)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the team's methods take none
        """Forget everything, in the team too."""
        await self._model_context.clear()
        await self._team.reset()  # last, since the next turn resets the team too if this is cancelled

    async def on_pause(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the team's methods take none
        """Pause the team."""
        await self._team.pause()

    async def on_resume(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the team's methods take none
        """Let the team continue."""
        await self._team.resume()

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the team, and the messages of earlier turns."""
        return SocietyState(
            inner_team_state=await self._team.save_state(), llm_context=await self._model_context.save_state()
        ).model_dump()

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        before = since if isinstance(since, _Mark) else None
        team, team_mark = await save_changes(self._team, None if before is None else before.team)
        context, context_mark = await save_changes(self._model_context, None if before is None else before.context)
        mark = _Mark(team_mark, context_mark)
        if before is None:
            whole = SocietyState(inner_team_state=(team or {})["set"], llm_context=(context or {})["set"])
            return {"set": whole.model_dump()}, mark
        return members({"inner_team_state": team, "llm_context": context}), mark

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved state, also of AutoGen.

        Raises:
            ArgumentTypeError: It is no mapping.
            pydantic.ValidationError: It is no state of such an agent.
            Exception: Whatever the team or the context raised.
        """
        check_state(f"agent '{self.name}'", state)
        saved = SocietyState.model_validate(state)
        await self._team.load_state(saved.inner_team_state)
        await self._model_context.clear()
        if saved.llm_context is not None:
            await self._model_context.load_state(saved.llm_context)
