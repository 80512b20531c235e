"""Running code for an agent: approval first, then the executor."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from copy import deepcopy
from dataclasses import replace
from typing import Self, TypeAlias, cast

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from symposia.agentchat.agents._code_executor._code_blocks import as_markdown
from symposia.agentchat.agents._code_executor._report import denial, describe
from symposia.agentchat.messages import CodeOutputEvent, new_message_id
from symposia.core import CancellationToken, cancelled_by
from symposia.core.code_executor import (
    CodeBlock,
    CodeExecutor,
    CodeOutput,
    CodeResult,
    check_code_blocks,
    execute_code,
    stream_code,
)
from symposia.core.effects import HumanAnswer, HumanFunction, HumanQuestion, ask_human
from symposia.core.exceptions import SandboxError
from symposia.core.models import LLMMessage


class ApprovalRequest(BaseModel):
    """The question whether code may run, for functions as in AutoGen.

    Attributes:
        code: The blocks, as Markdown.
        context: The conversation that led to them, if the agent wrote them itself.
    """

    model_config = ConfigDict(defer_build=True)

    code: str
    context: list[LLMMessage]


class ApprovalResponse(BaseModel):
    """The answer to an `ApprovalRequest`. It holds for exactly that code, once.

    Attributes:
        approved: Whether the code may run.
        reason: Why it may or may not. The reason of a refusal becomes a message of the conversation.
    """

    model_config = ConfigDict(defer_build=True)

    approved: bool
    reason: str


SyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], ApprovalResponse]
AsyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], Awaitable[ApprovalResponse]]
ApprovalFuncType: TypeAlias = (
    SyncApprovalFunc | AsyncApprovalFunc | HumanFunction[ApprovalRequest] | HumanFunction[HumanQuestion]
)
"""Asks a person whether code may run.

A function whose parameter is annotated with `str` or `HumanQuestion` is given the question, and so is `input`. Any
other one is given an `ApprovalRequest`, as in AutoGen.
"""


class _CodeQuestion(HumanQuestion):
    """The question whether code may run, which is an `ApprovalRequest` for functions that take one."""

    _request: ApprovalRequest

    @classmethod
    def of(cls, request: ApprovalRequest, agent: str) -> Self:
        question = cls(f"May this code run?\n\n{request.code}\n", approval_of=request.code, source=agent)
        question._request = request
        return question

    @override
    def argument_of(self, function: Callable[..., object]) -> object:
        return self if function is input or _takes_text(function) else self._request

    @override
    def read_reply(self, reply: object) -> HumanAnswer:
        if isinstance(reply, ApprovalResponse):
            return HumanAnswer(text=reply.reason, approved=reply.approved)
        return super().read_reply(reply)


def _takes_text(function: Callable[..., object]) -> bool:
    """Whether the first parameter of a function is annotated as a text."""
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except (TypeError, ValueError, NameError):  # built in, or with annotations that cannot be evaluated
        return False
    annotation = parameters[0].annotation if parameters else None
    return isinstance(annotation, type) and issubclass(annotation, str)


class CodeRunner:
    """Runs code for an agent.

    Args:
        agent: The name of the agent.
        executor: Runs the code.
        approve: Asked before anything runs; None approves everything.
        stream: Whether `run` yields the output as it comes.
    """

    def __init__(self, agent: str, executor: CodeExecutor, approve: ApprovalFuncType | None, *, stream: bool) -> None:
        self._agent = agent
        self._executor = executor
        self._approve = approve
        self._stream = stream

    async def start_ahead(self) -> None:
        """Begin to start the executor, while the code is still to be written."""
        if isinstance(self._executor, CodeExecutor):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs have executors with the methods alone
            await self._executor.start_ahead()

    async def refusal(
        self, blocks: Sequence[CodeBlock], context: Sequence[LLMMessage], token: CancellationToken
    ) -> str | None:
        """Have `blocks` approved.

        Args:
            blocks: The code.
            context: The conversation that led to it.
            token: Cancelling it ends the question.

        Returns:
            Why it was not approved; None if it was.

        Raises:
            ArgumentTypeError: `blocks` is not a list of code blocks.
            HumanInputError: The person could not be asked.
        """
        check_code_blocks(blocks)
        approve = self._approve
        if approve is None:
            return None
        # Asked for all blocks at once, before the first runs: who approves sees what the later ones will do, and a
        # refusal leaves nothing half done. An answer in a journal holds for exactly this code.
        request = ApprovalRequest(code=as_markdown(blocks), context=list(context))
        answer = await ask_human(cast("HumanFunction", approve), _CodeQuestion.of(request, self._agent), token)
        return None if answer.approved else answer.text

    async def run(
        self, blocks: Sequence[CodeBlock], token: CancellationToken
    ) -> AsyncGenerator[CodeOutputEvent | CodeResult, None]:
        """Run `blocks` in order, up to the first that fails.

        Yields:
            The output as it comes, if this runner streams, and last the executor's result.
        """
        if not self._stream:
            with cancelled_by(token):
                result = await execute_code(self._executor, blocks, token)
            yield result
            return
        run_id = new_message_id()
        async with aclosing(stream_code(self._executor, blocks, token)) as items:
            while (item := await self._next(items, token)) is not None:
                yield self._event(item, run_id) if isinstance(item, CodeOutput) else item

    async def _next(
        self, items: AsyncGenerator[CodeOutput | CodeResult, None], token: CancellationToken
    ) -> CodeOutput | CodeResult | None:
        with cancelled_by(token):  # around each step, and not around the loop, which yields
            return await anext(items, None)

    def _event(self, output: CodeOutput, run_id: str) -> CodeOutputEvent:
        return CodeOutputEvent(content=output.text, stream=output.stream, full_message_id=run_id, source=self._agent)

    async def run_described(
        self, blocks: Sequence[CodeBlock], context: Sequence[LLMMessage], token: CancellationToken
    ) -> AsyncGenerator[CodeOutputEvent | CodeResult, None]:
        """Have `blocks` approved and run them.

        Yields:
            The output as it comes, if this runner streams, and last the result, whose output says in words how the code
            ended, or that it was not approved.
        """
        blocks = deepcopy(blocks)  # the caller may change its list while the person decides
        refusal = await self.refusal(blocks, context, token)
        if refusal is not None:
            yield denial(refusal)
            return
        async with aclosing(self.run(blocks, token)) as items:
            async for item in items:
                yield replace(item, output=describe(item, len(blocks))) if isinstance(item, CodeResult) else item


async def last_result(items: AsyncGenerator[CodeOutputEvent | CodeResult, None]) -> CodeResult:
    """The result at the end of a run, without its output as it came.

    Raises:
        SandboxError: There is none.
    """
    async with aclosing(items):
        async for item in items:
            if isinstance(item, CodeResult):
                return item
    raise SandboxError("The code executor ended without a result.")
