"""What a model client is, and the messages that go to and from a model."""

from ._client import ChatCompletionClient
from ._family import ModelFamily
from ._messages import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    VendorBlocks,
)
from ._model_info import ModelCapabilities, ModelInfo, validate_model_info
from ._results import ChatCompletionTokenLogprob, CreateResult, FinishReasons, RequestUsage, TopLogprob

__all__ = [
    "AssistantMessage",
    "ChatCompletionClient",
    "ChatCompletionTokenLogprob",
    "CreateResult",
    "FinishReasons",
    "FunctionExecutionResult",
    "FunctionExecutionResultMessage",
    "LLMMessage",
    "ModelCapabilities",
    "ModelFamily",
    "ModelInfo",
    "RequestUsage",
    "SystemMessage",
    "TopLogprob",
    "UserMessage",
    "VendorBlocks",
    "validate_model_info",
]
