"""A `CodeExecutor` on any `SandboxBackend`: AutoGen's interface in front, a sandbox behind, a work folder between them.

The work folder is the host's. What is new in it goes into the sandbox before each call; what a block made comes back
in its result and is written by the host, by the rules of `_returned_files`. The sandbox itself never sees the folder.

A sandbox that a block has left in a bad state is not repaired but replaced: whatever a block did, the next one runs. To
tell which states are bad, and to undo them from outside, would be a list with an end; a new sandbox costs less than a
second, and starts from the files of the work folder.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Final, Unpack

from pydantic import JsonValue
from typing_extensions import override

from symposia.core import cancel_and_wait
from symposia.core.code_executor import (
    CodeBlock,
    CodeResult,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
    sandbox_answers,
)
from symposia.core.effects import Idempotency, class_identity
from symposia.core.exceptions import (
    SandboxDiedError,
    SandboxError,
)
from symposia.ext.code_executors._blocks import PlannedBlock, RefusedBlockError, failure_note
from symposia.ext.code_executors._command_line import CommandLineCodeExecutor
from symposia.ext.code_executors._environment import PINNED_NAMES
from symposia.ext.code_executors._executor import KILLED, policy_digest
from symposia.ext.code_executors._functions import refuse_missing_packages
from symposia.ext.code_executors._returned_files import ReturnedFiles
from symposia.ext.code_executors._sandbox._results import VARIABLES
from symposia.ext.code_executors._sandbox_options import (
    SandboxOptions,
    all_mounts,
    allowed_packages,
    check_options,
)

REPLACED: Final = "The sandbox ended in the middle of the block. The next block gets a new one."
RENEWED_BEFORE: Final = (
    "The sandbox had ended, or took no more files, and a new one was started before this block, with the files of the "
    "work folder alone."
)
RENEWED: Final = "The sandbox was full. The next block gets a new one, with the files of the work folder alone."
NOT_RESTORED: Final = (
    "The results of earlier blocks were recorded. Their files are in this sandbox, and their variables are not."
)
TOLD: Final = frozenset({*VARIABLES.values(), NOT_RESTORED})
"""Notes that are part of the output too: the author of the next block has to know which variables there are."""
# The server runs Python and sh alone, since every image has an sh. What a block in another language needs goes through
# one.
COMMANDS: Final = {
    "bash": "command -v bash >/dev/null || exec sh {file}\nexec bash {file}\n",
    "node": "command -v node >/dev/null || {{ echo 'There is no Node.js in this sandbox.' >&2; exit 127; }}\n"
    "exec node {file}\n",
}
DOES_NOT_FIT: Final = (
    "{path} cannot be put into the sandbox ({error}). Use a work_dir with less in it, mount what is only read, or "
    "raise the limits of the policy (work_bytes, work_inodes, memory_bytes)."
)


class SandboxCodeExecutor(CommandLineCodeExecutor):
    """Runs code blocks in a sandbox, which starts on the first use.

    Each block runs in an interpreter of its own, and with a ``stateful`` policy all Python blocks in one. The files of
    the work folder stay between blocks. A sandbox that ends in the middle of a block is part of that result, and
    the next block gets a new one, as after `restart`. The notes and the output of a block say if variables were lost.

    Args:
        backend: Makes the sandbox.
        installed: The packages that its sandboxes have anyway, to check the requirements of `functions`; None if
            unknown.
        options: See `SandboxOptions`.

    Raises:
        ArgumentTypeError: An argument is of another type, or there is no such option.
        InvalidArgumentError: The timeout is less than a second, two mounts overlap, a function needs a package that is
            not there, or one of `packages` is not the name of a package.
        SandboxUnavailableError: There are `packages`, and the backend installs none.
    """

    component_transient = frozenset({"installed"})  # for the check of `functions`, which JSON cannot hold
    idempotency: Idempotency = "idempotent"  # code without a network reaches nothing that running it again could harm

    def __init__(
        self,
        backend: SandboxBackend,
        *,
        installed: Collection[str] | None = PINNED_NAMES,
        **options: Unpack[SandboxOptions],
    ) -> None:
        check_options(type(self).__name__, backend, options)
        work_dir, functions = options.get("work_dir"), options.get("functions", ())
        policy = options.get("policy") or SandboxPolicy()
        timeout = options.get("timeout")
        packages = allowed_packages(options.get("packages", ()), options.get("wheels"), functions)
        if installed is not None:
            refuse_missing_packages(functions, [*installed, *(packages.names if packages else ())])
        super().__init__(
            work_dir=work_dir,
            timeout=policy.time_limit if timeout is None else timeout,
            keep_code_files=not options.get("delete_tmp_files", False),
            functions=functions,
            functions_module=options.get("functions_module", "functions"),
            policy=policy,
            on_output=options.get("on_output"),
            audit_log=options.get("audit_log"),
        )
        if policy.network is not None:
            self.idempotency = "unknown"  # what code does to the hosts that it reaches, it does again
        self._backend = backend if packages is None else backend.with_packages(packages)
        self._packages = packages
        self._mounts = all_mounts(options.get("bind_dir"), work_dir, options.get("mounts", ()))
        self._init_command = options.get("init_command")
        self._returned = ReturnedFiles(self._folder, policy, trusted=options.get("trust_results", False))
        self._sandbox: Sandbox | None = None
        self._answers: asyncio.Future[bool] | None = None  # whether it still does, while a call is prepared
        self._unsent: Sequence[PurePosixPath] = ()  # files of the folder that it does not have
        self._notes: list[str] = []  # for the next result
        self._has_variables = False  # of earlier blocks, whose authors count on them

    @property
    def backend_name(self) -> str:
        """The name of the sandbox's kind; ``auto`` until that has chosen one."""
        return self._backend.name

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code. Of the backend, its class: the choice of ``auto`` is not known at first."""
        return {
            **super().effect_identity(),
            "backend": class_identity(self._backend)["class"],
            "policy": policy_digest(self._policy),
            "mounts": [mount.target for mount in self._mounts],
            "init_command": self._init_command,
            **({"packages": list(self._packages.requirements)} if self._packages else {}),
        }

    async def restore(self, result: CodeResult) -> None:
        """Put the files of a recorded result into the work folder, where later blocks find them. Variables are not.

        Args:
            result: What `execute_code_blocks` returned, here or elsewhere.
        """
        await super().restore(result)
        if self._policy.stateful:
            self._notes.append(NOT_RESTORED)

    async def stop(self) -> None:
        """End everything that the executor started, variables included; see `CodeExecutor.stop`."""
        await super().stop()
        self._has_variables = False

    async def restart(self) -> None:
        """Start again, with the files of the folder and without variables; see `CodeExecutor.restart`."""
        self._has_variables = False
        await super().restart()

    @override
    async def _prepare(self, first: CodeBlock | None = None) -> None:
        # Asked while the work folder is looked at. Every block waits for both, and each takes as long as the other.
        self._answers = None if self._sandbox is None else asyncio.ensure_future(sandbox_answers(self._sandbox))
        try:
            await super()._prepare(first)
        finally:
            if self._answers is not None:
                await cancel_and_wait(self._answers)

    @override
    def _make_folder(self) -> bool:
        is_new = super()._make_folder()
        self._unsent = self._returned.unsent()  # here, as a visit of a worker thread costs more
        return is_new

    async def _ready(self) -> None:
        if self._sandbox is not None and not await self._synchronize(self._sandbox):
            await self._close()
            self._notes.append(RENEWED_BEFORE)
        if self._sandbox is None:
            await self._open()

    async def _synchronize(self, sandbox: Sandbox) -> bool:
        """Put new and changed files into the sandbox. Return False where it has ended or does not take them.

        It may have been ended from outside since the last block, or by that block's time limit. To ask costs a fraction
        of a millisecond, and no block is lost to a sandbox that is gone.
        """
        if self._answers is None or not await self._answers:
            return False
        try:
            await self._put(sandbox, self._unsent)
        # One that is full, or has something else in the place of a file: a new sandbox takes what this one does not.
        except SandboxError:
            return False
        return True

    async def _open(self) -> None:
        self._mounts = await asyncio.to_thread(_located, self._mounts)
        sandbox = await self._backend.create(self._policy, mounts=self._mounts)
        if self._audit is not None:
            sandbox.observe_connections(self._connections.append)
        try:
            self._returned.forget()
            await self._put(sandbox, await asyncio.to_thread(self._returned.unsent))
            await self._run_init_command(sandbox)
        except BaseException:
            await sandbox.close()
            raise
        self._sandbox = sandbox
        if self._has_variables:  # which the sandbox before had
            self._notes.append(VARIABLES["lost_before"])
            self._has_variables = False

    async def _put(self, sandbox: Sandbox, files: Sequence[PurePosixPath]) -> None:
        for path in files:
            data = await asyncio.to_thread(self._returned.read, path)
            try:
                await sandbox.put(str(path), data)
            except SandboxDiedError:
                raise
            except SandboxError as error:
                raise SandboxError(DOES_NOT_FIT.format(path=self.work_dir / path, error=error)) from error
            self._returned.mark_sent(path)

    async def _run_init_command(self, sandbox: Sandbox) -> None:
        if self._init_command is None:
            return
        running = sandbox.run(self._init_command, "sh", timeout=self._timeout)
        result = await self._audited("sh", self._init_command.encode("utf-8", "surrogatepass"), running)
        if result.exit_code != 0:
            said = (result.stdout + result.stderr).strip() or "nothing"
            advice = f"\n{note}" if (note := failure_note(result.stderr, self._policy)) else ""
            raise SandboxError(f"init_command failed with exit code {result.exit_code} and said: {said}{advice}")

    async def _run(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        sandbox = self._sandbox
        if sandbox is None:
            raise SandboxDiedError("The sandbox has ended.")
        try:
            result = await self._run_inside(sandbox, planned, source)
        except SandboxDiedError as error:
            await self._close()
            line_end = "" if (error.stderr or error.stdout or "\n").endswith("\n") else "\n"
            told = f"{error.stderr}{line_end}{error}\n{REPLACED}\n"
            # The kernel takes the server only where it finds nothing of a block to kill: all of it was being killed
            # already, and its memory was not free yet.
            status = "out_of_memory" if error.memory_ran_out else "crashed"
            died = SandboxResult(status=status, exit_code=KILLED, stdout=error.stdout, stderr=told)
            self._note_loss(REPLACED)
            return self._with_notes(died)
        self._has_variables |= self._policy.stateful and planned.interpreter == "python"
        result = await self._write_back(result)
        if result.status == "error" and (note := failure_note(result.stderr, self._policy)):
            result = replace(result, notes=(*result.notes, note), stderr=f"{result.stderr}\n{note}\n")
        if result.status != "disk_full":
            return self._with_notes(result)
        await self._close()
        self._note_loss(RENEWED)
        return self._with_notes(replace(result, stderr=f"{result.stderr}\n{RENEWED}\n"))

    def _note_loss(self, text: str) -> None:
        """Note for this result that the sandbox is gone, and its variables with it."""
        self._notes += [text, *([VARIABLES["lost"]] if self._policy.stateful else [])]
        self._has_variables = False

    def _with_notes(self, result: SandboxResult) -> SandboxResult:
        """The result, with what was done to the sandbox since the last one."""
        notes = tuple(dict.fromkeys((*result.notes, *self._notes)))
        self._notes = []
        told = "".join(f"{note}\n" for note in notes if note in TOLD)
        return replace(result, notes=notes, stderr=f"{result.stderr}\n{told}" if told else result.stderr)

    async def _run_inside(self, sandbox: Sandbox, planned: PlannedBlock, source: bytes) -> SandboxResult:
        code, language = planned.block.code, planned.interpreter
        if planned.named or language in COMMANDS:
            sandbox = await self._put_source(sandbox, planned, source)
        if language in COMMANDS:
            code, language = COMMANDS[language].format(file=shlex.quote(f"./{planned.file}")), "sh"
        return await sandbox.run(code, language, timeout=self._timeout, on_output=self._pass_on)

    async def _put_source(self, sandbox: Sandbox, planned: PlannedBlock, source: bytes) -> Sandbox:
        """Put a block's source into the sandbox, or into a new one where this one does not take it; return which."""
        with suppress(SandboxError):
            await sandbox.put(str(planned.file), source)
            return sandbox
        # An earlier block has put something else in its place, or has filled the disk.
        await self._close()
        self._notes.append(RENEWED_BEFORE)
        await self._open()
        renewed = self._sandbox
        if renewed is None:
            raise SandboxDiedError("The sandbox has ended.")
        try:
            await renewed.put(str(planned.file), source)
        except SandboxDiedError:
            raise
        except SandboxError as error:
            raise RefusedBlockError(
                f"{planned.file} cannot be written: {error} Give the block a smaller text, or the policy a larger disk."
            ) from error
        return renewed

    async def _write_back(self, result: SandboxResult) -> SandboxResult:
        skipped = list(result.artifacts_skipped)
        # A file that cannot be written is reported and not raised: the code ran, and the other files are wanted.
        for artifact in result.artifacts:
            path = PurePosixPath(artifact.path)
            try:
                reason = await asyncio.to_thread(partial(self._returned.write, path, artifact.data, sent=True))
            except (OSError, ValueError) as error:
                reason = f"cannot be written to {self.work_dir}: {error}"
            if reason:
                skipped.append((artifact.path, reason))
        return replace(result, artifacts_skipped=tuple(skipped))

    def _put_back(self, path: PurePosixPath, data: bytes) -> None:
        self._returned.write(path, data, sent=False)

    def _keep_source(self, path: PurePosixPath, source: bytes) -> str:
        return self._returned.write(path, source, sent=True)

    def _place_of(self, path: PurePosixPath) -> PurePosixPath:
        return self._returned.place_of(path)

    @property
    def _sandbox_name(self) -> str:
        return self._backend.name

    async def _close(self) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            await sandbox.close()

    @override
    def _abandon(self) -> None:
        self._sandbox = None
        self._notes.append(RENEWED_BEFORE)


def _located(mounts: Sequence[SandboxMount]) -> tuple[SandboxMount, ...]:
    """The mounts with absolute paths, as the next sandbox may be made in another working directory."""
    return tuple(replace(mount, source=mount.source.absolute()) for mount in mounts)
