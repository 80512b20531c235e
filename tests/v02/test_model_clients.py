"""`to_model_client`: configurations of AutoGen 0.2 as model clients of 0.4."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import AzureOpenAIChatCompletionClient
from symposia.testing.model_server import Failure, MockModelServer, Reply
from symposia.v02.oai.conversion import to_model_client


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


Entry = dict[str, Any]  # Any: JSON


def entry(server: MockModelServer, model: str = "gpt-4o", **more: object) -> Entry:
    return {"model": model, "api_key": "test", "base_url": server.openai_url, "max_retries": 0, **more}


HELLO = [UserMessage(content="hi", source="user")]


def test_an_agent_of_04_asks_the_model_of_a_configuration(server: MockModelServer) -> None:
    server.script(Reply(text="Hello."))
    client = to_model_client({"config_list": [entry(server, tags=["x"], price=[0, 0])], "temperature": 0})
    agent = AssistantAgent("assistant", model_client=client)
    assert asyncio.run(agent.run(task="hi")).messages[-1].to_text() == "Hello."
    assert (server.requests[0].body["model"], server.requests[0].body["temperature"]) == ("gpt-4o", 0)
    assert "tags" not in server.requests[0].body
    assert client.dump_component().config["model"] == "gpt-4o"


def test_the_next_entry_answers_when_one_fails(server: MockModelServer) -> None:
    server.script(Failure(status=500), Reply(text="Second."))
    client = to_model_client({"config_list": [entry(server), entry(server, "gpt-4o-mini")]})
    assert asyncio.run(client.create(HELLO)).content == "Second."
    assert [request.body["model"] for request in server.requests] == ["gpt-4o", "gpt-4o-mini"]


def test_answers_are_kept_under_a_cache_seed_alone(
    server: MockModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.script(Reply(text="One."), Reply(text="Two."), Reply(text="Three."))

    async def twice(client: ChatCompletionClient) -> list[object]:
        return [(await client.create(HELLO)).content for _ in range(2)]

    def answers(**options: object) -> list[object]:
        return asyncio.run(twice(to_model_client({**entry(server), **options})))

    assert answers(cache_seed=5) == ["One.", "One."]
    assert answers(cache_seed=5) == ["One.", "One."]
    assert answers() == ["Two.", "Three."]
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["5"]


def test_the_api_type_of_an_entry_names_its_vendor() -> None:
    azure = {
        "api_type": "azure",
        "model": "gpt-4o",
        "api_key": "x",
        "base_url": "https://a.invalid",
        "api_version": "1",
    }
    assert isinstance(to_model_client(azure), AzureOpenAIChatCompletionClient)
    claude = {"api_type": "anthropic", "model": "claude-sonnet-4-5", "api_key": "x"}
    assert isinstance(to_model_client({"config_list": [claude]}), AnthropicChatCompletionClient)


@pytest.mark.parametrize(
    ("option", "advice"),
    [("functions", "as its tools"), ("filter_func", "no counterpart"), ("stream", "model_client_s")],
)
def test_what_no_client_takes_is_refused_with_what_to_do(option: str, advice: str, server: MockModelServer) -> None:
    with pytest.raises(InvalidArgumentError, match=f"'{option}': .*{advice}"):
        to_model_client({"config_list": [entry(server)], option: ["x"]})
