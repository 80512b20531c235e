"""Guardrails that decide by the text alone, or by a function of the program."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

from typing_extensions import override

from symposia.agentchat._arguments import check_optional_text, check_texts
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
from symposia.agentchat.guardrails._texts import (
    content_texts,
    context_texts,
    json_text,
    names_in,
    replaced_in,
    texts_in,
    with_texts,
)
from symposia.agentchat.messages import BaseChatMessage
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
        """The stages that have a function."""
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
    def always_blocks(self, tool: str) -> bool:
        """Whether it is none of the tools."""
        return tool not in self._tools

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Look the name up."""
        if call.name in self._tools:
            return Allow()
        return Block(f"The tool {call.name!r} may not be called here.")


class TextPatterns(Guardrail):
    """Blocks, or replaces, text that fits one of some regular expressions: keys, addresses, words.

    It looks at the text of messages as a model reads it, with the context of a handoff, and at the arguments of tool
    calls: at each text in them, and at all of them as JSON. What cannot be replaced is blocked instead: a match in a
    message whose content is neither text nor a list of texts and images, across several texts, or in a number.

    Args:
        patterns: The regular expressions. A match anywhere counts.
        replacement: Takes the place of each match, as in `re.sub`; None blocks.
        stages: What is checked.
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `patterns` is no list of texts, or `replacement` no text.
        InvalidArgumentError: One of them is no regular expression, the replacement names a group that it has not, or
            there is no such stage.
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
        check_optional_text("replacement", owner, replacement)
        self._patterns = [_compiled(owner, pattern, replacement or "") for pattern in patterns]
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
        # Search the texts as the tool receives them, where a tab is not escaped, and the JSON, which has the numbers.
        if (pattern := self._found_in(*texts_in(call.arguments), *_around_texts(call.arguments))) is None:
            return Allow()
        changed = cast("Mapping[str, object]", replaced_in(call.arguments, self._replace))
        if self._replacement is None or self._is_left(texts_in(changed), _around_texts(changed)):
            return Block(_found(pattern))  # without a replacement, or the match is in a name or a number
        return Change(changed, f"{_found(pattern)} It was replaced.")

    @override
    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Look for the patterns in the answer."""
        if (pattern := self._found_in(message.to_model_text(), *context_texts(message))) is None:
            return Allow()
        changed = None if self._replacement is None else with_texts(message, self._replace)
        if changed is None or self._is_left(content_texts(changed), [changed.to_model_text()]):
            return Block(_found(pattern))
        return Change(changed, f"{_found(pattern)} It was replaced.")

    def _found_in(self, *texts: str) -> str | None:
        return next((each.pattern for each in self._patterns if any(map(each.search, texts))), None)

    def _replace(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(self._replacement or "", text)
        return text

    def _is_left(self, replaced: Iterable[str], whole: Iterable[str]) -> bool:
        """Whether a match is left that could not be replaced. One in the replaced texts comes from the replacement."""
        parts, texts = list(replaced), list(whole)
        return any(any(map(each.search, texts)) and not any(map(each.search, parts)) for each in self._patterns)


def _around_texts(arguments: Mapping[str, object]) -> list[str]:
    return [json_text(arguments), *names_in(arguments)]


def _found(pattern: str) -> str:
    return f"It has text that fits the pattern {pattern!r}."


def _compiled(owner: str, pattern: str, replacement: str) -> re.Pattern[str]:
    """Compile a pattern, and try the replacement: with nothing to replace, `sub` still reads it.

    Raises:
        InvalidArgumentError: It is no regular expression, or has not the groups of the replacement.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InvalidArgumentError(f"A pattern of {owner} is no regular expression: {error}.") from error
    try:
        compiled.sub(replacement, "")
    except (re.error, IndexError) as error:
        raise InvalidArgumentError(
            f"The replacement of {owner} does not fit the pattern {pattern!r}: {error}. Write a backslash that stands "
            "for itself twice."
        ) from error
    return compiled
