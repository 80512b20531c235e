"""What vendors behind OpenAI's format add to a message with tool calls and want back untouched.

OpenAI itself adds nothing. Google signs the thinking before a call (``extra_content``), OpenRouter keeps
``reasoning_details``, DeepSeek wants its ``reasoning_content`` again; each answers 400, or thinks worse, without.
"""

from __future__ import annotations

from typing import Any, Final

from symposia.core.models import AssistantMessage, VendorBlocks
from symposia.ext.models.openai._wire import MessageWire, ToolCallWire

VENDOR: Final = "openai"
_OPAQUE: Final = ("reasoning_content", "reasoning_details")
_RETURNED: Final = (*_OPAQUE, "content")
_OWN_CALL_FIELDS: Final = frozenset({"index", "id", "type", "function"})


def opaque_blocks(message: MessageWire) -> VendorBlocks | None:
    """The fields of an answer with tool calls that the vendor wants back."""
    calls = message.get("tool_calls") or []
    fields: dict[str, object] = {name: field for name in _OPAQUE if (field := message.get(name))}
    if extras := {call.get("id") or "": extra for call in calls if (extra := _extra_fields(call))}:
        fields["tool_calls"] = extras
    return {VENDOR: [{**fields, "content": message.get("content")}]} if calls and fields else None


def with_opaque_fields(wire: dict[str, Any], message: AssistantMessage) -> dict[str, Any]:
    """The message again as the vendor sent it."""
    for fields in (message.vendor_blocks or {}).get(VENDOR, ()):
        extras: Any = fields.get("tool_calls", {})  # as `opaque_blocks` wrote it: fields by the call's id
        wire["tool_calls"] = [{**call, **extras.get(call["id"], {})} for call in wire["tool_calls"]]
        wire.update({name: fields[name] for name in _RETURNED if name in fields})
    return wire


def _extra_fields(call: ToolCallWire) -> dict[str, object]:
    return {name: value for name, value in call.items() if name not in _OWN_CALL_FIELDS}
