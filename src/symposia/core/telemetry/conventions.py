"""The names of OpenTelemetry's semantic conventions for generative AI and for messaging that are used here.

They are written out, since the package that holds them is no dependency. Their source is
https://github.com/open-telemetry/semantic-conventions-genai, and for messaging version 1.41 of
https://github.com/open-telemetry/semantic-conventions; both are in development.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AGENT_DESCRIPTION",
    "AGENT_ID",
    "AGENT_NAME",
    "CACHED_INPUT_TOKENS",
    "CACHE_WRITE_INPUT_TOKENS",
    "COST",
    "ERROR_TYPE",
    "INPUT_MESSAGES",
    "INPUT_TOKENS",
    "MESSAGE_TYPE",
    "MESSAGING_DESTINATION",
    "MESSAGING_DESTINATION_TEMPLATE",
    "MESSAGING_MESSAGE_ID",
    "MESSAGING_OPERATION",
    "MESSAGING_OPERATION_TYPE",
    "MESSAGING_SYSTEM",
    "OPERATION",
    "OUTPUT_MESSAGES",
    "OUTPUT_TOKENS",
    "OUTPUT_TYPE",
    "PROVIDER",
    "REASONING_OUTPUT_TOKENS",
    "REQUEST_MODEL",
    "REQUEST_STREAM",
    "RESPONSE_FINISH_REASONS",
    "RESPONSE_ID",
    "RESPONSE_MODEL",
    "SENDER",
    "SERVER_ADDRESS",
    "SERVER_PORT",
    "SYSTEM",
    "SYSTEM_INSTRUCTIONS",
    "TOOL_CALL_ARGUMENTS",
    "TOOL_CALL_ID",
    "TOOL_CALL_RESULT",
    "TOOL_DESCRIPTION",
    "TOOL_NAME",
    "TOOL_TYPE",
    "WORKFLOW_NAME",
]

ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"

AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"

WORKFLOW_NAME: Final = "gen_ai.workflow.name"

TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"

REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
OUTPUT_TYPE: Final = "gen_ai.output.type"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHED_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
COST: Final = "symposia.usage.usd"

MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_OPERATION: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_DESTINATION_TEMPLATE: Final = "messaging.destination.template"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
MESSAGE_TYPE: Final = "symposia.message.type"
SENDER: Final = "symposia.message.sender"

SYSTEM: Final = "symposia"
"""Who works when an agent or a tool does; a chat names the model's vendor instead."""
