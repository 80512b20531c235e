"""Agents of AutoGen 0.2 as agents of 0.4: one that asks a model, one that runs code, or none if it says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from symposia.migration._source import Edit, cst, dotted_name
from symposia.migration._v02._conditions import DEFAULT, Condition, condition_of
from symposia.migration._v02._expressions import NotCertainError, arguments_of, constant, int_value, text_value
from symposia.migration._v02._items import Items, call_arguments, dict_as_arguments
from symposia.migration._v02._models import Models, elements_of
from symposia.migration._v02._parts import Construct
from symposia.migration._v02._program import EXECUTORS, Program

MAX_REPLIES = 100
"""Of an agent of 0.2 that has no ``max_consecutive_auto_reply``."""

ASKS_AT_THE_END = 'human_input_mode="TERMINATE"'
_PROMPT = '"You are a helpful AI Assistant."'
_CODER_PROMPT = """(
    "Solve the task with code. Write Python in a ```python block, or a shell script in a "
    "```sh block, one block in an answer. It is run as it stands, and you are told what it "
    "printed. Write the whole code each time, and correct it where it failed. When the "
    "task is done, answer with the word TERMINATE alone."
)"""
_KEPT = ("name", "description")
_READ = ("llm_config", "code_execution_config", "human_input_mode", "max_consecutive_auto_reply", "is_termination_msg")
_DIRECT = {
    "LocalCommandLineCodeExecutor": ("timeout", "work_dir", "virtual_env_context"),
    "DockerCommandLineCodeExecutor": ("image", "container_name", "timeout", "work_dir", "bind_dir"),
}
_MODULES = {
    "LocalCommandLineCodeExecutor": "symposia.ext.code_executors.local",
    "DockerCommandLineCodeExecutor": "symposia.ext.code_executors.docker",
}


class Role(Enum):
    """What an agent answers with: a model's words, the results of code, or nothing."""

    MODEL = "model"
    CODE = "code"
    SILENT = "silent"


@dataclass(eq=False)
class Agent:
    """An agent of the program.

    Attributes:
        name: The name in messages.
        client: The expression of its model client.
        executor: The expression of its code executor.
        max_replies: How often it answers in one chat.
        condition: Which messages to it end the chat; None for none.
        has_own_condition: Whether the program gives that condition.
        tools: The expressions of its tools.
        max_calls: How many answers of its model one turn may have, where it has tools.
        asks: How it asks a person at the end of a chat: its human_input_mode; empty if it asks nobody.
    """

    construct: Construct
    arguments: Mapping[str, cst.Arg]
    name: str
    role: Role
    client: str
    executor: str
    max_replies: int
    condition: Condition | None
    has_own_condition: bool
    tools: list[str] = field(default_factory=list[str])
    max_calls: int = MAX_REPLIES
    asks: str = ""

    def check_asks_nobody(self) -> None:
        """Make sure that no person is asked.

        Raises:
            NotCertainError: A person is asked.
        """
        if self.asks:
            said = f"{self.construct.variable} asks a person ({self.asks}), which 0.4 does otherwise."
            raise NotCertainError(self.construct.call, said)


