from collections.abc import Sequence

from symposia.agentchat.messages import BaseChatMessage, HandoffMessage
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage


class Intake:
    """Puts the messages that an agent is given into its model context, each of them once.

    A turn that fails leaves its messages in the context, unanswered. Whoever tries again gives the same messages again;
    they are recognised by what the model would read, since a retry may well make new messages of the same text.
    """

    def __init__(self, context: ChatCompletionContext) -> None:
        self._context = context
        self._unanswered: list[LLMMessage] = []

    async def take(self, messages: Sequence[BaseChatMessage]) -> None:
        """Add `messages` to the context, but for those that a failed turn has left there."""
        given = [entry for message in messages for entry in _model_messages(message)]
        if not given:
            return
        known = self._unanswered if given[: len(self._unanswered)] == self._unanswered else []
        self._unanswered = known
        for entry in given[len(known) :]:
            await self._context.add_message(entry)
            self._unanswered.append(entry)

    def answered(self) -> None:
        """The turn ended well: the next one's messages are new, whatever they say."""
        self._unanswered = []


def _model_messages(message: BaseChatMessage) -> list[LLMMessage]:
    before = message.context if isinstance(message, HandoffMessage) else []
    return [*before, message.to_model_message()]
