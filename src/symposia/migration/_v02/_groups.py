"""A group chat with its manager as a team whose speakers take turns, or are selected by a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symposia.migration._findings import FindingKind, Note
from symposia.migration._source import Edit, cst, dotted_name
from symposia.migration._v02._agents import Agent, Role, named
from symposia.migration._v02._conditions import Condition, condition_of
from symposia.migration._v02._expressions import NotCertainError, arguments_of, constant, number_of, text_value
from symposia.migration._v02._items import removed_construct
from symposia.migration._v02._parts import Construct
from symposia.migration._v02._program import Program
from symposia.migration._v02._teams import Team, Teams

_OF_MANAGER = {"groupchat", "llm_config", "name", "is_termination_msg", "human_input_mode", "code_execution_config"}
_TRANSITIONS = "allowed_or_disallowed_speaker_transitions"
_OF_GROUP = {
    *("agents", "messages", "max_round", "speaker_selection_method", "allow_repeat_speaker"),
    *(_TRANSITIONS, "speaker_transitions_type"),
}
_MAX_ROUND = 10
"""Of a group chat of 0.2 that has no ``max_round``."""


@dataclass
class Groups:
    """Writes the teams of group chats.

    Attributes:
        edits: They remove the group chats and their managers.
        notes: What is slightly different after the rewriting.
    """

    program: Program
    agents: Mapping[str, Agent]
    teams: Teams
    edits: list[Edit] = field(default_factory=list[Edit])
    notes: list[Note] = field(default_factory=list[Note])

    def team(self, manager: Construct, initiator: Agent) -> Team:
        """The team of a manager's group chat.

        Raises:
            NotCertainError: It is not certain what team has the same conversation.
        """
        initiator.check_asks_nobody()
        given = arguments_of(manager.call)
        construct = self._construct(manager, given)
        arguments = arguments_of(construct.call, ("agents", "messages", "max_round"))
        members = self._members(construct, arguments)
        given_method = arguments.get("speaker_selection_method")
        method = "auto" if given_method is None else text_value(given_method.value)
        speakers = self._speaking(members, manager)
        rounds = number_of(arguments, "max_round") or _MAX_ROUND
        ends = self._ends(speakers, members, condition_of(self.program, given.get("is_termination_msg")), rounds)
        source = self.program.source
        self.edits += [removed_construct(source, each.call, each.statement) for each in (construct, manager)]
        client = self.teams.models.client(given["llm_config"].value if "llm_config" in given else None)
        if method == "round_robin" and _TRANSITIONS not in arguments:
            first = (members.index(initiator) + 1) % len(members) if initiator in members else 0
            turns = [*members[first:], *members[:first]]
            spoken = sum(turns[turn % len(turns)] in speakers for turn in range(rounds - 1))
            order = [member for member in turns if member in speakers]
            return self.teams.team("RoundRobinGroupChat", order, [*ends, self.teams.limit(spoken + 1)])
        if method != "auto" or not client:
            raise NotCertainError(construct.call, "The next speaker is not selected by a model or in turns.")
        options = [f"model_client={client}", *self._selection(construct, arguments, members, initiator)]
        return self.teams.team("SelectorGroupChat", speakers, [*ends, self.teams.limit(rounds)], *options)

    def _construct(self, manager: Construct, given: Mapping[str, cst.Arg]) -> Construct:
        """The group chat of a manager."""
        for key, arg in given.items():
            if key not in _OF_MANAGER:
                raise NotCertainError(arg, f"The argument {key} of GroupChatManager has no certain counterpart.")
        if "human_input_mode" in given and text_value(given["human_input_mode"].value) != "NEVER":
            raise NotCertainError(given["human_input_mode"], "The manager asks a person.")
        construct = self.program.constructs.get(dotted_name(given["groupchat"].value)) if "groupchat" in given else None
        if construct is None or construct.kind != "GroupChat":
            raise NotCertainError(manager.call, "The group chat of the manager is not made in this file.")
        self.program.understood.add(given["groupchat"].value)
        return construct

    def _members(self, construct: Construct, arguments: Mapping[str, cst.Arg]) -> Sequence[Agent]:
        for key, arg in arguments.items():
            if key not in _OF_GROUP:
                raise NotCertainError(arg, f"The argument {key} of GroupChat has no certain counterpart.")
        messages = arguments["messages"].value if "messages" in arguments else None
        if messages is not None and not (isinstance(messages, cst.List) and not messages.elements):
            raise NotCertainError(construct.call, "The group chat begins with messages.")
        listed = arguments["agents"].value if "agents" in arguments else None
        if not isinstance(listed, cst.List):
            raise NotCertainError(construct.call, "The agents of the group chat are not a list that stands there.")
        return self._listed(construct, listed)

    def _listed(self, construct: Construct, listed: cst.List) -> Sequence[Agent]:
        """The agents in a list."""
        found: list[Agent] = []
        for name in (dotted_name(each.value) for each in listed.elements):
            if name not in self.agents:
                raise self.program.unknown(construct.call, name, "An agent of the group chat")
            found.append(self.agents[name])
        self.program.understood |= {each.value for each in listed.elements}
        for agent in found:
            agent.check_asks_nobody()
        return found

    def _speaking(self, members: Sequence[Agent], manager: Construct) -> Sequence[Agent]:
        for member in members:
            if member.role is Role.SILENT:
                text = f"{member.name} says nothing in the group chat of AutoGen 0.2, and is no participant in 0.4."
                self._note(manager.statement, text)
        speakers = [member for member in members if member.role is not Role.SILENT]
        if len(speakers) < 2:  # noqa: PLR2004 - a conversation
            raise NotCertainError(manager.call, "Fewer than two agents of the group chat say anything.")
        return speakers

    def _ends(
        self, speakers: Sequence[Agent], members: Sequence[Agent], condition: Condition | None, rounds: int
    ) -> list[str]:
        ends = [self.teams.condition(condition, [])]
        for member in members:
            if member.role is not Role.SILENT and member.max_replies < rounds - 1:
                self._note(
                    member.construct.call,
                    f"{member.name} speaks up to {rounds - 1} times, and not {member.max_replies}.",
                )
            if member.has_own_condition:
                self._note(
                    member.arguments["is_termination_msg"],
                    f"The group chat ends with the first message that meets the is_termination_msg of {member.name}. "
                    "In AutoGen 0.2 it ends when that agent is to speak next.",
                )
                others = named([each for each in speakers if each is not member])
                ends.append(self.teams.condition(member.condition, others))
        return ends

    def _selection(
        self, construct: Construct, arguments: Mapping[str, cst.Arg], members: Sequence[Agent], initiator: Agent
    ) -> Sequence[str]:
        """The arguments of the team that say who may be selected."""
        if _TRANSITIONS in arguments:
            followers = self._followers(construct, arguments, members)
            if initiator not in followers or any(agent.role is Role.SILENT for agent in members):
                raise NotCertainError(construct.call, "An agent that says nothing is part of the speaker transitions.")
            names = {agent.name: named(after) for agent, after in followers.items()}
            if initiator.role is not Role.MODEL:
                names["user"] = names[initiator.name]  # of the task
            table = str(names).replace("'", '"')
            return ["allow_repeated_speaker=True", f"candidate_func=lambda messages: {table}[messages[-1].source]"]
        repeats = constant(arguments["allow_repeat_speaker"].value) if "allow_repeat_speaker" in arguments else "True"
        if repeats not in {"True", "False"}:
            raise NotCertainError(construct.call, "The allow_repeat_speaker is not True or False.")
        return ["allow_repeated_speaker=True"] if repeats == "True" else []

    def _followers(
        self, construct: Construct, arguments: Mapping[str, cst.Arg], members: Sequence[Agent]
    ) -> Mapping[Agent, Sequence[Agent]]:
        """The agents that may speak after each agent."""
        given = arguments[_TRANSITIONS]
        given_kind = arguments.get("speaker_transitions_type")
        kind = text_value(given_kind.value) if given_kind is not None else ""
        if not isinstance(given.value, cst.Dict) or kind not in {"allowed", "disallowed"}:
            raise NotCertainError(given, "The speaker transitions are known only when the program runs.")
        table: dict[Agent, Sequence[Agent]] = {}
        for each in given.value.elements:
            agent = self.agents.get(dotted_name(each.key)) if isinstance(each, cst.DictElement) else None
            if agent is None or not isinstance(each, cst.DictElement) or not isinstance(each.value, cst.List):
                raise NotCertainError(given, "The speaker transitions are known only when the program runs.")
            self.program.understood.add(each.key)
            table[agent] = self._listed(construct, each.value)
        if kind == "disallowed":
            table = {agent: [each for each in members if each not in table.get(agent, ())] for agent in members}
        for agent in members:
            if not table.get(agent):
                raise NotCertainError(given, f"No agent may speak after {agent.name}.")
        return table

    def _note(self, node: cst.CSTNode, text: str) -> None:
        self.notes.append(Note(line=self.program.source.line(node), kind=FindingKind.NOTE, text=text))
