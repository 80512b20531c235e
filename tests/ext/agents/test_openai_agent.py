"""The agent over the Responses API, with OpenAI's SDK against the scripted server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI
from tests.support.model_clients import load_sdks

from symposia.agentchat.messages import ModelClientStreamingChunkEvent, MultiModalMessage, TextMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ModelError
from symposia.core.models import RequestUsage
from symposia.core.tools import FunctionTool
from symposia.ext.agents.openai import OpenAIAgent
from symposia.testing.model_server import Failure, Hold, MockModelServer, Raw, Reply, ToolCall

load_sdks()

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def agent_of(server: MockModelServer, *replies: Any, **options: Any) -> OpenAIAgent:
    server.script(*replies)
    client = AsyncOpenAI(api_key="key", base_url=server.openai_url, max_retries=0)
    return OpenAIAgent("helper", "Helps.", client, "gpt-4o", "Be brief.", **options)


def response(*items: dict[str, Any]) -> Raw:
    usage = {"input_tokens": 11, "output_tokens": 7}
    return Raw(body=json.dumps({"id": "resp_1", "status": "completed", "output": items, "usage": usage}).encode())


def said(text: str) -> dict[str, Any]:
    content: list[Any] = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


async def test_tools_at_the_vendor_are_beside_those_that_run_here(server: MockModelServer) -> None:
    agent = agent_of(
        server,
        Reply(tool_calls=(ToolCall(id="call_1", name="add", arguments='{"a": 1, "b": 2}'),)),
        Reply(text="It is 3."),
        tools=["web_search_preview", {"type": "file_search", "vector_store_ids": ["vs_1"]}, add],
        temperature=0.5,
        max_output_tokens=100,
        truncation="auto",
    )
    result = await agent.run(task="What is 1 + 2?")
    assert isinstance(answer := result.messages[-1], TextMessage)
    assert (answer.content, answer.models_usage) == ("It is 3.", RequestUsage(prompt_tokens=11, completion_tokens=7))
    first, second = (each.body for each in server.requests)
    assert [tool["type"] for tool in first["tools"]] == ["web_search_preview", "file_search", "function"]
    assert (first["temperature"], first["max_output_tokens"], first["truncation"]) == (0.5, 100, "auto")
    assert first["input"][0] == {"role": "system", "content": "Be brief."}
    assert [item["type"] for item in second["input"]] == ["function_call_output"]  # the rest is stored there
    assert second["previous_response_id"]


async def test_the_history_is_not_sent_again_beside_the_id_of_the_response(server: MockModelServer) -> None:
    """AutoGen's agent sends both, so that the model reads everything twice."""
    agent = agent_of(server, Reply(text="One."), Reply(text="Two."))
    await agent.run(task="first")
    await agent.run(task="second")
    assert server.last_body["input"] == [{"role": "user", "content": "second"}]


async def test_without_storage_the_whole_conversation_is_sent(server: MockModelServer) -> None:
    agent = agent_of(server, Reply(text="One."), Reply(text="Two."), store=False)
    await agent.run(task="first")
    await agent.run(task="second")
    assert [item["role"] for item in server.last_body["input"]] == ["system", "user", "assistant", "user"]
    assert server.last_body["store"] is False


async def test_json_mode_asks_for_json(server: MockModelServer) -> None:
    await agent_of(server, Reply(text="{}"), json_mode=True).run(task="Answer in JSON.")
    assert server.last_body["text"] == {"format": {"type": "json_object"}}


async def test_images_that_were_made_at_the_vendor_are_part_of_the_answer(server: MockModelServer) -> None:
    drawn = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PIXEL}
    agent = agent_of(server, response(drawn, said("A pixel.")), tools=["image_generation"])
    answer = (await agent.run(task="Draw.")).messages[-1]
    assert isinstance(answer, MultiModalMessage)
    assert answer.content[0] == "A pixel."
    broken = {**drawn, "result": base64.b64encode(b"none").decode()}
    with pytest.raises(ModelError, match="an image that cannot be read"):
        await agent_of(server, response(broken)).run(task="Draw.")


async def test_items_of_unknown_types_are_passed_over_and_sent_back(server: MockModelServer) -> None:
    searched: dict[str, Any] = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "x"}}
    unknown = {"type": "hologram_call", "id": "h_1", "shape": "cube"}
    agent = agent_of(server, response(searched, unknown, said("Found.")), Reply(text="Yes."), store=False)
    await agent.run(task="Search.")
    result = await agent.run(task="Sure?")
    assert [item.get("type") for item in server.last_body["input"]][2:4] == ["web_search_call", "hologram_call"]
    assert result.messages[-1].to_text() == "Yes."


async def test_what_the_vendor_waits_for_and_does_not_get_is_an_error(server: MockModelServer) -> None:
    """It would otherwise be an empty answer, and a call without a result in the conversation, which is refused."""
    waiting: list[tuple[dict[str, Any], str]] = [
        ({"type": "mcp_approval_request", "id": "m", "name": "delete", "arguments": "{}"}, "approval of a call"),
        ({"type": "local_shell_call", "id": "l", "action": {"command": ["rm"]}}, "a command on this machine"),
        ({"type": "computer_call", "id": "c", "call_id": "c", "action": {"type": "click"}}, "an action on a screen"),
    ]
    for item, words in waiting:
        agent = agent_of(server, response(item), Reply(text="Then without."))
        with pytest.raises(ModelError, match=words):
            await agent.run(task="Do it.")
        assert (await agent.run(task="Without that.")).messages[-1].to_text() == "Then without."
        assert item["type"] not in {each.get("type") for each in server.last_body["input"]}


