"""The agent of AutoGen 0.2 for LlamaIndex, where the library is not installed."""

import sys

import pytest
from tests.support.v02_agents import speaker

from symposia.core.exceptions import MissingExtraError
from symposia.v02.agentchat.contrib.llamaindex_conversable_agent import LLamaIndexConversableAgent


class Engine:
    def chat(self, message: str, chat_history: list[object]) -> str:
        raise AssertionError("there is no library")


def test_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index", None)
    agent = LLamaIndexConversableAgent("guide", Engine(), description="Knows places.")
    with pytest.raises(MissingExtraError, match=r"symposia\[llama-index\]"):
        speaker("user").initiate_chat(agent, message="Oslo?", max_turns=1, silent=True)
