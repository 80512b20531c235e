"""The assistant of a chat, and the bundled conversation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from symposia.agentchat.agents import AssistantAgent
from symposia.core.memory import Memory
from symposia.presets._models import NamedModel
from symposia.presets._recorded import RecordedConversation

ASSISTANT: Final = "assistant"

CHAT_PROMPT: Final = """\
You talk with a person in a terminal. Answer the question first, in plain text that reads well without formatting, and
as briefly as it allows. Say so when you do not know something or guess. Ask back only where the answer depends on it.
"""

DOCUMENTS_PROMPT: Final = """\
You are shown passages of the person's documents that may answer the question. Name the source in brackets with what you
take from them. Say so when the answer is not in them.
"""


def chat_agent(
    model: NamedModel, system_message: str = CHAT_PROMPT, *, memory: Sequence[Memory] | None = None
) -> AssistantAgent:
    """The assistant. Its words are shown as they come, and it remembers the whole conversation.

    Args:
        model: The model.
        system_message: Its instructions.
        memory: Asked before each answer for what fits, such as a `SQLiteMemory` of documents.
    """
    return AssistantAgent(
        ASSISTANT,
        model.client,
        description="Talks with a person.",
        system_message=system_message,
        memory=memory,
        model_client_stream=True,
        reflect_on_tool_use=True,  # so that a call of a tool that it does not have is no answer
    )


def bundled_chat() -> RecordedConversation:
    """The bundled conversation. It reads a file, and may block."""
    return RecordedConversation.read(Path(__file__).parent / "bundled.toml")
