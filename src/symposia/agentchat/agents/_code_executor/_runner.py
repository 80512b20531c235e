from collections.abc import Sequence
from dataclasses import replace

from symposia.agentchat.agents._callbacks import call_back
from symposia.agentchat.agents._cancellation import cancelled_by
from symposia.agentchat.agents._code_executor._approval import ApprovalFuncType, ApprovalRequest, ApprovalResponse
from symposia.agentchat.agents._code_executor._blocks import as_markdown
from symposia.agentchat.agents._code_executor._report import denial, report
from symposia.agentchat.agents._effects import ApprovalQuestion, CodeRequest
from symposia.core import CancellationToken, step
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.models import LLMMessage


class CodeRunner:
    """Runs code on behalf of an agent, after whoever approves of code has done so.

    Args:
        agent: The name of the agent.
        executor: Where the code runs.
        approve: Asked before anything runs; None lets everything run.
    """

    def __init__(self, agent: str, executor: CodeExecutor, approve: ApprovalFuncType | None) -> None:
        self._agent = agent
        self._executor = executor
        self._approve = approve

    async def run(
        self, blocks: Sequence[CodeBlock], context: Sequence[LLMMessage], token: CancellationToken
    ) -> CodeResult:
        """Run `blocks` in order, up to the first that fails.

        Args:
            blocks: The code.
            context: The conversation that led to it, for whoever approves.
            token: Cancelling it ends the code.

        Returns:
            The executor's result, its output put into words that say how the code ended.
        """
        verdict = await self._verdict(blocks, context, token)
        if verdict is not None and not verdict.approved:
            return denial(verdict.reason)
        with cancelled_by(token):
            result = await step(
                "code",
                self._agent,
                CodeRequest(blocks=blocks),
                lambda: self._executor.execute_code_blocks(list(blocks), token),
            )
        return replace(result, output=report(result, len(blocks)))

    async def _verdict(
        self, blocks: Sequence[CodeBlock], context: Sequence[LLMMessage], token: CancellationToken
    ) -> ApprovalResponse | None:
        approve = self._approve
        if approve is None:
            return None
        request = ApprovalRequest(code=as_markdown(blocks), context=list(context))
        with cancelled_by(token):
            return await step(
                "human", self._agent, ApprovalQuestion(code=request.code), lambda: call_back(approve, request)
            )
