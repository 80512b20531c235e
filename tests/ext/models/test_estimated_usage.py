"""Servers that send no token counts: the counts are estimated, marked, and announced once."""

import json
import warnings

import pytest
from pydantic import TypeAdapter
from tests.support.model_clients import ADD, Anthropic, OpenAI

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import TokenUsageTermination
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core.models import CreateResult, LLMMessage, RequestUsage, UserMessage, estimate_tokens
from symposia.testing.model_server import MockModelServer, Reply, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="Say hello to everyone in the room.", source="user")]
UNCOUNTED = Reply(text="Hello to all of you!", usage=(0, 0))
NO_COUNTS = r"server at http://127\.0\.0\.1.* sent no token counts with an answer of model 'gpt-4o'"
CALL = ToolCall(id="1", name="add", arguments='{"a": 1, "b": 2}')


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("reply", [UNCOUNTED, Reply(tool_calls=(CALL,), usage=(0, 0))], ids=["text", "calls"])
async def test_an_answer_without_counts_has_estimates_that_say_so(
    server: MockModelServer, reply: Reply, streaming: bool
) -> None:
    client = OpenAI().client(server, reply)

    async def answer() -> object:
        if streaming:
            return [item async for item in client.create_stream(HELLO, tools=[ADD])][-1]
        return await client.create(HELLO, tools=[ADD])

    with pytest.warns(UserWarning, match=NO_COUNTS):
        result = await answer()

    assert isinstance(result, CreateResult)
    assert result.usage.estimated
    assert result.usage.prompt_tokens == estimate_tokens(HELLO, tools=[ADD])
    assert result.usage.completion_tokens == estimate_tokens([result.to_message("model")])
    assert client.total_usage() == result.usage
    assert client.total_usage().estimated


async def test_a_server_of_the_other_format_is_treated_alike(server: MockModelServer) -> None:
    client = Anthropic().client(server, UNCOUNTED)
    with pytest.warns(UserWarning, match="sent no token counts"):
        result = await client.create(HELLO)
    assert result.usage.estimated


@pytest.mark.parametrize(("sent", "estimated"), [((11, 7), False), ((0, 7), True), ((11, 0), True)])
@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_a_count_that_was_sent_is_kept(server: MockModelServer, sent: tuple[int, int], estimated: bool) -> None:
    usage = (await OpenAI().client(server, Reply(text="Hello!", usage=sent)).create(HELLO)).usage
    assert usage.estimated is estimated
    for count, given in zip((usage.prompt_tokens, usage.completion_tokens), sent, strict=True):
        assert count == given or (given == 0 and count > 0)


async def test_an_empty_answer_may_have_no_tokens(server: MockModelServer) -> None:
    usage = (await OpenAI().client(server, Reply(text="", usage=(11, 0))).create(HELLO)).usage
    assert (usage, usage.estimated) == (RequestUsage(11, 0), False)


async def test_a_client_warns_once(server: MockModelServer) -> None:
    client = OpenAI().client(server, UNCOUNTED, UNCOUNTED)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await client.create(HELLO)
        await client.create(HELLO)
    assert len([each for each in caught if "token counts" in str(each.message)]) == 1


async def test_a_budget_of_tokens_ends_a_run_of_streaming_agents_whose_server_does_not_count(
    server: MockModelServer,
) -> None:
    client = OpenAI().client(server, *[UNCOUNTED] * 20)
    agents = [AssistantAgent(name, client, model_client_stream=True) for name in ("ann", "bob")]
    team = RoundRobinGroupChat(agents, termination_condition=TokenUsageTermination(max_total_token=100))
    with pytest.warns(UserWarning, match=NO_COUNTS):
        result = await team.run(task="Go on.")

    assert "Token usage limit reached" in (result.stop_reason or "")
    usages = [message.models_usage for message in result.messages if message.models_usage]
    assert 1 < len(usages) < 20
    assert all(usage.estimated for usage in usages)


def test_the_mark_survives_json_and_is_not_there_for_real_counts() -> None:
    usages = TypeAdapter(RequestUsage)
    assert json.loads(usages.dump_json(RequestUsage(3, 4))) == {"prompt_tokens": 3, "completion_tokens": 4}
    marked = TextMessage(content="hi", source="ann", models_usage=RequestUsage(3, 4, estimated=True))
    loaded = TextMessage.model_validate_json(marked.model_dump_json()).models_usage
    assert loaded is not None
    assert loaded.estimated


def test_a_sum_with_an_estimate_is_an_estimate() -> None:
    total = sum([RequestUsage(1, 2), RequestUsage(3, 4, estimated=True), RequestUsage(5, 6)], RequestUsage(0, 0))
    assert (total, total.estimated) == (RequestUsage(9, 12), True)
    assert not (RequestUsage(1, 2) + RequestUsage(3, 4)).estimated
