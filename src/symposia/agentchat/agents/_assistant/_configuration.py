"""The parts of an assistant, checked when it is constructed and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias, TypeGuard, cast

from pydantic import BaseModel

from symposia.agentchat._arguments import check_model_class, check_optional_text, check_workbench
from symposia.agentchat.agents._assistant._answers import Answers, CallSummary, summary_by
from symposia.agentchat.agents._assistant._output import ContentT, OutputCheck, OutputFallback, StructuredOutput
from symposia.agentchat.agents._conversation import Conversation
from symposia.agentchat.base import Handoff
from symposia.core.argument_checks import check_count, check_function, check_list, check_text
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.memory import Memory
from symposia.core.models import ChatCompletionClient, check_calls_tools
from symposia.core.tools import (
    BaseStreamTool,
    BaseTool,
    Workbench,
)

if TYPE_CHECKING:
    from pathlib import Path

    from symposia.agentchat.guardrails import Guardrail
    from symposia.agentchat.skills import SkillWorkbench

AnyTool: TypeAlias = BaseTool[Any, Any]  # Any: the arguments of a tool are of its own model
ToolLike: TypeAlias = AnyTool | Callable[..., object]

ROUNDS_WITH_SKILLS: Final = 10
"""The rounds of tool calls of an assistant with skills, if `max_tool_iterations` is 1.

