"""The conversation as one model sees it, and ways to keep it within bounds."""

from ._buffered import BufferedChatCompletionContext
from ._context import ChatCompletionContext, ChatCompletionContextState
from ._head_and_tail import HeadAndTailChatCompletionContext
from ._summarizing import SummarizingChatCompletionContext, SummarizingChatCompletionContextState
from ._token_limited import TokenLimitedChatCompletionContext
from ._unbounded import UnboundedChatCompletionContext

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
