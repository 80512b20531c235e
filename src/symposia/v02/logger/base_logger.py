"""What a logger of conversations has."""

from __future__ import annotations

import sqlite3
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["BaseLogger"]


class BaseLogger(ABC):
    """Takes what happens in conversations, from several threads."""

    @abstractmethod
    def start(self) -> str:
        """Begin a session, and return its id."""

    @abstractmethod
    def log_chat_completion(
        self,
        invocation_id: uuid.UUID,
        client_id: int,
        wrapper_id: int,
        source: object,
        request: Mapping[str, Any],  # Any: JSON
        response: object,
        is_cached: int,
        cost: float,
        start_time: str,
    ) -> None:
        """A model was asked.

        Args:
            invocation_id: Of this request.
            client_id: The `id` of the model client.
            wrapper_id: The `id` of the `OpenAIWrapper`.
            source: The agent that asks, or its name.
            request: What was asked.
            response: The answer, or the text of an error.
            is_cached: 1 for an answer from a cache, 0 for others.
            cost: US dollars.
            start_time: When the request began, in UTC.
        """

    @abstractmethod
    def log_new_agent(self, agent: object, init_args: Mapping[str, Any]) -> None:  # Any: arguments of a constructor
        """An agent was made."""

    @abstractmethod
    def log_event(self, source: object, name: str, **kwargs: object) -> None:
        """An agent received a message (``received_message``), or called a reply function (``reply_func_executed``)."""

    @abstractmethod
    def log_new_wrapper(self, wrapper: object, init_args: Mapping[str, Any]) -> None:  # Any: arguments of a constructor
        """An `OpenAIWrapper` was made."""

    @abstractmethod
    def log_new_client(self, client: object, wrapper: object, init_args: Mapping[str, Any]) -> None:  # Any: see above
        """A model client was made."""

    @abstractmethod
    def log_function_use(
        self, source: object, function: Callable[..., object], args: Mapping[str, Any], returns: object
    ) -> None:
        """A function was called for a model."""

    @abstractmethod
    def stop(self) -> None:
        """End the session."""

    @abstractmethod
    def get_connection(self) -> sqlite3.Connection | None:
        """The database, where it is one."""