async def test_errors_and_early_ends_are_model_errors_and_the_turn_can_be_repeated(server: MockModelServer) -> None:
    for reply, options in [
        (Failure(status=500, message="broken"), {}),
        (Failure(status=401, message="who are you"), {}),
        (Raw(body=b'{"output": 7}'), {}),
        (Raw(body=b'{"status": "failed", "output": [], "error": {"message": "no"}}'), {}),
        (Reply(text="cut off here", cut_after=2), {"model_client_stream": True}),
    ]:
        agent = agent_of(server, reply, Reply(text="Here."), **options)
        with pytest.raises(ModelError):
            await agent.run(task="hello")
        assert (await agent.run(task="hello")).messages[-1].to_text() == "Here."
        assert [item["content"] for item in server.last_body["input"]] == ["Be brief.", "hello"]


async def test_the_text_is_streamed_on_request(server: MockModelServer) -> None:
    agent = agent_of(server, Reply(text="one two three"), model_client_stream=True)
    chunks = [item async for item in agent.run_stream(task="count") if isinstance(item, ModelClientStreamingChunkEvent)]
    assert "".join(chunk.content for chunk in chunks) == "one two three"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_turn_ends_its_request(server: MockModelServer, stream: bool) -> None:
    hold, token = Hold(after=2 if stream else 0), CancellationToken()
    agent = agent_of(server, Reply(text="one two", hold=hold), Reply(text="Here."), model_client_stream=stream)
    turn = asyncio.create_task(agent.run(task="hello", cancellation_token=token))
    await asyncio.wait_for(hold.reached.wait(), 20)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert (await agent.run(task="hello")).messages[-1].to_text() == "Here."


async def test_a_saved_conversation_is_continued_by_another_agent(server: MockModelServer) -> None:
    first = agent_of(server, Reply(text="One."))
    await first.run(task="first")
    saved = json.loads(json.dumps(await first.save_state()))
    second = agent_of(server, Reply(text="Two."))
    await second.load_state(saved)
    assert (await second.save_state()) == saved
    await second.run(task="second")
    assert len(server.last_body["input"]) == 4  # whole: this client has not seen the response
    await second.on_reset(CancellationToken())
    assert not (await second.save_state())["llm_context"]["messages"]


async def test_a_state_of_autogen_is_loaded(server: MockModelServer) -> None:
    history = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "answer"}]
    agent = agent_of(server, Reply(text="Two."))
    await agent.load_state({"type": "OpenAIAgentState", "response_id": "resp_2", "history": history})
    await agent.run(task="second")
    assert [item["content"] for item in server.last_body["input"]] == ["Be brief.", "one", "answer", "second"]
    with pytest.raises(InvalidArgumentError, match="no message"):
        await agent.load_state({"history": [7]})
    with pytest.raises(ArgumentTypeError):
        await agent.load_state(None)  # pyright: ignore[reportArgumentType]


async def test_the_component_is_autogens(server: MockModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = agent_of(server, tools=["web_search_preview"], json_mode=True, temperature=0.5)
    saved = agent.dump_component()
    assert saved.config == {
        "name": "helper",
        "description": "Helps.",
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "tools": [{"type": "web_search_preview"}],
        "temperature": 0.5,
        "json_mode": True,
        "store": True,
        "truncation": "disabled",
    }
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    loaded = OpenAIAgent.load_component(saved.model_copy(update={"provider": "autogen_ext.agents.openai.OpenAIAgent"}))
    assert (loaded.name, loaded.model, loaded.tools) == ("helper", "gpt-4o", [{"type": "web_search_preview"}])
    assert loaded.dump_component() == saved
    await loaded.close()
    assert OpenAIAgent.from_config(agent.to_config()).to_config() == agent.to_config()


def test_tools_that_run_here_are_saved_as_components() -> None:
    client = AsyncOpenAI(api_key="key", base_url="http://127.0.0.1:1/v1")
    own = FunctionTool(add, description="Adds.", name="sum")
    tools = OpenAIAgent("helper", "Helps.", client, "gpt-4o", "Be brief.", tools=[own]).to_config().tools or []
    assert [tool.provider for tool in tools if not isinstance(tool, dict)] == ["symposia.core.tools.FunctionTool"]


def test_wrong_arguments_are_refused_at_once(server: MockModelServer) -> None:
    refused: list[tuple[Any, str]] = [
        ("teleport", "is no tool at OpenAI"),
        ("file_search", "needs vector_store_ids"),
        ({"type": "code_interpreter"}, "needs container"),
        ({"vector_store_ids": []}, "is no tool at OpenAI"),
        (7, "Unsupported tool type"),
    ]
    for tool, words in refused:
        with pytest.raises(InvalidArgumentError, match=words):
            agent_of(server, tools=[tool])
    with pytest.raises(InvalidArgumentError, match="model of agent 'helper' is '': give the name of a model"):
        OpenAIAgent("helper", "Helps.", AsyncOpenAI(api_key="key"), "", "")
    with pytest.raises(ArgumentTypeError, match="AsyncOpenAI"):
        OpenAIAgent("helper", "Helps.", "key", "gpt-4o", "")  # pyright: ignore[reportArgumentType]
