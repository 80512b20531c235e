"""The contract of a model: one of a vendor, or one of the program's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

Response: TypeAlias = Any
"""Any: `openai.types.chat.ChatCompletion`, or what a model client of the program answers."""


@runtime_checkable
class ModelClient(Protocol):
    """A model of the program's own; see `OpenAIWrapper.register_model_client`."""

    RESPONSE_USAGE_KEYS: ClassVar[list[str]] = ["prompt_tokens", "completion_tokens", "total_tokens", "cost", "model"]

    class ModelClientResponseProtocol(Protocol):
        """An answer: it has choices, and the name of the model."""

        class Choice(Protocol):
            """One of several answers to one request."""

            class Message(Protocol):
                """What the model says."""

                content: str | None

            message: ModelClient.ModelClientResponseProtocol.Choice.Message

        choices: list[ModelClient.ModelClientResponseProtocol.Choice]
        model: str

    def create(self, params: dict[str, Any]) -> ModelClient.ModelClientResponseProtocol:  # Any: of the configuration
        """Answer a request: its ``messages``, and all of the configuration's entry that is not for a connection."""
        ...

    def message_retrieval(self, response: Response) -> Sequence[Any]:
        """What an answer says: a text or a message for each choice."""
        ...

    def cost(self, response: Response) -> float:
        """What an answer cost."""
        ...

    @staticmethod
    def get_usage(response: Response) -> dict[str, Any]:  # Any: numbers, and the model's name
        """The usage of an answer, under `RESPONSE_USAGE_KEYS`. Without any, the call is not counted."""
        ...
