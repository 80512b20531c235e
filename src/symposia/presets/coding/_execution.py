"""The coder's programs: an executor that loses none of them, and the report of what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pydantic import JsonValue
from typing_extensions import override

from symposia.agentchat.agents import CodeExecution, ExecutionReport
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import CancellationToken
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CodeResult,
    CommandLineCodeResult,
    OutputListener,
    OutputStream,
    SandboxPolicy,
)
from symposia.presets.coding._limits import limit_met
from symposia.presets.coding._messages import BlockRun, ExecutionMessage, MadeFile

KILLED: Final = 137
"""The exit status of what was killed, as a shell reports it."""
NO_CODE: Final = "There is no Python code to run in your answer. Answer with one complete program in a ```python block."
CUT_OFF: Final = "Your answer ended inside a code block, so that block did not run. Give a shorter program, complete."
SHELLS: Final = frozenset({"sh", "bash", "shell", "zsh"})

Begun = Callable[[CodeBlock], Awaitable[None]]


class ProgramExecutor(CodeExecutor):
    """Passes each block on to another executor by itself, and knows of a turn that does not come to its message.

    Reading this off the messages of the team was tried and rejected: what is still on its way there when a run is
    interrupted is lost.

    Args:
        inner: Runs the code. It stays the caller's to start and to stop.
        policy: What the code may use.
        begun: Awaited before each block.
    """

    def __init__(self, inner: CodeExecutor, policy: SandboxPolicy, begun: Begun) -> None:
        self.idempotency = inner.idempotency
        self._inner = inner
        self._policy = policy
        self._begun = begun
        self.clear()

    def clear(self) -> None:
        """Forget the turn: its message is in the transcript."""
        self._ended: list[BlockRun] = []
        self._running: CodeBlock | None = None
        self._output: dict[OutputStream, list[str]] = {"stdout": [], "stderr": []}

    def unfinished(self, reason: str) -> tuple[BlockRun, ...]:
        """The blocks that have run, or had begun to, and of which no message tells.

        Args:
            reason: Why the block that runs could not run to its end.
        """
        if self._running is None:
            return tuple(self._ended)
        interrupted = BlockRun(
            code=self._running.code,
            language=_language(self._running),
            status="cancelled",
            exit_code=KILLED,
            stdout="".join(self._output["stdout"]),
            stderr="".join(self._output["stderr"]),
            interrupted=reason,
        )
        return (*self._ended, interrupted)

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        """Run the blocks; see `CodeExecutor.execute_code_blocks`."""
        return await self.execute_with_output(code_blocks, cancellation_token, lambda _stream, _text: None)

    @override
    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CommandLineCodeResult:
        """Run the blocks, and pass on their output; see `CodeExecutor.execute_with_output`."""

        def listener(stream: OutputStream, text: str) -> None:
            self._output[stream].append(text)
            on_output(stream, text)

        results: list[BlockResult] = []
        for block in code_blocks:
            await self._begun(block)
            self._running, self._output = block, {"stdout": [], "stderr": []}
            results += _by_block(block, await self._inner.execute_with_output([block], cancellation_token, listener))
            self._running = None
            self._ended.append(block_run(results[-1], self._policy))
            if results[-1].exit_code != 0:
                break
        return CommandLineCodeResult(
            exit_code=results[-1].exit_code,
            output="".join(result.output for result in results),
            code_file=results[0].code_file,
            blocks=tuple(results),
        )

    @override
    def effect_identity(self) -> dict[str, JsonValue]:
        """The other executor's: what runs is the same."""
        return self._inner.effect_identity()

    @override
    async def restore(self, result: CodeResult) -> None:
        """See `CodeExecutor.restore`."""
        await self._inner.restore(result)

    async def start(self) -> None:
        """Nothing: the other executor is the caller's."""

    async def stop(self) -> None:
        """Nothing: the other executor is the caller's."""

    async def restart(self) -> None:
        """Start the other executor afresh."""
        await self._inner.restart()


class ProgramReport(ExecutionReport):
    """Reports what programs did by an `ExecutionMessage`.

    Args:
        policy: What the programs could use: one that a limit ends is told which, and how high it is.
    """

    def __init__(self, policy: SandboxPolicy) -> None:
        self._policy = policy

    @property
    def message_types(self) -> Sequence[type[BaseChatMessage]]:
        """`ExecutionMessage`."""
        return (ExecutionMessage,)

    def message(self, execution: CodeExecution) -> ExecutionMessage:
        """What each block did, and what keeps an answer from being run."""
        blocks = execution.result.blocks if isinstance(execution.result, CommandLineCodeResult) else ()
        runs = tuple(block_run(block, self._policy) for block in blocks)
        return ExecutionMessage(runs=runs, remark=_remark(execution), source=execution.source)


def block_run(result: BlockResult, policy: SandboxPolicy) -> BlockRun:
    """What a block did, as the messages of the swarm tell it."""
    return BlockRun(
        code=result.block.code,
        language=_language(result.block),
        status=result.status,
        exit_code=result.exit_code,
        stdout=result.output if result.stdout is None else result.stdout,
        stderr=result.stderr or "",
        files=tuple(
            MadeFile(path=each.path, kind=each.kind, size=each.size, sha256=each.sha256, data=each.data)
            for each in result.artifacts
        ),
        files_left_behind=tuple(result.artifacts_skipped),
        wall_seconds=result.wall_seconds,
        limit=limit_met(result.status, policy),
    )


def _remark(execution: CodeExecution) -> str:
    if execution.is_cut_off:
        return CUT_OFF
    return "" if execution.blocks else NO_CODE


def _language(block: CodeBlock) -> str:
    return "sh" if block.language.lower() in SHELLS else "python"


def _by_block(block: CodeBlock, result: CodeResult) -> Sequence[BlockResult]:
    """The result of one block, of executors too that do not tell block by block."""
    if isinstance(result, CommandLineCodeResult):
        return result.blocks
    status = "error" if result.exit_code else "ok"
    return [BlockResult(block=block, code_file=None, status=status, exit_code=result.exit_code, output=result.output)]