class Agents:
    """Reads the agents and executors of a program, and writes those of 0.4."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self.edits: list[Edit] = []

    def read(self, construct: Construct) -> Agent:
        """An agent.

        Raises:
            NotCertainError: 0.4 has no agent that certainly answers likewise.
        """
        positional = ("name",) if construct.kind == "UserProxyAgent" else ("name", "system_message")
        arguments = arguments_of(construct.call, positional)
        for key, arg in arguments.items():
            if key not in {*_KEPT, *_READ, "system_message"}:
                raise NotCertainError(arg, f"The argument {key} of {construct.kind} has no certain counterpart.")
        client = self._models.client(arguments["llm_config"].value if "llm_config" in arguments else None)
        executor = self._executor(construct, arguments)
        if client and executor:
            raise NotCertainError(construct.call, f"{construct.variable} asks a model and runs code.")
        name = text_value(arguments["name"].value) if "name" in arguments else None
        if name is None or not name.isidentifier():
            raise NotCertainError(construct.call, "The name of the agent is not a Python identifier, as 0.4 needs it.")
        given = arguments.get("is_termination_msg")
        agent = Agent(
            construct=construct,
            arguments=arguments,
            name=name,
            role=Role.MODEL if client else Role.CODE if executor else Role.SILENT,
            client=client,
            executor=executor,
            max_replies=self._max_replies(arguments),
            condition=condition_of(self._program, given),
            has_own_condition=given is not None and condition_of(self._program, given) != DEFAULT,
            asks=self._asks(construct, arguments),
        )
        if not (agent.role is Role.MODEL and agent.asks == ASKS_AT_THE_END and agent.max_replies == MAX_REPLIES):
            agent.check_asks_nobody()
        return agent

    def text(self, agent: Agent, *, runs_code: bool) -> str:
        """The call that makes the agent in 0.4.

        Args:
            agent: The agent.
            runs_code: Whether another agent runs the code that it writes.
        """
        extra: list[str] = []
        new: dict[str, str | None] = dict.fromkeys(agent.arguments)
        for key in _KEPT:
            if key in agent.arguments:
                new[key] = self._program.source.text(agent.arguments[key])
        if agent.role is Role.MODEL:
            new["llm_config"] = f"model_client={agent.client}"
            if "system_message" in agent.arguments:
                new["system_message"] = f"system_message={self._text_of(agent.arguments['system_message'])}"
            elif agent.construct.kind == "ConversableAgent":
                extra.append(f"system_message={_PROMPT}")
            elif runs_code:
                indent = self._program.source.indent(agent.construct.statement) + "    "
                extra.append(f"system_message={_CODER_PROMPT}".replace("\n", f"\n{indent}"))
            if self._models.streams(agent.arguments["llm_config"].value):
                extra.append("model_client_stream=True")
            if agent.tools:
                extra += [f"tools=[{', '.join(agent.tools)}]", f"max_tool_iterations={agent.max_calls}"]
            kind = "AssistantAgent"
        else:
            executor = f"code_executor={agent.executor}"
            if "code_execution_config" in agent.arguments:
                new["code_execution_config"] = executor
            else:
                extra.append(executor)
            kind = "CodeExecutorAgent"
        self._models.imports.add(("symposia.agentchat.agents", kind))
        items: Items = [(arg, new[key]) for key, arg in agent.arguments.items()]
        return f"{kind}({call_arguments(self._program.source, agent.construct.call, items, extra)})"

    def write_executor(self, construct: Construct) -> None:
        """Rewrite ``executor = LocalCommandLineCodeExecutor(…)``.

        Raises:
            NotCertainError: An argument has no counterpart.
        """
        text = self._executor_call(construct.kind, construct.call)
        self.edits += construct.assigned.edits(self._program.source, construct.variable, text)

    def _executor_call(self, kind: str, call: cst.Call) -> str:
        """The call that makes an executor in 0.4."""
        source = self._program.source
        arguments = arguments_of(call)
        for key, arg in arguments.items():
            if key not in _DIRECT[kind]:
                raise NotCertainError(arg, f"The argument {key} of {kind} has no certain counterpart.")
        extra = [] if "work_dir" in arguments else ['work_dir="."']
        items: Items = [(arg, source.text(arg)) for arg in arguments.values()]
        self._models.imports.add((_MODULES[kind], kind))
        return f"{kind}({call_arguments(source, call, items, extra)})"

    def _text_of(self, arg: cst.Arg) -> str:
        return self._program.source.text(arg.value)

    @staticmethod
    def _asks(construct: Construct, arguments: Mapping[str, cst.Arg]) -> str:
        """How the agent asks a person; empty if it asks nobody."""
        default = {"AssistantAgent": "NEVER", "UserProxyAgent": "ALWAYS", "ConversableAgent": "TERMINATE"}
        given = arguments.get("human_input_mode")
        mode = default[construct.kind] if given is None else text_value(given.value)
        if mode == "NEVER":
            return ""
        return f'human_input_mode="{mode}"' if mode else "its human_input_mode"

    def _max_replies(self, arguments: Mapping[str, cst.Arg]) -> int:
        given = arguments.get("max_consecutive_auto_reply")
        if given is None or constant(given.value) == "None":
            return MAX_REPLIES
        number = int_value(given.value)
        if number is None:
            raise NotCertainError(given, "The max_consecutive_auto_reply is known only when the program runs.")
        return number

    def _executor(self, construct: Construct, arguments: Mapping[str, cst.Arg]) -> str:
        """The expression of the executor; empty if the agent runs no code."""
        given = arguments.get("code_execution_config")
        if given is None:
            if construct.kind != "UserProxyAgent":
                return ""
            self._models.imports.add((_MODULES[EXECUTORS[1]], EXECUTORS[1]))
            return f"{EXECUTORS[1]}(timeout=600)"
        value = given.value
        if constant(value) == "False" or (constant(value) == "None" and construct.kind != "UserProxyAgent"):
            return ""
        if isinstance(value, cst.Name) and value.value in self._program.values:
            self._program.understood.add(value)
            self._models.variables.add(value.value)
            value = self._program.values[value.value].value
        if not isinstance(value, cst.Dict):
            raise NotCertainError(given, "The code_execution_config is not a dictionary that stands in this file.")
        return self._executor_of(value)

    def _given_executor(self, value: cst.BaseExpression) -> str:
        if (
            isinstance(value, cst.Call)
            and (kind := self._program.full_name(value.func).rpartition(".")[2]) in EXECUTORS
        ):
            self._program.understood.add(value.func)
            return self._executor_call(kind, value)
        construct = self._program.constructs.get(dotted_name(value))
        if construct is None or construct.kind not in EXECUTORS:
            raise self._program.unknown(value, dotted_name(value), "The executor")
        self._program.understood.add(value)
        return construct.variable

    def _executor_of(self, config: cst.Dict) -> str:
        elements = elements_of(config)
        if "executor" in elements:
            if extra_keys := set(elements) - {"executor"}:
                raise NotCertainError(config, f"The key {min(extra_keys)} beside an executor has no counterpart.")
            return self._given_executor(elements["executor"].value)
        source = self._program.source
        if unknown := set(elements) - {"work_dir", "use_docker", "timeout", "last_n_messages"}:
            raise NotCertainError(config, f"The key {min(unknown)} of the code_execution_config has no counterpart.")
        docker = elements["use_docker"].value if "use_docker" in elements else None
        image = text_value(docker)
        if docker is not None and image is None and constant(docker) not in {"True", "False", "None"}:
            raise NotCertainError(docker, "The use_docker is known only when the program runs.")
        new = {
            key: f"{key}={source.text(each.value)}" for key, each in elements.items() if key in {"work_dir", "timeout"}
        }
        if image is not None and docker is not None:
            new["use_docker"] = f"image={source.text(docker)}"
        extra = [] if "timeout" in elements else ["timeout=600"]
        is_local = docker is not None and constant(docker) == "False"
        kind = EXECUTORS[0] if is_local else EXECUTORS[1]
        self._models.imports.add((_MODULES[kind], kind))
        items: Items = [(each, new.get(key)) for key, each in elements.items()]
        return f"{kind}({dict_as_arguments(source, config, items, extra)})"


def named(agents: Sequence[Agent]) -> Sequence[str]:
    """The names of agents that say something."""
    return [agent.name for agent in agents if agent.role is not Role.SILENT]
