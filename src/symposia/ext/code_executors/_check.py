"""The check of a kind of sandbox: one is started, runs a block and is ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from symposia.core.code_executor import SandboxBackend, SandboxPolicy, SandboxResult
from symposia.core.exceptions import SymposiaError

PRINTED: Final = "a block ran"
BLOCK: Final = f"print({PRINTED!r})"
CHECK_SECONDS: Final = 60.0
"""A container on a busy machine takes some seconds to start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxCheck:
    """The result of trying a sandbox.

    Attributes:
        works: Whether code can run in it here.
        detail: The finding; if the sandbox does not work, the reason and what to do.
        weaknesses: What it holds less firmly than it could, each with what to do; see `Sandbox.weaknesses`.
    """

    works: bool
    detail: str
    weaknesses: tuple[str, ...] = ()


async def check_sandbox(backend: SandboxBackend) -> SandboxCheck:
    """Start a sandbox, run a block in it and end it. A fault of the sandbox is reported and never raised.

    What has to be set up first is not set up for the check; then only `SandboxBackend.unavailable_reason` is asked.
    """
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await _check(backend)
    except TimeoutError:
        return SandboxCheck(works=False, detail=f"It did not start and run a block within {CHECK_SECONDS:g} s.")
    except (SymposiaError, OSError) as error:
        return SandboxCheck(works=False, detail=f"It does not start: {error}")
    except Exception as error:  # noqa: BLE001 - a backend of another package; the check is for what is wrong
        return SandboxCheck(works=False, detail=f"It fails with {type(error).__name__}, a fault of its own: {error}")


async def _check(backend: SandboxBackend) -> SandboxCheck:
    if reason := await backend.unavailable_reason():
        return SandboxCheck(works=False, detail=reason)
    if not await backend.is_set_up():
        return SandboxCheck(works=True, detail="starts; the first run, or `symposia setup`, makes its Python packages")
    started = time.monotonic()
    sandbox = await backend.create(SandboxPolicy())
    try:
        result = await sandbox.run(BLOCK, "python")
    finally:
        await sandbox.close()
    if result.status == "ok" and result.stdout.strip() == PRINTED:
        detail = f"works: a block ran, {time.monotonic() - started:.1f} s in all"
        return SandboxCheck(works=True, detail=detail, weaknesses=tuple(sandbox.weaknesses()))
    return SandboxCheck(works=False, detail=f"It starts, but a block fails: {_failure(result)}")


def _failure(result: SandboxResult) -> str:
    said = " ".join((result.stderr or result.stdout).split())
    return f"{result.status}, exit status {result.exit_code}" + (f": {said}" if said else "")
