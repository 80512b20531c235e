"""The assistant behind ``symposia chat``: one agent that a person talks with.

::

    assistant = chat_agent(model_named("gpt-5.5"))
    await converse(assistant, read_line, print)
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.presets._conversation import HistoryError, Partner, ReadLine, Watch, converse
from symposia.presets.chat._agent import ASSISTANT, CHAT_PROMPT, DOCUMENTS_PROMPT, bundled_chat, chat_agent

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "ASSISTANT",
    "CHAT_PROMPT",
    "DOCUMENTS_PROMPT",
    "HistoryError",
    "Partner",
    "ReadLine",
    "Watch",
    "bundled_chat",
    "chat_agent",
    "converse",
]
