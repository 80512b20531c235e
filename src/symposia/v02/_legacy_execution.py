"""Running code as agents without an executor do: one block, in a work folder, on this machine or in a sandbox."""

from __future__ import annotations

import asyncio
import shlex
import sys
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from symposia.core import CancellationToken
from symposia.core.code_executor import BlockResult, CodeBlock, execute_code
from symposia.core.code_executor import CodeExecutor as CoreCodeExecutor
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.v02._code_text import POWERSHELLS, SHELLS, TIMEOUT_MSG
from symposia.v02._docker_request import UseDocker, sandbox_for
from symposia.v02._files import as_argument, write_below
from symposia.v02._kept import Kept
from symposia.v02._pinned import PinnedCodeExecutor
from symposia.v02.coding.utils import named_file

KEPT: Final = 4
"""Sandboxes that stay for the next block. Of more, those end that run nothing and were used the longest ago."""


@dataclass(frozen=True)
class LegacyCode:
    """What is run, and how.

    Attributes:
        code: The source; None to run the file that is there.
        file: The file of the source in the work folder; None for one that is removed when it has run.
        language: ``python``, or the name of a shell.
        work_dir: The folder.
        use_docker: Where it runs.
        timeout: Seconds that it may run.
    """

    code: str | None
    file: str | None
    language: str
    work_dir: Path
    use_docker: UseDocker
    timeout: float


async def run_legacy_code(wanted: LegacyCode) -> tuple[int, str, str | None]:
    """Run code, and return its exit code, its output, and the image in which it ran where one was asked for.

    The output is what it printed to stdout where it succeeded, and to stderr where it failed. Code for a file that is
    not in the work folder fails.

    Raises:
        NotImplementedError: It is in another language.
        RuntimeError: No sandbox works.
    """
    if not wanted.language.startswith(("python", *SHELLS, *POWERSHELLS)):
        raise NotImplementedError(f"{wanted.language} not recognized in code execution")
    wanted = replace(wanted, work_dir=await asyncio.to_thread(wanted.work_dir.absolute))
    async with _executor(wanted) as executor:
        is_here = isinstance(executor, LocalCommandLineCodeExecutor)
        try:
            block = await asyncio.to_thread(_block, wanted, sys.executable if is_here else "python3")
        except (ValueError, OSError) as error:  # the writer of the code can name another file
            return 1, str(error), None
        result = BlockResult.of(block, await execute_code(executor, [block], CancellationToken()))
    image = wanted.use_docker if isinstance(wanted.use_docker, str) and not is_here else None
    return (1, TIMEOUT_MSG, image) if result.status == "timeout" else (result.exit_code, _logs(result), image)


@asynccontextmanager
async def _executor(wanted: LegacyCode) -> AsyncGenerator[CoreCodeExecutor]:
    key = (str(wanted.work_dir), repr(wanted.use_docker), wanted.timeout)
    executor = _kept.take(key)
    if executor is None:
        backend = await sandbox_for(wanted.use_docker)
        if backend is None:
            yield _local_executor(wanted)
            return
        made = SandboxCodeExecutor(backend, work_dir=wanted.work_dir, timeout=wanted.timeout, delete_tmp_files=True)
        executor = _kept.add(key, PinnedCodeExecutor(made))
    try:
        yield executor
    finally:
        await _kept.give_back(key)


_kept: Final = Kept[tuple[str, str, float], PinnedCodeExecutor](KEPT, PinnedCodeExecutor.stop)


def _local_executor(wanted: LegacyCode) -> CoreCodeExecutor:
    with warnings.catch_warnings():  # `sandbox_for` has warned
        warnings.simplefilter("ignore", UserWarning)
        return LocalCommandLineCodeExecutor(timeout=wanted.timeout, work_dir=wanted.work_dir)


def _block(wanted: LegacyCode, python: str) -> CodeBlock:
    """The block that runs it. Code that does not name its file in its first line is written to it here. Blocks."""
    language = next(name for name in ("python", *SHELLS, *POWERSHELLS) if wanted.language.startswith(name))
    shell = "sh" if language == "shell" else language
    if wanted.file is None and wanted.code is not None and language not in POWERSHELLS:
        return CodeBlock(wanted.code, shell)
    file = named_file(f"# filename: {wanted.file or 'tmp_code.ps1'}", wanted.work_dir) or ""
    if wanted.code is not None:
        if language == "python" and wanted.code.startswith(f"# filename: {file}\n"):
            return CodeBlock(wanted.code, language)
        write_below(wanted.work_dir, file, wanted.code)
    program = {"python": shlex.quote(python), **dict.fromkeys(POWERSHELLS, "pwsh -File")}.get(language, shell)
    return CodeBlock(f"exec {program} {as_argument(file)}", "sh")


def _logs(result: BlockResult) -> str:
    """What it printed to one stream, without the path of a file that is removed."""
    if result.stdout is None:
        return result.output
    if result.exit_code == 0:
        return result.stdout
    ending = result.output.removeprefix(f"{result.stdout}{result.stderr or ''}")
    return f"{result.stderr or ''}{ending}".replace(result.code_file or "\0", "")
