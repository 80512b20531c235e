"""One attack: where it runs, and how it is judged."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from symposia.core import CancellationToken, uninterrupted
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CommandLineCodeResult,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
)
from symposia.core.exceptions import SymposiaError
from symposia.ext._temporary_folders import temporary_folder
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

ATTACK_SECONDS: Final = 120.0
BLOCK_SECONDS: Final = 20.0
MOUNTED: Final = "/data/m"
"""Where code sees the mounted folder of an `AttackTarget`."""


class AttackTarget:
    """An executor that is attacked, and what the host has around it.

    Attributes:
        executor: Runs the attack's programs.
        work_dir: Its work folder.
        mounted: A folder of the host that the code sees read-only.
    """

    def __init__(self, executor: SandboxCodeExecutor, work_dir: Path, mounted: Path) -> None:
        self.executor = executor
        self.work_dir = work_dir
        self.mounted = mounted
        self._printed: Callable[[str], None] = _ignore

    async def run(self, code: str, language: str = "python") -> BlockResult:
        """Run one program."""
        block = CodeBlock(code=textwrap.dedent(code).strip(), language=language)
        result = await self.executor.execute_code_blocks([block], CancellationToken())
        return CommandLineCodeResult.of([BlockResult.of(block, result)]).blocks[0]

    async def run_until(self, word: str, code: str) -> asyncio.Task[BlockResult]:
        """Start a program, and return when it has printed `word` or has ended."""
        printed = asyncio.Event()
        self._printed = lambda text: printed.set() if word in text else None
        running = asyncio.create_task(self.run(code))
        waiting = asyncio.create_task(printed.wait())
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return running

    async def next_block(self) -> str:
        """Run a program that does no harm. Returns why that fails; empty where it runs as it should."""
        result = await self.run("import json, os; print(json.dumps(sorted([3, 1, 2])), len(os.listdir('/proc')) > 0)")
        if (result.status, result.output) == ("ok", "[1, 2, 3] True\n"):
            return ""
        return f"the next block {ending(result)}"

    def receive_output(self, text: str) -> None:
        """Take a piece of output as it comes."""
        self._printed(text)


Attempt = Callable[[AttackTarget], Awaitable[str]]
"""Attacks, and returns what got through; empty where the sandbox held."""


def ending(result: BlockResult) -> str:
    """How a program ended, and the end of its output, for what got through."""
    return f"ended as {result.status}: {result.output[-200:]}"


def prints_nothing(code: str) -> Attempt:
    """An attack by a program that prints what it reaches, and nothing where the sandbox holds."""

    async def attempt(target: AttackTarget) -> str:
        result = await target.run(code)
        return result.output.strip() or ("" if result.status == "ok" else f"it {ending(result)}")

    return attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """An attack on a sandbox.

    Attributes:
        name: One word or a few, with hyphens.
        aim: What it tries, in the table's words.
        attempt: Attacks, and returns what got through; empty where the sandbox held.
        policy: The limits that it is tried with.
    """

    name: str
    aim: str
    attempt: Attempt
    policy: SandboxPolicy = field(default_factory=SandboxPolicy)


@dataclass(frozen=True, slots=True)
class AttackOutcome:
    """The result of an attack.

    Attributes:
        got_through: What the attack reached; empty where the sandbox held.
    """

    attack: Attack
    got_through: str

    @property
    def stopped(self) -> bool:
        """Whether the sandbox held."""
        return not self.got_through


async def run_attack(attack: Attack, backend: SandboxBackend) -> AttackOutcome:
    """Attack a new sandbox. What it raises, in an executor that must not raise, got through as well.

    Raises:
        SandboxUnavailableError: There is no such sandbox on this machine.
    """
    async with temporary_folder("attack") as folder:
        mounted, work = folder / "mounted", folder / "work"
        await uninterrupted(asyncio.to_thread(_make_readable, folder, mounted))
        await uninterrupted(asyncio.to_thread((mounted / "file").write_text, "data\n"))
        executor = SandboxCodeExecutor(
            backend,
            work_dir=work,
            timeout=min(attack.policy.time_limit, BLOCK_SECONDS),
            policy=attack.policy,
            mounts=[SandboxMount(source=mounted, target=MOUNTED)],
            on_output=lambda _stream, text: target.receive_output(text),
        )
        target = AttackTarget(executor, work, mounted)
        async with asyncio.timeout(ATTACK_SECONDS), executor:
            try:
                return AttackOutcome(attack, await attack.attempt(target))
            except SymposiaError as error:
                return AttackOutcome(attack, f"the executor raised {type(error).__name__}: {error}")


def _make_readable(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _ignore(_text: str) -> None:
    """Nothing waits for output."""
