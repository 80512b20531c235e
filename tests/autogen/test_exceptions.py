"""Where AutoGen 0.7.5 raises a built-in exception, ours is of that type too.

The types are what AutoGen raises when the same call is made on it. Those that come of an accident in it, such as the
`AttributeError` of a method on a wrong argument, are left out, and those that `docs/differences.md` has.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
from pydantic import BaseModel

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent, UserProxyAgent
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination, TokenUsageTermination
from symposia.agentchat.messages import HandoffMessage, MessageFactory, StructuredMessageFactory, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, Swarm
from symposia.agentchat.ui import Console
from symposia.core import (
    AgentId,
    AgentInstantiationContext,
    ComponentLoader,
    Image,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    SubscriptionInstantiationContext,
    TopicId,
    TypeSubscription,
    message_handler,
)
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
)
from symposia.core.models import ModelInfo, UserMessage, validate_model_info
from symposia.core.tools import FunctionTool, StaticWorkbench, ToolOverride
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine")

ALL = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
NONE = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)
WRONG: Any = 3
CONDITION = {"provider": "autogen_agentchat.conditions.MaxMessageTermination", "config": {"max_messages": 1}}


@dataclass
class Ping:
    text: str = ""


class Pong(BaseModel):
    text: str


class Echo(RoutedAgent):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("Answers.")
        self._error = error

    @message_handler
    async def on_ping(self, message: Ping, ctx: MessageContext) -> Ping:
        if self._error is not None:
            raise self._error
        return message


class Other(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("Something else.")


def weather(city: str, days: int = 1) -> str:
    return city * days


def clock(zone: str) -> str:
    return zone


def failing(_: object) -> Any:
    raise LookupError("mine")


def nobody(_: object) -> str:
    return "z"


def none(_: object) -> list[str]:
    return []


def unknown(_: object) -> list[str]:
    return ["z"]


def client(info: ModelInfo = ALL) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(["hello"], info)


def openai(info: ModelInfo = ALL) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(model="m", api_key="none", base_url="http://127.0.0.1:9", model_info=info)


def assistant(name: str = "a", info: ModelInfo = ALL, **options: Any) -> AssistantAgent:
    return AssistantAgent(name, client(info), **options)


def tool(function: Any = weather, **options: Any) -> FunctionTool:
    return FunctionTool(function, description="", **options)


def team() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([assistant()], max_turns=1)


def selector(**options: Any) -> SelectorGroupChat:
    return SelectorGroupChat([assistant("a"), assistant("b")], client(), max_turns=1, **options)


def handler_without_annotations() -> object:
    async def untyped(self: object, message, ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        """A handler without annotations."""

    decorate: Callable[[object], object] = cast("Any", message_handler)
    return decorate(untyped)  # pyright: ignore[reportUnknownArgumentType] - that is the point


class Case:
    """A call, and what AutoGen raises for it."""

    def __init__(self, error: type[BaseException], call: Callable[[], object]) -> None:
        self.error = error
        self.call = call


CALLS: dict[str, Case] = {
    "agent id without a type": Case(ValueError, lambda: AgentId("", "k")),
    "agent id with a space": Case(ValueError, lambda: AgentId("a b", "k")),
    "agent id from text": Case(ValueError, lambda: AgentId.from_str("x")),
    "topic id with a space": Case(ValueError, lambda: TopicId("a b", "s")),
    "topic id from text": Case(ValueError, lambda: TopicId.from_str("x")),
    "image from no data uri": Case(ValueError, lambda: Image.from_uri("x")),
    "instance of a context": Case(RuntimeError, AgentInstantiationContext),
    "current runtime outside": Case(RuntimeError, AgentInstantiationContext.current_runtime),
    "current agent type outside": Case(RuntimeError, SubscriptionInstantiationContext.agent_type),
    "handler without annotations": Case(AssertionError, handler_without_annotations),
    "tool of no function": Case(TypeError, lambda: tool(WRONG)),
    "strict tool with a default": Case(ValueError, lambda: tool(strict=True)),
    "two tools of one name": Case(
        ValueError, lambda: StaticWorkbench([tool(), tool(clock)], {"weather": ToolOverride(name="clock")})
    ),
    "buffer of 0": Case(ValueError, lambda: BufferedChatCompletionContext(0)),
    "head of 0": Case(ValueError, lambda: HeadAndTailChatCompletionContext(0, 1)),
    "tail of 0": Case(ValueError, lambda: HeadAndTailChatCompletionContext(1, 0)),
    "token limit of 0": Case(ValueError, lambda: TokenLimitedChatCompletionContext(client(), token_limit=0)),
    "model info without fields": Case(ValueError, lambda: validate_model_info(cast("Any", {"vision": True}))),
    "client without a model": Case(ValueError, lambda: OpenAIChatCompletionClient(api_key="k")),  # pyright: ignore[reportCallIssue] - that is the point
    "name with a space": Case(ValueError, lambda: assistant("a b")),
    "tools without support": Case(ValueError, lambda: assistant(info=NONE, tools=[weather])),
    "handoffs without support": Case(ValueError, lambda: assistant(info=NONE, handoffs=["b"])),
    "tools and a workbench": Case(ValueError, lambda: assistant(tools=[weather], workbench=StaticWorkbench([]))),
    "a tool twice": Case(ValueError, lambda: assistant(tools=[weather, weather])),
    "a handoff twice": Case(ValueError, lambda: assistant(handoffs=["b", "b"])),
    "no tool": Case(ValueError, lambda: assistant(tools=[WRONG])),
    "no handoff": Case(ValueError, lambda: assistant(handoffs=[WRONG])),
    "no memory": Case(TypeError, lambda: assistant(memory=WRONG)),
    "no iterations": Case(ValueError, lambda: assistant(max_tool_iterations=0)),
    "retries without a model": Case(
        ValueError, lambda: CodeExecutorAgent("c", NamespaceCommandLineCodeExecutor(), max_retries_on_error=1)
    ),
    "input request outside": Case(RuntimeError, UserProxyAgent.InputRequestContext.request_id),
    "team of none": Case(ValueError, lambda: RoundRobinGroupChat([])),
    "team of namesakes": Case(ValueError, lambda: RoundRobinGroupChat([assistant(), assistant()])),
    "team with no messages": Case(ValueError, lambda: RoundRobinGroupChat([assistant()], custom_message_types=[WRONG])),
    "selector of one": Case(ValueError, lambda: SelectorGroupChat([assistant()], client())),
    "swarm of none": Case(ValueError, lambda: Swarm([])),
    "no token limit": Case(ValueError, TokenUsageTermination),
    "message type twice": Case(ValueError, lambda: MessageFactory().register(TextMessage)),
    "no message type": Case(ValueError, lambda: MessageFactory().register(int)),  # type: ignore[arg-type]
    "message without a type": Case(ValueError, lambda: MessageFactory().create({})),
    "message of an unknown type": Case(ValueError, lambda: MessageFactory().create({"type": "Nope"})),
    "factory of nothing": Case(ValueError, StructuredMessageFactory),
    "provider without a module": Case(
        ValueError, lambda: ComponentLoader.load_component({"provider": "Nope", "config": {}})
    ),
    "provider that is no component": Case(
        TypeError, lambda: ComponentLoader.load_component({"provider": "autogen_core.AgentId", "config": {}})
    ),
    "component of another kind": Case(TypeError, lambda: AssistantAgent.load_component(CONDITION)),
    "executor without time": Case(ValueError, lambda: LocalCommandLineCodeExecutor(timeout=0)),
    "executor with a bad module": Case(ValueError, lambda: LocalCommandLineCodeExecutor(functions_module="a b")),
    "container without time": Case(ValueError, lambda: DockerCommandLineCodeExecutor(timeout=0)),
}  # fmt: skip


async def two_replies() -> None:
    model = client()
    for _ in range(2):
        await model.create([UserMessage(content="Hi.", source="user")])


async def terminated() -> None:
    condition = TextMentionTermination("X") | MaxMessageTermination(9)
    for _ in range(2):
        await condition([TextMessage(content="X", source="a")])


async def run_twice() -> None:
    busy = RoundRobinGroupChat([UserProxyAgent("u", input_func=waiting)], max_turns=1)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(busy.run(task="x"))
        await asyncio.sleep(0)
        try:
            await busy.run(task="y")
        finally:
            first.cancel()


async def reset_while_running() -> None:
    busy = RoundRobinGroupChat([UserProxyAgent("u", input_func=waiting)], max_turns=1)
    first = asyncio.create_task(busy.run(task="x"))
    await asyncio.sleep(0)
    try:
        await busy.reset()
    finally:
        first.cancel()
        await asyncio.wait([first])


async def waiting(prompt: str, _: object = None) -> str:
    return await asyncio.get_running_loop().create_future()


RUNS: dict[str, tuple[type[BaseException], Callable[[], Awaitable[object]]]] = {
    "tool that raises": (LookupError, lambda: tool(failing_tool).run_json({"x": "1"}, cancelled())),
    "wrong arguments of a tool": (ValueError, lambda: tool().run_json({"days": "many"}, cancelled())),
    "replies that ran out": (ValueError, two_replies),
    "empty task": (ValueError, lambda: assistant().run(task=[])),
    "task of another type": (TypeError, lambda: assistant().run(task=WRONG)),
    "task with another type": (ValueError, lambda: assistant().run(task=[WRONG])),
    "team's task of another type": (ValueError, lambda: team().run(task=WRONG)),
    "team's empty task": (ValueError, lambda: team().run(task=[])),
    "team's wrong state": (ValueError, lambda: team().load_state({"x": 1})),
    "person who cannot be asked": (RuntimeError, lambda: UserProxyAgent("u", input_func=failing).run(task="x")),
    "selection of nobody known": (ValueError, lambda: selector(selector_func=nobody).run(task="x")),
    "no candidates": (ValueError, lambda: selector(candidate_func=none).run(task="x")),
    "unknown candidates": (ValueError, lambda: selector(candidate_func=unknown).run(task="x")),
    "failing selection": (LookupError, lambda: selector(selector_func=failing).run(task="x")),
    "handoff to nobody": (
        ValueError,
        lambda: Swarm([assistant(handoffs=["u"])]).run(task=HandoffMessage(content="", source="user", target="z")),
    ),
    "condition that was met": (RuntimeError, terminated),
    "team that is reset while it runs": (RuntimeError, reset_while_running),
    "tools that the model lacks": (
        ValueError,
        lambda: openai(NONE).create([UserMessage(content="", source="user")], tools=[tool()]),
    ),
    "JSON that the model lacks": (
        ValueError,
        lambda: openai(NONE).create([UserMessage(content="", source="user")], json_output=True),
    ),
    "no stream": (TypeError, lambda: Console(WRONG)),
}


def failing_tool(x: str) -> str:
    raise LookupError(x)


def cancelled() -> Any:
    from symposia.core import CancellationToken  # noqa: PLC0415 - one use

    return CancellationToken()


@pytest.mark.parametrize("name", CALLS)
def test_n08_a_call_raises_what_autogen_raises(name: str) -> None:
    with pytest.raises(CALLS[name].error):
        CALLS[name].call()


@pytest.mark.parametrize("name", RUNS)
async def test_n08_a_run_raises_what_autogen_raises(name: str) -> None:
    error, run = RUNS[name]
    async with asyncio.timeout(10):
        with pytest.raises(error):
            await run()


async def twice(runtime: SingleThreadedAgentRuntime) -> None:
    await Echo.register(runtime, "echo", Echo)
    await Echo.register(runtime, "echo", Echo)


async def instance_and_factory(runtime: SingleThreadedAgentRuntime) -> None:
    await Echo().register_instance(runtime, AgentId("echo", "1"))
    await Echo.register(runtime, "echo", Echo)


async def instance_of_another_key(runtime: SingleThreadedAgentRuntime) -> None:
    await Echo().register_instance(runtime, AgentId("echo", "1"))
    await runtime.send_message(Ping(), AgentId("echo", "2"))


async def another_class(runtime: SingleThreadedAgentRuntime) -> None:
    await Echo.register(runtime, "echo", cast("Any", Other))
    await runtime.send_message(Ping(), AgentId("echo", "1"))


async def failing_handler(runtime: SingleThreadedAgentRuntime) -> None:
    await Echo.register(runtime, "echo", lambda: Echo(KeyError("mine")))
    await runtime.send_message(Ping(), AgentId("echo", "1"))


async def failing_subscribers(runtime: SingleThreadedAgentRuntime) -> None:
    for name in ("one", "two"):
        await Echo.register(runtime, name, lambda: Echo(KeyError("mine")))
        await runtime.add_subscription(TypeSubscription("topic", name))
    await runtime.publish_message(Ping(), TopicId("topic", "1"))
    await runtime.stop_when_idle()


async def subscription_twice(runtime: SingleThreadedAgentRuntime) -> None:
    for _ in range(2):
        await runtime.add_subscription(TypeSubscription("t", "a", id="one"))


async def started_twice(runtime: SingleThreadedAgentRuntime) -> None:
    runtime.start()


MISUSES: dict[str, tuple[type[BaseException], Callable[[SingleThreadedAgentRuntime], Awaitable[object]]]] = {
    "type twice": (ValueError, twice),
    "instance and factory": (ValueError, instance_and_factory),
    "instance of another key": (RuntimeError, instance_of_another_key),
    "factory of another class": (ValueError, another_class),
    "failing handler": (KeyError, failing_handler),
    "failing subscribers": (KeyError, failing_subscribers),
    "subscription twice": (ValueError, subscription_twice),
    "unknown subscription": (ValueError, lambda runtime: runtime.remove_subscription("nope")),
    "started twice": (RuntimeError, started_twice),
    "unknown agent": (LookupError, lambda runtime: runtime.agent_metadata(AgentId("nope", "1"))),
    "unknown state": (LookupError, lambda runtime: runtime.agent_save_state(AgentId("nope", "1"))),
    "unknown type": (LookupError, lambda runtime: runtime.get("nope", lazy=False)),
}


@pytest.mark.parametrize("name", MISUSES)
async def test_n08_a_runtime_raises_what_autogen_raises(name: str) -> None:
    error, misuse = MISUSES[name]
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    async with asyncio.timeout(10):
        with pytest.raises(error):
            await misuse(runtime)
        await runtime.close()


async def test_n08_a_team_that_runs_twice_at_once_raises_what_autogen_raises() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_twice()
    assert caught.value.subgroup(ValueError) is not None
