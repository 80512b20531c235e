"""The conversation as one model sees it, and ways to keep it within bounds."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.model_context._bounded import (
        BufferedChatCompletionContext,
        HeadAndTailChatCompletionContext,
        TokenLimitedChatCompletionContext,
    )
    from symposia.core.model_context._context import (
        ChatCompletionContext,
        ChatCompletionContextState,
        ContextLimits,
        UnboundedChatCompletionContext,
    )
    from symposia.core.model_context._summarizing import (
        SummarizingChatCompletionContext,
        SummarizingChatCompletionContextState,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_bounded": [
                "BufferedChatCompletionContext",
                "HeadAndTailChatCompletionContext",
                "TokenLimitedChatCompletionContext",
            ],
            "_context": [
                "ChatCompletionContext",
                "ChatCompletionContextState",
                "ContextLimits",
                "UnboundedChatCompletionContext",
            ],
            "_summarizing": ["SummarizingChatCompletionContext", "SummarizingChatCompletionContextState"],
        },
    )

__all__ = [
    "BufferedChatCompletionContext",
    "ChatCompletionContext",
    "ChatCompletionContextState",
    "ContextLimits",
    "HeadAndTailChatCompletionContext",
    "SummarizingChatCompletionContext",
    "SummarizingChatCompletionContextState",
    "TokenLimitedChatCompletionContext",
    "UnboundedChatCompletionContext",
]
