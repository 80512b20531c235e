"""A program that subclasses the public extension points. Half of the test is that pyright accepts it in strict mode."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, assert_type

import pytest
from pydantic import BaseModel

from symposia.agentchat.agents import AssistantAgent, BaseChatAgent, UserProxyAgent
from symposia.agentchat.base import Response, TaskResult, TerminatedException, TerminationCondition
from symposia.agentchat.conditions import FunctionalTermination, MaxMessageTermination, TextMentionTermination
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    StopMessage,
    TextMessage,
    ToolCallRequestEvent,
)
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from symposia.agentchat.ui import Console
from symposia.core import (
    AgentId,
    CacheStore,
    CancellationToken,
    Component,
    DefaultInterventionHandler,
    DefaultTopicId,
    DropMessage,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    default_subscription,
    event,
    message_handler,
    rpc,
)
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.memory import Memory, MemoryContent, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    UserMessage,
)
from symposia.core.tools import BaseTool, FunctionTool, Tool, ToolSchema
from symposia.ext.models.replay import ReplayChatCompletionClient


class Review(BaseModel):
    verdict: str


class Ask(BaseModel):
    text: str


@default_subscription
class Worker(RoutedAgent):
    def __init__(self, description: str) -> None:
        super().__init__(description)
        self._count = 0

    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> Review:
        await self.publish_message(Review(verdict=message.text), DefaultTopicId())
        return Review(verdict=message.text)

    @event
    async def on_review(self, message: Review, ctx: MessageContext) -> None:
        self._count += len(message.verdict)

    @rpc
    async def on_text(self, message: TextMessage, ctx: MessageContext) -> int:
        return len(message.content)

    async def save_state(self) -> Mapping[str, Any]:
        return {"count": self._count}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._count = state["count"]


class Countdown(BaseChatAgent):
    def __init__(self, name: str, count: int = 3) -> None:
        super().__init__(name, "Counts down.")
        self._count = count

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        response: Response | None = None
        async for message in self.on_messages_stream(messages, cancellation_token):
            if isinstance(message, Response):
                response = message
        assert response is not None
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        inner: list[BaseAgentEvent | BaseChatMessage] = []
        for number in range(self._count, 0, -1):
            message = TextMessage(content=str(number), source=self.name)
            inner.append(message)
            yield message
        yield Response(chat_message=TextMessage(content="Done!", source=self.name), inner_messages=inner)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass


class Once(TerminationCondition):
    def __init__(self) -> None:
        self._done = False

    @property
    def terminated(self) -> bool:
        return self._done

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self._done:
            raise TerminatedException("Done already.")
        for message in messages:
            if isinstance(message, ToolCallRequestEvent) and message.content[0].name == "approve":
                self._done = True
                return StopMessage(content="done", source="Once")
        return None

    async def reset(self) -> None:
        self._done = False


class EchoClient(ChatCompletionClient):
    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Any = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        return CreateResult(finish_reason="stop", content="x", usage=usage, cached=False)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Any = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        yield await self.create(messages)

    async def close(self) -> None: ...

    def actual_usage(self) -> RequestUsage:
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    def total_usage(self) -> RequestUsage:
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        return 0

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        return 0

    @property
    def capabilities(self) -> ModelCapabilities:  # type: ignore[override]  # as AutoGen's programs have it
        return {"vision": False, "function_calling": False, "json_output": False}

    @property
    def model_info(self) -> ModelInfo:
        return ModelInfo(
            vision=False, function_calling=False, json_output=False, family=ModelFamily.UNKNOWN, structured_output=False
        )


class SumArgs(BaseModel):
    a: int
    b: int


class SumTool(BaseTool[SumArgs, int]):
    def __init__(self) -> None:
        super().__init__(SumArgs, int, "sum", "Adds.")

    async def run(self, args: SumArgs, cancellation_token: CancellationToken) -> int:
        return args.a + args.b


class Notes(Memory):
    def __init__(self) -> None:
        self._notes: list[MemoryContent] = []

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        return UpdateContextResult(memories=MemoryQueryResult(results=self._notes))

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        return MemoryQueryResult(results=self._notes)

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        self._notes.append(content)

    async def clear(self) -> None:
        self._notes.clear()

    async def close(self) -> None: ...


class LastOnly(ChatCompletionContext):
    async def get_messages(self) -> list[LLMMessage]:
        return self._messages[-1:]


class Store(CacheStore[str]):
    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._values.get(key, default)

    def set(self, key: str, value: str) -> None:
        self._values[key] = value


class Guard(DefaultInterventionHandler):
    async def on_send(
        self, message: Any, *, message_context: MessageContext, recipient: AgentId
    ) -> Any | type[DropMessage]:
        return DropMessage if recipient.type == "x" else message


class Greeter(Component[BaseModel]):
    component_type = "greeter"

    def __init__(self, word: str) -> None:
        self.word = word


class LocalExecutor(CodeExecutor):
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return CodeResult(exit_code=0, output="")

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def restart(self) -> None: ...


def weather(city: str) -> str:
    return city


def answer(prompt: str) -> str:
    return f"{prompt}yes"


INFO = ModelInfo(
    vision=False, function_calling=True, json_output=True, family=ModelFamily.UNKNOWN, structured_output=True
)


async def test_n13_a_team_of_own_parts_runs() -> None:
    client = ReplayChatCompletionClient(["hello"] * 4, INFO)
    agent = AssistantAgent("a", client, tools=[weather, SumTool()], memory=[Notes()], model_context=LastOnly())
    user = UserProxyAgent("u", input_func=answer)
    condition = MaxMessageTermination(4) | TextMentionTermination("X") & Once()
    team = RoundRobinGroupChat([agent, user, Countdown("c")], termination_condition=condition)
    result = await team.run(task="Go.")
    assert isinstance(result, TaskResult)
    assert_type(result.messages, Sequence[BaseAgentEvent | BaseChatMessage])
    assert_type(result.stop_reason, str | None)
    async for item in team.run_stream(task="Again."):
        if isinstance(item, TaskResult):
            assert item.stop_reason
        else:
            assert_type(item, BaseAgentEvent | BaseChatMessage)
    state = await team.save_state()
    await team.load_state(state)
    chooser = SelectorGroupChat(
        [agent, user],
        EchoClient(),
        selector_func=lambda messages: messages[-1].source,
        termination_condition=FunctionalTermination(lambda messages: len(messages) > 2),
    )
    assert_type(chooser.name, str)


async def test_n13_console_gives_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    team = RoundRobinGroupChat([Countdown("c")], max_turns=1)
    result = await Console(team.run_stream(task="Go."))
    assert_type(result.stop_reason, str | None)
    assert "Done!" in capsys.readouterr().out


async def test_n13_actors_of_own_types_answer() -> None:
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[Guard()])
    await Worker.register(runtime, "worker", lambda: Worker("works"))
    runtime.start()
    assert await runtime.send_message(Ask(text="x"), AgentId("worker", "default")) == Review(verdict="x")
    await runtime.stop_when_idle()
    worker = await runtime.try_get_underlying_agent_instance(AgentId("worker", "default"), Worker)
    assert_type(worker, Worker)


async def test_n13_own_contracts_keep_their_types() -> None:
    result = await EchoClient().create([UserMessage(content="x", source="u")])
    assert_type(result, CreateResult)
    tool = FunctionTool(weather, description="The weather.")
    assert await tool.run_json({"city": "x"}, CancellationToken()) == "x"
    assert await SumTool().run(SumArgs(a=1, b=2), CancellationToken()) == 3
    store = Store()
    store.set("a", "b")
    assert_type(store.get("a"), str | None)
    assert isinstance(Greeter("hi"), Component)
    executed = await LocalExecutor().execute_code_blocks([CodeBlock(code="", language="sh")], CancellationToken())
    assert_type(executed, CodeResult)


def test_n13_a_component_is_loaded_as_its_class() -> None:
    loaded = UserProxyAgent.load_component(UserProxyAgent("u").dump_component())
    assert_type(loaded, UserProxyAgent)
    assert loaded.name == "u"
