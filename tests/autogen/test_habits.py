"""What programs written for AutoGen rely on beyond its public names, as its guide shows it."""

import logging
from operator import attrgetter

import pytest

from symposia.agentchat.agents import AssistantAgent
from symposia.core import EVENT_LOGGER_NAME
from symposia.core.logging import LLMCallEvent
from symposia.core.memory import ListMemory, MemoryContent
from symposia.core.models import UserMessage
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply


async def test_the_private_model_context_of_an_assistant_is_the_public_one() -> None:
    memory = ListMemory()
    await memory.add(MemoryContent(content="The user is in Lisbon.", mime_type="text/plain"))
    agent = AssistantAgent("assistant", ReplayChatCompletionClient(["Sunny."]), memory=[memory])
    await agent.run(task="What is the weather?")
    context = attrgetter("_model_context")(agent)
    assert context is agent.model_context
    assert "Lisbon" in str(await context.get_messages())


async def test_the_event_of_a_model_call_has_the_list_of_tools_also_where_it_is_empty(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with MockModelServer() as server:
        server.script(Reply(text="4"))
        client = OpenAIChatCompletionClient(model="gpt-5.5", api_key="test", base_url=server.openai_url)
        with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME):
            await client.create([UserMessage(content="2 + 2?", source="user")])
        await client.close()
    (event,) = [record.msg for record in caplog.records if isinstance(record.msg, LLMCallEvent)]
    assert event.kwargs["tools"] == []
