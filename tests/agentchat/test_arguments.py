"""What is given in the place of something else is refused when it is given, with what to give instead."""

import inspect
import json
from collections.abc import Callable
from math import nan
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, validate_call
from tests.support.chat_agents import Parrot, collected

from symposia import core
from symposia.agentchat import agents, teams
from symposia.agentchat.agents import AssistantAgent, BaseChatAgent, BlockReport, CodeExecutorAgent, UserProxyAgent
from symposia.agentchat.base import TaskRunner
from symposia.agentchat.conditions import (
    FunctionalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import BaseGroupChat, RoundRobinGroupChat, SelectorGroupChat
from symposia.agentchat.ui import Console, UserInputManager
from symposia.core import BaseAgent, CancellationToken
from symposia.core.code_executor import SandboxResult
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import ModelInfo
from symposia.core.tool_agent import ToolAgent
from symposia.core.tools import BaseTool
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.sandboxes import FakeSandboxBackend, printed

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


class Answer(BaseModel):
    text: str


def tell(what: str) -> str:
    """Tell something."""
    return what


class Telling(BaseTool[Answer, str]):
    """A tool that is given as a class, and not as an object."""

    async def run(self, args: Answer, cancellation_token: CancellationToken) -> str:
        return args.text


class PlainTypes(Parrot):
    def produced_message_types(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - the mistake
        return (TextMessage,)


def agent(**options: Any) -> AssistantAgent:  # Any: arguments of wrong types, which is what is tested
    return AssistantAgent("ann", ReplayChatCompletionClient(["Yes."], model_info=ABLE), **options)


def model() -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient([])


def runner(**options: Any) -> CodeExecutorAgent:  # Any: likewise
    return CodeExecutorAgent("run", SandboxCodeExecutor(FakeSandboxBackend(nothing)), **options)


async def nothing(_code: str) -> SandboxResult:
    return printed("")


def selector(**options: Any) -> SelectorGroupChat:  # Any: likewise
    return SelectorGroupChat([agent(), AssistantAgent("bob", model())], model(), **options)


def team(**options: Any) -> RoundRobinGroupChat:  # Any: likewise
    return RoundRobinGroupChat([agent()], **options)


anything: Any = "gpt-5.5"  # Any: stands where its type is wrong
number: Any = "3"
number_5: Any = 5
anything_else: Any = None

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "a model's name": (lambda: AssistantAgent("ann", anything), "The model of agent 'ann' has to be a client, such as"),
    "a client's class": (
        lambda: AssistantAgent("ann", ReplayChatCompletionClient),  # pyright: ignore[reportArgumentType] - tested
        "has to be a client, such as",
    ),
    "a selector's model's name": (
        lambda: SelectorGroupChat([agent(), AssistantAgent("bob", ReplayChatCompletionClient([]))], anything),
        "The model of the selector has to be a client",
    ),
    "an option that is misspelt": (
        lambda: team(max_turn=3),
        "A RoundRobinGroupChat has no argument 'max_turn'. Was 'max_turns' meant?",
    ),
    "an argument of the team's own class that is misspelt": (
        lambda: selector(allow_repeat_speaker=True),
        "A SelectorGroupChat has no argument 'allow_repeat_speaker'. Was 'allow_repeated_speaker' meant?",
    ),
    "an option that is like no other": (
        lambda: team(colour="red"),
        "A RoundRobinGroupChat has no argument 'colour'. It takes participants, name, description, ",
    ),
    "one answer of a replay client": (
        lambda: ReplayChatCompletionClient("Yes."),  # pyright: ignore[reportArgumentType] - tested
        "The answers of a ReplayChatCompletionClient are given as a list, not 'Yes.'",
    ),
    "a method for a property": (
        lambda: RoundRobinGroupChat([PlainTypes()]),
        "produced_message_types of agent 'parrot' has to be a property that returns classes of messages, such as",
    ),
    "a text for a callback": (
        lambda: UserInputManager(anything),
        "callback of a UserInputManager has to be a function, such as input",
    ),
    "a sandbox's name": (lambda: CodeExecutorAgent("ann", anything), "The executor of agent 'ann' has to be a"),
    "one tool": (lambda: agent(tools=tell), "The tools of agent 'ann' are given as a list"),
    "a tool's class": (
        lambda: agent(tools=[Telling]),
        "A tool of agent 'ann' is the class Telling: give an object, such as Telling().",
    ),
    "one handoff": (lambda: agent(handoffs="bob"), "The handoffs of agent 'ann' are given as a list"),
    "an answer's object": (lambda: agent(output_content_type=Answer(text="")), "has to be a class of pydantic's"),
    "an answer's plain type": (lambda: agent(output_content_type=int), "has to be a class of pydantic's"),
    "a name that is none": (lambda: AssistantAgent(anything_else, model()), "The name of an agent has to be a text"),
    "a description": (lambda: agent(description=["Adds."]), "The description of agent 'ann' has to be a text"),
    "a system message": (lambda: agent(system_message=5), "system_message of agent 'ann' has to be a text"),
    "a context's length": (
        lambda: agent(model_context=5),
        "model_context of agent 'ann' has to be a ChatCompletionContext, such as BufferedChatCompletionContext(",
    ),
    "a context's class": (lambda: agent(model_context=UnboundedChatCompletionContext), ", not <class"),
    "a workbench's name": (
        lambda: agent(workbench="search"),
        "workbench of agent 'ann' has to be a Workbench, or a list",
    ),
    "a tool for a workbench": (
        lambda: agent(workbench=[tell]),
        "such as StaticWorkbench(tools) of symposia.core.tools",
    ),
    "a memory's text": (lambda: agent(memory="remember"), "give memories, such as ListMemory()"),
    "streaming as text": (lambda: agent(model_client_stream="no"), "model_client_stream of agent 'ann' is 'no': give"),
    "reflecting as text": (lambda: agent(reflect_on_tool_use="no"), "reflect_on_tool_use of agent 'ann' is 'no'"),
    "rounds as text": (
        lambda: agent(max_tool_iterations="3"),
        "max_tool_iterations of agent 'ann' is '3': give a whole number.",
    ),
    "rounds as a fraction": (lambda: agent(max_tool_iterations=2.5), "is 2.5: give a whole number."),
    "a summary's number": (
        lambda: agent(tool_call_summary_format=3),
        "tool_call_summary_format of agent 'ann' has to be",
    ),
    "a summary's text": (
        lambda: agent(tool_call_summary_formatter="{result}"),
        "tool_call_summary_formatter of agent 'ann' has to be a function, such as def summary(call, result)",
    ),
    "metadata as text": (lambda: agent(metadata="a=1"), "metadata of agent 'ann' has to be a dictionary"),
    "a format's number": (
        lambda: agent(output_content_type=Answer, output_content_type_format=3),
        "output_content_type_format of agent 'ann' has to be a text",
    ),
    "retries as text": (
        lambda: agent(output_content_type=Answer, output_retries="3"),
        "output_retries of agent 'ann' is",
    ),
    "a check's text": (
        lambda: agent(output_content_type=Answer, output_check="non-empty"),
        "output_check of agent 'ann' has to be a function, such as def check(content, messages)",
    ),
    "a fallback's object": (
        lambda: agent(output_content_type=Answer, output_fallback=Answer(text="")),
        "output_fallback of agent 'ann' has to be a function",
    ),
    "a text's number": (lambda: TextMentionTermination(number_5), "text of a TextMentionTermination has to be a text"),
    "a mention's one source": (
        lambda: TextMentionTermination("DONE", sources="writer"),
        "The sources of a TextMentionTermination are given as a list, not 'writer'",
    ),
    "a source that is no text": (lambda: SourceMatchTermination([number_5]), "have to be texts, not 5"),
    "one source to match": (
        lambda: SourceMatchTermination(anything),
        "The sources of a SourceMatchTermination are given as a list, not 'gpt-5.5'",
    ),
    "no source to match": (lambda: SourceMatchTermination(anything_else), "are given as a list, not None"),
    "sources that are read once": (
        lambda: TextMentionTermination("DONE", sources=iter(["ann"])),  # pyright: ignore[reportArgumentType] - tested
        "are given as a list",
    ),
    "including the task as text": (
        lambda: TextMentionTermination("DONE", include_task=anything),
        "include_task of a TextMentionTermination is 'gpt-5.5'",
    ),
    "including events as text": (lambda: MaxMessageTermination(3, anything), "include_agent_event of a Max"),
    "a message's source": (lambda: TextMessageTermination(number_5), "source of a TextMessageTermination has to be"),
    "a handoff's target": (lambda: HandoffTermination(number_5), "target of a HandoffTermination has to be a text"),
    "a called function": (lambda: FunctionCallTermination(anything_else), "function_name of a FunctionCall"),
    "a function's name": (lambda: FunctionalTermination(anything), "func of a FunctionalTermination has to be a"),
    "a team's name": (lambda: team(name=5), "The name of a team has to be a text"),
    "a team's description": (lambda: team(description=5), "The description of the team 'RoundRobinGroupChat' has"),
    "a team's runtime": (lambda: team(runtime="local"), "The runtime of the team 'RoundRobinGroupChat' has to be an"),
    "a team's events": (lambda: team(emit_team_events="no"), "emit_team_events of the team 'RoundRobinGroupChat' is"),
    "one message type": (lambda: team(custom_message_types=TextMessage), "The custom_message_types of the team"),
    "a message type's name": (lambda: team(custom_message_types=["TextMessage"]), "have to be classes of messages"),
    "a selector's function": (lambda: selector(selector_func=5), "selector_func of the selector has to be a function"),
    "a selector's candidates": (lambda: selector(candidate_func=5), "candidate_func of the selector has to be a"),
    "a selector's prompt": (lambda: selector(selector_prompt=5), "selector_prompt of the selector has to be a text"),
    "a selector's attempts": (lambda: selector(max_selector_attempts="3"), "max_selector_attempts of the selector is"),
    "a selector's repeating": (lambda: selector(allow_repeated_speaker="no"), "allow_repeated_speaker of the selector"),
    "a selector's streaming": (lambda: selector(model_client_streaming="no"), "model_client_streaming of the selector"),
    "a selector's context": (lambda: selector(model_context=5), "model_context of the selector has to be a Chat"),
    "a runner's context": (lambda: runner(model_context=5), "model_context of agent 'run' has to be a ChatCompletion"),
    "a runner's streaming": (lambda: runner(model_client_stream="no"), "model_client_stream of agent 'run' is 'no'"),
    "a runner's retries": (lambda: runner(max_retries_on_error="3"), "max_retries_on_error of agent 'run' is '3'"),
    "a runner's system message": (lambda: runner(system_message=5), "system_message of agent 'run' has to be a text"),
    "one source": (lambda: runner(sources="coder"), "The sources of agent 'run' are given as a list"),
    "an agent as source": (lambda: runner(sources=[agent()]), "The sources of agent 'run' have to be texts"),
    "one language": (
        lambda: runner(supported_languages="python"),
        "The supported_languages of agent 'run' are given as",
    ),
    "an approval": (
        lambda: runner(approval_func=True),
        "approval_func of agent 'run' has to be a function, such as def approve(request) -> bool",
    ),
    "output as text": (lambda: runner(stream_output="no"), "stream_output of agent 'run' is 'no': give True or False."),
    "a report's class": (lambda: runner(report=BlockReport), "has to be an ExecutionReport, such as BlockReport()"),
    "a person's name": (lambda: UserProxyAgent("user", input_func=anything), "input_func of agent 'user' has to be a"),
    "one tool for a tool agent": (
        lambda: ToolAgent("Tools.", anything),
        "The tools of a ToolAgent are given as a list",
    ),
    "a function for a tool agent": (
        lambda: ToolAgent("Tools.", [tell]),  # pyright: ignore[reportArgumentType] - tested
        "A tool of a ToolAgent has to be a Tool, such as FunctionTool(",
    ),
    "one participant": (
        lambda: RoundRobinGroupChat(agent()),  # pyright: ignore[reportArgumentType] - tested
        "The participants are given as a list",
    ),
    "a stop word": (lambda: team(termination_condition="DONE"), "A termination condition is needed, such as"),
    "a condition's class": (lambda: team(termination_condition=StopMessageTermination), ", not <class"),
    "a stop word after |": (lambda: TextMentionTermination("DONE") | anything, "A termination condition is needed"),
    "a stop word after &": (lambda: TextMentionTermination("DONE") & anything, "A termination condition is needed"),
    "turns as text": (lambda: team(max_turns="3"), "max_turns is '3': give a number."),
    "seconds as text": (lambda: team(turn_timeout="3"), "turn_timeout is '3': give a number."),
    "messages as text": (lambda: MaxMessageTermination(number), "max_messages is '3': give a number."),
    "tokens as text": (lambda: TokenUsageTermination(number), "max_total_token is '3': give a number."),
    "a time as text": (lambda: TimeoutTermination(number), "timeout_seconds is '3': give a number."),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_kind_of_argument_is_refused_where_it_is_given(mistake: str) -> None:
    make, words = MISTAKES[mistake]
    with pytest.raises(ArgumentTypeError) as caught:
        make()
    assert words in str(caught.value)


def test_a_limit_that_no_count_reaches_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="timeout_seconds is NaN"):
        TimeoutTermination(nan)
    with pytest.raises(InvalidArgumentError, match="turn_timeout is NaN"):
        team(turn_timeout=nan)


async def test_a_console_that_is_given_a_run_says_that_it_takes_a_stream() -> None:
    run: Any = team(max_turns=1).run(task="Well?")  # Any: no stream
    with pytest.raises(ArgumentTypeError, match=r"Console takes a stream, as of team.run_stream\(task=…\)"):
        await Console(run)
    assert inspect.getcoroutinestate(run) == inspect.CORO_CLOSED  # closed, so that Python does not warn of it too


async def test_a_console_takes_no_function_for_its_manager() -> None:
    with pytest.raises(ArgumentTypeError, match=r"such as UserInputManager\(input\), not 5"):
        await Console(
            agent().run_stream(task="Well?"),
            user_input_manager=5,  # pyright: ignore[reportArgumentType] - tested
        )


def test_a_stand_in_with_the_methods_of_a_client_is_taken() -> None:
    class StandIn:
        model_info = ABLE

    stand_in: Any = StandIn()  # Any: it has what the constructor needs of a client
    assert AssistantAgent("ann", stand_in, tools=(tell,)).name == "ann"


@pytest.mark.parametrize("token", [CancellationToken, "soon"], ids=["class", "text"])
@pytest.mark.parametrize("runner", [agent, team])
async def test_what_is_no_token_is_refused_before_a_run_begins(runner: Callable[[], TaskRunner], token: Any) -> None:
    with pytest.raises(
        ArgumentTypeError, match=r"cancellation_token has to be an object, such as CancellationToken\(\)"
    ):
        await runner().run(task="go", cancellation_token=token)
    with pytest.raises(ArgumentTypeError, match="cancellation_token has to be an object"):
        await collected(runner().run_stream(task="go", cancellation_token=token))


@pytest.mark.parametrize(
    ("given", "named"),
    [("go", "'go'"), (["go"], "'go'"), (TextMessage(content="go", source="user"), "TextMessage")],
    ids=["text", "texts", "message"],
)
async def test_what_is_no_list_of_messages_is_refused_by_an_agent(given: Any, named: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"An agent is given a list of chat messages, .*, not {named}"):
        await agent().on_messages(given, CancellationToken())


async def test_an_agent_keeps_its_conversation_when_it_is_given_the_state_of_a_team() -> None:
    talker = agent()
    await talker.run(task="go")
    saved = await talker.save_state()
    with pytest.raises(InvalidArgumentError, match=r"what its save_state\(\) returned, and this is a TeamState"):
        await talker.load_state(await team().save_state())
    with pytest.raises(ArgumentTypeError, match=r"pass json\.loads\(text\)"):
        await talker.load_state(json.dumps(saved))  # pyright: ignore[reportArgumentType] - tested
    assert await talker.save_state() == saved


async def test_an_agent_takes_an_empty_state_for_an_empty_conversation() -> None:
    talker = agent()
    await talker.run(task="go")
    await talker.load_state({})
    assert await talker.model_context.get_messages() == []


def public_classes(base: type, module: ModuleType) -> list[type[Any]]:
    public = [getattr(module, name) for name in module.__all__]
    return [one for one in public if isinstance(one, type) and issubclass(one, base)]


@pytest.mark.parametrize(
    "cls",
    [*public_classes(BaseChatAgent, agents), *public_classes(BaseGroupChat, teams), *public_classes(BaseAgent, core)],
    ids=lambda cls: cls.__name__,
)
def test_pydantic_can_check_the_arguments_of_public_agents_and_teams(cls: type[Any]) -> None:
    """It reads every annotation, and refuses protocols that are not checked at run time and TypedDicts of `typing`."""
    init: Callable[..., None] = cls.__init__
    checked = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(init)
    with pytest.raises(ValidationError):
        checked(object(), no_argument_of_this_name=1, name=object())


async def test_a_team_whose_arguments_pydantic_checks_is_made_from_right_ones_only() -> None:
    class CheckedTeam(RoundRobinGroupChat):
        __init__ = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(RoundRobinGroupChat.__init__)

    person = UserProxyAgent("person", input_func=lambda _prompt: "hello")
    result = await CheckedTeam([person], max_turns=1).run(task="go")
    assert [message.source for message in result.messages if message.source != "person"] == ["user"]
    with pytest.raises(ValidationError, match="max_turns"):
        CheckedTeam([person], max_turns="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
