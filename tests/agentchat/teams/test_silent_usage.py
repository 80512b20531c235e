"""Every token of a run is in its usage, also those of calls whose answers are no message."""

from collections.abc import Callable, Sequence

import pytest
from tests.support.model_clients import ANTHROPIC, OPENAI, load_sdks

from symposia.agentchat.agents import AssistantAgent, BaseChatAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.conditions import TimeoutTermination, TokenUsageTermination
from symposia.agentchat.messages import BaseChatMessage, Messages, ModelClientStreamingChunkEvent, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from symposia.agentchat.tools import AgentTool
from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.model_context import SummarizingChatCompletionContext
from symposia.core.models import ChatCompletionClient, CreateResult, ModelFamily, ModelInfo, RequestUsage, UserMessage
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.testing.model_server import Hold, MockModelServer, Reply

load_sdks()

CALLER = ModelInfo(
    vision=False, function_calling=True, json_output=False, structured_output=False, family=ModelFamily.UNKNOWN
)
Agents = tuple[Sequence[AssistantAgent], Sequence[ChatCompletionClient]]


def model(*answers: str | CreateResult) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers), model_info=CALLER)


def call(name: str, arguments: str) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", name=name, arguments=arguments)],
        usage=RequestUsage(30, 3),
        cached=False,
    )


def one_that_summarizes() -> Agents:
    client = model("One.", "Short.", "Two.")
    context = SummarizingChatCompletionContext(client, message_limit=2)
    other = model("Go on.", "Stop.")
    return [AssistantAgent("a", client, model_context=context), AssistantAgent("b", other)], [client, other]


def one_whose_tool_asks_a_model() -> Agents:
    asked = model("Four.")

    async def ask(question: str) -> str:
        return str((await asked.create([UserMessage(content=question, source="user")])).content)

    client = model(call("ask", '{"question": "2 + 2?"}'), "It is four.")
    return [AssistantAgent("a", client, tools=[ask], reflect_on_tool_use=True)], [client, asked]


def one_whose_tool_runs_an_agent() -> Agents:
    asked = model("Four.")

    async def ask(question: str) -> str:
        return (await AssistantAgent("inner", asked).run(task=question)).messages[-1].to_text()

    client = model(call("ask", '{"question": "2 + 2?"}'), "It is four.")
    return [AssistantAgent("a", client, tools=[ask], reflect_on_tool_use=True)], [client, asked]


