"""Agents that a service runs over a thread of messages: what OpenAI's Assistants and Azure's agents share."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.agents._threads._agent import ThreadAgent, hosted_tools
    from symposia.ext.agents._threads._api import Connection, ThreadsApi
    from symposia.ext.agents._threads._client import ThreadClient
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agent": ["ThreadAgent", "hosted_tools"],
            "_api": ["Connection", "ThreadsApi"],
            "_client": ["ThreadClient"],
        },
    )

__all__ = ["Connection", "ThreadAgent", "ThreadClient", "ThreadsApi", "hosted_tools"]
