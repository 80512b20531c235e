"""The messages that agents send each other, and the events that show what happens inside them."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.messages._base import (
        BaseAgentEvent,
        BaseChatMessage,
        BaseMessage,
        BaseTextChatMessage,
        Item,
        Messages,
        MessageType,
        new_message_id,
    )
    from symposia.agentchat.messages._bulk import (
        dump_messages,
    )
    from symposia.agentchat.messages._chat import (
        ChatMessage,
        HandoffMessage,
        MultiModalMessage,
        StopMessage,
        TextMessage,
        ToolCallSummaryMessage,
    )
    from symposia.agentchat.messages._code_and_memory import (
        AgentEvent,
        CodeExecutionEvent,
        CodeGenerationEvent,
        CodeOutputEvent,
        ExecutionMessage,
        MemoryQueryEvent,
    )
    from symposia.agentchat.messages._events import (
        GuardrailEvent,
        ModelClientStreamingChunkEvent,
        OutputRejectedEvent,
        ProgressLedgerEvent,
        SelectorEvent,
        SelectSpeakerEvent,
        ThoughtEvent,
        ToolCallExecutionEvent,
        ToolCallRequestEvent,
        ToolCallResultMessage,
        UserInputRequestedEvent,
    )
    from symposia.agentchat.messages._factory import (
        MessageFactory,
    )
    from symposia.agentchat.messages._structured import (
        StructuredContentType,
        StructuredMessage,
        StructuredMessageFactory,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_base": [
                "BaseAgentEvent",
                "BaseChatMessage",
                "BaseMessage",
                "BaseTextChatMessage",
                "Item",
                "MessageType",
                "Messages",
                "new_message_id",
            ],
            "_bulk": [
                "dump_messages",
            ],
            "_chat": [
                "ChatMessage",
                "HandoffMessage",
                "MultiModalMessage",
                "StopMessage",
                "TextMessage",
                "ToolCallSummaryMessage",
            ],
            "_code_and_memory": [
                "AgentEvent",
                "CodeExecutionEvent",
                "CodeGenerationEvent",
                "CodeOutputEvent",
                "ExecutionMessage",
                "MemoryQueryEvent",
            ],
            "_events": [
                "GuardrailEvent",
                "ModelClientStreamingChunkEvent",
                "OutputRejectedEvent",
                "ProgressLedgerEvent",
                "SelectSpeakerEvent",
                "SelectorEvent",
                "ThoughtEvent",
                "ToolCallExecutionEvent",
                "ToolCallRequestEvent",
                "ToolCallResultMessage",
                "UserInputRequestedEvent",
            ],
            "_factory": [
                "MessageFactory",
            ],
            "_structured": [
                "StructuredContentType",
                "StructuredMessage",
                "StructuredMessageFactory",
            ],
        },
    )

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
    "GuardrailEvent",
    "HandoffMessage",
    "Item",
    "MemoryQueryEvent",
    "MessageFactory",
    "MessageType",
    "Messages",
    "ModelClientStreamingChunkEvent",
    "MultiModalMessage",
    "OutputRejectedEvent",
    "ProgressLedgerEvent",
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
