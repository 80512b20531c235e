"""The conversation as one model sees it, and ways to keep it within bounds."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.model_context._buffered import BufferedChatCompletionContext
    from symposia.core.model_context._context import ChatCompletionContext, ChatCompletionContextState
    from symposia.core.model_context._head_and_tail import HeadAndTailChatCompletionContext
    from symposia.core.model_context._summarizing import (
        SummarizingChatCompletionContext,
        SummarizingChatCompletionContextState,
    )
    from symposia.core.model_context._token_limited import TokenLimitedChatCompletionContext
    from symposia.core.model_context._unbounded import UnboundedChatCompletionContext
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_buffered": ["BufferedChatCompletionContext"],
            "_context": ["ChatCompletionContext", "ChatCompletionContextState"],
            "_head_and_tail": ["HeadAndTailChatCompletionContext"],
            "_summarizing": ["SummarizingChatCompletionContext", "SummarizingChatCompletionContextState"],
            "_token_limited": ["TokenLimitedChatCompletionContext"],
            "_unbounded": ["UnboundedChatCompletionContext"],
        },
    )

__all__ = [
    "BufferedChatCompletionContext",
    "ChatCompletionContext",
    "ChatCompletionContextState",
    "HeadAndTailChatCompletionContext",
    "SummarizingChatCompletionContext",
    "SummarizingChatCompletionContextState",
    "TokenLimitedChatCompletionContext",
    "UnboundedChatCompletionContext",
]
