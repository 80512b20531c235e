"""The team that debates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack, cast

from symposia.agentchat._arguments import check_number
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.teams._debate._record import DebateSetup, record_of
from symposia.agentchat.teams._debate._result import DebateResult, result_of
from symposia.agentchat.teams._debate._roles import Critic, Debater, DebateRole, Moderator
from symposia.agentchat.teams._debate._rule import DebateRule
from symposia.agentchat.teams._debate._votes import EndingRules, Position
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import TeamOptions, participant_names
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_count, check_flag
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError


class DebateGroupChat(BaseGroupChat):
    """A team that debates a question until its votes decide it.

    In each round, every participant makes a statement and then votes for a position, with its confidence and its
    reason. In the first rounds the statements of the others are hidden. After them, the participants speak one after
    another. The debate ends when all vote for the same position, when enough of them do, when no participant has
    changed position for some rounds, or after the last round. Then the position with the most votes is the decision;
    between several, the one with the higher confidences; if that is equal too, there is none.

    The participants are any agents. An assistant is held to the schema of the vote by its vendor; another agent is
    asked for JSON, and may answer with the name of a position alone, as a person does. A vote that cannot be used is
    asked for again, with what is wrong, and is an abstention in the end.

    Before each of its turns, an agent is reset and told what it needs: the question, the positions, the moderator's
    summary, the votes of the last rounds, and what was said since its last statement. So a round costs the same however
    many came before. Without a moderator, what is older is lost, except for the votes and their reasons.

    What is said to the team while it debates is a remark that all are shown. What is said afterwards is the question of
    another debate.

    Args:
        participants: Those who debate and vote; at least two.
        positions: By the name of a participant: the position that it holds at first. Several may hold the same one. A
            text is a position whose name is the text. A participant without one holds none; None: none of them does.
        open_positions: Positions without a participant that holds them at first.
        critic: Looks for weak points after each round, except between two independent ones.
        moderator: Sums up after each round, except between two independent ones, and concludes the debate. An assistant
            without tools will do.
        independent_rounds: The number of first rounds in which the statements of the others are hidden.
        max_rounds: The number of rounds at most.
        quorum: The share of the participants, above 0 and at most 1, whose votes decide. It counts after the
            independent rounds. None for consensus only.
        settled_rounds: Rounds without a change of position that end the debate; None to go on.
        simultaneous: Whether all speak at the same time in the later rounds too. It takes less time, and each answers
            what was said in the round before.
        vote_retries: How often a vote that cannot be used is asked for again.
        options: See `TeamOptions`.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: Fewer than two participants or positions, names that are not unique, a position of an
            unknown participant, a number out of range, or as `BaseGroupChat`.
    """

    DEFAULT_NAME: ClassVar[str] = "DebateGroupChat"
    DEFAULT_DESCRIPTION: ClassVar[str] = "A team that debates a question and decides it."
    _manager: ClassVar[str] = "DebateManager"
    _manager_state: ClassVar[str] = "DebateManagerState"

    def __init__(
        self,
        participants: Sequence[ChatAgent],
        positions: Mapping[str, Position | str] | None = None,
        *,
        open_positions: Sequence[Position | str] = (),
        critic: ChatAgent | None = None,
        moderator: ChatAgent | None = None,
        independent_rounds: int = 1,
        max_rounds: int = 5,
        quorum: float | None = None,
        settled_rounds: int | None = 2,
        simultaneous: bool = False,
        vote_retries: int = 2,
        **options: Unpack[TeamOptions],
    ) -> None:
        names = participant_names(participants)
        _check_agents(participants, critic, moderator)
        check_flag("simultaneous", "the debate", simultaneous)
        _check_number("vote_retries", vote_retries, least=0)
        held = _positions({} if positions is None else positions, names)
        self._setup = DebateSetup(
            debaters=tuple(names),
            options=_options([*held.values(), *_each_position(open_positions)]),
            held={name: position.name for name, position in held.items()},
            critic=critic.name if critic else None,
            moderator=moderator.name if moderator else None,
            endings=_endings(independent_rounds, max_rounds, quorum, settled_rounds),
            simultaneous=bool(simultaneous),
        )
        roles: list[DebateRole] = [Debater(agent, self._setup, vote_retries) for agent in participants]
        roles += [Critic(critic, self._setup)] if critic else []
        roles += [Moderator(moderator, self._setup)] if moderator else []
        super().__init__(roles, rule=DebateRule(self._setup), **options)

    @property
    def debate_result(self) -> DebateResult:
        """The result of the latest debate, or its state so far. It is read from the conversation, also a loaded one."""
        return result_of(record_of(self.transcript, self._setup), self._setup)

    async def debate(self, question: str, *, cancellation_token: CancellationToken | None = None) -> DebateResult:
        """Debate a question, and return the result: `run`, and then `debate_result`.

        Raises:
            Exception: As `run`.
        """
        await self.run(task=question, cancellation_token=cancellation_token)
        return self.debate_result


def _check_agents(participants: Sequence[ChatAgent], critic: ChatAgent | None, moderator: ChatAgent | None) -> None:
    if len(participants) < 2:  # noqa: PLR2004 - one cannot debate
        raise InvalidArgumentError(f"A debate needs at least two participants, and has {len(participants)}.")
    taken = {agent.name: "a participant" for agent in participants}
    roles: dict[str, object] = {"critic": critic, "moderator": moderator}
    for agent in participants:
        if not isinstance(agent, ChatAgent):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(
                f"A participant of a debate has to be a ChatAgent, not {agent!r}. Put a team into a SocietyOfMindAgent."
            )
    for role, agent in roles.items():
        if agent is None:
            continue
        if not isinstance(agent, ChatAgent):
            raise ArgumentTypeError(f"The {role} of a debate has to be a ChatAgent, not {agent!r}.")
        if agent.name in taken:
            raise InvalidArgumentError(
                f"The {role} is called {agent.name!r}, and so is {taken[agent.name]}. The {role} does not vote, so it "
                "has to be an agent of its own, with a name of its own."
            )
        taken[agent.name] = f"the {role}"


def _positions(given: Mapping[str, Position | str], names: Sequence[str]) -> dict[str, Position]:
    """The positions by participant.

    Raises:
        ArgumentTypeError: It is no mapping of positions.
        InvalidArgumentError: A name is not that of a participant.
    """
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise ArgumentTypeError(f"positions of the debate is {given!r}: give a mapping, such as {{'ann': 'Kafka'}}.")
    if unknown := [name for name in given if name not in names]:
        raise InvalidArgumentError(
            f"positions names {unknown}, who do not participate in the debate. The participants are {list(names)}."
        )
    return dict(zip(given, _each_position(list(given.values())), strict=True))


def _each_position(given: Sequence[object]) -> list[Position]:
    if isinstance(given, str):
        raise ArgumentTypeError(f"open_positions of the debate is {given!r}: give a list, such as ['Neither'].")
    return [_position(each) for each in given]


def _position(given: object) -> Position:
    position = Position(given, given) if isinstance(given, str) else given
    # From here on, the fields of a dataclass, which takes what it is given.
    if not isinstance(position, Position) or not all(
        isinstance(text, str) for text in cast("tuple[object, ...]", (position.name, position.text))
    ):
        raise ArgumentTypeError(f"A position has to be a text or a Position(name, text), not {given!r}.")
    if not position.name.strip():
        raise InvalidArgumentError("A position has no name: give a text that is not empty.")
    return position


def _options(given: Sequence[Position]) -> tuple[Position, ...]:
    """The different positions, in order.

    Raises:
        InvalidArgumentError: There are fewer than two, or two different ones of the same name.
    """
    options: dict[str, Position] = {}
    for position in given:
        known = options.setdefault(position.name.casefold(), position)
        if known != position:
            raise InvalidArgumentError(
                f"Two positions are called {position.name!r}, {known} and {position}. Rename one."
            )
    if len(options) < 2:  # noqa: PLR2004 - nothing to decide
        raise InvalidArgumentError(
            f"A debate needs at least two positions, and has {[each.name for each in options.values()]}. Give them by "
            "participant in positions, or in open_positions."
        )
    return tuple(options.values())


def _endings(independent: int, most: int, quorum: float | None, settled: int | None) -> EndingRules:
    _check_number("independent_rounds", independent, least=0)
    _check_number("max_rounds", most, least=1)
    if settled is not None:
        _check_number("settled_rounds", settled, least=1)
    if independent > most:
        raise InvalidArgumentError(
            f"independent_rounds is {independent}, and max_rounds {most}: there cannot be more independent rounds."
        )
    if quorum is not None:
        check_number("quorum of the debate", quorum)
    if quorum is not None and not (math.isfinite(quorum) and 0 < quorum <= 1):
        raise InvalidArgumentError(f"quorum is {quorum}: give a share above 0 and at most 1, such as 0.8.")
    return EndingRules(independent_rounds=independent, max_rounds=most, quorum=quorum, settled_rounds=settled)


def _check_number(name: str, given: int, *, least: int) -> None:
    check_count(name, "the debate", given)
    if given < least:
        raise InvalidArgumentError(f"{name} of the debate is {given}, and has to be at least {least}.")
