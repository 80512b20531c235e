"""The members of a team: the agent or the nested team behind each participant."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple

from symposia.agentchat._response import (
    ask_agent,
    ask_agent_stream,
    checked_item,
    checked_response,
    note_response,
    ordered_items,
    silent_usage_of,
)
from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import ChatAgent, Response, TaskResult, Team
from symposia.agentchat.messages import BaseChatMessage, Item, ModelClientStreamingChunkEvent
from symposia.agentchat.teams._messages import ParticipantCommand, TurnTaken
from symposia.agentchat.teams._outbox import Outbox
from symposia.core import CancellationToken
from symposia.core.changes import Change, SavedState, members, save_changes
from symposia.core.exceptions import AgentError, InvalidArgumentError
from symposia.core.models import UsageAccount
from symposia.core.telemetry import UNTRACED, agent_invocation

_TURN_BEGAN: Final = "turn_began"


class Member(ABC):
    """The agent or the nested team of a participant. It outlives the actor, which exists only during a run."""

    name: str
    description: str

    @abstractmethod
    async def take_turn(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: Outbox
    ) -> TurnTaken:
        """Answer `messages`, and put the events into `outbox`."""

    @abstractmethod
    async def follow(self, command: ParticipantCommand) -> None:
        """Reset, pause or resume."""

    @property
    def run_starter(self) -> Callable[[], Awaitable[None]] | None:
        """Called when a run of the team begins; None if there is nothing to call, as for a nested team."""
        return None

    @abstractmethod
    async def save_state(self) -> SavedState:
        """The state as JSON values."""

    @abstractmethod
    async def load_state(self, state: SavedState) -> None:
        """Continue from what `save_state` gave."""

    @abstractmethod
    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""


def member_of(participant: ChatAgent | Team) -> Member:
    """The member for an agent or a team."""
    return TeamMember(participant) if isinstance(participant, Team) else AgentMember(participant)


class AgentMember(Member):
    """An agent. After a turn that failed it is given the same messages again; recognising them is its own task."""

    def __init__(self, agent: ChatAgent) -> None:
        self.name = agent.name
        self.description = agent.description
        self._agent = agent
        # Such a stream adds nothing to the response, and an async generator takes a tenth of the time of a turn.
        stream = getattr(agent.on_messages_stream, "__func__", None)
        self._only_answers = stream is BaseChatAgent.on_messages_stream

    async def take_turn(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: Outbox
    ) -> TurnTaken:
        """Let the agent answer."""
        answer = self._answer if self._only_answers else self._stream
        activity = agent_invocation(self.name, self.description, outbox.address)
        account = UsageAccount()
        with account.current():
            if activity is UNTRACED:  # entering two no-op contexts takes longer than this check
                _, taken = await answer(messages, token, outbox, account)
            else:
                with activity, activity.current():
                    response, taken = await answer(messages, token, outbox, account)
                    note_response(activity, response, taken.silent_usage)
        return taken

    async def _answer(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: Outbox, account: UsageAccount
    ) -> tuple[Response, TurnTaken]:
        """As `_stream`, by an agent that streams nothing."""
        response = await ask_agent(self._agent, messages, token)
        items = [*(response.inner_messages or ()), response.chat_message]
        silent = silent_usage_of(account, items)
        outbox.end(items, [response.chat_message], silent)
        return response, TurnTaken(outbox.team, items, [response.chat_message], silent)

    async def _stream(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: Outbox, account: UsageAccount
    ) -> tuple[Response, TurnTaken]:
        """The response, and the end of the turn, which has what was not put into `outbox`."""
        shown: list[Item] = []
        async with aclosing(ask_agent_stream(self._agent, messages, token)) as stream:
            async for item in stream:
                if isinstance(item, Response):
                    checked_response(self._agent, "on_messages_stream", item)
                    ids, said = [each.id for each in shown], [item.chat_message]
                    known = set(ids)
                    rest = [*(each for each in item.inner_messages or () if each.id not in known), *said]
                    ordered = ordered_items(ids, item)
                    silent = silent_usage_of(account, [*shown, *rest])
                    outbox.end(rest, said, silent, ordered)
                    return item, TurnTaken(outbox.team, [*await outbox.take_rest(), *rest], said, silent, ordered)
                if not isinstance(checked_item(self._agent, item), ModelClientStreamingChunkEvent):
                    shown.append(item)
                outbox.put(item)
        raise AgentError(f"Agent {self.name!r} gave no answer: on_messages_stream has to yield a Response last.")

    @property
    def run_starter(self) -> Callable[[], Awaitable[None]] | None:
        """The `on_run_start` of the agent, if it has one of its own."""
        own = getattr(type(self._agent), "on_run_start", ChatAgent.on_run_start)
        return None if own is ChatAgent.on_run_start else self._agent.on_run_start

    async def follow(self, command: ParticipantCommand) -> None:
        """Pass the command to the agent."""
        token = CancellationToken()
        match command.action:
            case "reset":
                await self._agent.on_reset(token)
            case "pause":
                await self._agent.on_pause(token)
            case "resume":
                await self._agent.on_resume(token)

    async def save_state(self) -> SavedState:
        """The agent's state."""
        return await self._agent.save_state()

    async def load_state(self, state: SavedState) -> None:
        """Give the agent its state back."""
        await self._agent.load_state(state)

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """What changed in the agent's state."""
        return await save_changes(self._agent, since)


