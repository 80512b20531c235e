"""What vendors can read from their prompt caches: the beginning that a request shares with the one before it."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import openai
import pytest
from pydantic import TypeAdapter
from tests.support.model_clients import ADD, Anthropic, OpenAI, read

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import ListMemory, MemoryContent
from symposia.core.models import AssistantMessage, LLMMessage, RequestUsage, SystemMessage, UserMessage, VendorBlocks
from symposia.ext.models.openai import BaseOpenAIChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
LONG = "Work with care, and say what you have done. " * 40
TURNS = 10
LOOKBACK = 20
"""Blocks before a mark in which Anthropic looks for an earlier one."""

Blocks = list[str]
"""The parts of a request that a cache sees, in its order."""


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def turns(*, calls: int) -> list[Reply]:
    """Answers for turns of an assistant that calls a tool so often at once, and reflects on the results."""
    called = tuple(ToolCall(id=f"call{i}", name="add", arguments='{"a": 1, "b": 2}') for i in range(calls))
    return [reply for _ in range(TURNS) for reply in (Reply(tool_calls=called), Reply(text="It is three. " * 10))]


async def take_turns(client: Any, **options: Any) -> None:
    agent = AssistantAgent(
        "ann", client, tools=[add], handoffs=["bob"], system_message=LONG, reflect_on_tool_use=True, **options
    )
    for number in range(TURNS):
        await agent.run(task=f"Question {number}: what is one and two? " * 5)


def unmarked(block: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in block.items() if name != "cache_control"})


def anthropic_blocks(body: Mapping[str, Any]) -> tuple[Blocks, list[int]]:
    """The blocks of a request, and the places of those with a mark."""
    blocks = [*body.get("tools", ()), *body["system"]]
    blocks += [block for message in body["messages"] for block in message["content"]]
    return [unmarked(block) for block in blocks], [i for i, block in enumerate(blocks) if "cache_control" in block]


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many blocks two requests begin with together."""
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(map(len, (one, other)))
    )


def size(blocks: Sequence[str]) -> int:
    return sum(map(len, blocks))


def read_from_cache(bodies: Sequence[Mapping[str, Any]]) -> float:
    """The part of the input that Anthropic reads from its cache, of the input that came in the request before.

    What is cached of a conversation is read by requests with the same choice among tools only.
    """
    written: set[tuple[str, ...]] = set()
    cacheable, cached, before = 0, 0, Blocks()
    for body in bodies:
        blocks, marks = anthropic_blocks(body)
        cacheable += size(blocks[: shared(before, blocks)])
        ends = {end for mark in marks for end in range(mark, max(-1, mark - LOOKBACK), -1)}
        head = len(body.get("tools", ())) + len(body["system"])
        prefixes = {
            end: (*blocks[: end + 1], json.dumps(body.get("tool_choice")) if end >= head else "")
            for end in ends | {*marks}
        }
        hits = [end for end in ends if prefixes[end] in written]
        cached += size(blocks[: max(hits, default=-1) + 1])
        written |= {prefixes[mark] for mark in marks}
        assert len(marks) <= 4
        before = blocks
    return cached / cacheable


MEMORY = [ListMemory("notes", [MemoryContent(content="Tea is hot.", mime_type="text/plain")])]


@pytest.mark.parametrize(
    "options", [{}, {"memory": MEMORY}, {"model_client_stream": True}], ids=["plain", "memory", "stream"]
)
@pytest.mark.parametrize("calls", [1, 12], ids=["one-call", "many-calls"])
async def test_ten_turns_read_nine_tenths_of_what_anthropic_can_cache(
    server: MockModelServer, options: dict[str, Any], calls: int
) -> None:
    await take_turns(Anthropic().client(server, *turns(calls=calls)), **options)

    bodies = [request.body for request in server.requests]
    assert len(bodies) == 2 * TURNS
    assert read_from_cache(bodies) >= 0.9
    for earlier, later in pairwise(bodies):
        one, other = anthropic_blocks(earlier)[0], anthropic_blocks(later)[0]
        assert shared(one, other) == len(one)  # nothing that was shown once is shown otherwise later


@pytest.mark.parametrize("options", [{}, {"memory": MEMORY}], ids=["plain", "memory"])
async def test_ten_turns_share_their_beginning_with_openai(server: MockModelServer, options: dict[str, Any]) -> None:
    await take_turns(OpenAI().client(server, *turns(calls=2)), **options)

    bodies = [request.body for request in server.requests]
    for earlier, later in pairwise(bodies):
        assert later["tools"] == earlier["tools"]
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]


async def test_a_request_has_marks_behind_tools_instructions_and_the_last_turns(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text="ok"))
    before = UserMessage(content="before", source="user")
    await client.create([SystemMessage(content="Be brief."), before, *answered("so"), *HELLO], tools=[ADD])

    mark = {"type": "ephemeral"}
    body = server.last_body
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert body["tools"][-1]["cache_control"] == mark
    assert ["cache_control" in message["content"][-1] for message in body["messages"]] == [True, False, True]


