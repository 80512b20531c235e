"""A guardrail that asks a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

from pydantic import JsonValue
from typing_extensions import override

from symposia.agentchat.guardrails._guardrail import (
    Allow,
    Approval,
    Block,
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    ToolCall,
    Verdict,
    checked_stages,
)
from symposia.agentchat.guardrails._texts import context_texts
from symposia.agentchat.messages import BaseChatMessage
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanFunction, HumanQuestion, ask_human, ask_on_terminal
from symposia.core.json_values import as_json
from symposia.core.terminal_text import printable_json, printable_name
from symposia.core.tools import ToolApprovalRequest


class PersonApproval(Guardrail):
    """Decides by a person. The answer holds for exactly what was asked about, once.

    Where a guardrail behind this one changes what was approved, the person is asked again, about the change.

    Asking is a human effect: a journal that has the answer gives it when the run is repeated.

    Args:
        approve: Asks the person; by default, on the terminal. The question about a tool call is a
            `ToolApprovalRequest`. Others have as `approval_of` the messages as source and text, or the text of the
            answer. The reasons of the guardrails that blocked it, with ``|``, are lines of the question.
        stages: What is asked about.
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `approve` is no function.
        InvalidArgumentError: There is no such stage.
    """

    component_transient = frozenset({"approve"})

    def __init__(
        self,
        approve: HumanFunction | None = None,
        *,
        stages: Sequence[GuardrailStage] = ("tool_call",),
        name: str = "person_approval",
    ) -> None:
        super().__init__(name)
        owner = f"the guardrail {name!r}"
        check_function("approve", owner, approve, "def approve(question) -> bool")
        self._approve: HumanFunction = approve or ask_on_terminal
        self._stages = checked_stages(owner, stages)

    @property
    def stages(self) -> frozenset[GuardrailStage]:
        """As given."""
        return self._stages

    @override
    async def check_input(
        self, messages: Sequence[BaseChatMessage], context: GuardrailContext
    ) -> Verdict[Sequence[BaseChatMessage]]:
        """Ask about the messages."""
        subject: JsonValue = [{"source": each.source, "text": _shown(each)} for each in messages]
        return await self._ask(_question("receive", subject, context), messages, context)

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Ask about the call."""
        question = ToolApprovalRequest(
            tool=call.name,
            arguments=as_json(call.arguments, f"the arguments of the tool {call.name!r}"),
            call_id=call.id,
            source=context.agent,
            objections=context.objections,
        )
        return await self._ask(question, deepcopy(call.arguments), context)

    @override
    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Ask about the answer."""
        return await self._ask(_question("answer", _shown(message), context), message, context)

    async def _ask(self, question: HumanQuestion, value: object, context: GuardrailContext) -> Allow | Block:
        answer = await ask_human(self._approve, question, context.cancellation_token)
        if not answer.approved:
            return Block(answer.text or "A person refused it.")
        return Allow(approvals=[Approval(self, value)])


def _question(what: str, subject: JsonValue, context: GuardrailContext) -> HumanQuestion:
    lines = [f"May {context.agent} {what} this?", printable_json(subject, indent=2)]
    lines += [f"Objection: {printable_name(each)}" for each in context.objections]
    return HumanQuestion("\n".join(lines), approval_of=subject, source=context.agent)


def _shown(message: BaseChatMessage) -> str:
    """A message as a person reads it, with what it brings along for the model of the next agent."""
    return "\n\n".join([message.to_text(), *context_texts(message)])