class TeamMember(Member):
    """A nested team. Its turn is a run.

    The messages of a turn that failed or was cancelled are given again, while the nested team has kept them, together
    with what its own participants answered before the failure. So the length of its transcript at the beginning of the
    turn is remembered until a turn ends well: what was added since is not given again, and is part of the turn. The
    messages are compared by their ids. To remember which messages were handed over, without looking at the transcript,
    would lose those that the team was given but had not taken when it was cancelled.
    """

    def __init__(self, team: Team) -> None:
        self.name = team.name
        self.description = team.description
        self._team = team
        self._turn_began: int | None = None

    async def take_turn(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: Outbox
    ) -> TurnTaken:
        """Let the team run, or finish the run that was interrupted."""
        if self._turn_began is None:
            self._turn_began = len(self._team.transcript)
        task, earlier = self._interrupted(messages)
        for item in earlier:
            outbox.put(item)
        stream = self._team.run_stream(task=task or None, cancellation_token=token, output_task_messages=False)
        async with aclosing(stream):
            async for item in stream:
                if isinstance(item, TaskResult):
                    self._turn_began = None
                    said = [*earlier, *(one for one in item.messages if one.id not in item.uncommitted)]
                    answered = [one for one in said if isinstance(one, BaseChatMessage)]
                    silent = item.silent_usage
                    outbox.end((), answered, silent, said)
                    return TurnTaken(outbox.team, await outbox.take_rest(), answered, silent, said)
                outbox.put(item)
        raise AgentError(f"Team {self.name!r} gave no result: run_stream has to yield a TaskResult last.")

    def _interrupted(self, messages: Sequence[BaseChatMessage]) -> tuple[list[BaseChatMessage], list[Item]]:
        """The `messages` that the team does not have yet, and its own messages of the turn before it failed."""
        added = self._team.transcript[self._turn_began :]
        if not added:
            return list(messages), []
        present = {item.id for item in added}
        given = {message.id for message in messages}
        return [one for one in messages if one.id not in present], [one for one in added if one.id not in given]

    async def follow(self, command: ParticipantCommand) -> None:
        """Pass the command to the team."""
        match command.action:
            case "reset":
                await self._team.reset()
                self._turn_began = None
            case "pause":
                await self._team.pause()
            case "resume":
                await self._team.resume()

    async def save_state(self) -> SavedState:
        """The team's state, and where its present turn began."""
        state = await self._team.save_state()
        return state if self._turn_began is None else {**state, _TURN_BEGAN: self._turn_began}

    async def load_state(self, state: SavedState) -> None:
        """Give the team its state back.

        Raises:
            InvalidArgumentError: Where its turn began is no place in a transcript.
        """
        began = state.get(_TURN_BEGAN)
        if not (began is None or (isinstance(began, int) and began >= 0)):
            raise InvalidArgumentError(f"{_TURN_BEGAN} of the team {self.name!r} is {began!r}: give a length, or none.")
        await self._team.load_state({key: value for key, value in state.items() if key != _TURN_BEGAN})
        self._turn_began = began

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """What changed in the team's state, and where its present turn began."""
        before, mark = since if isinstance(since, _NestedTeamMark) else (None, None)
        change, mark = await save_changes(self._team, mark)
        began = self._turn_began
        now = _NestedTeamMark(began, mark)
        if change is None or "set" not in change:
            return _with_turn(change, before, began), now
        return {"set": change["set"] if began is None else {**change["set"], _TURN_BEGAN: began}}, now


class _NestedTeamMark(NamedTuple):
    """The mark of a nested team: the start of the turn, and the team's own mark."""

    turn_began: int | None
    team: object


def _with_turn(change: Change | None, before: int | None, began: int | None) -> Change | None:
    """A change of a nested team's state, and that of where its turn began."""
    if before == began:
        return change
    inner = change or {}
    if began is None:
        return members(inner.get("update", {}), [*inner.get("remove", ()), _TURN_BEGAN])
    return members({**inner.get("update", {}), _TURN_BEGAN: {"set": began}}, inner.get("remove", ()))
