"""The Assistants API of the server, asked by OpenAI's SDK, and by the agents that use it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from azure.ai.projects.aio import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy
from openai import AsyncOpenAI, BadRequestError, NotFoundError, RateLimitError

from symposia.ext.agents.azure import AzureAIAgent
from symposia.ext.agents.openai import OpenAIAssistantAgent
from symposia.testing import MockModelServer
from symposia.testing.model_server import Failure, Reply, Rule, ToolCall, When
from symposia.v02.agentchat.contrib.gpt_assistant_agent import GPTAssistantAgent

STOCK = ToolCall(id="call_1", name="stock", arguments='{"item": "lamp"}')
FUNCTION: dict[str, object] = {
    "type": "function",
    "function": {"name": "stock", "description": "Counts.", "parameters": {}},
}
RULES = [
    Rule([Reply(tool_calls=(STOCK,))], when=When(role="user", vendor="openai-assistants", system="brief")),
    Rule([Reply(text="There are 12.")], when=When(role="tool", last="12", turn=2, tools=["stock"])),
]


def stock(item: str) -> int:
    """Count an item."""
    return {"lamp": 12}[item]


class Service:
    """The paths of the service, by the SDK's client: its methods for them are deprecated, and warn."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        return await self._client.post(path, body=body or {}, cast_to=object)

    async def get(self, path: str) -> Any:
        return await self._client.get(path, cast_to=object)

    async def delete(self, path: str) -> Any:
        return await self._client.delete(path, cast_to=object)

    async def run(self, **options: object) -> tuple[str, str]:
        """The paths of a thread, and of a run over it."""
        assistant = await self.post("/assistants", {"model": "gpt-4o", "instructions": "Be brief.", **options})
        thread = await self.post("/threads", {"messages": [{"role": "user", "content": "How many lamps?"}]})
        run = await self.post(f"/threads/{thread['id']}/runs", {"assistant_id": assistant["id"]})
        assert run["status"] == "queued"
        return f"/threads/{thread['id']}", f"/threads/{thread['id']}/runs/{run['id']}"


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@pytest.fixture
async def service(server: MockModelServer) -> AsyncIterator[Service]:
    async with AsyncOpenAI(api_key="none", base_url=server.openai_url, max_retries=0) as client:
        yield Service(client)


async def test_an_assistant_agent_of_openai_is_answered_by_rules() -> None:
    async with (
        MockModelServer(RULES) as server,
        AsyncOpenAI(api_key="none", base_url=server.openai_url) as client,
    ):
        agent = OpenAIAssistantAgent("clerk", "Counts.", client, "gpt-4o", "Be brief.", tools=[stock])
        result = await agent.run(task="How many lamps?")
        assert result.messages[-1].to_text() == "There are 12."
        assert [request.answered_by for request in server.requests] == ["rule 'rule 1'", "rule 'rule 2'"]
        assert server.problems == []


async def test_an_agent_of_azure_is_answered_by_rules() -> None:
    class NoCredential:
        async def get_token(self, *scopes: str, **options: object) -> AccessToken:
            raise AssertionError("the policy asks for no token")

        async def close(self) -> None: ...

    async with MockModelServer(RULES, keep_alive=True) as server:
        project = AIProjectClient(
            f"{server.url}/api/projects/shop",
            NoCredential(),  # pyright: ignore[reportArgumentType] - it has what is used of one
            authentication_policy=SansIOHTTPPolicy[Any, Any](),
        )
        async with project:
            agent = AzureAIAgent("clerk", "Counts.", project, "gpt-4o", "Be brief.", tools=[stock])
            assert (await agent.run(task="How many lamps?")).messages[-1].to_text() == "There are 12."


def test_an_assistant_agent_of_autogen_02_is_answered_by_rules() -> None:
    with MockModelServer(RULES) as server:
        entry = {"model": "gpt-4o", "api_key": "none", "base_url": server.openai_url}
        config = {"config_list": [entry], "cache_seed": None, "check_every_ms": 1}
        agent = GPTAssistantAgent("clerk", "Be brief.", config, assistant_config={"tools": [FUNCTION]})
        agent.register_function({"stock": stock})
        reply = agent.generate_reply([{"role": "user", "content": "How many lamps?"}])
        assert isinstance(reply, dict)
        assert str(reply["content"]).strip() == "There are 12."


async def test_a_run_waits_for_results_then_writes_and_counts_all_its_tokens(
    server: MockModelServer, service: Service
) -> None:
    server.script(Reply(tool_calls=(STOCK,)), Reply(text="There are 12."))
    thread, run = await service.run(tools=[FUNCTION])
    waiting = await service.get(run)
    assert waiting["status"] == "requires_action"
    (call,) = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert (call["id"], json.loads(call["function"]["arguments"])) == ("call_1", {"item": "lamp"})
    with pytest.raises(BadRequestError, match="Expected tool outputs for call_ids"):
        await service.post(f"{run}/submit_tool_outputs", {"tool_outputs": [{"tool_call_id": "x", "output": "1"}]})
    await service.post(f"{run}/submit_tool_outputs", {"tool_outputs": [{"tool_call_id": "call_1", "output": "12"}]})
    done = await service.get(run)
    assert (done["status"], done["usage"]) == (
        "completed",
        {"prompt_tokens": 22, "completion_tokens": 14, "total_tokens": 36},
    )
    listed = (await service.get(f"{thread}/messages"))["data"]
    assert [(each["role"], each["content"][0]["text"]["value"]) for each in listed] == [
        ("assistant", "There are 12."),
        ("user", "How many lamps?"),
    ]
    asked = server.requests[-1].conversation
    assert asked is not None
    assert [message.role for message in asked.messages] == ["user", "assistant", "tool"]


