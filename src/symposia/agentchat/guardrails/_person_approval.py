"""A guardrail that asks a person."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel, JsonValue
from typing_extensions import override

from symposia.agentchat.guardrails._guardrail import (
    Allow,
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
from symposia.core import call_function
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanAnswer, ask_human
from symposia.core.exceptions import AgentError
from symposia.core.json_values import as_json


class ApprovalQuestion(BaseModel, defer_build=True):
    """A question to a person: may this pass?

    Attributes:
        agent: The name of the agent.
        stage: The stage of the check.
        subject: What passes if it is approved: the messages as source and text, the tool and its arguments, or the text
            of the answer.
        objections: The reasons of the guardrails that blocked it, with ``|``.
    """

    agent: str
    stage: GuardrailStage
    subject: JsonValue
    objections: list[str]

    def to_text(self) -> str:
        """The question as a person reads it on a console."""
        what = {"input": "receive this", "tool_call": "make this call", "output": "answer this"}[self.stage]
        lines = [
            json.dumps(self.subject, ensure_ascii=False, indent=2),
            *(f"Objection: {each}" for each in self.objections),
        ]
        return "\n".join([f"May {self.agent} {what}?", *lines])


ApproveFunction: TypeAlias = Callable[[ApprovalQuestion], Allow | Block | Awaitable[Allow | Block]]
"""Asks a person. A plain function runs in a worker thread."""


class PersonApproval(Guardrail):
    """Decides by a person. The answer holds for exactly what was asked about, once.

    Asking is a human effect: a journal that has the answer gives it when the run is repeated.

    Args:
        approve: Asks the person; by default, on the console.
        stages: What is asked about.
        name: The name in events and reasons.

    Raises:
        ArgumentTypeError: `approve` is no function.
        InvalidArgumentError: There is no such stage.
    """

    component_transient = frozenset({"approve"})

    def __init__(
        self,
        approve: ApproveFunction | None = None,
        *,
        stages: Sequence[GuardrailStage] = ("tool_call",),
        name: str = "person_approval",
    ) -> None:
        super().__init__(name)
        owner = f"the guardrail {name!r}"
        check_function("approve", owner, approve, "def approve(question)")
        self._approve = approve or ask_on_console
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
        return await self._ask("input", [{"source": each.source, "text": _shown(each)} for each in messages], context)

    @override
    async def check_tool_call(self, call: ToolCall, context: GuardrailContext) -> Verdict[Mapping[str, object]]:
        """Ask about the call."""
        arguments = as_json(call.arguments, f"the arguments of the tool {call.name!r}")
        return await self._ask("tool_call", {"tool": call.name, "arguments": arguments}, context)

    @override
    async def check_output(self, message: BaseChatMessage, context: GuardrailContext) -> Verdict[BaseChatMessage]:
        """Ask about the answer."""
        return await self._ask("output", _shown(message), context)

    async def _ask(self, stage: GuardrailStage, subject: JsonValue, context: GuardrailContext) -> Allow | Block:
        question = ApprovalQuestion(
            agent=context.agent, stage=stage, subject=subject, objections=list(context.objections)
        )

        async def ask() -> HumanAnswer:
            verdict = await call_function(self._approve, question)
            if not isinstance(verdict, Allow | Block):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
                raise AgentError(
                    f"The function of the guardrail {self.name!r} has to return Allow() or Block(reason), and returned"
                    f" {verdict!r}."
                )
            return HumanAnswer(
                text=verdict.reason if isinstance(verdict, Block) else "", approved=isinstance(verdict, Allow)
            )

        answer = await ask_human(ask, question.to_text(), approval_of=subject)
        return Allow() if answer.approved else Block(answer.text or "A person refused it.")


def _shown(message: BaseChatMessage) -> str:
    """A message as a person reads it, with what it brings along for the model of the next agent."""
    return "\n\n".join([message.to_text(), *context_texts(message)])


def ask_on_console(question: ApprovalQuestion) -> Allow | Block:
    """Ask on the console. "y" and "yes" approve, and any other answer is the reason of a refusal."""
    answer = input(f"{question.to_text()}\nApprove? [y, or the reason why not] ").strip()
    return Allow() if answer.lower() in {"y", "yes"} else Block(answer or "A person refused it.")
