"""Clients of ours that a program overrides with AutoGen's parameters written out. Pyright checks this file strictly."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ABLE

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken
from symposia.core.models import CreateResult, LLMMessage
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply

Choice = Tool | Literal["auto", "required", "none"]


class CountingReplay(ReplayChatCompletionClient):
    asked = 0

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Choice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        self.asked += 1
        return await super().create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Choice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        self.asked += 1
        async for item in super().create_stream(messages, tools=tools, cancellation_token=cancellation_token):
            yield item


class CountingOpenAI(OpenAIChatCompletionClient):
    asked = 0

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Choice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        self.asked += 1
        return await super().create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Choice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,
        include_usage: bool | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        self.asked += 1
        async for item in super().create_stream(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
            max_consecutive_empty_chunk_tolerance=max_consecutive_empty_chunk_tolerance,
            include_usage=include_usage,
        ):
            yield item


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize("streaming", [False, True])
async def test_n13_an_agent_calls_a_replay_client_that_a_program_has_overridden(streaming: bool) -> None:
    client = CountingReplay(["three"], model_info=ABLE)
    agent = AssistantAgent("agent", client, tools=[add], model_client_stream=streaming)
    assert (await agent.run(task="1 + 2?")).messages[-1].to_text() == "three"
    assert client.asked == 1


@pytest.mark.parametrize("streaming", [False, True])
async def test_n13_an_agent_calls_a_vendors_client_that_a_program_has_overridden(
    server: MockModelServer, streaming: bool
) -> None:
    server.script(Reply(text="three"))
    client = CountingOpenAI(model="gpt-4o", api_key="none", base_url=server.openai_url)
    agent = AssistantAgent("agent", client, tools=[add], model_client_stream=streaming)
    assert (await agent.run(task="1 + 2?")).messages[-1].to_text() == "three"
    assert client.asked == 1
    await client.close()
