"""Conditions on the agents' messages and events."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat import base
from symposia.agentchat._arguments import check_optional_text, check_optional_texts, check_texts
from symposia.agentchat.conditions._condition import MessageCondition
from symposia.agentchat.messages import (
    HandoffMessage,
    Messages,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
)
from symposia.core.argument_checks import check_flag, check_text


class TextMentionTermination(MessageCondition):
    """Ends a run when a message or an event contains a text.

    Args:
        text: The text, in this very spelling.
        sources: Whose messages count; those of all agents, by default.
        include_task: Whether the task counts as well: by default, "say DONE when you are done" ends nothing.

    Raises:
        ArgumentTypeError: `text` is no text, `sources` no list of texts, or `include_task` no flag.
    """

    def __init__(self, text: str, sources: Sequence[str] | None = None, *, include_task: bool = False) -> None:
        super().__init__()
        owner = "a TextMentionTermination"
        check_text("text", owner, text)
        check_optional_texts("The sources", owner, sources)
        check_flag("include_task", owner, include_task)
        self._text = text
        self._sources = sources
        self._include_task = include_task

    async def start(self, task: Messages) -> StopMessage | None:
        """Look at the task only if asked to."""
        return await (self(task) if self._include_task else super().start(task))

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Met by an agent that writes the text; never, if none of the sources is there."""
        if missing := _no_source(self._sources, team):
            return base.ConditionOutline(impossible=missing)
        if team.mentions(self._text):
            return base.ConditionOutline()
        finding = base.Finding(
            severity="note",
            where="termination_condition",
            what=f"The run ends at the text {self._text!r}, which no prompt mentions.",
            advice="Tell an agent in its system message, or in the task, when to write it.",
        )
        return base.ConditionOutline(findings=[finding])

    async def look(self, messages: Messages) -> str | None:
        """Search the messages and events."""
        counted = (each for each in messages if self._counts(each.source))
        return f"Text '{self._text}' mentioned" if any(self._text in each.to_text() for each in counted) else None

    def _counts(self, source: str) -> bool:
        return self._sources is None or source in self._sources


class StopMessageTermination(MessageCondition):
    """Ends a run when an agent sends a `StopMessage`."""

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Never met, if no agent produces one."""
        if team.produces is None or any(issubclass(each, StopMessage) for each in team.produces):
            return base.ConditionOutline()
        return base.ConditionOutline(impossible="no agent produces a StopMessage")

    async def look(self, messages: Messages) -> str | None:
        """Look for one."""
        return "Stop message received" if any(isinstance(each, StopMessage) for each in messages) else None


class TextMessageTermination(MessageCondition):
    """Ends a run when an agent sends a `TextMessage`.

    Args:
        source: The agent's name; any agent, by default.

    Raises:
        ArgumentTypeError: It is no text.
    """

    def __init__(self, source: str | None = None) -> None:
        super().__init__()
        check_optional_text("source", "a TextMessageTermination", source)
        self._source = source

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Never met, if the source is not there."""
        return base.ConditionOutline(impossible=_no_source(None if self._source is None else [self._source], team))

    async def look(self, messages: Messages) -> str | None:
        """Look for one."""
        for message in messages:
            if isinstance(message, TextMessage) and self._source in {None, message.source}:
                return f"Text message received from '{message.source}'"
        return None


class SourceMatchTermination(MessageCondition):
    """Ends a run when one of these has answered.

    Args:
        sources: Their names.

    Raises:
        ArgumentTypeError: It is no list of texts.
    """

    def __init__(self, sources: list[str]) -> None:
        super().__init__()
        check_texts("The sources", "a SourceMatchTermination", sources)
        self._sources = sources

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Never met, if none of the sources is there."""
        return base.ConditionOutline(impossible=_no_source(self._sources, team))

    async def look(self, messages: Messages) -> str | None:
        """Look for an answer of theirs."""
        for message in messages:
            if message.source in self._sources:
                return f"'{message.source}' answered"
        return None


class HandoffTermination(MessageCondition):
    """Ends a run when the conversation is handed to a target, for instance to a person.

    Args:
        target: The target's name.

    Raises:
        ArgumentTypeError: It is no text.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        check_text("target", "a HandoffTermination", target)
        self._target = target

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Never met, if no agent has a handoff to the target."""
        if team.handoffs is None or self._target in team.handoffs:
            return base.ConditionOutline(handoffs=[self._target])
        return base.ConditionOutline(impossible=f"no agent has a handoff to {self._target!r}")

    async def look(self, messages: Messages) -> str | None:
        """Look for a handoff."""
        for message in messages:
            if isinstance(message, HandoffMessage) and message.target == self._target:
                return f"Handoff to {message.target} from {message.source} detected."
        return None


class FunctionCallTermination(MessageCondition):
    """Ends a run when a function was called and has run.

    Args:
        function_name: Its name.

    Raises:
        ArgumentTypeError: It is no text.
    """

    def __init__(self, function_name: str) -> None:
        super().__init__()
        check_text("function_name", "a FunctionCallTermination", function_name)
        self._function_name = function_name

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Never met, if no agent has a tool of that name."""
        if team.tools is None or self._function_name in team.tools:
            return base.ConditionOutline()
        return base.ConditionOutline(impossible=f"no agent has a tool {self._function_name!r}")

    async def look(self, messages: Messages) -> str | None:
        """Look for its result."""
        events = (message for message in messages if isinstance(message, ToolCallExecutionEvent))
        ran = any(result.name == self._function_name for event in events for result in event.content)
        return f"Function '{self._function_name}' was executed." if ran else None


def _no_source(sources: Sequence[str] | None, team: base.TeamProfile) -> str | None:
    """Why no message comes from these sources; None if one may, or if every source counts.

    A custom agent may write under any name, so a missing name is reported only where all agents are known.
    """
    if sources is None or not team.is_known or team.sources.intersection(sources):
        return None
    return f"its sources are {list(sources)}, and messages come from {sorted(team.sources)}"