def one_with_an_agent_that_fails_after_its_model_answered() -> Agents:
    asked = model("Four.")

    class Failing(AssistantAgent):
        async def on_messages(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> Response:
            await asked.create([message.to_model_message() for message in messages])
            raise ModelError("The model has answered nonsense.")

        on_messages_stream = BaseChatAgent.on_messages_stream

    client = model(call("inner", '{"task": "2 + 2?"}'), "It failed.")
    tool = AgentTool(Failing("inner", asked))
    return [AssistantAgent("a", client, tools=[tool], reflect_on_tool_use=True)], [client, asked]


def one_without_tokens_in_its_messages() -> Agents:
    asked = model("Four.")

    class Own(AssistantAgent):
        async def on_messages(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> Response:
            result = await asked.create([message.to_model_message() for message in messages])
            return Response(chat_message=TextMessage(content=str(result.content), source=self.name))

        on_messages_stream = BaseChatAgent.on_messages_stream

    return [Own("a", asked)], [asked]


AGENTS = [
    one_that_summarizes,
    one_whose_tool_asks_a_model,
    one_whose_tool_runs_an_agent,
    one_with_an_agent_that_fails_after_its_model_answered,
    one_without_tokens_in_its_messages,
]


def total(clients: Sequence[ChatCompletionClient]) -> RequestUsage:
    return sum((client.total_usage() for client in clients), RequestUsage(0, 0))


@pytest.mark.parametrize("make", AGENTS)
@pytest.mark.parametrize("nested", [False, True])
async def test_a_team_counts_what_its_clients_count(make: Callable[[], Agents], nested: bool) -> None:
    agents, clients = make()
    team = RoundRobinGroupChat([*agents], max_turns=len(agents) * 2 - 1, name="inner", description="inner")
    result = await (RoundRobinGroupChat([team], max_turns=1) if nested else team).run(task="Go on.")
    assert result.usage == total(clients)


@pytest.mark.parametrize("make", AGENTS[1:])
async def test_an_agent_alone_counts_what_its_clients_count(make: Callable[[], Agents]) -> None:
    [agent], clients = make()
    result = await agent.run(task="Go on.")
    assert result.usage == total(clients)
    [agent], clients = make()
    streamed = [item async for item in agent.run_stream(task="Go on.")][-1]
    assert isinstance(streamed, TaskResult)
    assert streamed.usage == total(clients)
    assert streamed.silent_usage == result.silent_usage


async def test_a_team_whose_rule_reads_a_summary_counts_it() -> None:
    chooser = model("Short.", "b")
    context = SummarizingChatCompletionContext(chooser, message_limit=2)
    agents = [AssistantAgent(name, model("Words.")) for name in "abc"]
    team = SelectorGroupChat([*agents], chooser, model_context=context, max_turns=1)
    task = [TextMessage(content=f"Message {number}.", source="user") for number in range(4)]
    result = await team.run(task=task)
    assert len(chooser.create_calls) == 2
    assert result.silent_usage == chooser.total_usage()


async def test_a_limit_of_tokens_sees_those_of_tools() -> None:
    [agent], _ = one_whose_tool_asks_a_model()
    spent = 30 + 3  # of the call alone, by which the limit is not met
    team = RoundRobinGroupChat([agent], termination_condition=TokenUsageTermination(max_total_token=spent + 40))
    result = await team.run(task="Go on.")
    assert "Token usage limit reached" in (result.stop_reason or "")
    assert result.silent_usage.total_tokens


async def test_an_attempt_that_was_cut_is_counted_beside_the_one_that_succeeded() -> None:
    async with MockModelServer() as server:
        # The first event of Anthropic's stream has the tokens of the prompt, and one of the answer.
        client = ANTHROPIC.client(server, Reply(text="Words.", cut_after=1), Reply(text="Words."))
        agent = AssistantAgent("a", RetryingClient(client, longest_wait=0.001), model_client_stream=True)
        result = await RoundRobinGroupChat([agent], max_turns=1).run(task="Go on.")
        assert result.usage == client.total_usage() == RequestUsage(11 + 11, 1 + 7)
        assert result.silent_usage == RequestUsage(11, 1)
        await client.close()


class OnceStreaming(TimeoutTermination):
    """Ends a run in the middle of a turn, once a piece of it was shown."""

    def __init__(self) -> None:
        super().__init__(0)
        self.is_streaming = False

    async def look(self, messages: Messages) -> str | None:
        return "It streams." if self.is_streaming else None

    def due_in(self) -> float | None:
        return 0.0 if self.is_streaming else 0.01


@pytest.mark.parametrize("nested", [False, True], ids=["team", "nested"])
async def test_an_answer_that_the_clock_has_cut_is_counted(nested: bool) -> None:
    async with MockModelServer() as server:
        answers = Reply(text="Words."), Reply(text="one two three four five", hold=Hold(after=5))
        client, condition = ANTHROPIC.client(server, *answers), OnceStreaming()
        agent = AssistantAgent("a", client, model_client_stream=True)
        inner = RoundRobinGroupChat([agent], max_turns=1)
        team = RoundRobinGroupChat([inner if nested else agent], termination_condition=condition)
        result: TaskResult | None = None
        async for item in team.run_stream(task="Go on."):
            if isinstance(item, ModelClientStreamingChunkEvent) and item.content == "one":
                condition.is_streaming = True
            if isinstance(item, TaskResult):
                result = item
        assert result is not None
        assert result.stop_reason == "It streams."
        assert result.usage == client.total_usage()
        assert result.silent_usage.estimated
        assert result.silent_usage.prompt_tokens == 11
        assert result.silent_usage.completion_tokens > 0
        await client.close()


async def test_a_hit_of_a_cache_is_in_the_message_alone_and_costs_nothing() -> None:
    async with MockModelServer() as server:
        client = OPENAI.client(server, Reply(text="Words."))
        cache = ChatCompletionCache(client)
        results = [await AssistantAgent("a", cache).run(task="Go on.") for _ in range(2)]
        assert [result.silent_usage.total_tokens for result in results] == [0, 0]
        assert [result.usage.total_tokens for result in results] == [18, 18]
        assert results[0].usage.usd == client.total_usage().usd != 0
        assert results[1].usage.usd == 0
        await client.close()


async def test_a_hit_of_a_cache_that_is_in_no_message_costs_nothing() -> None:
    async with MockModelServer() as server:
        client = OPENAI.client(server, Reply(text="Four."))
        cache = ChatCompletionCache(client)
        question = [UserMessage(content="2 + 2?", source="user")]
        await cache.create(question)

        async def ask() -> str:
            return str((await cache.create(question)).content)

        agent = AssistantAgent("a", model(call("ask", "{}")), tools=[ask])
        result = await agent.run(task="Go on.")
        assert (result.silent_usage.total_tokens, result.silent_usage.usd) == (18, 0)
        await client.close()
