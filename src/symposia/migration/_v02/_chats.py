"""``initiate_chat`` as the run of a team: of two agents, or of a group chat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symposia.migration._findings import FindingKind, Note
from symposia.migration._source import Edit, cst, dotted_name
from symposia.migration._v02._agents import MAX_REPLIES, Agent, Role
from symposia.migration._v02._expressions import NotCertainError, arguments_of, constant, number_of, text_value
from symposia.migration._v02._groups import Groups
from symposia.migration._v02._models import Models
from symposia.migration._v02._parts import Chat, Place
from symposia.migration._v02._program import Program
from symposia.migration._v02._teams import Team, Teams

_KNOWN = ("recipient", "message", "clear_history", "silent", "max_turns", "summary_method")


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

    def __post_init__(self) -> None:
        self._teams = Teams(self.models)
        self._groups = Groups(self.program, self.agents, self._teams, self.edits, self.notes)

    def write(self, chat: Chat) -> None:
        """Rewrite one chat.

        Raises:
            NotCertainError: It is not certain what team has the same conversation.
        """
        arguments = arguments_of(chat.call, ("recipient",))
        if "recipient" not in arguments or "message" not in arguments:
            raise NotCertainError(chat.call, "The chat has no recipient, or no message.")
        recipient = dotted_name(arguments["recipient"].value)
        manager = self.program.constructs.get(recipient)
        if manager is not None and manager.kind != "GroupChatManager":
            manager = None
        initiator = self.agents.get(chat.initiator)
        if initiator is None:
            raise self.program.unknown(chat.call, chat.initiator, "The agent that begins the chat")
        if manager is None and recipient not in self.agents:
            raise self.program.unknown(chat.call, recipient, "The recipient of the chat")
        self._check(arguments)
        self.program.understood.add(arguments["recipient"].value)
        task = self._task(initiator, arguments["message"])
        if manager is not None:
            self._check_manager(chat, arguments)
            team = self._groups.team(manager, initiator)
        else:
            team = self._pair(initiator, self.agents[recipient], arguments)
        self._run(chat, team, task, arguments)

    @staticmethod
    def _check(arguments: Mapping[str, cst.Arg]) -> None:
        for key, arg in arguments.items():
            if key not in _KNOWN:
                raise NotCertainError(arg, f"The argument {key} of initiate_chat has no certain counterpart.")
        if "summary_method" in arguments and text_value(arguments["summary_method"].value) != "last_msg":
            raise NotCertainError(arguments["summary_method"], "The summary is not that of the last message.")

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

    def _pair(self, initiator: Agent, recipient: Agent, arguments: Mapping[str, cst.Arg]) -> Team:
        if recipient.role is not Role.MODEL or initiator is recipient:
            raise NotCertainError(recipient.construct.call, f"{recipient.construct.variable} asks no model.")
        turns = number_of(arguments, "max_turns")
        initiator.check_asks_nobody()
        self._note_asking(initiator, recipient)
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
            ends = [] if answers == 1 and not recipient.tools else [self._teams.condition(*each) for each in conditions]
            return self._teams.team("RoundRobinGroupChat", speakers, ends, f"max_turns={answers}")
        limits = [2 * initiator.max_replies + 2, 2 * recipient.max_replies + 1, *([2 * turns] if turns else [])]
        ends = [*(self._teams.condition(*each) for each in conditions), self._teams.limit(min(limits))]
        return self._teams.team("RoundRobinGroupChat", speakers, ends)

    def _note_asking(self, initiator: Agent, recipient: Agent) -> None:
        """Tell of a recipient that asks a person at an end which what it is sent hardly ever brings about."""
        if initiator.role is Role.MODEL or recipient.has_own_condition:
            recipient.check_asks_nobody()
        elif recipient.asks:
            line = self.program.source.line(recipient.construct.call)
            said = (
                f"{recipient.name} asks a person after {MAX_REPLIES} answers in AutoGen 0.2, and when it is sent the "
                "word TERMINATE alone. In 0.4 it asks nobody."
            )
            self.notes.append(Note(line=line, kind=FindingKind.NOTE, text=said))

    def _check_manager(self, chat: Chat, arguments: Mapping[str, cst.Arg]) -> None:
        if "max_turns" in arguments:
            raise NotCertainError(arguments["max_turns"], "A group chat has no max_turns in 0.4.")
        recipient = dotted_name(arguments["recipient"].value)
        if chat.place.may_repeat or recipient in self._managers:
            raise NotCertainError(chat.call, "The group chat may begin several times.")
        self._managers.add(recipient)

    def _run(self, chat: Chat, team: Team, task: str, arguments: Mapping[str, cst.Arg]) -> None:
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
