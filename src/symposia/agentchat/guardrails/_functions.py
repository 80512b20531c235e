"""Guardrails that decide by the text alone, or by a function of the program."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

from typing_extensions import override

from symposia.agentchat._arguments import check_texts
from symposia.agentchat.guardrails._guardrail import (
    Allow,
    Block,
    Change,
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    ToolCall,
    Verdict,
    checked_stages,
)
from symposia.agentchat.messages import BaseChatMessage, BaseTextChatMessage, MultiModalMessage
from symposia.core import call_function
from symposia.core.argument_checks import check_function
from symposia.core.exceptions import AgentError, InvalidArgumentError

ValueT = TypeVar("ValueT")
ResultT = TypeVar("ResultT")

_Function: TypeAlias = Callable[[ValueT], Verdict[ResultT] | Awaitable[Verdict[ResultT] | None] | None]

InputCheck: TypeAlias = _Function[Sequence[BaseChatMessage], Sequence[BaseChatMessage]]
"""Decides about the messages that an agent receives. None lets them through. A plain function runs in a thread."""

ToolCallCheck: TypeAlias = _Function[ToolCall, Mapping[str, object]]
"""Decides about a tool call. None lets it through. A plain function runs in a worker thread."""

OutputMessageCheck: TypeAlias = _Function[BaseChatMessage, BaseChatMessage]
"""Decides about the answer of an agent. None lets it through. A plain function runs in a worker thread."""


class FunctionGuardrail(Guardrail):
    """Decides by functions. It cannot be saved as JSON: write a subclass of `Guardrail` for that.

    Args:
        name: The name in events and reasons.
        on_input: Decides about the messages that the agent receives.
        on_tool_call: Decides about a tool call.
        on_output: Decides about the answer.

    Raises:
        ArgumentTypeError: `name` is no text, or one of the others no function.
        InvalidArgumentError: There is no function.
    """

    def __init__(
        self,
        name: str,
        *,
        on_input: InputCheck | None = None,
        on_tool_call: ToolCallCheck | None = None,
        on_output: OutputMessageCheck | None = None,
    ) -> None:
        super().__init__(name)
        owner = f"the guardrail {name!r}"
        check_function("on_input", owner, on_input, "def check(messages)")
        check_function("on_tool_call", owner, on_tool_call, "def check(call)")
        check_function("on_output", owner, on_output, "def check(message)")
        if on_input is None and on_tool_call is None and on_output is None:
            raise InvalidArgumentError(f"{owner} checks nothing: give it on_input, on_tool_call or on_output.")
        self._on_input = on_input
        self._on_tool_call = on_tool_call
        self._on_output = on_output

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        """Those with a function."""
        functions = {"input": self._on_input, "tool_call": self._on_tool_call, "output": self._on_output}
        return frozenset(cast("GuardrailStage", stage) for stage, given in functions.items() if given is not None)

    @override
    async def check_input(
        self, messages: Sequence[BaseChatMessage], context: GuardrailContext
    ) -> Verdict[Sequence[BaseChatMessage]]:
        """Ask the function."""
        return await self._ask(self._on_input, messages)

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Ask the function."""
        return await self._ask(self._on_tool_call, call)

    @override
    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Ask the function."""
        return await self._ask(self._on_output, message)

    async def _ask(self, function: _Function[ValueT, ResultT] | None, value: ValueT) -> Verdict[ResultT]:
        verdict = None if function is None else await call_function(function, value)
        if verdict is None:
            return Allow()
        # Anything else is refused, also True: a function that returns whether it is fine, and one that returns whether
        # it is not, look the same.
        if not isinstance(verdict, Allow | Block | Change):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise AgentError(
                f"The function of the guardrail {self.name!r} has to return Allow(), Block(reason), Change(value) or"
                f" None, and returned {verdict!r}."
            )
        return verdict


class AllowedTools(Guardrail):
    """Blocks the calls of all tools but some. Handoffs are calls of tools too: ``transfer_to_bob``.

    Args:
        tools: The names of the tools that may be called.
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `tools` is no list of texts.
    """

    def __init__(self, tools: Sequence[str], *, name: str = "allowed_tools") -> None:
        super().__init__(name)
        check_texts("tools", f"the guardrail {name!r}", tools)
        self._tools = tuple(tools)

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Look the name up."""
        if call.name in self._tools:
            return Allow()
        return Block(f"The tool {call.name!r} may not be called here.")


