"""``initiate_chat`` as the run of a team: of two agents, or of a group chat with its manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symposia.migration._findings import FindingKind, Note
from symposia.migration._source import Edit, Source, cst, dotted_name
from symposia.migration._v02._agents import Agent, Role, named
from symposia.migration._v02._conditions import Condition, condition_of
from symposia.migration._v02._items import arguments_text, comments_in
from symposia.migration._v02._models import Models
from symposia.migration._v02._program import (
    Chat,
    Construct,
    NotCertainError,
    Place,
    Program,
    arguments_of,
    constant,
    int_value,
    text_value,
)

_TEAMS = "symposia.agentchat.teams"
_CONDITIONS = "symposia.agentchat.conditions"
_KNOWN = ("recipient", "message", "clear_history", "silent", "max_turns", "summary_method")
_SHORT = 80
_MAX_ROUND = 10
"""Of a group chat of 0.2 that has no ``max_round``."""


@dataclass(frozen=True)
class _Team:
    """The expression that makes a team."""

    kind: str
    arguments: Sequence[str]
    ends: Sequence[str]

    def text(self, line_start: str) -> str:
        """The expression, on one line where it is short."""
        joined = " | ".join(self.ends)
        if len(joined) > _SHORT:
            joined = f"{line_start}    | ".join(self.ends)
        condition = [f"termination_condition={joined}"] if self.ends else []
        return f"{self.kind}({arguments_text([*self.arguments, *condition], line_start)})"


@dataclass
class Chats:
    """Writes the teams of a program, and their runs.

    Attributes:
        notes: What is slightly different after the rewriting.
        needs_asyncio: Whether the new text uses `asyncio`.
    """

    program: Program
    agents: Mapping[str, Agent]
    models: Models
    in_notebook: bool
    edits: list[Edit] = field(default_factory=list[Edit])
    notes: list[Note] = field(default_factory=list[Note])
    needs_asyncio: bool = False
    _managers: set[str] = field(default_factory=set[str])

    def write(self, chat: Chat) -> None:
        """Rewrite one chat.

        Raises:
            NotCertainError: It is not certain what team has the same conversation.
        """
        arguments = arguments_of(chat.call, ("recipient",))
        for key, arg in arguments.items():
            if key not in _KNOWN:
                raise NotCertainError(arg, f"The argument {key} of initiate_chat has no certain counterpart.")
        if "recipient" not in arguments or "message" not in arguments:
            raise NotCertainError(chat.call, "The chat has no recipient, or no message.")
        if "summary_method" in arguments and text_value(arguments["summary_method"].value) != "last_msg":
            raise NotCertainError(arguments["summary_method"], "The summary is not that of the last message.")
        recipient = dotted_name(arguments["recipient"].value)
        initiator = self.agents.get(chat.initiator)
        if initiator is None:
            raise self.program.unknown(chat.call, chat.initiator, "The agent that begins the chat")
        self.program.understood.add(arguments["recipient"].value)
        task = self._task(initiator, arguments["message"])
        manager = self.program.constructs.get(recipient)
        if manager is not None and manager.kind == "GroupChatManager":
            self._check_manager(chat, arguments)
            team = self._group(manager, initiator)
        elif recipient in self.agents:
            team = self._pair(initiator, self.agents[recipient], arguments)
        else:
            raise self.program.unknown(chat.call, recipient, "The recipient of the chat")
        self._run(chat, team, task, arguments)

    def _task(self, initiator: Agent, message: cst.Arg) -> str:
        value = message.value
        text = self.program.source.text(value)
        name = dotted_name(value)
        bound = self.program.values[name].value if name in self.program.values else value
        if isinstance(bound, (cst.Dict, cst.Lambda)) or name in self.program.functions or constant(bound):
            raise NotCertainError(message, "The message of the chat is not a text.")
        if initiator.role is not Role.MODEL:
            return text
        self.models.imports.add(("symposia.agentchat.messages", "TextMessage"))
        return f'TextMessage(content={text}, source="{initiator.name}")'

    def _pair(self, initiator: Agent, recipient: Agent, arguments: Mapping[str, cst.Arg]) -> _Team:
        if recipient.role is not Role.MODEL or initiator is recipient:
            raise NotCertainError(recipient.construct.call, f"{recipient.construct.variable} asks no model.")
        turns = _number(arguments, "max_turns")
        speakers = [recipient] if initiator.role is Role.SILENT else [recipient, initiator]
        conditions = [(initiator.condition, [recipient.name])]
        if initiator.role is Role.MODEL:
            conditions.append((recipient.condition, [initiator.name]))
        elif recipient.has_own_condition:
            raise NotCertainError(
                recipient.arguments["is_termination_msg"],
                f"{recipient.construct.variable} has a condition for messages that 0.4 does not send.",
            )
        if initiator.role is Role.SILENT:
            answers = min(initiator.max_replies + 1, recipient.max_replies, *([turns] if turns else []))
            if answers == 0:
                raise NotCertainError(recipient.construct.call, f"{recipient.construct.variable} never answers.")
            recipient.max_calls = answers
            ends = [] if answers == 1 and not recipient.tools else [self._condition(*each) for each in conditions]
            return self._team("RoundRobinGroupChat", speakers, ends, f"max_turns={answers}")
        limits = [2 * initiator.max_replies + 2, 2 * recipient.max_replies + 1, *([2 * turns] if turns else [])]
        ends = [*(self._condition(*each) for each in conditions), self._limit(min(limits))]
        return self._team("RoundRobinGroupChat", speakers, ends)

    def _check_manager(self, chat: Chat, arguments: Mapping[str, cst.Arg]) -> None:
        if "max_turns" in arguments:
            raise NotCertainError(arguments["max_turns"], "A group chat has no max_turns in 0.4.")
        recipient = dotted_name(arguments["recipient"].value)
        if chat.place.may_repeat or recipient in self._managers:
            raise NotCertainError(chat.call, "The group chat may begin several times.")
        self._managers.add(recipient)

    def _group(self, manager: Construct, initiator: Agent) -> _Team:
        given = arguments_of(manager.call)
        for key, arg in given.items():
            if key not in {
                "groupchat",
                "llm_config",
                "name",
                "is_termination_msg",
                "human_input_mode",
                "code_execution_config",
            }:
                raise NotCertainError(arg, f"The argument {key} of GroupChatManager has no certain counterpart.")
        if "human_input_mode" in given and text_value(given["human_input_mode"].value) != "NEVER":
            raise NotCertainError(given["human_input_mode"], "The manager asks a person.")
        construct = self.program.constructs.get(dotted_name(given["groupchat"].value)) if "groupchat" in given else None
        if construct is None or construct.kind != "GroupChat":
            raise NotCertainError(manager.call, "The group chat of the manager is not made in this file.")
        self.program.understood.add(given["groupchat"].value)
        arguments = arguments_of(construct.call, ("agents", "messages", "max_round"))
        members = self._members(construct, arguments)
        given_method = arguments.get("speaker_selection_method")
        method = "auto" if given_method is None else text_value(given_method.value)
        speakers = self._speaking(members, manager)
        rounds = _number(arguments, "max_round") or _MAX_ROUND
        ends = self._group_ends(speakers, members, condition_of(self.program, given.get("is_termination_msg")), rounds)
        ends.append(self._limit(rounds))
        self.edits += [self._gone(construct), self._gone(manager)]
        client = self.models.client(given["llm_config"].value if "llm_config" in given else None)
        if method == "round_robin":
            first = (members.index(initiator) + 1) % len(members) if initiator in members else 0
            order = [member for member in [*members[first:], *members[:first]] if member in speakers]
            return self._team("RoundRobinGroupChat", order, ends)
        if method != "auto" or not client:
            raise NotCertainError(construct.call, "The next speaker is not selected by a model or in turns.")
        repeats = constant(arguments["allow_repeat_speaker"].value) if "allow_repeat_speaker" in arguments else "True"
        if repeats not in {"True", "False"}:
            raise NotCertainError(construct.call, "The allow_repeat_speaker is not True or False.")
        options = [f"model_client={client}", *(["allow_repeated_speaker=True"] if repeats == "True" else [])]
        return self._team("SelectorGroupChat", speakers, ends, *options)

    def _members(self, construct: Construct, arguments: Mapping[str, cst.Arg]) -> Sequence[Agent]:
        known = {"agents", "messages", "max_round", "speaker_selection_method", "allow_repeat_speaker"}
        for key, arg in arguments.items():
            if key not in known:
                raise NotCertainError(arg, f"The argument {key} of GroupChat has no certain counterpart.")
        messages = arguments["messages"].value if "messages" in arguments else None
        if messages is not None and not (isinstance(messages, cst.List) and not messages.elements):
            raise NotCertainError(construct.call, "The group chat begins with messages.")
        listed = arguments["agents"].value if "agents" in arguments else None
        if not isinstance(listed, cst.List):
            raise NotCertainError(construct.call, "The agents of the group chat are not a list that stands there.")
        members: list[Agent] = []
        for name in (dotted_name(each.value) for each in listed.elements):
            if name not in self.agents:
                raise self.program.unknown(construct.call, name, "An agent of the group chat")
            members.append(self.agents[name])
        self.program.understood |= {each.value for each in listed.elements}
        return members

    def _speaking(self, members: Sequence[Agent], manager: Construct) -> Sequence[Agent]:
        for member in members:
            if member.role is Role.SILENT:
                text = f"{member.name} says nothing in the group chat of AutoGen 0.2, and is no participant in 0.4."
                self._note(manager.statement, text)
        speakers = [member for member in members if member.role is not Role.SILENT]
        if len(speakers) < 2:  # noqa: PLR2004 - a conversation
            raise NotCertainError(manager.call, "Fewer than two agents of the group chat say anything.")
        return speakers

    def _group_ends(
        self, speakers: Sequence[Agent], members: Sequence[Agent], condition: Condition | None, rounds: int
    ) -> list[str]:
        ends = [self._condition(condition, [])]
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
                ends.append(self._condition(member.condition, others))
        return ends

    def _note(self, node: cst.CSTNode, text: str) -> None:
        self.notes.append(Note(line=self.program.source.line(node), kind=FindingKind.NOTE, text=text))

    def _gone(self, construct: Construct) -> Edit:
        return removed_construct(self.program.source, construct)

    def _condition(self, condition: Condition | None, sources: Sequence[str]) -> str:
        if condition is None:
            return ""
        is_plain = condition.predicate.endswith('== "TERMINATE"') and not condition.mention
        kind, text = condition.expression([] if is_plain else sources)
        self.models.imports.add((_CONDITIONS, kind))
        return text

    def _limit(self, messages: int) -> str:
        self.models.imports.add((_CONDITIONS, "MaxMessageTermination"))
        return f"MaxMessageTermination({messages})"

    def _team(self, kind: str, speakers: Sequence[Agent], ends: Sequence[str], *options: str) -> _Team:
        self.models.imports.add((_TEAMS, kind))
        participants = f"[{', '.join(each.construct.variable for each in speakers)}]"
        return _Team(kind, [participants, *options], list(dict.fromkeys(each for each in ends if each)))

    def _run(self, chat: Chat, team: _Team, task: str, arguments: Mapping[str, cst.Arg]) -> None:
        source = self.program.source
        variable = self.program.free_name("team")
        run = f"{variable}.run_stream(task={task})"
        if constant(arguments["silent"].value if "silent" in arguments else None) == "True":
            run = f"{variable}.run(task={task})"
        else:
            self.models.imports.add(("symposia.agentchat.ui", "Console"))
            run = f"Console({run})"
        indent = source.line_start(source.start(chat.statement))
        lines = [f"{variable} = {team.text(indent)}"]
        if self._is_reset(chat, arguments):
            lines.append(self.awaited(chat.call, chat.place, f"{variable}.reset()"))
        start = source.start(chat.statement)
        self.edits.append(Edit(start, start, indent.join([*lines, ""])))
        self.edits.append(source.replaced(chat.whole, self.awaited(chat.call, chat.place, run)))

    def _is_reset(self, chat: Chat, arguments: Mapping[str, cst.Arg]) -> bool:
        """Whether the agents may have a conversation behind them that 0.2 does not show them."""
        clear = constant(arguments["clear_history"].value) if "clear_history" in arguments else "True"
        is_first = chat is self.program.chats[0] and not chat.place.may_repeat
        if clear == "True" or (clear == "False" and is_first):
            return not is_first
        raise NotCertainError(chat.call, "The chat goes on with the history of an earlier one.")

    def awaited(self, node: cst.CSTNode, place: Place, coroutine: str) -> str:
        """The expression that waits for a coroutine at a place.

        Raises:
            NotCertainError: An event loop may be running there.
        """
        if place.is_async or (self.in_notebook and place.function is None):
            return f"await {coroutine}"
        if place.function is not None and (self.in_notebook or self.program.has_async):
            raise NotCertainError(node, "The function may be called in a running event loop.")
        self.needs_asyncio = True
        return f"asyncio.run({coroutine})"


def removed_construct(source: Source, construct: Construct) -> Edit:
    """The edit that removes a construct, and leaves the comments that stand in it."""
    comments = comments_in(construct.call)
    if not comments:
        return source.removed_line(construct.statement)
    between = source.newline + source.indent(construct.statement)
    return source.replaced(construct.statement, between.join(comments))


def _number(arguments: Mapping[str, cst.Arg], key: str) -> int | None:
    """An integer among the arguments; None if it is not given."""
    if key not in arguments or constant(arguments[key].value) == "None":
        return None
    number = int_value(arguments[key].value)
    if number is None:
        raise NotCertainError(arguments[key], f"The {key} is known only when the program runs.")
    return number
