"""The roles of a debate: debaters, critic and moderator, each around an agent of the user.

A role resets its agent before each turn and gives it a complete brief. So the cost of a round does not grow, and the
statements of independent rounds are independent. Rejected: agents that keep their conversations and receive only new
messages. The conversations would grow with each round, and a summary would be added to the messages that it sums up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, Field
from typing_extensions import override

from symposia.agentchat._response import add_usage, final_response, no_response
from symposia.agentchat.agents import WrappingAgent
from symposia.agentchat.base import AgentOutline, AnswersInSchema, Bounds, ChatAgent, Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Item, MessageType, TextMessage
from symposia.agentchat.state import BaseState
from symposia.agentchat.teams._debate._briefs import Brief, critic_brief, debater_brief, moderator_brief
from symposia.agentchat.teams._debate._messages import DebateCritique, DebateStatement, DebateSummary
from symposia.agentchat.teams._debate._record import DebateRecord, DebateSetup
from symposia.agentchat.teams._debate._schema_answers import SchemaAnswer, answer_of, ask_in_schema
from symposia.agentchat.teams._debate._votes import Ballot
from symposia.core import CancellationToken

SOURCE: Final = "debate"
"""The source of the messages to the agents."""

_BRIEFS: Final = 4
"""Messages in a prompt besides the statements of two rounds: question, summary, critique and request."""


class DebateRoleState(BaseState):
    """A saved participant of a debate.

    Attributes:
        agent: The state of its agent.
        debate: Its record of the debate.
    """

    agent: Mapping[str, Any] = Field(default_factory=dict[str, Any])  # Any: each class shapes its own
    debate: DebateRecord = Field(default_factory=DebateRecord)
    type: str = "DebateRoleState"


class DebateRole(WrappingAgent, ABC):
    """The base class of the participants.

    Args:
        agent: The agent of the user.
        setup: The debate.
    """

    def __init__(self, agent: ChatAgent, setup: DebateSetup) -> None:
        super().__init__(agent.name, agent, agent.description)
        self._setup = setup
        self._record = DebateRecord()

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The messages of a debate, and those of the agent."""
        return (DebateStatement, DebateCritique, DebateSummary, *super().produced_message_types)

    def check_outline(self) -> AgentOutline:
        """The outline of the agent, with the number of its calls, and without the rest of the conversation."""
        outline = super().check_outline()
        shown = 2 * len(self._setup.debaters) + _BRIEFS
        uses = [replace(use, calls=self._calls(use.calls), shown_messages=shown) for use in outline.models or ()]
        return replace(outline, models=None if outline.models is None else uses, handoffs=())

    def _calls(self, calls: Bounds) -> Bounds:
        """The calls of the model in a turn, given those in a turn of the agent itself."""
        return calls

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Take part in a round."""
        return await final_response(self.name, self.on_messages_stream(messages, cancellation_token))

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take part in a round.

        A turn that fails leaves the record as it was: the same messages are given again.
        """
        record = self._record.model_copy(deep=True)
        record.read(messages, self._setup)
        await self._wrapped.on_reset(cancellation_token)
        async with aclosing(self._take_part(record, cancellation_token)) as items:
            async for item in items:
                if isinstance(item, Response):
                    record.read([item.chat_message], self._setup)
                    record.forget_early_rounds(self._setup)
                    self._record = record
                yield item

    @abstractmethod
    def _take_part(
        self, record: DebateRecord, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """The turn; the last item is the response."""

    def _briefing(self, brief: Brief) -> list[TextMessage]:
        return [TextMessage(content=text, source=SOURCE) for text in brief]

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the debate, and reset the agent."""
        self._record = DebateRecord()
        await self._wrapped.on_reset(cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the agent, and the record of the debate."""
        return DebateRoleState(agent=await self._wrapped.save_state(), debate=self._record).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved state.

        Raises:
            pydantic.ValidationError: It is no state of a participant of a debate.
        """
        saved = DebateRoleState.model_validate(state)
        await self._wrapped.load_state(saved.agent)
        self._record = saved.debate


class Debater(DebateRole):
    """Makes a statement, and then votes.

    Args:
        agent: The agent of the user.
        setup: The debate.
        vote_retries: How often a vote that cannot be used is asked for again.
    """

    def __init__(self, agent: ChatAgent, setup: DebateSetup, vote_retries: int) -> None:
        super().__init__(agent, setup)
        self._ballot = Ballot([option.name for option in setup.options])
        self._vote_retries = vote_retries

    @override
    def _calls(self, calls: Bounds) -> Bounds:
        """One more call for the vote, and at most one for each retry."""
        return Bounds(calls.low + 1, None if calls.high is None else calls.high + 1 + self._vote_retries)

    async def _take_part(
        self, record: DebateRecord, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        brief = debater_brief(self.name, record, self._setup)
        statement: Response | None = None
        async with aclosing(answer_of(self._wrapped, self._briefing(brief), token)) as items:
            async for item in items:
                if isinstance(item, Response):
                    statement = item
                else:
                    yield item
        if statement is None:
            raise no_response(self.name)
        inner: list[Item] = [*(statement.inner_messages or ())]
        request = TextMessage(content=self._ballot.request, source=SOURCE)
        answer = SchemaAnswer(None)
        voting = ask_in_schema(
            self._wrapped,
            request,
            self._ballot.schema,
            retries=self._vote_retries,
            token=token,
            as_json=self._ballot.as_json,
        )
        async with aclosing(voting) as items:
            async for item in items:
                if isinstance(item, SchemaAnswer):
                    answer = item
                else:
                    inner.append(item)
                    yield item
        said = statement.chat_message
        message = DebateStatement(
            id=said.id,
            content=said.to_text(),
            source=self.name,
            round=record.next_round_of(self.name),
            vote=self._ballot.vote(answer.content, answer.fault),
            models_usage=add_usage(said.models_usage, answer.usage),
        )
        yield Response(chat_message=message, inner_messages=inner)


class Critic(DebateRole):
    """Criticises a round."""

    async def _take_part(
        self, record: DebateRecord, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        brief = critic_brief(record, self._setup)
        async with aclosing(answer_of(self._wrapped, self._briefing(brief), token)) as items:
            async for item in items:
                if not isinstance(item, Response):
                    yield item
                    continue
                said = item.chat_message
                critique = DebateCritique(
                    id=said.id,
                    content=said.to_text(),
                    source=self.name,
                    round=record.number,
                    models_usage=said.models_usage,
                )
                yield Response(chat_message=critique, inner_messages=item.inner_messages)


class Minutes(BaseModel):
    """The moderator's summary of a debate."""

    summary: str = Field(description="The text that was asked for.")
    agreed: list[str] = Field(description="The points on which all participants agree, one sentence each.")


class Moderator(DebateRole):
    """Sums up the debate after a round, and concludes it at the end.

    An answer outside the schema is used as the summary, and the points agreed before are kept, so that a debate does
    not fail for the form of an answer.
    """

    async def _take_part(
        self, record: DebateRecord, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        verdict = record.verdict(self._setup)
        brief = moderator_brief(record, self._setup, verdict)
        request = TextMessage(
            content=f"{brief.standing}\n\n{brief.present}\n\nGive summary (this text) and agreed (the list of points).",
            source=SOURCE,
        )
        inner: list[Item] = []
        answer = SchemaAnswer(None)
        retries = 1 if isinstance(self._wrapped, AnswersInSchema) else 0
        async with aclosing(ask_in_schema(self._wrapped, request, Minutes, retries=retries, token=token)) as items:
            async for item in items:
                if isinstance(item, SchemaAnswer):
                    answer = item
                else:
                    inner.append(item)
                    yield item
        minutes = answer.content
        summary = DebateSummary(
            content=minutes.summary if isinstance(minutes, Minutes) else answer.text,
            agreed=minutes.agreed if isinstance(minutes, Minutes) else record.agreed,
            is_conclusion=verdict is not None,
            source=self.name,
            round=record.number,
            models_usage=answer.usage,
        )
        yield Response(chat_message=summary, inner_messages=inner)