class TextPatterns(Guardrail):
    """Blocks, or replaces, text that fits one of some regular expressions: keys, addresses, words.

    It looks at the text of messages as a model reads it, and at the arguments of tool calls as JSON. A message whose
    content is neither text nor a list of texts and images cannot be changed, and is blocked instead.

    Args:
        patterns: The regular expressions. A match anywhere counts.
        replacement: Takes the place of each match, as in `re.sub`; None blocks.
        stages: What is checked.
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `patterns` is no list of texts.
        InvalidArgumentError: One of them is no regular expression, or there is no such stage.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        replacement: str | None = None,
        stages: Sequence[GuardrailStage] = ("input", "output"),
        name: str = "text_patterns",
    ) -> None:
        super().__init__(name)
        owner = f"the guardrail {name!r}"
        check_texts("patterns", owner, patterns)
        try:
            self._patterns = [re.compile(pattern) for pattern in patterns]
        except re.error as error:
            raise InvalidArgumentError(f"A pattern of {owner} is no regular expression: {error}.") from error
        self._replacement = replacement
        self._stages = checked_stages(owner, stages)

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        """As given."""
        return self._stages

    @override
    async def check_input(
        self, messages: Sequence[BaseChatMessage], context: GuardrailContext
    ) -> Verdict[Sequence[BaseChatMessage]]:
        """Look for the patterns in each of the messages."""
        verdicts = [await self.check_output(message, context) for message in messages]
        if blocked := next((each for each in verdicts if isinstance(each, Block)), None):
            return blocked
        changed = [each.value if isinstance(each, Change) else None for each in verdicts]
        if not any(changed):
            return Allow()
        found = [new or old for new, old in zip(changed, messages, strict=True)]
        return Change(found, next(each.reason for each in verdicts if isinstance(each, Change)))

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Look for the patterns in the arguments."""
        pattern = self._found_in(json.dumps(call.arguments, ensure_ascii=False, default=str))
        if pattern is None:
            return Allow()
        changed = self._replaced(call.arguments)
        if self._replacement is None or changed == call.arguments:  # the match is in a name or a number
            return Block(_found(pattern))
        return Change(cast("Mapping[str, object]", changed), f"{_found(pattern)} It was replaced.")

    @override
    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Look for the patterns in the answer."""
        pattern = self._found_in(message.to_model_text())
        if pattern is None:
            return Allow()
        if self._replacement is None or not isinstance(message, BaseTextChatMessage | MultiModalMessage):
            return Block(_found(pattern))
        changed = message.model_copy(update={"content": self._replaced(message.content)})
        return Change(changed, f"{_found(pattern)} It was replaced.")

    def _found_in(self, text: str) -> str | None:
        return next((pattern.pattern for pattern in self._patterns if pattern.search(text)), None)

    def _replaced(self, value: object) -> object:
        """The value with the matches in all its texts replaced; names of fields stay."""
        if isinstance(value, str):
            for pattern in self._patterns:
                value = pattern.sub(self._replacement or "", value)
            return value
        if isinstance(value, Mapping):
            return {name: self._replaced(each) for name, each in cast("Mapping[str, object]", value).items()}
        if isinstance(value, list):
            return [self._replaced(each) for each in cast("list[object]", value)]
        return value


def _found(pattern: str) -> str:
    return f"It has text that fits the pattern {pattern!r}."