async def test_a_thread_with_an_active_run_takes_no_message_and_no_other_run(
    server: MockModelServer, service: Service
) -> None:
    server.script(Reply(text="Hm."))
    thread, run = await service.run()
    with pytest.raises(BadRequestError, match=r"while a run .* is active"):
        await service.post(f"{thread}/messages", {"role": "user", "content": "And?"})
    with pytest.raises(BadRequestError, match="already has an active run"):
        await service.post(f"{thread}/runs", {"assistant_id": "assistant_1"})
    assert (await service.post(f"{run}/cancel"))["status"] == "cancelling"
    assert (await service.get(run))["status"] == "cancelled"
    with pytest.raises(BadRequestError, match="Cannot cancel run with status 'cancelled'"):
        await service.post(f"{run}/cancel")
    assert len((await service.get(f"{thread}/messages"))["data"]) == 1


async def test_a_thread_can_be_made_with_its_run(server: MockModelServer, service: Service) -> None:
    server.script(Reply(text="", stop="length"))
    await service.post("/assistants", {"model": "gpt-4o", "tools": [{"type": "file_search"}]})
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hello."}]}]
    made = await service.post(
        "/threads/runs",
        {"assistant_id": "assistant_1", "thread": {"messages": messages}, "additional_instructions": "In rhyme."},
    )
    run = await service.get(f"/threads/{made['thread_id']}/runs/{made['id']}")
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    asked = server.requests[-1].conversation
    assert asked is not None
    assert (asked.system, asked.messages[-1].text, [tool.name for tool in asked.tools]) == (
        *("In rhyme.", "Hello."),
        ["file_search"],
    )


async def test_errors_of_the_script_answer_the_request_and_start_no_run(
    server: MockModelServer, service: Service
) -> None:
    server.script(Failure(status=429))
    with pytest.raises(RateLimitError):
        await service.run()
    assert (await service.get("/threads/thread_2/runs"))["data"] == []


@pytest.mark.parametrize("path", ["/assistants/x", "/threads/x", "/threads/x/runs", "/files/x", "/vector_stores/x"])
async def test_what_is_not_there_is_a_status_of_404(service: Service, path: str) -> None:
    with pytest.raises(NotFoundError, match="found with id 'x'"):
        await service.get(path)


async def test_a_body_that_is_none_is_refused(server: MockModelServer, service: Service) -> None:
    with pytest.raises(BadRequestError, match="not one of openai-assistants"):
        await service.post("/threads", {"messages": [{"role": "user"}]})
    assert len(server.problems) == 1
    with pytest.raises(NotFoundError, match="No assistant found"):
        await service.post("/threads/runs")
    await service.post("/assistants", {"model": "gpt-4o"})
    server.script(Reply(text="Hi."))
    with pytest.raises(BadRequestError, match="start the run without stream"):
        await service.post("/threads/runs", {"assistant_id": "assistant_2", "stream": True})


async def test_lists_come_in_pages(service: Service) -> None:
    for number in range(3):
        await service.post("/assistants", {"model": "gpt-4o", "name": f"clerk {number}"})
    first = await service.get("/assistants?limit=2")
    assert ([each["name"] for each in first["data"]], first["has_more"]) == (["clerk 2", "clerk 1"], True)
    rest = await service.get(f"/assistants?limit=2&after={first['last_id']}")
    assert ([each["name"] for each in rest["data"]], rest["has_more"]) == (["clerk 0"], False)
    await service.post("/assistants/assistant_1", {"name": "changed"})
    oldest = await service.get("/assistants?order=asc")
    assert oldest["data"][0]["name"] == "changed"
    assert (await service.delete("/assistants/assistant_1"))["deleted"]
    assert len((await service.get("/assistants"))["data"]) == 2


async def test_files_come_back_as_they_were(server: MockModelServer) -> None:
    async with AsyncOpenAI(api_key="none", base_url=server.openai_url) as client:
        data = bytes(range(256))
        file = await client.files.create(file=("a.bin", data), purpose="assistants")
        assert (file.filename, file.bytes, file.purpose) == ("a.bin", 256, "assistants")
        assert (await client.files.content(file.id)).content == data
        store = await client.vector_stores.create(name="manuals")
        batch = await asyncio.wait_for(
            client.vector_stores.file_batches.create_and_poll(store.id, file_ids=[file.id]), 30
        )
        assert (batch.status, batch.file_counts.completed) == ("completed", 1)
        await client.files.delete(file.id)
        with pytest.raises(NotFoundError):
            await client.files.retrieve(file.id)
