"""A program for AutoGen 0.2 as far as it is understood: what it constructs, which chats it begins, which tools it has.

Every mention of AutoGen, and of a variable that holds something of it, is either understood or a problem.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symposia.migration._bindings import binding_counts, imported_names
from symposia.migration._source import Source, cst, dotted_name
from symposia.migration._v02._expressions import DependsError, NotCertainError
from symposia.migration._v02._parts import Assigned, Chat, Construct, Place, Registration, Stop
from symposia.migration._v02._uses import Calls, Mentions

AGENTS = ("AssistantAgent", "UserProxyAgent", "ConversableAgent")
EXECUTORS = ("LocalCommandLineCodeExecutor", "DockerCommandLineCodeExecutor")
CONSTRUCTED = (*AGENTS, *EXECUTORS, "GroupChat", "GroupChatManager")
_V02 = re.compile(r"^symposia\.v02(?=\.|$)")
"""What is kept is imported from here, and may be rewritten later."""
STARTS = ("initiate_chat", "a_initiate_chat")
_QUEUES = ("initiate_chats", "a_initiate_chats")
LIST_FUNCTIONS = (
    *("config_list_from_json", "config_list_from_dotenv", "config_list_from_models", "config_list_gpt4_gpt35"),
    *("config_list_openai_aoai", "get_config_list"),
)
"""The functions that read the models of a configuration when the program runs."""
_CONFIGURES = (*(f"autogen.{each}" for each in LIST_FUNCTIONS), "autogen.oai.conversion.to_model_client")
"""What programs for 0.4 have of the interface of 0.2, too."""


@dataclass
class Program:
    """What is understood of a text."""

    source: Source
    imports: list[tuple[cst.SimpleStatementLine, Place]] = field(
        default_factory=list[tuple[cst.SimpleStatementLine, Place]]
    )
    constructs: dict[str, Construct] = field(default_factory=dict[str, Construct])
    chats: list[Chat] = field(default_factory=list[Chat])
    stops: list[Stop] = field(default_factory=list[Stop])
    registrations: list[Registration] = field(default_factory=list[Registration])
    values: dict[str, Assigned] = field(default_factory=dict[str, Assigned])
    functions: dict[str, cst.FunctionDef] = field(default_factory=dict[str, cst.FunctionDef])
    only_configures: bool = True
    imports_star: bool = False
    has_own_class: bool = False
    has_async: bool = False
    problems: list[NotCertainError] = field(default_factory=list[NotCertainError])
    understood: set[cst.CSTNode] = field(default_factory=set[cst.CSTNode])
    _aliases: dict[str, str] = field(default_factory=dict[str, str])
    _taken: set[str] = field(default_factory=set[str])

    @classmethod
    def read(cls, source: Source) -> Program:
        """Read a text."""
        program = cls(source)
        program._read(source.module.body, Place())
        counts = binding_counts(source.code)
        program._taken.update(re.findall(r"\w+", source.code.decode()))
        for name in [*program.constructs, *(chat.target for chat in program.chats if chat.target)]:
            if counts[name] > 1:
                node = program.constructs[name].call if name in program.constructs else source.module
                program.problems.append(NotCertainError(node, f"{name} stands for more than one thing in this file."))
        program.values = {name: value for name, value in program.values.items() if counts[name] == 1}
        return program

    def unknown(self, node: cst.CSTNode, variable: str, what: str) -> NotCertainError:
        """The reason why code that uses a variable is not certain, where the variable is not rewritten.

        Args:
            node: The code.
            variable: The variable; empty for another expression.
            what: What the variable should be, with an article.
        """
        is_agent = variable in self.constructs and self.constructs[variable].kind in AGENTS
        if is_agent or self.imports_star or self.has_own_class:
            return DependsError(node, f"{variable} is not rewritten.")
        assigned = self.values.get(variable)
        made = self.full_name(assigned.value.func) if assigned and isinstance(assigned.value, cst.Call) else ""
        if made:
            return NotCertainError(
                node, f"{variable} is made by {made.rpartition('.')[2]}, which has no certain counterpart."
            )
        return NotCertainError(node, f"{what} is not made in this file.")

    def full_name(self, node: cst.BaseExpression) -> str:
        """AutoGen's dotted name of an expression; empty for other expressions."""
        root, dot, rest = dotted_name(node).partition(".")
        return self._aliases[root] + dot + rest if root in self._aliases else ""

    def list_function(self, call: cst.Call) -> str:
        """The function that reads a list of models, as far as a call is of one; empty for other calls."""
        module, _, leaf = self.full_name(call.func).rpartition(".")
        return leaf if module in ("autogen", "autogen.oai") and leaf in LIST_FUNCTIONS else ""

    def free_name(self, wanted: str) -> str:
        """A name that the text does not use, like the wanted one."""
        number = 1
        while (name := wanted if number == 1 else f"{wanted}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name

    def own_names(self, wanted: Mapping[str, str]) -> set[str]:
        """Those of the wanted names that stand for something of the program's own in the text.

        Args:
            wanted: Names, with the dotted names of what they are to stand for.
        """
        counts = binding_counts(self.source.code)
        other = {name for name, origin in imported_names(self.source.code) if origin != wanted.get(name)}
        return {name for name in wanted if name not in self._aliases and (counts[name] or name in other)}

    def imports_asyncio(self) -> bool:
        """Whether the text imports `asyncio` before its first chat, for all that follows."""
        first_chat = min(self.source.start(chat.call) for chat in self.chats)
        return any(
            isinstance(small, cst.Import)
            and any(each.asname is None and dotted_name(each.name) == "asyncio" for each in small.names)
            for statement in self.source.module.body
            if isinstance(statement, cst.SimpleStatementLine) and self.source.start(statement) < first_chat
            for small in statement.body
        )

    def mentions(self, variables: Collection[str]) -> Iterator[tuple[cst.CSTNode, str]]:
        """All uses of AutoGen's names and of the variables that hold something of it, which must be understood.

        Args:
            variables: More variables.
        """
        results = {chat.target for chat in self.chats if chat.target}
        mentions = Mentions({*self._aliases, *self.constructs, *results, *variables})
        self.source.module.visit(mentions)
        yield from mentions.found

    def other_starts(self) -> Iterator[NotCertainError]:
        """The calls that begin chats, and are not understood."""
        finder = Calls({*STARTS, *_QUEUES})
        self.source.module.visit(finder)
        understood = {chat.call for chat in self.chats}
        for call, name in finder.found:
            if name in _QUEUES:
                yield NotCertainError(call, f"{name} has no certain counterpart.")
            elif call not in understood:
                yield NotCertainError(
                    call, f"{name} is part of a larger expression, or of a line with more. Give it a line of its own."
                )

    def _read(self, body: Sequence[cst.BaseStatement | cst.BaseSmallStatement], place: Place) -> None:
        for statement in body:
            if isinstance(statement, cst.SimpleStatementLine):
                self._read_line(statement, place)
            elif isinstance(statement, cst.FunctionDef):
                self.has_async = self.has_async or statement.asynchronous is not None
                self.functions[statement.name.value] = statement
                self._read_decorators(statement, place)
                self._read(statement.body.body, Place(id(statement), statement, may_repeat=True))
            else:
                if isinstance(statement, cst.ClassDef):
                    self._read_class(statement)
                repeats = place.may_repeat or isinstance(statement, (cst.For, cst.While))
                for block in _blocks(statement):
                    self._read(block, Place(id(block), place.function, repeats))

    def _read_class(self, statement: cst.ClassDef) -> None:
        for base in statement.bases:
            if leaf := self.full_name(base.value).rpartition(".")[2]:
                self.has_own_class = True
                text = f"{statement.name.value} is a class of the program's own, and {leaf} is made otherwise in 0.4."
                self.problems.append(NotCertainError(statement, text))

    def _read_line(self, statement: cst.SimpleStatementLine, place: Place) -> None:
        for each in statement.body:
            if isinstance(each, (cst.Import, cst.ImportFrom)):
                self._read_import(each, statement, place)
        if len(statement.body) != 1:
            return
        match statement.body[0]:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as target)], value=value):
                self._read_assigned(Assigned(target, value), statement, place)
            case cst.AnnAssign(target=cst.Name() as target, annotation=annotation, value=cst.BaseExpression() as value):
                self._read_assigned(Assigned(target, value, annotation.annotation), statement, place)
            case cst.Expr(value=value):
                self._read_value(None, value, statement, place)
            case _:
                pass

    def _read_import(self, node: cst.Import | cst.ImportFrom, statement: cst.SimpleStatementLine, place: Place) -> None:
        found: dict[str, str] = {}
        if isinstance(node, cst.ImportFrom) and isinstance(node.names, cst.ImportStar):
            self._read_star(node, statement, place)
        elif isinstance(node, cst.Import):
            for alias in node.names:
                name = dotted_name(alias.name)
                found[alias.evaluated_alias or name.partition(".")[0]] = (
                    name if alias.asname else name.partition(".")[0]
                )
        elif not node.relative and not isinstance(node.names, cst.ImportStar):
            module = dotted_name(node.module)
            found = {
                alias.evaluated_alias or alias.evaluated_name: f"{module}.{alias.evaluated_name}"
                for alias in node.names
            }
        found = {bound: _V02.sub("autogen", name) for bound, name in found.items()}
        theirs = {bound: name for bound, name in found.items() if name.partition(".")[0] == "autogen"}
        if not theirs:
            return
        self._aliases.update(theirs)
        self.only_configures = self.only_configures and all(name in _CONFIGURES for name in theirs.values())
        if place.function is not None:
            self.problems.append(NotCertainError(node, "AutoGen is imported in a function, and not at the top."))
        elif len(statement.body) != 1 or len(theirs) != len(found):
            text = "AutoGen is imported on a line with something else. Give it an import of its own."
            self.problems.append(NotCertainError(node, text))
        self.imports.append((statement, place))

    def _read_star(self, node: cst.ImportFrom, statement: cst.SimpleStatementLine, place: Place) -> None:
        if not node.relative and _V02.sub("autogen", dotted_name(node.module)).partition(".")[0] == "autogen":
            text = "AutoGen's names are imported with *. Import those that the program uses, each by its name."
            self.problems.append(NotCertainError(node, text))
            self.imports.append((statement, place))
            self.imports_star, self.only_configures = True, False

    def _read_assigned(self, assigned: Assigned, statement: cst.SimpleStatementLine, place: Place) -> None:
        name = assigned.target.value
        self.values[name] = assigned
        self._read_value(assigned, assigned.value, statement, place)
        if name in self.constructs and assigned.annotation is not None:
            mentions = Mentions({*self._aliases})
            assigned.annotation.visit(mentions)
            self.understood |= {node for node, _ in mentions.found}

    def _read_value(
        self, assigned: Assigned | None, value: cst.BaseExpression, statement: cst.SimpleStatementLine, place: Place
    ) -> None:
        target = assigned.target.value if assigned else ""
        call = value.expression if isinstance(value, cst.Await) else value
        if not isinstance(call, cst.Call):
            return
        leaf = self.full_name(call.func).rpartition(".")[2]
        if assigned and leaf in CONSTRUCTED and call is value:
            self.constructs[target] = Construct(assigned, leaf, call, statement, place)
            self.understood.add(call.func)
        elif leaf == "register_function" and not target:
            self.registrations.append(Registration(statement, place, call=call))
            self.understood.add(call.func)
        elif isinstance(call.func, cst.Call) and _is_registering(call.func) and not target:
            self.registrations.append(Registration(statement, place, call=call))
            self.understood.add(call.func.func)
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value in STARTS:
            self.chats.append(Chat(dotted_name(call.func.value), call, value, target, statement, place))
            self.understood.add(call.func)
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value == "stop" and not (target or call.args):
            self.stops.append(Stop(dotted_name(call.func.value), call, place))

    def _read_decorators(self, statement: cst.FunctionDef, place: Place) -> None:
        ours = [each for each in statement.decorators if _is_registering(each.decorator)]
        if ours:
            self.registrations.append(Registration(statement, place, decorators=ours))
            self.understood.update(each.decorator.func for each in ours if isinstance(each.decorator, cst.Call))


def _is_registering(decorator: cst.BaseExpression) -> bool:
    called = decorator.func if isinstance(decorator, cst.Call) else decorator
    return isinstance(called, cst.Attribute) and called.attr.value in {"register_for_llm", "register_for_execution"}


def _blocks(statement: cst.CSTNode) -> Iterator[Sequence[cst.BaseStatement | cst.BaseSmallStatement]]:
    """The blocks of a compound statement."""
    for child in statement.children:
        if isinstance(child, (cst.IndentedBlock, cst.SimpleStatementSuite)):
            yield child.body
        elif isinstance(child, (cst.Else, cst.If, cst.ExceptHandler, cst.Finally, cst.MatchCase)):
            yield from _blocks(child)