Reading a skill takes one round, and a task with a script three or four. The limit ends a model that repeats itself.
"""


class AssistantConfiguration(NamedTuple):
    """The configuration of an assistant's turns.

    Attributes:
        name: The assistant's.
        client: The model.
        conversation: The messages for the model.
        memories: Asked before each turn.
        workbenches: The tools, including those that hand off.
        stream: Whether the model's text is shown as it comes.
        reflect: Whether the model turns tool results into an answer; otherwise they are summarised without it.
        rounds: The most rounds of tool calls in one turn.
        answers: Makes the messages with which turns end.
        output: The answers in a schema; None for text.
        guardrails: The guardrails for tool calls.
    """

    name: str
    client: ChatCompletionClient
    conversation: Conversation
    memories: Sequence[Memory]
    workbenches: Sequence[Workbench]
    stream: bool
    reflect: bool
    rounds: int
    answers: Answers
    output: StructuredOutput[Any] | None  # Any: of the class that the assistant answers in
    guardrails: Sequence[Guardrail]

    def answering_in(self, content_type: type[BaseModel], retries: int) -> Self:
        """The configuration of a turn that is answered in a schema, without calls of tools and without memories.

        The model is shown the tools all the same: the request begins like those of other turns, as its cache needs it.
        """
        output = checked_output(self.name, content_type, None, retries=retries, check=None, fallback=None)
        return self._replace(output=output, memories=(), rounds=0, stream=False)


def check_iterations(agent: str, count: int) -> None:
    """Check the most rounds of tool calls in a turn.

    Raises:
        ArgumentTypeError: `count` is no whole number.
        InvalidArgumentError: It is less than 1.
    """
    check_count("max_tool_iterations", f"agent '{agent}'", count)
    if count < 1:
        raise InvalidArgumentError(
            f"Maximum number of tool iterations must be greater than or equal to 1, got {count} (agent '{agent}')"
        )


def checked_metadata(agent: str, metadata: dict[str, str] | None) -> dict[str, str]:
    """The metadata, or an empty dictionary.

    Raises:
        ArgumentTypeError: `metadata` is no dictionary.
    """
    if metadata is not None and not isinstance(metadata, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may have no types
        raise ArgumentTypeError(f"metadata of agent '{agent}' has to be a dictionary, not {metadata!r}")
    return metadata or {}


def checked_summary(agent: str, formatter: CallSummary | None, template: str) -> CallSummary:
    """The text of a tool call in a summary: by a function, or else by a template.

    Raises:
        ArgumentTypeError: `formatter` is no function, or `template` no text.
        InvalidArgumentError: The template names something else than it may.
    """
    check_text("tool_call_summary_format", f"agent '{agent}'", template)
    check_function("tool_call_summary_formatter", f"agent '{agent}'", formatter, "def summary(call, result)")
    return formatter or summary_by(template)


def checked_tools(agent: str, tools: Sequence[ToolLike] | None, *, client: ChatCompletionClient) -> list[AnyTool]:
    """The tools of an assistant, with functions made into tools.

    Raises:
        ArgumentTypeError: `tools` is no list.
        InvalidArgumentError: One is neither a tool nor a function, two have one name, or the model cannot call any.
    """
    if not tools:
        return []
    check_list(f"The tools of agent '{agent}'", tools)
    check_calls_tools(client, f"agent '{agent}'", "has tools")
    made = [_as_tool(agent, tool) for tool in tools]
    names = [tool.name for tool in made]
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"Tool names must be unique: {names} (agent '{agent}')")
    return made


def _is_tool_class(given: object) -> TypeGuard[type]:
    return isinstance(given, type) and issubclass(given, BaseTool)


def _as_tool(agent: str, tool: object) -> AnyTool:
    if isinstance(tool, BaseTool):
        return cast("AnyTool", tool)
    if _is_tool_class(tool):
        name = tool.__name__
        raise ArgumentTypeError(f"A tool of agent '{agent}' is the class {name}: give an object, such as {name}().")
    if callable(tool):
        from symposia.core.tools import FunctionTool  # noqa: PLC0415 - many agents have no functions as tools

        return FunctionTool(tool, description=tool.__doc__ or "")
    raise InvalidArgumentError(f"Unsupported tool type: {type(tool)} (agent '{agent}'): give a function or a BaseTool.")


def checked_handoffs(
    agent: str, handoffs: Sequence[Handoff | str] | None, tools: Sequence[AnyTool], *, client: ChatCompletionClient
) -> dict[str, Handoff]:
    """The handoffs of an assistant, by the name of their tool.

    Raises:
        ArgumentTypeError: `handoffs` is no list.
        InvalidArgumentError: One is neither a handoff nor a name, two of them, or one and a tool, have one name, or the
            model cannot call tools.
    """
    if not handoffs:
        return {}
    check_list(f"The handoffs of agent '{agent}'", handoffs)
    check_calls_tools(client, f"agent '{agent}'", "has handoffs", purpose="handoffs")
    made = [_as_handoff(agent, handoff) for handoff in handoffs]
    names = [handoff.name for handoff in made]
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"Handoff names must be unique: {names} (agent '{agent}')")
    clashes = sorted(set(names) & {tool.name for tool in tools})
    if clashes:
        raise InvalidArgumentError(f"Handoff names must be unique from tool names: {clashes} (agent '{agent}')")
    return dict(zip(names, made, strict=True))


def _as_handoff(agent: str, handoff: object) -> Handoff:
    if isinstance(handoff, Handoff):
        return handoff
    if isinstance(handoff, str):
        return Handoff(target=handoff)
    raise InvalidArgumentError(
        f"Unsupported handoff type: {type(handoff)} (agent '{agent}'): give the name of an agent, or a Handoff."
    )


def checked_workbenches(
    agent: str,
    workbench: Workbench | Sequence[Workbench] | None,
    tools: Sequence[AnyTool],
    handoffs: Iterable[Handoff],
    *,
    client: ChatCompletionClient,
) -> list[Workbench]:
    """Where the tools of an assistant are, the ones that hand off last.

    Raises:
        ArgumentTypeError: Something else is given.
        InvalidArgumentError: Tools are given beside a workbench, or the model cannot call tools.
    """
    if workbench is not None:
        check_calls_tools(client, f"agent '{agent}'", "has a workbench")
    if workbench is not None and tools:
        raise InvalidArgumentError(
            f"Tools cannot be used with a workbench. Put the tools of agent '{agent}' into a StaticWorkbench beside it:"
            " workbench=[yours, StaticWorkbench(tools)]."
        )
    given = [] if workbench is None else list(workbench) if isinstance(workbench, Sequence) else [workbench]
    for each in given:
        check_workbench("workbench", f"agent '{agent}'", each)
    transfers = [handoff.handoff_tool for handoff in handoffs]
    return [*given, *(_workbench_of(own) for own in (tools, transfers) if own)]


def _workbench_of(tools: Sequence[AnyTool]) -> Workbench:
    from symposia.core.tools import StaticStreamWorkbench, StaticWorkbench  # noqa: PLC0415 - many agents have no tools

    streams = any(isinstance(tool, BaseStreamTool) for tool in tools)
    return StaticStreamWorkbench(tools) if streams else StaticWorkbench(tools)


def checked_skills(
    agent: str,
    given: SkillWorkbench | Sequence[Path | str] | Path | str,
    tools: Sequence[AnyTool],
    *,
    client: ChatCompletionClient,
) -> SkillWorkbench:
    """The skills of an assistant, with the tools by which the model uses them.

    Raises:
        ArgumentTypeError: Something else is given.
        InvalidArgumentError: A skill cannot be used, a tool has the name of one of those tools, or the model cannot
            call tools.
        MissingExtraError: The extra ``skills`` is not installed.
    """
    check_calls_tools(client, f"agent '{agent}'", "has skills")
    from symposia.agentchat.skills import SkillWorkbench  # noqa: PLC0415 - most agents have no skills

    skills = given if isinstance(given, SkillWorkbench) else SkillWorkbench(given)
    clashes = sorted({tool.name for tool in skills.tools} & {tool.name for tool in tools})
    if clashes:
        raise InvalidArgumentError(
            f"The tools {clashes} of agent '{agent}' have the names of the tools for its skills."
        )
    return skills


def checked_memories(agent: str, memory: Sequence[Memory] | Memory | None) -> list[Memory]:
    """The memories of an assistant.

    Raises:
        ArgumentTypeError: Something else is given.
    """
    given: Sequence[object] = [] if memory is None else memory if isinstance(memory, Sequence) else [memory]
    return [_as_memory(agent, each) for each in given]


def _as_memory(agent: str, memory: object) -> Memory:
    if isinstance(memory, Memory):
        return memory
    raise ArgumentTypeError(
        f"Expected Memory, List[Memory], or None, got {type(memory)} (agent '{agent}'): give memories, such as"
        f" ListMemory() of symposia.core.memory, and not {memory!r}."
    )


def checked_output(
    agent: str,
    content_type: type[ContentT] | None,
    format_string: str | None,
    *,
    retries: int,
    check: OutputCheck[ContentT] | None,
    fallback: OutputFallback[ContentT] | None,
) -> StructuredOutput[ContentT] | None:
    """The answers of an assistant in a schema; None if it answers in text.

    Raises:
        ArgumentTypeError: `content_type` is no such class, or one of the others is something else.
        InvalidArgumentError: `retries` is negative, or what needs a schema is given without one.
    """
    owner = f"agent '{agent}'"
    check_count("output_retries", owner, retries)
    check_optional_text("output_content_type_format", owner, format_string)
    check_function("output_check", owner, check, "def check(content, messages)")
    check_function("output_fallback", owner, fallback, "def fallback(content, complaint)")
    if retries < 0:
        raise InvalidArgumentError(f"output_retries of agent '{agent}' is {retries}; it cannot be less than 0.")
    if content_type is None:
        if retries or check is not None or fallback is not None:
            raise InvalidArgumentError(
                f"Agent '{agent}' has output_retries, output_check or output_fallback, which need an"
                " output_content_type."
            )
        return None
    check_model_class(f"output_content_type of agent '{agent}'", content_type)
    from symposia.agentchat.messages import StructuredMessageFactory  # noqa: PLC0415 - most agents answer in text

    factory = StructuredMessageFactory(input_model=content_type, format_string=format_string)
    return StructuredOutput(
        agent=agent, factory=factory, content_type=content_type, retries=retries, check=check, fallback=fallback
    )
