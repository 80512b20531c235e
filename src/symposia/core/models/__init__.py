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
from ._token_estimate import estimate_text_tokens, estimate_tokens

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
    "estimate_text_tokens",
    "estimate_tokens",
    "validate_model_info",
]
