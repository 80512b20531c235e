"""Effects: what cannot be computed again from the conversation, and the contract by which handlers see each of them.

A model call, a tool call, a run of code, a person's answer and a memory's contents are effects. Each is performed
through its `EffectKind`. Journals, budgets, cassettes, approvals and traces are `EffectHandler`s, added from
outside with `handle_effects`; agents and tools do not depend on them.

Each domain owns its kind, and the one function that performs it:

| kind | request | performed by |
|---|---|---|
| model | `symposia.core.models.ModelRequest` | `call_model`, `stream_model` |
| tool | `symposia.core.tools.ToolRequest` | `call_tool`, `stream_tool` |
| code | `symposia.core.code_executor.CodeRequest` | `execute_code` |
| memory | `symposia.core.memory.MemoryRequest` | `update_context`, `query_memory`, `add_memory` |
| human | `HumanRequest` | `ask_human` |

A custom kind is an `EffectKind` with a request model and a result type.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.effects._failure import decode_error, encode_error
    from symposia.core.effects._human import (
        HUMAN_EFFECT,
        HumanAnswer,
        HumanFunction,
        HumanQuestion,
        HumanReply,
        HumanRequest,
        ask_human,
        call_human_function,
    )
    from symposia.core.effects._identity import Idempotency, class_identity
    from symposia.core.effects._kind import (
        Effect,
        EffectHandler,
        EffectKind,
        EffectRequest,
        current_effect,
        effects_are_handled,
        find_effect_kind,
        handle_effects,
    )
    from symposia.core.effects._results import ResultCodec
    from symposia.core.effects._scope import (
        RecurringScope,
        Scope,
        continue_scope,
        current_scope,
        enter_scope,
        iterate_in_scope,
    )
    from symposia.core.effects._terminal import ask_on_terminal
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_failure": ["decode_error", "encode_error"],
            "_human": [
                "HUMAN_EFFECT",
                "HumanAnswer",
                "HumanFunction",
                "HumanQuestion",
                "HumanReply",
                "HumanRequest",
                "ask_human",
                "call_human_function",
            ],
            "_identity": ["Idempotency", "class_identity"],
            "_kind": [
                "Effect",
                "EffectHandler",
                "EffectKind",
                "EffectRequest",
                "current_effect",
                "effects_are_handled",
                "find_effect_kind",
                "handle_effects",
            ],
            "_results": ["ResultCodec"],
            "_terminal": ["ask_on_terminal"],
            "_scope": [
                "RecurringScope",
                "Scope",
                "continue_scope",
                "current_scope",
                "enter_scope",
                "iterate_in_scope",
            ],
        },
    )

__all__ = [
    "HUMAN_EFFECT",
    "Effect",
    "EffectHandler",
    "EffectKind",
    "EffectRequest",
    "HumanAnswer",
    "HumanFunction",
    "HumanQuestion",
    "HumanReply",
    "HumanRequest",
    "Idempotency",
    "RecurringScope",
    "ResultCodec",
    "Scope",
    "ask_human",
    "ask_on_terminal",
    "call_human_function",
    "class_identity",
    "continue_scope",
    "current_effect",
    "current_scope",
    "decode_error",
    "effects_are_handled",
    "encode_error",
    "enter_scope",
    "find_effect_kind",
    "handle_effects",
    "iterate_in_scope",
]
