"""The base class of the code executors: one call at a time, and its blocks in order, up to the first that fails."""

from __future__ import annotations

import asyncio
import hashlib
import json
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from pydantic import JsonValue

from symposia.core import CancellationToken, cancel_and_wait, code_is_trusted, uninterrupted
from symposia.core.argument_checks import check_function, check_instance, check_path
from symposia.core.code_executor import (
    BlockResult,
    BlockwiseCodeResult,
    CodeBlock,
    CodeExecutor,
    ConnectionAttempt,
    OutputListener,
    OutputStream,
    RunStatus,
    SandboxPolicy,
    SandboxResult,
    check_code_blocks,
)
from symposia.core.effects import class_identity
from symposia.core.exceptions import (
    ArgumentTypeError,
    ComponentError,
    InvalidArgumentError,
    SandboxDiedError,
    UsageError,
)
from symposia.ext.code_executors._audit import AuditedRun, AuditLog, Stopwatch
from symposia.ext.code_executors._blocks import RefusedBlockError, refused
from symposia.ext.code_executors._work_folder import WorkFolder

T = TypeVar("T")
ResultT = TypeVar("ResultT", bound=BlockwiseCodeResult)
EndedT = TypeVar("EndedT", BlockResult, SandboxResult)

POLICY_EXAMPLE: Final = "SandboxPolicy(memory_bytes=256 * MIB)"

OTHER_LOOP: Final = (
    "The code executor is in use in another event loop, which has not ended. Stop it there first, or make an executor "
    "for each event loop."
)
CONSENT: Final = "If you have written the JSON, or read it, load it with load_component(…, trust_code=True)"
KILLED: Final = 137
"""The exit code of a block that was killed: 128 and SIGKILL, as a shell reports it."""


