"""The sandboxes by the names that ``--sandbox`` takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from typing_extensions import override

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import MissingExtraError, SandboxError, SandboxUnavailableError
from symposia.ext.code_executors import AutoBackend, sandbox_backends, sandbox_kind, sandbox_kinds

AUTO = "auto"


def sandbox_names() -> tuple[str, ...]:
    """What ``--sandbox`` takes."""
    return (AUTO, *(kind.name for kind in sandbox_kinds()))


def chosen_sandbox(name: str, report: Callable[[str], None]) -> SandboxBackend:
    """The backend of a name: it makes what it needs on its first use, and says in this command's words what to do.

    Args:
        name: One of `sandbox_names`.
        report: Called with a line of text as each part of a first use begins.

    Raises:
        InvalidArgumentError: There is no sandbox of this name.
    """
    if name == AUTO:
        return _Advised(AutoBackend(progress=report), "With this command, that is: --sandbox local")
    return _Advised(_Prepared(sandbox_kind(name).make(), report), "Else: --sandbox auto")


class _Wrapped(SandboxBackend):
    def __init__(self, backend: SandboxBackend) -> None:
        self.name = backend.name
        self._backend = backend

    async def unavailable_reason(self) -> str | None:
        return await self._backend.unavailable_reason()


class _Prepared(_Wrapped):
    """A backend that is asked for by name: set up on the first use, and never replaced by another."""

    def __init__(self, backend: SandboxBackend, report: Callable[[str], None]) -> None:
        super().__init__(backend)
        self._report = report

    @override
    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        try:
            if not await self._backend.is_set_up():
                await self._backend.set_up(self._report)
            if reason := await self._backend.unavailable_reason():
                raise SandboxUnavailableError(reason)
            return await self._backend.create(policy, mounts=mounts)
        except SandboxError as error:
            raise SandboxUnavailableError(f"{self.name} does not work on this machine: {error}") from error


class _Advised(_Wrapped):
    """A backend whose failures to start end with what to do about them on the command line."""

    def __init__(self, backend: SandboxBackend, advice: str) -> None:
        super().__init__(backend)
        self._advice = advice

    @override
    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        try:
            sandbox = await self._backend.create(policy, mounts=mounts)
        except SandboxUnavailableError as error:
            raise SandboxUnavailableError(f"{error}\n{self._advice}") from error
        self.name = self._backend.name
        return sandbox


async def set_up(name: str, report: Callable[[str], None]) -> None:
    """Make what a sandbox needs; for ``auto``, what each of them needs that this machine can run.

    Raises:
        InvalidArgumentError: There is no sandbox of this name.
        SandboxUnavailableError: It cannot be made; the text says why.
    """
    if name != AUTO:
        await (await asyncio.to_thread(sandbox_kind, name)).make().set_up(report)
        return
    backends = await asyncio.to_thread(sandbox_backends)
    done = [await _set_up_if_possible(backend, report) for backend in backends]
    if not any(done):
        raise SandboxUnavailableError("No sandbox could be made ready; the reasons are above.")


async def _set_up_if_possible(backend: SandboxBackend, report: Callable[[str], None]) -> bool:
    try:
        await backend.set_up(report)
    except (MissingExtraError, SandboxUnavailableError) as error:
        report(f"{backend.name} is left out: {error}")
        return False
    return True
