"""The answer of a run, made of the messages that it has written. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.agents._threads._shapes import WAITING, PendingCall, Run, ThreadMessage

_ENDINGS: Final = {"expired": "expired, as runs do after ten minutes", "cancelled": "been cancelled"}
_OTHER_ACTION: Final = "Take the tool that needs it from the assistant: only calls of functions are answered."


def calls_of(service: str, run: Run) -> list[FunctionCall]:
    """The calls for whose results a run waits; empty if it has answered.

    Raises:
        ModelError: It has failed, or waits for something else than functions.
    """
    if run.status not in {WAITING, "completed", "incomplete"}:
        raise ModelError(f"{service}: the run has {_ENDINGS.get(run.status, run.status)}: {run.fault}")
    calls = [_call(service, call) for call in run.calls]
    if run.status == WAITING and not calls:
        raise ModelError(f"{service}: the run waits for an action that this agent does not know. {_OTHER_ACTION}")
    return calls


def answer_of(
    service: str,
    run: Run,
    calls: Sequence[FunctionCall],
    written: Sequence[ThreadMessage],
    message_limit: int,
    blocks: VendorBlocks,
) -> CreateResult:
    """The answer of a run.

    Args:
        service: The name of the service.
        run: The run.
        calls: The calls for whose results it waits.
        written: The messages that it has written.
        message_limit: How many of the last messages are the answer. Those before are its thought.
        blocks: What the answer keeps of its thread; see `blocks_of`.

    Raises:
        ModelError: The run has ended, and has written nothing.
    """
    answer = written[-message_limit:]
    if not calls and not answer:
        raise ModelError(f"{service}: the run ended as {run.status!r} without a message: {run.fault}")
    thoughts = written if calls else written[:-message_limit]
    return CreateResult(
        finish_reason=_finish_reason(run),
        content=list(calls) or _text(answer),
        usage=RequestUsage(
            prompt_tokens=run.usage.prompt_tokens if run.usage else 0,
            completion_tokens=run.usage.completion_tokens if run.usage else 0,
        ),
        cached=False,
        thought=_text(thoughts) or None,
        vendor_blocks=blocks,
    )


def _finish_reason(run: Run) -> FinishReasons:
    if run.status == "incomplete":
        return "content_filter" if "content_filter" in run.fault else "length"
    return "function_calls" if run.calls else "stop"


def _text(messages: Sequence[ThreadMessage]) -> str:
    return "\n".join(filter(None, (message.text for message in messages)))


def _call(service: str, call: PendingCall) -> FunctionCall:
    if call.function is None:
        raise ModelError(f"{service}: the run waits for {call.type!r}. {_OTHER_ACTION}")
    return FunctionCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