def answered(text: str) -> list[LLMMessage]:
    return [AssistantMessage(content=text, source="bot")]


async def test_the_marks_of_one_request_are_not_in_the_next(server: MockModelServer) -> None:
    client = Anthropic().client(server, *[Reply(text="ok")] * 3)
    conversation: list[LLMMessage] = []
    for _ in range(3):
        conversation += [*HELLO, *answered("so")]
        await client.create(conversation[:-1])
    marked = ["cache_control" in message["content"][-1] for message in server.last_body["messages"]]
    assert marked == [True, False, True, False, True]


async def test_a_turn_that_ends_with_thinking_is_marked_before_it(server: MockModelServer) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    replies = [Reply(text="So", thinking=(Thinking(text="hm"),)), Reply(text="ok")]
    client = Anthropic().client(server, *replies, model="claude-haiku-4-5", thinking=thinking)
    first = await client.create(HELLO)
    blocks: VendorBlocks = {"anthropic": [{"type": "text", "text": "So"}, (first.vendor_blocks or {})["anthropic"][0]]}
    await client.create([*HELLO, AssistantMessage(content="So", source="bot", vendor_blocks=blocks)])
    assert ["cache_control" in block for block in server.last_body["messages"][-1]["content"]] == [True, False]


@pytest.mark.parametrize(
    "own",
    [
        {"cache_control": {"type": "ephemeral"}},
        {"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
    ],
    ids=["whole-request", "system"],
)
async def test_marks_of_the_program_stand_alone(server: MockModelServer, own: dict[str, Any]) -> None:
    await Anthropic().client(server, Reply(text="ok")).create(HELLO, extra_create_args=own)
    assert "cache_control" not in server.last_body["messages"][-1]["content"][-1]


async def test_marks_can_be_switched_off(server: MockModelServer) -> None:
    await Anthropic().client(server, Reply(text="ok"), prompt_caching=False).create(HELLO, tools=[ADD])
    assert "cache_control" not in json.dumps(server.last_body)
    with pytest.raises(ArgumentTypeError, match="prompt_caching"):
        Anthropic().client(server, prompt_caching="yes")


@pytest.mark.parametrize("vendor", [OpenAI(), Anthropic()], ids=["openai", "anthropic"])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
async def test_usage_says_what_came_from_the_cache(
    server: MockModelServer, vendor: OpenAI | Anthropic, streaming: bool
) -> None:
    client = vendor.client(server, Reply(text="ok", usage=(20, 7), cached_tokens=15))
    result = (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)
    assert result.usage.cached_tokens == 15
    assert client.total_usage().cached_tokens == 15
    prompt = 20 if isinstance(vendor, OpenAI) else 35  # Anthropic counts them apart
    assert result.usage == RequestUsage(prompt, 7)


def test_cached_tokens_are_added_and_are_in_json_only_where_there_are_some() -> None:
    adapter = TypeAdapter(RequestUsage)
    one = RequestUsage(20, 7, cached_tokens=15, cache_write_tokens=3)
    total = one + RequestUsage(1, 1, cached_tokens=1)
    assert (total.cached_tokens, total.cache_write_tokens) == (16, 3)
    assert adapter.validate_json(adapter.dump_json(one)).cached_tokens == 15
    assert adapter.dump_python(RequestUsage(20, 7)) == {"prompt_tokens": 20, "completion_tokens": 7}


def client_of(address: str, server: MockModelServer, *replies: Reply) -> BaseOpenAIChatCompletionClient:
    """A client of this address, whose requests go to the server."""
    server.script(*replies)
    sdk = openai.AsyncOpenAI(api_key="key", base_url=address)
    client = BaseOpenAIChatCompletionClient(sdk, create_args={"model": "gpt-4o"})
    sdk.base_url = server.openai_url
    return client


async def test_openai_is_told_which_requests_belong_to_one_conversation(server: MockModelServer) -> None:
    client = client_of("https://api.openai.com/v1", server, *[Reply(text="ok")] * 4)
    start: list[LLMMessage] = [SystemMessage(content="Be brief."), *HELLO]
    await client.create(start)
    await client.create([*start, *answered("so"), *HELLO])
    await client.create([SystemMessage(content="Be brief."), UserMessage(content="other", source="user")])
    await client.create(start, extra_create_args={"prompt_cache_key": "mine"})

    first, second, other, own = (request.body["prompt_cache_key"] for request in server.requests)
    assert first == second
    assert len({first, other, own}) == 3
    assert own == "mine"


async def test_other_servers_are_sent_no_cache_key(server: MockModelServer) -> None:
    await client_of("https://models.test/v1", server, Reply(text="ok")).create(HELLO)
    assert "prompt_cache_key" not in server.last_body
