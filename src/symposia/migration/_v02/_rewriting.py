"""The rewriting of one text from the interface of 0.2 to that of 0.4: all of it, or none and the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from typing_extensions import override

from symposia.migration._findings import Note
from symposia.migration._source import Edit, Source, SourceError, cst, dotted_name, edited, parsed
from symposia.migration._v02._agents import Agent, Agents, Role
from symposia.migration._v02._chats import Chats
from symposia.migration._v02._expressions import DependsError, NotCertainError
from symposia.migration._v02._items import comments_in, removed_construct
from symposia.migration._v02._models import Models
from symposia.migration._v02._parts import Construct, Stop
from symposia.migration._v02._program import AGENTS, EXECUTORS, Program
from symposia.migration._v02._tools import Tools


@dataclass(frozen=True)
class Rewriting:
    """The result.

    Attributes:
        text: The new text; None if the interface of 0.2 is kept, or is not imported.
        notes: What is slightly different after the rewriting.
        reasons: Why it is kept: sentences, and the offsets of the statements that they are about.
    """

    text: str | None
    notes: Sequence[Note] = ()
    reasons: Sequence[tuple[int, str]] = ()


def rewritten(source: Source, *, in_notebook: bool = False, used_elsewhere: Collection[str] = ()) -> Rewriting:
    """Rewrite a text, if it imports AutoGen 0.2.

    Args:
        source: The text.
        in_notebook: Whether its top level can await.
        used_elsewhere: Names that other files import from it.
    """
    program = Program.read(source)
    if program.only_configures:
        return Rewriting(None)
    writer = _Writer(program, in_notebook=in_notebook)
    problems = _causes([*program.problems, *writer.write()])
    if not problems:
        problems = writer.not_understood(used_elsewhere)
    if problems:
        return Rewriting(None, reasons=sorted({(source.statement_start(each.node), str(each)) for each in problems}))
    text = edited(source, writer.edits())
    if problem := _damage(source, text):
        return Rewriting(None, reasons=[(source.start(program.imports[0][0]), problem)])
    return Rewriting(text, notes=writer.chats.notes)


def _causes(problems: Sequence[NotCertainError]) -> Sequence[NotCertainError]:
    """The problems that do not follow from others of them."""
    return [each for each in problems if not isinstance(each, DependsError)] or problems


class _Writer:
    def __init__(self, program: Program, *, in_notebook: bool) -> None:
        self._program = program
        self._models = Models(program)
        self._agents = Agents(program, self._models)
        self._made: dict[str, Agent] = {}
        self._tools = Tools(program, self._made)
        self.chats = Chats(program, self._made, self._models, in_notebook)
        self._results: list[Edit] = []
        self._made_edits: list[Edit] = []

    def write(self) -> Sequence[NotCertainError]:
        """Write everything. Returns what is not certain."""
        steps: list[Callable[[], None]] = []
        steps += [partial(self._read, each) for each in self._program.constructs.values()]
        steps += [self._tools.read, *(partial(self.chats.write, each) for each in self._program.chats)]
        steps += [partial(self._stop, each) for each in self._program.stops]
        problems: list[NotCertainError] = []
        for step in steps:
            try:
                step()
            except NotCertainError as error:
                problems.append(error)
        problems += self._program.other_starts()
        if not (self._program.chats or problems):
            first = self._program.imports[0][0]
            text = "No chat begins in this file, so that its agents are used elsewhere."
            problems.append(NotCertainError(first, text))
        if not problems:
            self._write_agents()
        return problems

    def not_understood(self, used_elsewhere: Collection[str]) -> Sequence[NotCertainError]:
        """The uses of AutoGen's names, agents, configurations and results that are not understood.

        Args:
            used_elsewhere: Names that other files import.
        """
        results = {chat.target for chat in self._program.chats if chat.target}
        first = self._program.imports[0][0]
        shared = {*self._program.constructs, *self._models.variables, *results} & {*used_elsewhere}
        found = [NotCertainError(first, f"Other files import {name} from this one.") for name in sorted(shared)]
        wanted = {name: f"{module}.{name}" for module, name in self._new_names()}
        if self.chats.needs_asyncio:
            wanted["asyncio"] = "asyncio"
        own = sorted(self._program.own_names(wanted))
        found += [NotCertainError(first, f"The program has another {name}, which 0.4 needs.") for name in own]
        finder = _ResultUses(self._program.source, results)
        self._program.source.module.visit(finder)
        self._results = finder.edits
        understood = self._program.understood | finder.understood
        others: dict[int, list[tuple[cst.CSTNode, str]]] = {}
        for node, name in self._program.mentions(self._models.variables):
            if node not in understood:
                others.setdefault(self._program.source.statement_start(node), []).append((node, name))
        for uses in others.values():
            methods = [use for use in uses if "." in use[1]]  # and not the agents that they take
            for node, name in methods or uses:
                found.append(NotCertainError(node, f"{name} is used in a way that has no certain counterpart."))
        return found

    def edits(self) -> Sequence[Edit]:
        """All edits."""
        return [
            *self._models.edits,
            *self._agents.edits,
            *self._tools.edits,
            *self._made_edits,
            *self.chats.edits,
            *self._results,
            *self._imports(),
        ]

    def _read(self, construct: Construct) -> None:
        if construct.kind in AGENTS:
            self._made[construct.variable] = self._agents.read(construct)
        elif construct.kind in EXECUTORS:
            self._agents.write_executor(construct)

    def _stop(self, stop: Stop) -> None:
        construct = self._program.constructs.get(stop.variable)
        if construct is not None and construct.kind in EXECUTORS:
            self._program.understood.add(stop.call.func)
            source = self._program.source
            text = self.chats.awaited(stop.call, stop.place, source.text(stop.call))
            self._made_edits.append(source.replaced(stop.call, text))

    def _write_agents(self) -> None:
        source = self._program.source
        runs_code = any(agent.role is Role.CODE for agent in self._made.values())
        for variable, agent in self._made.items():
            statement = agent.construct.statement
            if agent.role is Role.SILENT:
                self._made_edits.append(removed_construct(source, agent.construct.call, statement))
                continue
            text = self._agents.text(agent, runs_code=runs_code)
            later = self._tools.made_after.get(variable)
            if later is None:
                self._made_edits += agent.construct.assigned.edits(source, variable, text)
                continue
            whole = f"{variable} = {text}"
            self._made_edits.append(source.removed_line(statement))
            if later.call is not None:
                self._made_edits.append(source.replaced(later.node, whole))
            else:
                end = source.end(later.node)
                between = source.newline + source.newline + source.newline + source.indent(statement)
                self._made_edits.append(Edit(end, end, between + whole))

    def _imports(self) -> Sequence[Edit]:
        source = self._program.source
        names: dict[str, list[str]] = {}
        for module, name in sorted(self._new_names()):
            names.setdefault(module, []).append(name)
        lines = [f"from {module} import {', '.join(each)}" for module, each in names.items()]
        if self.chats.needs_asyncio and not self._program.imports_asyncio():
            lines.insert(0, "import asyncio")
        (first, _), *others = self._program.imports
        between = source.newline + source.indent(first)
        return [
            source.replaced(first, between.join(lines)),
            *(source.removed_line(statement) for statement, _ in others),
        ]

    def _new_names(self) -> set[tuple[str, str]]:
        """What is imported, by module and name."""
        has_tools = any(agent.tools for agent in self._made.values())
        return self._models.imports | ({("symposia.core.tools", "FunctionTool")} if has_tools else set())


class _ResultUses(cst.CSTVisitor):
    """The edits of what reads the results of chats."""

    def __init__(self, source: Source, results: set[str]) -> None:
        super().__init__()
        self._source = source
        self._results = results
        self.edits: list[Edit] = []
        self.understood: set[cst.CSTNode] = set()
        self._quote = '"'

    @override
    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        # The quote of the string that is around ends that string before Python 3.12.
        self._quote = "'" if node.end.endswith('"') else '"'

    @override
    def leave_FormattedString(self, original_node: cst.FormattedString) -> None:
        self._quote = '"'

    @override
    def visit_Attribute(self, node: cst.Attribute) -> None:
        result = dotted_name(node.value)
        if result in self._results and node.attr.value == "summary":
            text = f'{result}.messages[-1].to_text().replace("TERMINATE", "")'
            self._understand(node, node, text.replace('"', self._quote))

    @override
    def visit_Subscript(self, node: cst.Subscript) -> None:
        text = "".join(self._source.text(node).split()).replace("'", '"')
        result = text.partition(".")[0]
        if result in self._results and text == f'{result}.chat_history[-1]["content"]':
            [mention] = [each for each in self._attributes(node) if dotted_name(each) == f"{result}.chat_history"]
            self._understand(node, mention, f"{result}.messages[-1].to_text()")

    @staticmethod
    def _attributes(node: cst.Subscript) -> Iterator[cst.BaseExpression]:
        value: cst.BaseExpression = node
        while isinstance(value, cst.Subscript):
            value = value.value
            yield value

    def _understand(self, node: cst.CSTNode, mention: cst.CSTNode, text: str) -> None:
        self.edits.append(self._source.replaced(node, text))
        self.understood.add(mention)


def _damage(source: Source, text: str) -> str:
    """What the new text has lost of the source; empty if nothing."""
    try:
        new = parsed(text)
    except SourceError:
        return "The file cannot be rewritten as it is laid out."
    before, after = (Counter(comments_in(each.module)) for each in (source, new))
    lost = next(iter(before - after), "")
    return f"The comment {lost!r} would be lost." if lost else ""
