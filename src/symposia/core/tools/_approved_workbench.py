"""A workbench around another one. A person approves each call with its exact arguments."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from copy import deepcopy
from typing import Any, Self, cast

from pydantic import JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanFunction, HumanQuestion, ask_human, ask_on_terminal
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.json_values import as_json
from symposia.core.terminal_text import printable_json, printable_name
from symposia.core.tools._effect import call_tool, stream_tool
from symposia.core.tools._tool import ToolSchema, ToolTraits
from symposia.core.tools._workbench import StreamWorkbench, TextResultContent, ToolResult, Workbench


class ToolApprovalRequest(HumanQuestion):
    """The question whether a tool may be called. Its text has the call with all arguments.

    Args:
        tool: The name of the tool.
        arguments: The arguments.
        call_id: The `id` of the model's call; None if it has none.
        source: The agent that calls; None if it is not known.
        objections: Reasons against the call, which become lines of the question.

    Attributes:
        tool: The name of the tool.
        arguments: The arguments with which it will be called. Changing them has no effect.
        call_id: The `id` of the model's call; None if it has none.
    """

    tool: str
    arguments: dict[str, JsonValue]
    call_id: str | None

    def __new__(
        cls,
        *,
        tool: str,
        arguments: Mapping[str, JsonValue],
        call_id: str | None = None,
        source: str | None = None,
        objections: Sequence[str] = (),
    ) -> Self:
        call = f"{printable_name(tool)}({', '.join(map(_argument, arguments.items()))})"
        text = f"May {call} be called?" if source is None else f"May {source} call {call}?"
        approval_of: JsonValue = {"tool": tool, "arguments": deepcopy(dict(arguments))}
        lines = [text, *(f"Objection: {printable_name(each)}" for each in objections)]
        question = super().__new__(cls, "\n".join(lines), approval_of=approval_of, source=source)
        question.tool = tool
        question.arguments = deepcopy(dict(arguments))  # of its own: a function may change it
        question.call_id = call_id
        return question


def _argument(item: tuple[str, JsonValue]) -> str:
    name, value = item
    # A model names the arguments too. One that is no name could forge the rest of the call, or another line.
    return f"{name if name.isidentifier() else printable_json(name)}={printable_json(value)}"


class ApprovedWorkbench(StreamWorkbench):
    """A workbench whose calls a person approves, each by itself.

    An approval holds for one call of one tool with exactly its arguments. A second call asks again, so changed
    arguments need a new approval. The arguments are copied before the person is asked, and the tool is
    called with the copy. A refusal is the result of the call, with its reason, and the tool is not called.

    The question is an effect of the kind ``human``, whose `approval_of` is the tool and its arguments. The call itself
    is another one, in the same scope: a run that is resumed asks for no approval twice, and makes no call twice.

    As JSON it has no function. A loaded one asks on the terminal.

    Args:
        workbench: The tools.
        approve: Asks the person; by default, on the terminal.
        names: The tools that need an approval; all of them, by default.

    Raises:
        ArgumentTypeError: `approve` is no function, or `workbench` no workbench.
        InvalidArgumentError: `names` has a name that no tool has.
    """

    component_transient = frozenset({"approve"})

    def __init__(
        self,
        workbench: Workbench,
        approve: HumanFunction[ToolApprovalRequest] | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> None:
        if isinstance(workbench, type) or not hasattr(workbench, "call_tool"):
            raise ArgumentTypeError(
                f"workbench of an ApprovedWorkbench is {workbench!r}: give a workbench, such as StaticWorkbench(tools)."
            )
        check_function("approve", "an ApprovedWorkbench", approve, "def approve(request) -> bool")
        _check_names(names, workbench)
        self._workbench = workbench
        self._approve: HumanFunction[ToolApprovalRequest] = approve or ask_on_terminal
        self._names = None if names is None else frozenset(names)
        self.is_static = workbench.is_static  # pyright: ignore[reportAttributeAccessIssue] - that of the inner one

    async def list_tools(self) -> list[ToolSchema]:
        """The tools of the inner workbench."""
        return await self._workbench.list_tools()

    def known_tools(self) -> Sequence[ToolSchema] | None:
        """Those of the inner workbench."""
        return self._workbench.known_tools()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Ask for an approval, and call the tool if it was given.

        Raises:
            HumanInputError: The person could not be asked. The tool is not called.
            asyncio.CancelledError: The token was cancelled.
        """
        asked, refusal = await self._ask(name, arguments, cancellation_token, call_id)
        return refusal or await call_tool(self._workbench, name, asked, cancellation_token, call_id)

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[object, None]:
        """The same, and yield the items of a tool that yields any; the `ToolResult` comes last."""
        asked, refusal = await self._ask(name, arguments, cancellation_token, call_id)
        if refusal is not None:
            yield refusal
        elif isinstance(self._workbench, StreamWorkbench):
            async with aclosing(stream_tool(self._workbench, name, asked, cancellation_token, call_id)) as items:
                async for item in items:
                    yield item
        else:
            yield await call_tool(self._workbench, name, asked, cancellation_token, call_id)

    async def _ask(
        self, name: str, arguments: Mapping[str, object] | None, token: CancellationToken | None, call_id: str | None
    ) -> tuple[Mapping[str, object] | None, ToolResult | None]:
        """The arguments to call the tool with, and the result in place of a call that was refused."""
        if self._names is not None and name not in self._names:
            return arguments, None
        # A copy, since the caller may change its object while the person decides.
        own = deepcopy(as_json(arguments or {}, f"the arguments of the tool {name!r}"))
        question = ToolApprovalRequest(tool=name, arguments=own, call_id=call_id)
        answer = await ask_human(self._approve, question, token)
        if answer.approved:
            return own, None
        reason = f" The reason: {answer.text}" if answer.text else ""
        text = f"The call of {name!r} was not approved, and was not made.{reason}"
        return own, ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)

    def effect_identity(self) -> dict[str, JsonValue]:
        """That of the inner workbench."""
        return self._workbench.effect_identity()

    def tool_traits(self, name: str) -> ToolTraits:  # noqa: ARG002 - all alike
        """Transparent: the question and the call are the effects."""
        return ToolTraits(transparent=True)

    async def start(self) -> None:
        """Start the inner workbench."""
        await self._workbench.start()

    async def stop(self) -> None:
        """Stop the inner workbench."""
        await self._workbench.stop()

    async def reset(self) -> None:
        """Reset the inner workbench."""
        await self._workbench.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the inner workbench."""
        return await self._workbench.save_state()

    async def load_state(self, state: Mapping[str, object]) -> None:
        """Give the inner workbench its state back."""
        await self._workbench.load_state(cast("Mapping[str, Any]", state))


def _check_names(names: object, workbench: Workbench) -> None:
    if names is None:
        return
    if isinstance(names, str) or not isinstance(names, Collection):
        raise ArgumentTypeError(f"names of an ApprovedWorkbench is {names!r}: give a list of names, such as ['pay'].")
    known = workbench.known_tools()
    if known is None:
        return
    own = [schema["name"] for schema in known]
    if unknown := sorted(map(str, set(cast("Collection[object]", names)) - set(own))):
        raise InvalidArgumentError(
            f"names of an ApprovedWorkbench has {unknown}: give names of tools, which are {own}."
        )
