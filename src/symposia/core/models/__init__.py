"""What a model client is, and the messages that go to and from a model."""

from symposia.core.models._client import ChatCompletionClient
from symposia.core.models._family import ModelFamily
from symposia.core.models._messages import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    VendorBlocks,
)
from symposia.core.models._model_info import ModelCapabilities, ModelInfo, validate_model_info
from symposia.core.models._results import (
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
)
from symposia.core.models._token_estimate import estimate_text_tokens, estimate_tokens

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
