"""A workbench around another one. A person approves each call with its exact arguments."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from symposia.core._cancellation_token import CancellationToken, cancelled_by
from symposia.core._worker_threads import call_function
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanAnswer, ask_human
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InvalidArgumentError
from symposia.core.json_values import as_json
from symposia.core.tools._effect import call_tool
from symposia.core.tools._tool import ToolSchema, ToolTraits
from symposia.core.tools._workbench import TextResultContent, ToolResult, Workbench


class ToolApprovalRequest(BaseModel):
    """A call to approve. `str()` writes it like a call in Python.

    Attributes:
        tool: The name of the tool.
        arguments: The arguments with which it will be called. Changing them has no effect.
        call_id: The `id` of the model's call; None if it has none.
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, JsonValue]
    call_id: str | None = None

    def __str__(self) -> str:
        given = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.arguments.items())
        return f"{self.tool}({', '.join(given)})"


ToolApprovalFunc: TypeAlias = Callable[
    [ToolApprovalRequest], bool | HumanAnswer | Awaitable[bool] | Awaitable[HumanAnswer] | Awaitable[bool | HumanAnswer]
]
"""Asks a person whether a call may be made. A plain function runs in a thread; a coroutine function is cancelled with
the run. A `HumanAnswer` gives the reason of a refusal too, which the model reads."""


class ApprovedWorkbench(Workbench):
    """A workbench whose calls a person approves, each by itself.

    An approval holds for one call of one tool with exactly its arguments. A second call asks again, so changed
    arguments need a new approval. The arguments are copied before the person is asked, and the tool is
    called with the copy. A refusal is the result of the call, with its reason, and the tool is not called.

    The question is an effect of the kind ``human``, whose `approval_of` is the tool and its arguments. The call itself
    is another one, in the same scope: a run that is resumed asks for no approval twice, and makes no call twice.

    Args:
        workbench: The tools.
        approve: Asks the person.
        names: The tools that need an approval; all of them, by default.

    Raises:
        ArgumentTypeError: `approve` is no function, or `workbench` no workbench.
        InvalidArgumentError: `names` has a name that no tool has.
    """

    def __init__(
        self, workbench: Workbench, approve: ToolApprovalFunc, *, names: Collection[str] | None = None
    ) -> None:
        if not isinstance(workbench, Workbench):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(
                f"An ApprovedWorkbench is given a workbench, such as StaticWorkbench(tools), not {workbench!r}"
            )
        check_function("approve", "an ApprovedWorkbench", approve, "def approve(request) -> bool")
        if isinstance(names, str):
            raise ArgumentTypeError(f"names of an ApprovedWorkbench is a list of names, not {names!r}")
        known = workbench.known_tools()
        own = None if known is None else [schema["name"] for schema in known]
        if own is not None and (unknown := sorted(set(names or ()) - set(own))):
            raise InvalidArgumentError(f"names of an ApprovedWorkbench has {unknown}, and the tools are {own}.")
        self._workbench = workbench
        self._approve = approve
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
            HumanInputError: The person could not be asked.
            asyncio.CancelledError: The token was cancelled.
        """
        if self._names is not None and name not in self._names:
            return await call_tool(self._workbench, name, arguments, cancellation_token, call_id)
        # A copy, since the caller may change its object while the person decides.
        own = deepcopy(as_json(arguments or {}, f"the arguments of the tool {name!r}"))
        request = ToolApprovalRequest(tool=name, arguments=deepcopy(own), call_id=call_id)
        with cancelled_by(cancellation_token or CancellationToken()):
            answer = await ask_human(
                lambda: self._ask(request), f"May {name} be called?", approval_of={"tool": name, "arguments": own}
            )
        if answer.approved:
            return await call_tool(self._workbench, name, own, cancellation_token, call_id)
        reason = f" The reason: {answer.text}" if answer.text else ""
        text = f"The call of {name!r} was not approved, and was not made.{reason}"
        return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)

    async def _ask(self, request: ToolApprovalRequest) -> HumanAnswer:
        try:
            answer: object = await call_function(self._approve, request)
        except Exception as error:
            raise HumanInputError(f"The approval of {request} failed: {error or type(error).__name__}") from error
        if isinstance(answer, bool):
            return HumanAnswer(text="", approved=answer)
        if isinstance(answer, HumanAnswer) and answer.approved is not None:
            return answer
        raise HumanInputError(
            f"The approval function returned {answer!r} for {request}, and has to return a bool, or a HumanAnswer with "
            "approved."
        )

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
