"""An assistant of OpenAI's Assistants API as a model client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.ext.agents._threads import ThreadClient, ThreadsApi
from symposia.ext.agents.openai._assistant_agent import OpenAIConnection

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_module("openai")

ALL: Final = 1_000
"""More messages than a run writes."""


class OpenAIAssistantClient(ThreadClient):
    """Answers a conversation by the runs of an assistant over one thread, which it makes for the first answer.

    All that a run writes is its answer. The conversation keeps, as `VendorBlocks` of each answer, how far the thread
    is: what is new is posted. The functions that it calls are those of the assistant.

    Args:
        client: The SDK's client. It belongs to the caller.
        options: What the assistant is made of: model, instructions, tools, …
        assistant_id: An assistant that exists; None to make one for the first answer.
        polling_interval: Seconds between two questions whether a run has ended.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        options: Mapping[str, object],
        *,
        assistant_id: str | None = None,
        polling_interval: float = 0.5,
    ) -> None:
        api = ThreadsApi(OpenAIConnection(client))
        api.polling_interval = polling_interval
        super().__init__(api, options, assistant_id, None)
        self.message_limit = ALL
