"""The contract of model clients, the messages to and from models, and model calls as effects."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.models._abilities import check_calls_tools, model_info_advice, model_name
    from symposia.core.models._client import ChatCompletionClient, CreateOptions
    from symposia.core.models._effect import (
        MODEL_EFFECT,
        ModelRequest,
        call_model,
        stream_model,
    )
    from symposia.core.models._messages import (
        AssistantMessage,
        FunctionExecutionResult,
        FunctionExecutionResultMessage,
        LLMMessage,
        SystemMessage,
        UserMessage,
        VendorBlocks,
    )
    from symposia.core.models._model_info import ModelCapabilities, ModelFamily, ModelInfo, validate_model_info
    from symposia.core.models._results import (
        ChatCompletionTokenLogprob,
        CreateResult,
        FinishReasons,
        TopLogprob,
    )
    from symposia.core.models._token_estimate import estimate_text_tokens, estimate_tokens
    from symposia.core.models._usage import RequestUsage, TokenPrice, usage_attributes
    from symposia.core.models._usage_account import UsageAccount, report_usage
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_abilities": ["check_calls_tools", "model_info_advice", "model_name"],
            "_client": ["ChatCompletionClient", "CreateOptions"],
            "_effect": ["MODEL_EFFECT", "ModelRequest", "call_model", "stream_model"],
            "_messages": [
                "AssistantMessage",
                "FunctionExecutionResult",
                "FunctionExecutionResultMessage",
                "LLMMessage",
                "SystemMessage",
                "UserMessage",
                "VendorBlocks",
            ],
            "_model_info": ["ModelCapabilities", "ModelFamily", "ModelInfo", "validate_model_info"],
            "_results": [
                "ChatCompletionTokenLogprob",
                "CreateResult",
                "FinishReasons",
                "TopLogprob",
            ],
            "_token_estimate": ["estimate_text_tokens", "estimate_tokens"],
            "_usage": ["RequestUsage", "TokenPrice", "usage_attributes"],
            "_usage_account": ["UsageAccount", "report_usage"],
        },
    )

__all__ = [
    "MODEL_EFFECT",
    "AssistantMessage",
    "ChatCompletionClient",
    "ChatCompletionTokenLogprob",
    "CreateOptions",
    "CreateResult",
    "FinishReasons",
    "FunctionExecutionResult",
    "FunctionExecutionResultMessage",
    "LLMMessage",
    "ModelCapabilities",
    "ModelFamily",
    "ModelInfo",
    "ModelRequest",
    "RequestUsage",
    "SystemMessage",
    "TokenPrice",
    "TopLogprob",
    "UsageAccount",
    "UserMessage",
    "VendorBlocks",
    "call_model",
    "check_calls_tools",
    "estimate_text_tokens",
    "estimate_tokens",
    "model_info_advice",
    "model_name",
    "report_usage",
    "stream_model",
    "usage_attributes",
    "validate_model_info",
]