class SerialCalls:
    """Runs calls one after another, in the order in which they come, in one event loop at a time.

    What a call leaves open, such as a sandbox, belongs to its event loop. A program that does not close it, and runs an
    event loop for each call, as with two times `asyncio.run`, would find one of a loop that has ended. So the end of
    the loop closes it: as `asyncio.run` closes the asynchronous generators that are left, one of them is kept here.

    Args:
        close: Ends what the calls have left open, if anything.
        abandon: Forgets it, where an event loop was closed without ending its generators.
    """

    def __init__(self, close: Callable[[], Awaitable[None]], abandon: Callable[[], None]) -> None:
        self._close = close
        self._abandon = abandon
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_left = False
        self._keeper: AsyncGenerator[None] | None = None
        self._turn = asyncio.Lock()
        # Calls that run or wait. `end` cancels them, and empties the set first: that is how a call tells `end` from a
        # cancellation of its own.
        self._calls: set[asyncio.Future[Any]] = set()  # Any: calls of any result

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no call runs, and keep others waiting.

        Raises:
            UsageError: Calls were made in another event loop, which has not ended, and `leave` was not called.
        """
        await self._enter()
        async with self._turn:
            yield

    async def run(self, call: Callable[[], Awaitable[T]], token: CancellationToken) -> T:
        """Make a call in its turn.

        Args:
            call: Makes it. It is cancelled by the token, by the cancellation of the caller, and by `end`.
            token: Cancels it.

        Raises:
            SandboxDiedError: `end` was called meanwhile.
            UsageError: As `turn`.
        """
        await self._enter()
        running = asyncio.ensure_future(self._in_turn(call))
        token.link_future(running)
        self._calls.add(running)
        try:
            return await running
        except asyncio.CancelledError:
            if running not in self._calls:
                raise SandboxDiedError("The code executor was stopped before the blocks had ended.") from None
            raise
        finally:
            self._calls.discard(running)

    async def begin(self, call: Callable[[], Awaitable[object]]) -> None:
        """Begin a call and return, unless another one runs or waits, which makes what it needs itself.

        Its error is raised nowhere: a later call has to run into the same one.

        Args:
            call: As in `run`. It is cancelled by `end`, and at the end of the event loop.

        Raises:
            UsageError: As `turn`.
        """
        await self._enter()
        if self._calls or self._turn.locked():
            return
        running = asyncio.ensure_future(self._in_turn(call))
        self._calls.add(running)
        running.add_done_callback(self._settle)

    def _settle(self, begun: asyncio.Future[object]) -> None:
        self._calls.discard(begun)
        if not begun.cancelled():
            begun.exception()  # marks it as seen

    async def end(self) -> None:
        """Cancel every call that runs or waits, and wait for their ends."""
        ended, self._calls = self._calls, set()
        await cancel_and_wait(*ended)

    async def leave(self) -> None:
        """Let calls be made in another event loop from now on: nothing is left open."""
        self._has_left, keeper, self._keeper = True, self._keeper, None
        if keeper is not None:
            await keeper.aclose()

    async def _enter(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None and not self._has_left:
                if not self._loop.is_closed():
                    raise UsageError(OTHER_LOOP)
                self._abandon()
            self._loop, self._turn, self._calls, self._keeper = loop, asyncio.Lock(), set(), None
        self._has_left = False
        if self._keeper is None:
            self._keeper = self._closed_with(loop)
            await anext(self._keeper)

    async def _closed_with(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            if self._loop is loop and not self._has_left:
                await uninterrupted(self._close())

    async def _in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            return await call()


class BlockwiseCodeExecutor(CodeExecutor, Generic[ResultT]):
    """The base class of the code executors: runs lists of blocks, one list after another.

    A subclass says how what runs the blocks is made ready (`_prepare`), runs one of them (`_run_block`) and is ended
    (`_close`), and what the result of a list is (`_result`). All of these are called by one task at a time.

    Args:
        folder: The folder of the host for the files of the code.
        timeout: Seconds that a block may run.
        policy: The limits of the code, as far as the place where it runs has them.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line for each block that runs; see `AuditLog`.

    Raises:
        ArgumentTypeError: The timeout is not a number, or another argument is of another type.
        InvalidArgumentError: The timeout is less than a second, as in AutoGen.
    """

    def __init__(
        self,
        folder: WorkFolder,
        *,
        timeout: float,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"timeout is {timeout!r}: give a number of seconds, 1 at least.")
        check_instance("policy", type(self).__name__, policy, SandboxPolicy, POLICY_EXAMPLE)
        check_function("on_output", type(self).__name__, on_output, "def listener(stream, text)")
        if not timeout >= 1:
            raise InvalidArgumentError(f"Timeout must be greater than or equal to 1. It is {timeout}.")
        self._timeout = timeout
        self._folder = folder
        self._policy = policy or SandboxPolicy()
        check_path("audit_log", type(self).__name__, audit_log)
        self._audit = None if audit_log is None else AuditLog(audit_log)
        self._connections: list[ConnectionAttempt] = []  # that the audit log does not have yet
        self._on_output = on_output or _ignore_output
        self._on_output_of_call: OutputListener = _ignore_output
        self._calls = SerialCalls(self._close, self._abandon)

    @classmethod
    def _from_config(cls, config: Any) -> Self:  # Any: as in `Component`
        refuse_in_json(cls.__name__, config)
        return super()._from_config(config)

    @property
    def timeout(self) -> float:
        """Seconds that a block may run."""
        return self._timeout

    @property
    def policy(self) -> SandboxPolicy:
        """The limits of the code, as far as the place where it runs has them; for the time, `timeout` counts."""
        return self._policy

    async def start(self) -> None:
        """Prepare to run code; see `CodeExecutor.start`."""
        async with self._calls.turn():
            await self._prepare()

    async def start_ahead(self) -> None:
        """Begin to start in the background; see `CodeExecutor.start_ahead`."""
        with suppress(UsageError):  # of an executor in use in another event loop: the first block raises it
            await self._calls.begin(self._prepare)

    async def stop(self) -> None:
        """End everything that the executor started, including the running block; see `CodeExecutor.stop`."""
        await self._calls.end()
        async with self._calls.turn():
            await self._close()
            await asyncio.to_thread(self._folder.release)
        await self._calls.leave()

    async def restart(self) -> None:
        """Start again, with the files of the folder; see `CodeExecutor.restart`."""
        async with self._calls.turn():
            await self._close()
            await self._prepare()

    async def execute_code_blocks(self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken) -> ResultT:
        """Run the blocks in order, up to the first that fails; see `CodeExecutor.execute_code_blocks`.

        Raises:
            ArgumentTypeError: What is given is not a list of `CodeBlock`.
            InvalidArgumentError: There is no block.
            SandboxDiedError: The executor was stopped meanwhile.
            SandboxError: What runs the blocks cannot be started, or reached.
            CancelledError: The token or the caller was cancelled.
        """
        return await self.execute_with_output(code_blocks, cancellation_token, _ignore_output)

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> ResultT:
        """Run the blocks like `execute_code_blocks`, and pass on the output as it comes.

        Raises:
            ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxError, CancelledError: As
                `execute_code_blocks`.
        """
        check_code_blocks(code_blocks)
        if not code_blocks:
            raise InvalidArgumentError("No code blocks to execute.")

        async def run() -> list[BlockResult]:
            self._on_output_of_call = on_output  # of this call alone: the next one waits for its turn
            return await self._run_blocks(code_blocks)

        return self._result(await self._calls.run(run, cancellation_token))

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the time limit, and what a subclass adds."""
        return {**class_identity(self), "timeout": self._timeout}

    @abstractmethod
    async def _prepare(self) -> None:
        """Make ready to run blocks: the folder, and what runs them. Harmless where both are ready."""

    @abstractmethod
    async def _run_block(self, block: CodeBlock) -> BlockResult:
        """Run one block.

        Raises:
            RefusedBlockError: It cannot be run.
        """

    @abstractmethod
    async def _close(self) -> None:
        """End what runs the blocks, if anything does."""

    def _abandon(self) -> None:
        """Forget what ran the blocks in an event loop that was closed without ending it. Nothing by default.

        Raises:
            UsageError: It cannot be forgotten.
        """

    @abstractmethod
    def _result(self, blocks: Sequence[BlockResult]) -> ResultT:
        """The result of a call, made of those of its blocks, of which there is at least one."""

    async def _run_blocks(self, blocks: Sequence[CodeBlock]) -> list[BlockResult]:
        """Run blocks in order, up to the first that fails or cannot be run."""
        results: list[BlockResult] = []
        for block in blocks:
            try:
                results.append(await self._run_block(block))
            except RefusedBlockError as error:
                results.append(refused(block, error))
            if results[-1].exit_code != 0:
                break
        return results

    async def _check_audit(self) -> None:
        """Check that what runs can be recorded.

        Raises:
            SandboxError: The log cannot be written.
        """
        if self._audit is not None:
            await self._audit.check()

    def _make_folder(self) -> bool:
        """Make the folder where it is missing, and return whether it was. This blocks.

        Raises:
            InvalidArgumentError: The audit log is in it, where code could write to it.
        """
        is_new = self._folder.create()
        if self._audit is not None:
            self._audit.refuse_below(self._folder.absolute)
        return is_new

    async def _audited(self, language: str, source: bytes, running: Awaitable[EndedT]) -> EndedT:
        """Wait for a result, and record what ran: also where there is none."""
        if self._audit is None:
            return await running
        run = AuditedRun(executor=type(self).__name__, sandbox=self._sandbox_name, language=language, source=source)
        watch, status = Stopwatch(), "failed"
        result: EndedT | None = None
        try:
            result = await running
        except RefusedBlockError:
            status = "refused"
            raise
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        else:
            status = result.status
            return result
        finally:
            tried, self._connections = self._connections, []
            await self._audit.record(
                run,
                began=watch.began,
                seconds=watch.seconds,
                exit_code=None if result is None else result.exit_code,
                status=status,
                ended_by="" if result is None else self._limit_met(result.status),
                connections=tried,
            )

    @property
    def _sandbox_name(self) -> str:
        """The kind of the sandbox, for the audit log; empty where there is none."""
        return ""

    def _pass_on(self, stream: OutputStream, text: str) -> None:
        """Pass a piece of output to the listeners."""
        self._on_output(stream, text)
        self._on_output_of_call(stream, text)

    def _limit_met(self, status: RunStatus) -> str:
        """The limit that a block with this status met, in words; empty for none."""
        if status in ("ok", "error"):  # most blocks: a policy is checked whenever one is made
            return ""
        return replace(self._policy, time_limit=self._timeout).limit_met(status)


