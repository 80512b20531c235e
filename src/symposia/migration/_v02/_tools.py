"""Functions that are registered as tools: they become tools of the agent whose model calls them.

A tool is given to the constructor in 0.4, so an agent that is made before its functions is made after the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symposia.migration._source import Edit, cst, dotted_name
from symposia.migration._v02._agents import Agent, Role
from symposia.migration._v02._expressions import NotCertainError, arguments_of, text_value
from symposia.migration._v02._parts import Registration
from symposia.migration._v02._program import Program

_PARAMETERS = ("f", "caller", "executor", "description")


@dataclass(frozen=True)
class _Half:
    """The registration of a function with an agent, as the one that calls it or the one that executes it."""

    agent: str
    arguments: Mapping[str, cst.Arg]
    registration: Registration


@dataclass
class Tools:
    """Reads the registrations of a program.

    Attributes:
        edits: They remove the registrations.
        made_after: Where an agent is made anew, by its variable: after this node, or in place of it.
    """

    program: Program
    agents: Mapping[str, Agent]
    edits: list[Edit] = field(default_factory=list[Edit])
    made_after: dict[str, Registration] = field(default_factory=dict[str, Registration])
    _registrations: dict[str, list[Registration]] = field(default_factory=dict[str, list[Registration]])
    _halves: dict[str, tuple[list[_Half], list[_Half]]] = field(
        default_factory=dict[str, tuple[list[_Half], list[_Half]]]
    )
    _is_made_later: set[str] = field(default_factory=set[str])

    def read(self) -> None:
        """Give the tools to their agents.

        Raises:
            NotCertainError: A registration is not understood.
        """
        for registration in self.program.registrations:
            if registration.call is not None and isinstance(registration.call.func, cst.Call):
                self._read_half(registration, registration.call, registration.call.func)
            elif registration.call is not None:
                self._read_call(registration, registration.call)
            elif isinstance(registration.node, cst.FunctionDef):
                self._read_decorators(registration, registration.node)
        for function, (callers, executors) in self._halves.items():
            self._join_halves(function, callers, executors)
        for caller, registrations in self._registrations.items():
            if caller in self._is_made_later:
                self.made_after[caller] = registrations[-1]
            for each in registrations:
                if each.call is not None and each is not self.made_after.get(caller):
                    self.edits.append(self.program.source.removed_line(each.node))

    def _read_call(self, registration: Registration, call: cst.Call) -> None:
        arguments = arguments_of(call, ("f",))
        if not {"f", "caller", "executor", "description"} <= set(arguments) <= {*_PARAMETERS, "name"}:
            raise NotCertainError(call, "The arguments of register_function are not those that are understood.")
        caller, executor = (dotted_name(arguments[key].value) for key in ("caller", "executor"))
        self.program.understood |= {arguments["caller"].value, arguments["executor"].value}
        function = dotted_name(arguments["f"].value)
        self._add(registration, caller, executor, function, arguments)

    def _read_half(self, registration: Registration, call: cst.Call, decorator: cst.Call) -> None:
        """Read ``agent.register_for_llm(…)(function)``, or the same with ``register_for_execution``."""
        [function] = [dotted_name(arg.value) for arg in call.args if not (arg.keyword or arg.star)] or [""]
        if not function or not isinstance(decorator.func, cst.Attribute):
            raise NotCertainError(call, "The function that is registered has no name.")
        is_for_caller = decorator.func.attr.value == "register_for_llm"
        half = _Half(dotted_name(decorator.func.value), arguments_of(decorator), registration)
        self._halves.setdefault(function, ([], []))[0 if is_for_caller else 1].append(half)

    def _join_halves(self, function: str, callers: Sequence[_Half], executors: Sequence[_Half]) -> None:
        node = (*callers, *executors)[0].registration.node
        if len(callers) != 1 or len(executors) != 1:
            raise NotCertainError(node, f"{function} is not registered with one caller and one executor.")
        [caller], [executor] = callers, executors
        named = [half.arguments.get("name") for half in (caller, executor)]
        names = {function if name is None else text_value(name.value) for name in named}
        is_known = {"description"} <= set(caller.arguments) <= {"name", "description"}
        is_known = is_known and set(executor.arguments) <= {"name"}
        if not is_known or len(names) > 1:
            raise NotCertainError(node, f"The arguments with which {function} is registered are not understood.")
        self._add(caller.registration, caller.agent, executor.agent, function, caller.arguments)
        self.edits.append(self.program.source.removed_line(executor.registration.node))

    def _read_decorators(self, registration: Registration, function: cst.FunctionDef) -> None:
        callers: dict[str, Mapping[str, cst.Arg]] = {}
        executors: list[str] = []
        for decorator in registration.decorators:
            call = decorator.decorator
            if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
                raise NotCertainError(decorator, "The decorator is not understood.")
            agent = dotted_name(call.func.value)
            if call.func.attr.value == "register_for_llm":
                callers[agent] = arguments_of(call)
            elif call.args:
                raise NotCertainError(decorator, "The tool has several names.")
            else:
                executors.append(agent)
        if len(callers) != 1 or len(executors) != 1:
            raise NotCertainError(
                registration.decorators[0], "The function is not registered with one caller and one executor."
            )
        [(caller, arguments)] = callers.items()
        if not {"description"} <= set(arguments) <= {"name", "description"}:
            raise NotCertainError(registration.decorators[0], "The arguments of register_for_llm are not understood.")
        self._add(registration, caller, executors[0], function.name.value, arguments)
        self._remove_decorators(registration, function)

    def _add(
        self, registration: Registration, caller: str, executor: str, function: str, arguments: Mapping[str, cst.Arg]
    ) -> None:
        agent, runs = self.agents.get(caller), self.agents.get(executor)
        for variable, known in ((caller, agent), (executor, runs)):
            if known is None:
                raise self.program.unknown(registration.node, variable, "The caller or the executor of the tool")
        if agent is None or runs is None or agent.role is not Role.MODEL or runs.role is Role.MODEL or not function:
            raise NotCertainError(registration.node, "The caller or the executor of the tool is not understood.")
        source = self.program.source
        options = [f"{key}={source.text(arguments[key].value)}" for key in ("description", "name") if key in arguments]
        agent.tools.append(f"FunctionTool({', '.join([function, *options])})")
        defined = self.program.functions.get(function)
        made = agent.construct
        if registration.place.block != made.place.block:
            raise NotCertainError(
                registration.node, "The tool is registered in another block than the agent is made in."
            )
        if defined is None or source.start(defined) > source.start(made.statement):
            self._is_made_later.add(caller)
        self._registrations.setdefault(caller, []).append(registration)

    def _remove_decorators(self, registration: Registration, function: cst.FunctionDef) -> None:
        source = self.program.source
        for decorator in registration.decorators:
            position = function.decorators.index(decorator)
            after = function.decorators[position + 1 :]
            end = source.start(after[0] if after else function)
            self.edits.append(Edit(source.start(decorator), end, ""))
