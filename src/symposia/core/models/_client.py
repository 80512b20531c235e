"""The contract of model clients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Literal, TypeAlias

from pydantic import BaseModel, JsonValue
from typing_extensions import TypedDict

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core.effects import class_identity
from symposia.core.models._messages import LLMMessage
from symposia.core.models._model_info import ModelCapabilities, ModelInfo
from symposia.core.models._results import CreateResult
from symposia.core.models._usage import RequestUsage, TokenPrice
from symposia.core.tools import Tool, ToolSchema

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]


class CreateOptions(TypedDict, total=False):
    """The keyword arguments of `ChatCompletionClient.create`; see there."""

    tools: Sequence[Tool | ToolSchema]
    tool_choice: ToolChoice
    json_output: bool | type[BaseModel] | None
    extra_create_args: Mapping[str, object]
    cancellation_token: CancellationToken | None


class ChatCompletionClient(ComponentBase, ABC):
    """A model that answers conversations.

    A client never changes the messages, tools or arguments that it is given, and may be used by many agents at once.
    """

    component_type = "model"

    def effect_identity(self) -> dict[str, JsonValue]:
        """The parts of this client that decide a model's answer, as JSON without secrets: by default, its class.

        A recorded answer is given to a request of an equal identity. Override it in a client that has a model's name or
        arguments of its own.
        """
        return class_identity(self)

    @abstractmethod
    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Answer a conversation.

        Args:
            messages: The conversation so far.
            tools: The tools that the model may call.
            tool_choice: Whether it must call one (``"required"``), may (``"auto"``) or must not (``"none"``); or the
                one that it must call.
            json_output: True for JSON of any shape, a model class for JSON of its schema, False for text; None leaves
                it to the vendor.
            extra_create_args: Passed on to the vendor as they are; they win over what the client would send.
            cancellation_token: Cancelling it ends the request.

        Raises:
            ValueError: The model lacks an ability, according to its `model_info`.
            ModelError: The request failed for good.
            asyncio.CancelledError: The token was cancelled.
        """

    @abstractmethod
    def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Answer a conversation in pieces: text as it comes, and last the whole answer with its usage.

        Arguments and errors are those of `create`.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""

    @abstractmethod
    def actual_usage(self) -> RequestUsage:
        """Tokens that the vendor was paid for since the client was made: answers from a cache count nothing."""

    @abstractmethod
    def total_usage(self) -> RequestUsage:
        """Tokens of all requests since the client was made, answers from a cache included."""

    @abstractmethod
    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens that a request would take, without a network: an estimate where no tokenizer is on the machine."""

    def counts_exactly(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> bool:
        """Whether `count_tokens` counts these messages and tools as the vendor does. Else its count is an estimate."""
        del messages, tools
        return False

    @abstractmethod
    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens left in the model's context after these messages and tools; negative when they do not fit."""

    @property
    def token_price(self) -> TokenPrice | None:
        """The list price of the model's tokens; None where it is not known."""
        return None

    @property
    @abstractmethod
    def capabilities(self) -> ModelCapabilities:
        """The former name of `model_info`. A subclass may return either type."""

    @property
    @abstractmethod
    def model_info(self) -> ModelInfo:
        """The abilities of the model."""
