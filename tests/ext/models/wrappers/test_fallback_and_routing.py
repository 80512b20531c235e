"""The clients that ask one of several."""

import asyncio

import pytest
from tests.support.model_clients import ABLE, ANTHROPIC, OPENAI, read

from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError, ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, ModelInfo, RequestUsage, UserMessage
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.routing import RoutingClient
from symposia.ext.models.wrappers import ModelCall
from symposia.testing.model_server import Failure, MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]
REFUSAL = CreateResult(finish_reason="content_filter", content="", usage=RequestUsage(1, 0), cached=False)


def replaying(*answers: str | CreateResult | Exception) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers), ABLE)  # pyright: ignore[reportArgumentType] - any of these


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("streaming", [False, True])
async def test_the_next_vendor_answers_where_one_fails(server: MockModelServer, status: int, streaming: bool) -> None:
    clients = [vendor.client(server) for vendor in (OPENAI, ANTHROPIC)]
    server.script(Failure(status=status), Reply(text="one two"))
    client = FallbackClient(clients)
    result = (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)
    assert (result.content, result.answered_by) == ("one two", ANTHROPIC.model)
    assert client.total_usage() == clients[1].total_usage()


@pytest.mark.parametrize("streaming", [False, True])
async def test_the_next_model_answers_where_one_refuses(streaming: bool) -> None:
    client = FallbackClient([replaying(REFUSAL), replaying("gladly")])
    result = (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)
    assert result.content == "gladly"


async def test_the_refusal_of_the_last_one_is_the_answer() -> None:
    client = FallbackClient([replaying(ModelError("down")), replaying(REFUSAL)])
    assert (await client.create(HELLO)).finish_reason == "content_filter"


async def test_a_stream_that_was_shown_in_part_is_not_continued_by_another_model(server: MockModelServer) -> None:
    broken = OPENAI.client(server, Reply(text="one two three four", cut_after=5))
    other = replaying("five")
    stream = FallbackClient([broken, other]).create_stream(HELLO)
    assert await anext(stream) == "one"
    with pytest.raises(ModelError):
        await read(stream)
    assert other.create_calls == []


async def test_where_all_fail_the_error_says_how_each_did() -> None:
    errors = [ModelError("no key", status=401), ModelError("too many", status=429, retry_after=7)]
    with pytest.raises(ModelError) as caught:
        await FallbackClient([replaying(error) for error in errors]).create(HELLO)
    assert str(caught.value) == (
        "None of the 2 models answered. 1. ReplayChatCompletionClient: no key 2. ReplayChatCompletionClient: too many"
    )
    assert (caught.value.is_transient, caught.value.retry_after, caught.value.status) == (True, 7, 429)
    assert caught.value.__cause__ is errors[1]


@pytest.mark.parametrize("error", [ValueError("wrong"), asyncio.CancelledError()], ids=["mistake", "cancelled"])
async def test_what_another_model_would_not_change_is_raised(error: BaseException) -> None:
    def answer(_: object) -> str:
        raise error

    other = replaying("hi")
    with pytest.raises(type(error)):
        await FallbackClient([ReplayChatCompletionClient(answer), other]).create(HELLO)
    assert other.create_calls == []


def test_the_abilities_are_those_that_all_have() -> None:
    blind: ModelInfo = {**ABLE, "vision": False, "structured_output": False}
    client = FallbackClient([replaying(), ReplayChatCompletionClient([], blind)])
    info = client.model_info
    assert (info["vision"], info["structured_output"], info["function_calling"]) == (False, False, True)
    assert client.capabilities == info


async def test_a_plain_or_a_coroutine_function_chooses() -> None:
    async def by_length(call: ModelCall) -> str:
        await asyncio.sleep(0)
        return "long" if len(str(call.messages[-1].content)) > 5 else "short"

    def by_streaming(call: ModelCall) -> str:
        return "long" if call.streamed else "short"

    clients = {"short": replaying("s", "s"), "long": replaying("l", "l")}
    assert (
        await RoutingClient(clients, by_length).create([UserMessage(content="a long one", source="u")])
    ).content == "l"
    assert (await RoutingClient(clients, by_length).create(HELLO)).content == "s"
    assert (await RoutingClient(clients, by_streaming).create(HELLO)).content == "s"
    assert (await read(RoutingClient(clients, by_streaming).create_stream(HELLO)))[1].content == "l"


async def test_the_answer_says_which_model_answered(server: MockModelServer) -> None:
    clients = {vendor.name: vendor.client(server) for vendor in (OPENAI, ANTHROPIC)}
    server.script(Reply(text="hi"), Reply(text="hi"))
    for vendor in (OPENAI, ANTHROPIC):
        client = FallbackClient([RoutingClient(clients, lambda call, name=vendor.name: name)])
        assert (await client.create(HELLO)).answered_by == vendor.model


async def test_a_name_that_no_client_has_is_an_error() -> None:
    client = RoutingClient({"one": replaying(), "two": replaying()}, lambda call: "three")
    with pytest.raises(InvalidArgumentError, match="route returned 'three', but the clients are one, two"):
        await client.create(HELLO)


def test_what_cannot_work_is_refused_when_it_is_made() -> None:
    with pytest.raises(InvalidArgumentError, match="give at least one"):
        FallbackClient([])
    with pytest.raises(ArgumentTypeError, match="has to be a client"):
        FallbackClient(["gpt-5.5"])  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(ArgumentTypeError, match="The clients of FallbackClient are given as a list"):
        FallbackClient(replaying())  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(ArgumentTypeError, match=r"clients of RoutingClient is .*: give a Mapping, such as {'small'"):
        RoutingClient([replaying()], lambda call: "one")  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(InvalidArgumentError, match="nothing that chooses"):
        RoutingClient({"one": replaying()})
    with pytest.raises(InvalidArgumentError, match="give at least one, by name"):
        RoutingClient({}, lambda call: "one")
    with pytest.raises(ArgumentTypeError, match="has to be a function"):
        RoutingClient({"one": replaying()}, "one")  # pyright: ignore[reportArgumentType] - wrong on purpose


class LastClient(RoutingClient):
    """Asks the client whose name is last."""

    async def route(self, call: ModelCall) -> str:
        return max(self._by_name)


async def test_a_router_with_a_function_cannot_be_saved_and_one_with_a_method_can() -> None:
    clients: dict[str, ChatCompletionClient] = {"a": ReplayChatCompletionClient(["no"]), "b": replaying("yes")}
    with pytest.raises(ComponentError, match="route"):
        RoutingClient(clients, lambda call: "a").dump_component()
    again = LastClient.load_component(LastClient(clients).dump_component())
    assert (await again.create(HELLO)).content == "yes"
