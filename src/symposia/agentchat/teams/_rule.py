"""The rule of a team: who speaks next, what the team itself says, or why it stops.

A team is two parts: decide, then do. The rule decides, from the transcript and a small state of its own. It does no I/O
except through the `RuleContext` handed to it, so a test calls it with a list of messages and needs no runtime:

    rule = RoundRobinRule(["writer", "critic"])
    assert await rule.decide(transcript, RuleContext()) == Speak(("writer",))

The engine (`_engine.py`) does: it delivers messages, streams events, applies termination conditions, saves state. A new
team is a new rule, given to `GroupChat(participants, rule=...)`.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

from pydantic import BaseModel

from symposia.agentchat import base
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Messages
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_text
from symposia.core.changes import SavedState
from symposia.core.exceptions import ArgumentTypeError, ModelError
from symposia.core.models import (
    ChatCompletionClient,
    CreateOptions,
    CreateResult,
    LLMMessage,
    RequestUsage,
)
from symposia.core.tools import Tool, ToolSchema

Transcript: TypeAlias = Messages
"""Every message and event of the conversation so far, the task's first. A rule reads it and never changes it."""


@dataclass(frozen=True, slots=True)
class Speak:
    """These participants speak now; several of them speak at the same time, as one turn.

    Attributes:
        names: At least one participant's name, none twice. What they say is added to the transcript in this order.

    Raises:
        ArgumentTypeError: The names are no tuple or list of texts.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        names = cast("object", self.names)  # programs without a type checker give one name, or a list
        if not isinstance(names, tuple | list):
            raise ArgumentTypeError(f'Speak takes the names as a tuple, such as Speak(("writer",)), not {names!r}')
        for name in cast("Sequence[object]", names):
            if not isinstance(name, str):
                raise ArgumentTypeError(f"The names of Speak have to be texts, not {name!r}")
        if isinstance(names, list):
            object.__setattr__(self, "names", tuple(self.names))


@dataclass(frozen=True, slots=True)
class Stop:
    """The team stops here.

    Attributes:
        reason: The `TaskResult.stop_reason`.

    Raises:
        ArgumentTypeError: The reason is no text.
    """

    reason: str

    def __post_init__(self) -> None:
        check_text("The reason", "Stop", self.reason)


@dataclass(frozen=True, slots=True)
class Say:
    """The team itself says something: a plan, an instruction, an answer. Then the rule is asked again.

    It is a turn without speakers, which is committed by itself. A speaker that fails afterwards is not a reason to say
    it again, so no participant receives it twice. It does not count for `max_turns`.

    Attributes:
        messages: At least one. They are added to the transcript, and every participant receives them. Their source is
            `RuleContext.source`, unless the rule speaks for another agent.

    Raises:
        ArgumentTypeError: The messages are no tuple or list of chat messages.
    """

    messages: Sequence[BaseChatMessage]

    def __post_init__(self) -> None:
        messages = cast("object", self.messages)
        if not isinstance(messages, tuple | list) or not messages:
            raise ArgumentTypeError(f"Say takes a tuple of messages, such as Say((message,)), not {messages!r}")
        for message in cast("Sequence[object]", messages):
            if not isinstance(message, BaseChatMessage):
                raise ArgumentTypeError(f"The messages of Say have to be chat messages, not {message!r}")


@dataclass(frozen=True, slots=True)
class Restart(Say):
    """The team itself says something, with which the participants begin anew.

    They forget the conversation first, with the messages that they have not received yet. The transcript keeps all of
    it.
    """


Decision: TypeAlias = Speak | Say | Stop


class Answered(NamedTuple):
    """What a speaker has contributed in a turn.

    Attributes:
        turn: The number of the turn.
        name: The speaker: a participant, which may be a team and then appears in no message.
        start: The index in the transcript of what its turn has added.
        items: What its turn has added to the transcript.
    """

    turn: int
    name: str
    start: int
    items: Transcript

    @property
    def message(self) -> BaseChatMessage | None:
        """Its answer, which is its last chat message; None where the transcript was loaded without."""
        return next((item for item in reversed(self.items) if isinstance(item, BaseChatMessage)), None)


@runtime_checkable
class TeamRule(Protocol):
    """Decides who speaks next. It is asked when a run starts and after every turn.

    The state is the rule's alone: what it needs beyond the transcript, as JSON values. It is small, since the engine
    takes it before every decision. A turn that fails is undone by `load_state`, and the rule is asked again when the
    team runs again; the transcript then holds the messages of those speakers of the turn that did not fail.

    A rule has no method that takes a decision back: each rule would have to get it right, and only failures would show
    where it did not. Loading is needed anyway, and is tested by every team that is saved.
    """

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        """Return who speaks next, what the team itself says, or why it stops.

        Raises:
            Exception: It ends the run, and the team can run again.
        """
        ...

    def save_state(self) -> SavedState:
        """Return the state as JSON values.

        The names of the fields of `BaseGroupChatManagerState`, and ``progress``, are taken.
        """
        ...

    def load_state(self, state: SavedState, /) -> None:
        """Continue from what `save_state` gave."""
        ...

    def reset(self) -> None:
        """Forget everything, as if newly made."""
        ...


@runtime_checkable
class OutlinedRule(TeamRule, Protocol):
    """A rule that takes part in `team.check()`, by one method more than a `TeamRule` needs."""

    def check_outline(self, participants: base.Outlines, /) -> base.RuleOutline:
        """Return what is known without asking a model: who can never speak, when the rule ends a run, what it asks."""
        ...


_METHODS: Final = ("decide", "save_state", "load_state", "reset")


def check_rule(team: str, given: object) -> None:
    """Raise an error for an object that is not a rule.

    That `decide` is a coroutine function is not checked here: a plain one may return an awaitable.

    Args:
        team: The name of the team.
        given: What was given as its rule.

    Raises:
        ArgumentTypeError: It is a class, a method is missing, or another than `decide` is a coroutine function.
    """
    if isinstance(given, type):
        raise ArgumentTypeError(f"The rule of the team {team!r} has to be an object, not the class {given.__name__}.")
    if missing := [name for name in _METHODS if not callable(getattr(given, name, None))]:
        raise ArgumentTypeError(
            f"The rule of the team {team!r} has to have the methods decide, save_state, load_state and reset, and "
            f"{given!r} has no {' and no '.join(missing)}."
        )
    for name in _METHODS[1:]:
        if inspect.iscoroutinefunction(getattr(given, name)):
            raise ArgumentTypeError(
                f"{name} of the rule of the team {team!r} has to be a plain method: write def {name}, without async."
            )


def discard(event: BaseAgentEvent) -> None:
    """Drop an event: nothing streams it."""


class RuleContext:
    """What a rule may do beyond computing: ask a model, and emit events. It counts the tokens of one decision.

    A model is asked as an effect, in the scope ``rule`` of the turn.

    Args:
        source: The name under which the rule emits its events.
        emit: Takes each event that the rule emits. In a team, they are streamed if the team emits its events, and are
            never part of the transcript. By default they are discarded.
        cancellation_token: Cancels the model calls, and what else the rule waits for.
        turns: How many turns the run has taken.
        answered: What has been said since the rule's last decision that was carried out as a whole: by its speakers,
            and by speakers of later turns in which others failed, whose decisions were undone. In the order in which it
            was added to the transcript.

    Attributes:
        source: As given.
        emit: As given.
        cancellation_token: As given.
        turns: As given.
        answered: As given.
    """

    __slots__ = ("_usages", "answered", "cancellation_token", "emit", "source", "turns")

    def __init__(
        self,
        source: str = "team",
        *,
        emit: Callable[[BaseAgentEvent], None] = discard,
        cancellation_token: CancellationToken | None = None,
        turns: int = 0,
        answered: Sequence[Answered] = (),
    ) -> None:
        self.source = source
        self.emit = emit
        self.turns = turns
        self.answered = answered
        self.cancellation_token = cancellation_token
        self._usages: list[RequestUsage] = []

    async def ask(
        self,
        client: ChatCompletionClient,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        on_chunk: Callable[[str], None] | None = None,
    ) -> CreateResult:
        """Ask a model.

        Args:
            client: The model's client.
            messages: The prompt.
            tools: The tools that the model may call.
            tool_choice: Whether it must.
            json_output: The shape of the answer, if it is to be JSON: see `ChatCompletionClient.create`.
            extra_create_args: What the client passes to its vendor.
            on_chunk: If given, the answer is streamed, and this takes each piece of its text.
        """
        from symposia.core.models import call_model, stream_model  # noqa: PLC0415 - most rules ask no model

        options: CreateOptions = {
            "tools": tools,
            "extra_create_args": extra_create_args or {},
            "cancellation_token": self.cancellation_token,
        }
        if tool_choice != "auto":  # clients that are older than this parameter work without it
            options["tool_choice"] = tool_choice
        if json_output is not None:
            options["json_output"] = json_output
        if on_chunk is None:
            result = await call_model(client, messages, **options)
        else:
            result = await _collect(stream_model(client, messages, **options), on_chunk)
        self.count(result.usage)
        return result

    def count(self, usage: RequestUsage) -> None:
        """Count the tokens of a model that was asked by other ways than `ask`."""
        self._usages.append(usage)

    @property
    def usage(self) -> RequestUsage | None:
        """The tokens of all model calls; None if there was none."""
        return sum(self._usages, RequestUsage(0, 0)) if self._usages else None


async def _collect(stream: AsyncGenerator[str | CreateResult, None], on_chunk: Callable[[str], None]) -> CreateResult:
    """Pass on the pieces of text and return the whole, which comes last."""
    async with aclosing(stream):
        async for piece in stream:
            if isinstance(piece, CreateResult):
                return piece
            on_chunk(piece)
    raise ModelError("The model's stream ended without a result: the client has to yield a CreateResult last.")
