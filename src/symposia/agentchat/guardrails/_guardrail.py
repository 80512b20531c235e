"""Guardrails: checks of what an agent receives, calls and answers, their verdicts, and how they are combined.

A check decides about one thing at a time, and does nothing itself: `checked_turn` and the assistant's loop carry out
its verdict. Guardrails combine with ``&`` and ``|``, as termination conditions do. ``a & b`` lets through what both let
through; ``b`` sees it as ``a`` has changed it. ``a | b`` lets through what either does, and asks ``b`` only about what
``a`` blocks. So ``AllowedTools(["search"]) | PersonApproval()`` asks a person about all tools but one.

Rejected: a verdict that asks a person. Every place that runs checks would then have to carry the question out. A
guardrail that asks decides like any other, and ``|`` says when it is asked.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast

from symposia.agentchat._arguments import checked_guardrails
from symposia.agentchat._response import add_usage
from symposia.agentchat.base import Bounds, ModelUse
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import CancellationToken, ComponentBase
from symposia.core.argument_checks import check_text
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import RequestUsage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

GuardrailStage: TypeAlias = Literal["input", "tool_call", "output"]
"""The stage of a check: the messages that an agent receives, a tool call of its model, or its answer."""

STAGES: Final[Sequence[GuardrailStage]] = ("input", "tool_call", "output")


class Approval(NamedTuple):
    """The approval of one value exactly, such as that of a person.

    Attributes:
        guardrail: It is asked again if a later guardrail changes the value.
        value: The value.
    """

    guardrail: Guardrail
    value: object


@dataclass(frozen=True, slots=True)
class Allow:
    """The verdict that lets the checked value through.

    Attributes:
        usage: The tokens that the decision took.
        approvals: The approvals that the decision rests on.
    """

    usage: RequestUsage | None = None
    approvals: Sequence[Approval] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """The verdict that holds the checked value back.

    Attributes:
        reason: The reason, for the user; for a tool call, also for the model.
        usage: The tokens that the decision took.
    """

    reason: str
    usage: RequestUsage | None = None


@dataclass(frozen=True, slots=True)
class Change(Generic[T_co]):
    """The verdict that lets another value through in place of the checked one.

    Attributes:
        value: The messages, the arguments of the call, or the answer.
        reason: What was changed, and why.
        usage: The tokens that the decision took.
        approvals: The approvals that the decision rests on.
    """

    value: T_co
    reason: str = ""
    usage: RequestUsage | None = None
    approvals: Sequence[Approval] = field(default=(), compare=False, repr=False)


Verdict: TypeAlias = Allow | Block | Change[T_co]
"""The decision of a guardrail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call that a model asks for. Its arguments fit the tool's schema. A handoff is a call of a tool too.

    Attributes:
        name: The name of the tool.
        arguments: The arguments by name.
        id: The id that the model gave the call.
    """

    name: str
    arguments: Mapping[str, object]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailContext:
    """The context of a check.

    Attributes:
        agent: The name of the agent.
        cancellation_token: The token of the turn. Cancelling it interrupts the check.
        objections: Inside of ``|``, the reasons of the guardrails before this one, which have blocked the value.
    """

    agent: str
    cancellation_token: CancellationToken
    objections: Sequence[str] = ()


class Guardrail(ComponentBase, ABC):
    """Checks what an agent receives, calls and answers. Override the methods of the stages that it checks.

    An error of a check ends the turn: nothing passes unchecked.

    Args:
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `name` is no text.
    """

    component_type = "guardrail"

    def __init__(self, name: str) -> None:
        check_text("The name", "a guardrail", name)
        self._name = name

    @property
    def name(self) -> str:
        """The name in events and reasons."""
        return self._name

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        """The stages that it checks: by default, those whose methods are overridden."""
        methods = {"input": "check_input", "tool_call": "check_tool_call", "output": "check_output"}
        return frozenset(
            stage for stage in STAGES if getattr(type(self), methods[stage]) is not getattr(Guardrail, methods[stage])
        )

    def always_blocks(self, tool: str) -> bool:  # noqa: ARG002 - for guardrails that know
        """Whether it blocks every call of a tool, for `team.check()`."""
        return False

    def model_uses(self) -> Mapping[GuardrailStage, Sequence[ModelUse]]:
        """How it asks models to check one value of a stage, for `team.check()`."""
        return {}

    async def check_input(
        self,
        messages: Sequence[BaseChatMessage],  # noqa: ARG002 - for guardrails that check it
        context: GuardrailContext,  # noqa: ARG002 - likewise
    ) -> Verdict[Sequence[BaseChatMessage]]:
        """Check the messages that are new to an agent, before it receives them."""
        return Allow()

    async def check_tool_call(
        self,
        call: ToolCall,  # noqa: ARG002 - for guardrails that check it
        context: GuardrailContext,  # noqa: ARG002 - likewise
    ) -> Verdict[Mapping[str, object]]:
        """Check a tool call before it is made. A change gives the arguments that the tool is called with."""
        return Allow()

    async def check_output(
        self,
        message: BaseChatMessage,  # noqa: ARG002 - for guardrails that check it
        context: GuardrailContext,  # noqa: ARG002 - likewise
    ) -> Verdict[BaseChatMessage]:
        """Check the answer of an agent before it is shown."""
        return Allow()

    def __and__(self, other: Guardrail) -> Guardrail:
        """A guardrail that lets through what both let through."""
        return AndGuardrail(self, other)

    def __or__(self, other: Guardrail) -> Guardrail:
        """A guardrail that lets through what this one lets through, or else the other."""
        return OrGuardrail(self, other)


_Check: TypeAlias = Callable[[Guardrail, T, GuardrailContext], Awaitable[Verdict[T]]]


class _CombinedGuardrail(Guardrail, ABC):
    """Several guardrails as one."""

    _sign: ClassVar[str]

    def __init__(self, *guardrails: Guardrail) -> None:
        checked_guardrails(type(self).__name__, guardrails)
        if not guardrails:
            raise InvalidArgumentError(f"{type(self).__name__} combines guardrails, and is given none.")
        super().__init__(f" {self._sign} ".join(each.name for each in guardrails))
        self._guardrails = guardrails

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        """The stages of all of them."""
        return frozenset[GuardrailStage]().union(*(each.stages for each in self._guardrails))

    def model_uses(self) -> Mapping[GuardrailStage, Sequence[ModelUse]]:
        """Those of all of them. A later one may not be asked, if an earlier one decides."""
        first, *later = self._guardrails
        uses: dict[GuardrailStage, list[ModelUse]] = {stage: [*found] for stage, found in first.model_uses().items()}
        for each in later:
            for stage, found in each.model_uses().items():
                maybe = (replace(use, calls=Bounds(0, use.calls.high)) for use in found)
                uses.setdefault(stage, []).extend(maybe)
        return uses

    async def check_input(
        self, messages: Sequence[BaseChatMessage], context: GuardrailContext
    ) -> Verdict[Sequence[BaseChatMessage]]:
        """Have the messages checked."""
        return await self._ask("input", lambda each, value, told: each.check_input(value, told), messages, context)

    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Have the call checked."""

        def check(
            each: Guardrail, arguments: Mapping[str, object], told: GuardrailContext
        ) -> Awaitable[Verdict[Mapping[str, object]]]:
            return each.check_tool_call(replace(call, arguments=arguments), told)

        return await self._ask("tool_call", check, call.arguments, context)

    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Have the answer checked."""
        return await self._ask("output", lambda each, value, told: each.check_output(value, told), message, context)

    async def _ask(self, stage: GuardrailStage, check: _Check[T], value: T, context: GuardrailContext) -> Verdict[T]:
        """Ask the guardrails that check this stage."""
        asked = [each for each in self._guardrails if stage in each.stages]
        return await self._decide(asked, check, value, context)

    async def _decide(
        self, asked: Sequence[Guardrail], check: _Check[T], value: T, context: GuardrailContext
    ) -> Verdict[T]:
        raise NotImplementedError


class AndGuardrail(_CombinedGuardrail):
    """Lets through what all of `guardrails` let through, each of which sees it as the ones before have changed it."""

    _sign = "&"

    def always_blocks(self, tool: str) -> bool:
        """Whether one of them does."""
        return any(each.always_blocks(tool) for each in self._guardrails)

    async def _decide(
        self, asked: Sequence[Guardrail], check: _Check[T], value: T, context: GuardrailContext
    ) -> Verdict[T]:
        usage: RequestUsage | None = None
        reasons: list[str] = []
        approvals: list[Approval] = []
        for each in asked:
            verdict = await check(each, value, context)
            usage = add_usage(usage, verdict.usage)
            if isinstance(verdict, Block):
                return Block(f"{each.name}: {verdict.reason}", usage)
            approvals += verdict.approvals
            if isinstance(verdict, Change):
                value = verdict.value
                reasons.append(f"{each.name}: {verdict.reason}")
        return Change(value, "; ".join(reasons), usage, approvals) if reasons else Allow(usage, approvals)


class OrGuardrail(_CombinedGuardrail):
    """Lets through what one of `guardrails` lets through: the first that does decides."""

    _sign = "|"

    def always_blocks(self, tool: str) -> bool:
        """Whether all of those do that check tool calls."""
        asked = [each for each in self._guardrails if "tool_call" in each.stages]
        return bool(asked) and all(each.always_blocks(tool) for each in asked)

    async def _decide(
        self, asked: Sequence[Guardrail], check: _Check[T], value: T, context: GuardrailContext
    ) -> Verdict[T]:
        usage: RequestUsage | None = None
        objections: list[str] = []
        for each in asked:
            verdict = await check(each, value, replace(context, objections=(*context.objections, *objections)))
            usage = add_usage(usage, verdict.usage)
            if not isinstance(verdict, Block):
                return replace(verdict, usage=usage)
            objections.append(f"{each.name}: {verdict.reason}")
        return Block("; ".join(objections), usage)


def checked_stages(owner: str, given: object, possible: Sequence[GuardrailStage] = STAGES) -> frozenset[GuardrailStage]:
    """The stages that a guardrail is to check.

    Raises:
        InvalidArgumentError: There is none, or one that does not exist.
    """
    stages = cast("Sequence[GuardrailStage]", given)
    if isinstance(given, str) or not stages or not set(stages) <= set(possible):
        raise InvalidArgumentError(
            f"The stages of {owner} are {given!r}: give a list of {', '.join(map(repr, possible))}."
        )
    return frozenset(stages)
