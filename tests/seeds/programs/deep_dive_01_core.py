# From seed 002, "Framework Deep Dive: AutoGen", section "Core Layer".
# Needs: nothing.

from autogen_core import MessageContext, RoutedAgent, message_handler
from dataclasses import dataclass
@dataclass
class TextMessage:
    content: str
    source: str
class CustomAgent(RoutedAgent):
    @message_handler
    async def handle_message(
        self,
        message: TextMessage,
        ctx: MessageContext
    ) -> TextMessage:
        # Process message and respond
        response = f"Received: {message.content}"
        return TextMessage(content=response, source=self.id.type)