def refuse_in_json(executor: str, config: object) -> None:
    """Check that the JSON of a component gives code nothing that only a program may give.

    Raises:
        ComponentError: It has a network, an audit log, which is a file that is written, the devices of the host, or
            results that may replace files of the host and be programs that the host runs.
    """
    policy, audit_log = getattr(config, "policy", None), getattr(config, "audit_log", None)
    asks = ["network"] if isinstance(policy, SandboxPolicy) and policy.network is not None else []
    asks += ["audit_log"] if audit_log is not None else []
    asks += [name for name in ("trust_results", "unsafe_devices") if getattr(config, name, False)]
    if asks and not code_is_trusted():
        raise ComponentError(
            f"The configuration of {executor} has {' and '.join(asks)}: code would reach hosts, devices or files that "
            f"the author of the JSON has chosen. {CONSENT}; else take it out."
        )


def refuse_without_sandbox(component: str) -> None:
    """Check that the JSON of a component that has no sandbox is trusted: the JSON may hold the code as well.

    A team in JSON can have a model client with answers in the JSON, whose code its agents run.

    Raises:
        ComponentError: It is not.
    """
    if not code_is_trusted():
        raise ComponentError(
            f"{component} runs code on this machine without a sandbox, as the author of the JSON has chosen. "
            f"{CONSENT}; else name an executor on a sandbox in it."
        )


def policy_digest(policy: SandboxPolicy) -> str:
    """The SHA-256 of a policy in hexadecimal digits, for the identity of an effect."""
    return hashlib.sha256(json.dumps(asdict(policy), sort_keys=True).encode()).hexdigest()


def _ignore_output(_stream: OutputStream, _text: str) -> None:
    """An output listener that does nothing."""
