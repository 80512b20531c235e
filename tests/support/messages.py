"""Every message and event that comes with the library, drawn by hypothesis."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from tests.support.chat_agents import PIXEL

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeExecutionEvent,
    CodeGenerationEvent,
    CodeOutputEvent,
    GuardrailEvent,
    HandoffMessage,
    MemoryQueryEvent,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    OutputRejectedEvent,
    ProgressLedgerEvent,
    SelectorEvent,
    SelectSpeakerEvent,
    StopMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
    UserInputRequestedEvent,
)
from symposia.core import FunctionCall
from symposia.core.code_executor import CodeBlock, CodeResult
from symposia.core.memory import MemoryContent
from symposia.core.models import AssistantMessage, FunctionExecutionResult, RequestUsage, UserMessage

texts = st.text(max_size=20)
calls = st.lists(st.builds(FunctionCall, id=texts, arguments=texts, name=texts), max_size=3)
results = st.lists(
    st.builds(FunctionExecutionResult, content=texts, name=texts, call_id=texts, is_error=st.none() | st.booleans()),
    max_size=3,
)
sent: Mapping[str, st.SearchStrategy[Any]] = {
    "source": texts,
    "models_usage": st.none() | st.builds(RequestUsage, prompt_tokens=st.integers(0), completion_tokens=st.integers(0)),
    "metadata": st.dictionaries(texts, texts, max_size=2),
}
context = st.lists(
    st.builds(UserMessage, content=texts, source=texts) | st.builds(AssistantMessage, content=calls, source=texts),
    max_size=2,
)
every_message: st.SearchStrategy[BaseChatMessage | BaseAgentEvent] = st.one_of(
    st.builds(TextMessage, content=texts, **sent),
    st.builds(StopMessage, content=texts, **sent),
    st.builds(HandoffMessage, content=texts, target=texts, context=context, **sent),
    st.builds(ToolCallSummaryMessage, content=texts, tool_calls=calls, results=results, **sent),
    st.builds(MultiModalMessage, content=st.lists(texts | st.just(PIXEL), max_size=3), **sent),
    st.builds(ToolCallRequestEvent, content=calls, **sent),
    st.builds(ToolCallExecutionEvent, content=results, **sent),
    st.builds(
        CodeGenerationEvent,
        retry_attempt=st.integers(0),
        content=texts,
        code_blocks=st.lists(st.builds(CodeBlock, code=texts, language=texts), max_size=2),
        **sent,
    ),
    st.builds(
        CodeExecutionEvent,
        retry_attempt=st.integers(0),
        result=st.builds(CodeResult, exit_code=st.integers(), output=texts),
        **sent,
    ),
    st.builds(UserInputRequestedEvent, request_id=texts, **sent),
    st.builds(ModelClientStreamingChunkEvent, content=texts, full_message_id=st.none() | texts, **sent),
    st.builds(
        CodeOutputEvent,
        content=texts,
        full_message_id=st.none() | texts,
        stream=st.sampled_from(["stdout", "stderr"]),
        **sent,
    ),
    st.builds(OutputRejectedEvent, content=texts, reason=texts, attempt=st.integers(0), **sent),
    st.builds(
        ProgressLedgerEvent,
        content=texts,
        is_satisfied=st.booleans(),
        is_in_loop=st.booleans(),
        is_progressing=st.booleans(),
        next_speaker=st.none() | texts,
        stalls=st.integers(0),
        max_stalls=st.integers(0),
        **sent,
    ),
    st.builds(
        GuardrailEvent,
        content=texts,
        guardrail=texts,
        stage=st.sampled_from(["input", "tool_call", "output"]),
        verdict=st.sampled_from(["allow", "block", "change"]),
        call_id=st.none() | texts,
        **sent,
    ),
    st.builds(ThoughtEvent, content=texts, **sent),
    st.builds(SelectorEvent, content=texts, **sent),
    st.builds(SelectSpeakerEvent, content=st.lists(texts, max_size=2), **sent),
    st.builds(
        MemoryQueryEvent,
        content=st.lists(st.builds(MemoryContent, content=texts, mime_type=st.just("text/plain")), max_size=2),
        **sent,
    ),
)
