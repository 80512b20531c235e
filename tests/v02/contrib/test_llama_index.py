"""Agents of AutoGen 0.2 whose replies come from LlamaIndex: its own engine and agent, with its model for tests."""

import gc
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any

import pytest
from tests.support.v02_agents import speaker

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.agentchat.contrib.llamaindex_conversable_agent import LLamaIndexConversableAgent

llms: Any = import_module("llama_index.core.llms")
agents: Any = import_module("llama_index.core.agent.workflow")
engines: Any = import_module("llama_index.core.chat_engine")
utils: Any = import_module("llama_index.core.utils")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # LlamaIndex uses what is deprecated
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # and leaves loops and connections open
]


@pytest.fixture(autouse=True)
def _nothing_is_downloaded() -> Iterator[None]:
    """Counts words for tokens, and collects what LlamaIndex leaves open where its warnings are ignored."""
    utils.set_global_tokenizer(str.split)
    yield
    gc.collect()


class Reasoning(llms.MockLLM):
    """Answers an agent that reasons with what the conversation says."""

    async def astream_chat(self, messages: Any, **kwargs: Any) -> AsyncIterator[Any]:
        said = [f"{message.role.value}: {message.content}" for message in messages if message.role.value != "system"]
        text = f"Thought: I can answer without using any more tools.\nAnswer: {' | '.join(said)}"

        async def pieces() -> AsyncIterator[Any]:
            yield llms.ChatResponse(message=llms.ChatMessage(role="assistant", content=text), delta=text)

        return pieces()


def guide(replies: Any) -> LLamaIndexConversableAgent:
    return LLamaIndexConversableAgent("guide", replies, description="Knows places.")


def engine() -> Any:
    """A chat engine whose model answers with what it is told."""
    return engines.SimpleChatEngine.from_defaults(llm=llms.MockLLM())


def test_a_chat_engine_is_given_the_conversation() -> None:
    agent, user = guide(engine()), speaker("user", "And Rome?")
    result = user.initiate_chat(agent, message="Where is Oslo?", max_turns=2, silent=True)
    first, second = (message["content"] for message in result.chat_history[1::2])
    assert first.startswith("user: Where is Oslo?")
    assert second.startswith(f"user: Where is Oslo?\nassistant: {first}")
    assert "user: And Rome?" in second
    assert agent.description == "Knows places."


async def test_an_asynchronous_chat_awaits_a_chat_engine() -> None:
    result = await speaker("user").a_initiate_chat(guide(engine()), message="Oslo?", max_turns=1, silent=True)
    assert result.summary.startswith("user: Oslo?")


def test_an_agent_that_is_a_workflow_runs_in_a_plain_chat() -> None:
    agent, user = guide(agents.ReActAgent(llm=Reasoning(), tools=[])), speaker("user", "And Rome?")
    result = user.initiate_chat(agent, message="Oslo?", max_turns=2, silent=True)
    assert result.summary == "user: Oslo? | assistant: user: Oslo? | user: And Rome?"


async def test_an_agent_that_is_a_workflow_is_awaited() -> None:
    agent = guide(agents.ReActAgent(llm=Reasoning(), tools=[]))
    result = await speaker("user").a_initiate_chat(agent, message="Oslo?", max_turns=1, silent=True)
    assert result.summary == "user: Oslo?"


@pytest.mark.parametrize("description", [None, " "])
def test_it_needs_a_description(description: str | None) -> None:
    with pytest.raises(ValueError, match="needs a description"):
        LLamaIndexConversableAgent("guide", engine(), description)


def test_what_does_not_reply_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="a method chat or run"):
        guide(object())
