"""The sandboxes by the names that ``--sandbox`` gives them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors import choose_backend, sandbox_backends, set_up_backend
from symposia.presets.coding import LocalBackend


class SandboxName(StrEnum):
    """What ``--sandbox`` takes."""

    AUTO = "auto"
    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"
    NAMESPACES = "namespaces"
    LOCAL = "local"


async def ready_sandbox(name: SandboxName, report: Callable[[str], None]) -> SandboxBackend:
    """Find a sandbox that works here, and make what it needs if this is its first use.

    Raises:
        SandboxUnavailableError: It does not work on this machine, or none does.
    """
    chosen = await (_best() if name is SandboxName.AUTO else _named(name))
    await set_up_backend(chosen, lambda line: report(f"First use on this machine: {line}"))
    return chosen


async def _named(name: SandboxName) -> SandboxBackend:
    backend = _of_name(name)
    if name is SandboxName.DOCKER:
        return backend  # without its image it does not work yet; setting it up says what else it lacks
    if reason := await backend.unavailable_reason():
        raise SandboxUnavailableError(f"{name} does not work on this machine: {reason}\nElse: --sandbox auto")
    return backend


def _of_name(name: SandboxName) -> SandboxBackend:
    return next(backend for backend in (*sandbox_backends(), LocalBackend()) if backend.name == name)


async def _best() -> SandboxBackend:
    try:
        return await choose_backend(sandbox_backends())
    except SandboxUnavailableError as error:
        raise SandboxUnavailableError(f"{error}\nWith this command, that is: --sandbox local") from error


async def set_up(name: SandboxName, report: Callable[[str], None]) -> None:
    """Make what a sandbox needs; for ``auto``, what each of them needs that this machine can run.

    Raises:
        SandboxUnavailableError: It cannot be made; the text says why.
    """
    if name is not SandboxName.AUTO:
        await set_up_backend(_of_name(name), report)
        return
    done = [await _set_up_if_possible(backend, report) for backend in sandbox_backends()]
    if not any(done):
        raise SandboxUnavailableError("No sandbox could be made ready; the reasons are above.")


async def _set_up_if_possible(backend: SandboxBackend, report: Callable[[str], None]) -> bool:
    try:
        await set_up_backend(backend, report)
    except (MissingExtraError, SandboxUnavailableError) as error:
        report(f"{backend.name} is left out: {error}")
        return False
    return True
