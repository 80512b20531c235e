"""Guardrails: checks of what an agent receives, calls and answers, which stop, change or ask."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.guardrails._functions import (
        AllowedTools,
        FunctionGuardrail,
        InputCheck,
        OutputMessageCheck,
        TextPatterns,
        ToolCallCheck,
    )
    from symposia.agentchat.guardrails._guardrail import (
        Allow,
        AndGuardrail,
        Approval,
        Block,
        Change,
        Guardrail,
        GuardrailContext,
        GuardrailStage,
        OrGuardrail,
        ToolCall,
        Verdict,
    )
    from symposia.agentchat.guardrails._model_guardrail import ModelGuardrail
    from symposia.agentchat.guardrails._person_approval import PersonApproval
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_functions": [
                "AllowedTools",
                "FunctionGuardrail",
                "InputCheck",
                "OutputMessageCheck",
                "TextPatterns",
                "ToolCallCheck",
            ],
            "_guardrail": [
                "Allow",
                "AndGuardrail",
                "Approval",
                "Block",
                "Change",
                "Guardrail",
                "GuardrailContext",
                "GuardrailStage",
                "OrGuardrail",
                "ToolCall",
                "Verdict",
            ],
            "_model_guardrail": ["ModelGuardrail"],
            "_person_approval": ["PersonApproval"],
        },
    )

__all__ = [
    "Allow",
    "AllowedTools",
    "AndGuardrail",
    "Approval",
    "Block",
    "Change",
    "FunctionGuardrail",
    "Guardrail",
    "GuardrailContext",
    "GuardrailStage",
    "InputCheck",
    "ModelGuardrail",
    "OrGuardrail",
    "OutputMessageCheck",
    "PersonApproval",
    "TextPatterns",
    "ToolCall",
    "ToolCallCheck",
    "Verdict",
]
