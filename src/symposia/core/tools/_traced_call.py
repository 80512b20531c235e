"""Calls of tools as spans and events, where tracing or event logging is on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from typing import TypeVar

from symposia.core.logging import ToolCallEvent
from symposia.core.telemetry import Activity, captures_content, events_are_read, json_text, log_event, tool_execution
from symposia.core.telemetry.conventions import TOOL_CALL_ARGUMENTS, TOOL_CALL_RESULT
from symposia.core.tools._tool import Tool

T = TypeVar("T")


class TracedCall:
    """One call of a tool, traced from its beginning to its end.

    Args:
        tool: The tool.
        args: Its arguments.
        call_id: The `id` of the model's call.
    """

    def __init__(self, tool: Tool, args: Mapping[str, object], call_id: str | None) -> None:
        self._tool = tool
        self._args = args
        self._call_id = call_id

    async def trace(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call."""
        with self._activity() as activity, activity.current():
            result = await call()
            self._note_result(activity, result)
        return result

    async def trace_stream(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Make a call that yields items; the last item is its result."""
        with self._activity() as activity:
            last: list[T] = []
            async with aclosing(activity.within(stream)) as items:
                async for item in items:
                    last[:] = [item]
                    yield item
            for result in last:
                self._note_result(activity, result)

    @contextmanager
    def _activity(self) -> Generator[Activity]:
        with tool_execution(self._tool.name, self._tool.description, self._call_id) as activity:
            if captures_content():
                activity.note(lambda: {TOOL_CALL_ARGUMENTS: json_text(self._args)})
            try:
                yield activity
            except Exception as error:
                self._log(str(error), error_type=type(error).__qualname__)
                raise

    def _note_result(self, activity: Activity, result: object) -> None:
        if captures_content():
            activity.note(lambda: {TOOL_CALL_RESULT: self._text(result)})
        self._log(lambda: self._text(result))

    def _text(self, result: object) -> str:
        """The text that the model gets, if the tool can write it."""
        try:
            return self._tool.return_value_as_string(result)
        except Exception:  # noqa: BLE001 - tracing changes nothing; the caller, who needs the text, gets the error
            return json_text(result)

    def _log(self, result: str | Callable[[], str], **more: str) -> None:
        if events_are_read():
            log_event(ToolCallEvent(tool_name=self._tool.name, arguments=dict(self._args), result=result, **more))
