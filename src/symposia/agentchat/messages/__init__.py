"""The messages that agents send each other, and the events that show what happens inside them."""

from symposia.agentchat.messages._base import (
    BaseAgentEvent,
    BaseChatMessage,
    BaseMessage,
    BaseTextChatMessage,
    new_message_id,
)
from symposia.agentchat.messages._bulk import dump_messages
from symposia.agentchat.messages._chat import (
    ChatMessage,
    HandoffMessage,
    MultiModalMessage,
    StopMessage,
    TextMessage,
    ToolCallSummaryMessage,
)
from symposia.agentchat.messages._events import (
    AgentEvent,
    CodeExecutionEvent,
    CodeGenerationEvent,
    CodeOutputEvent,
    MemoryQueryEvent,
    ModelClientStreamingChunkEvent,
    OutputRejectedEvent,
    SelectorEvent,
    SelectSpeakerEvent,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallResultMessage,
    UserInputRequestedEvent,
)
from symposia.agentchat.messages._execution import ExecutionMessage
from symposia.agentchat.messages._factory import MessageFactory
from symposia.agentchat.messages._structured import StructuredContentType, StructuredMessage, StructuredMessageFactory

__all__ = [
    "AgentEvent",
    "BaseAgentEvent",
    "BaseChatMessage",
    "BaseMessage",
    "BaseTextChatMessage",
    "ChatMessage",
    "CodeExecutionEvent",
    "CodeGenerationEvent",
    "CodeOutputEvent",
    "ExecutionMessage",
    "HandoffMessage",
    "MemoryQueryEvent",
    "MessageFactory",
    "ModelClientStreamingChunkEvent",
    "MultiModalMessage",
    "OutputRejectedEvent",
    "SelectSpeakerEvent",
    "SelectorEvent",
    "StopMessage",
    "StructuredContentType",
    "StructuredMessage",
    "StructuredMessageFactory",
    "TextMessage",
    "ThoughtEvent",
    "ToolCallExecutionEvent",
    "ToolCallRequestEvent",
    "ToolCallResultMessage",
    "ToolCallSummaryMessage",
    "UserInputRequestedEvent",
    "dump_messages",
    "new_message_id",
]
