from collections.abc import Sequence

from symposia.agentchat.utils import remove_images
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage, SystemMessage


class ModelView:
    """What an agent's model is shown: what it is told first, and the conversation of a model context.

    Args:
        context: The conversation.
        system_message: What comes first; None for nothing.
        takes_images: Otherwise ``<image>`` stands for each picture.
    """

    def __init__(self, context: ChatCompletionContext, system_message: str | None, *, takes_images: bool) -> None:
        self._context = context
        self._system = [] if system_message is None else [SystemMessage(content=system_message)]
        self._text_only = None if takes_images else _TextOnly()

    async def messages(self) -> list[LLMMessage]:
        """All of it, as of now."""
        conversation = await self._context.get_messages()
        return [*self._system, *(conversation if self._text_only is None else self._text_only.of(conversation))]


class _TextOnly:
    """A growing conversation without its images.

    What was looked at once is not looked at again while the conversation only grows, so that a turn does not cost more
    the longer it is. A conversation that changed in another way shows by its messages having moved.
    """

    def __init__(self) -> None:
        self._shown: list[LLMMessage] = []
        self._last_seen: LLMMessage | None = None

    def of(self, conversation: Sequence[LLMMessage]) -> list[LLMMessage]:
        known = len(self._shown)
        if known > len(conversation) or (known and conversation[known - 1] is not self._last_seen):
            known = 0
        self._shown[known:] = remove_images(conversation[known:])
        self._last_seen = conversation[-1] if conversation else None
        return self._shown
