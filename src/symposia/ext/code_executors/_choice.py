"""Which sandboxes work on this machine, found by trying, and the best of them.

Running code on the host itself is never among the choices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Unpack

from symposia.core import Component
from symposia.core.argument_checks import check_backend, check_list
from symposia.core.code_executor import (
    Progress,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
)
from symposia.core.exceptions import MissingExtraError, SandboxError, SandboxPackagesError, SandboxUnavailableError
from symposia.ext.code_executors._registry import AUTO, sandbox_backends
from symposia.ext.code_executors._sandbox_options import DefaultExecutorOptions
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

NONE_WORKS: Final = (
    "No sandbox works on this machine, and code that a model wrote is not run without one.\n{reasons}\n"
    "Make one of them work. To run the code on this machine without a sandbox after all, say so with "
    "LocalCommandLineCodeExecutor."
)


async def choose_backend(backends: Sequence[SandboxBackend] | None = None) -> SandboxBackend:
    """Choose the first backend that reports that it works on this machine; `AutoBackend` takes the first that starts.

    Raises:
        SandboxUnavailableError: None does; the text gives each one's reason.
        ArgumentTypeError: `backends` is no list of backends, but for instance a name.
    """
    if backends is not None:
        _check_backends(backends)
    reasons: dict[str, str] = {}
    for backend in await asyncio.to_thread(sandbox_backends) if backends is None else backends:
        reason = await backend.unavailable_reason()
        if reason is None:
            return backend
        reasons[backend.name] = reason
    raise _none_works(reasons)


def _check_backends(given: Sequence[object]) -> None:
    check_list("The backends", given)
    for each in given:
        check_backend("choose_backend", each)


class AutoBackend(Component, SandboxBackend):
    """The first of several backends that starts a sandbox. Its `name` is ``auto``, and then the name of that backend.

    A backend that says that it works can still fail to start: its image may be broken, its engine out of disk, its
    Python impossible to make without a network. Then the next one is tried.

    Args:
        backends: What to choose from, the best first; every kind of sandbox when None.
        progress: Called with a line of text as what a sandbox needs is made, and when one fails to start.
        packages: What code can import beside what the sandboxes have anyway. Kinds that install none are left out.
    """

    component_type = "sandbox_backend"
    component_transient = frozenset({"progress"})

    def __init__(
        self,
        backends: Sequence[SandboxBackend] | None = None,
        *,
        progress: Progress | None = None,
        packages: SandboxPackages | None = None,
    ) -> None:
        self.name = AUTO
        self._backends = backends
        self._progress = progress
        self._packages = packages
        self._chosen: SandboxBackend | None = None

    def with_packages(self, packages: SandboxPackages) -> AutoBackend:
        """A choice of the same backends, each with these packages; see `SandboxBackend.with_packages`."""
        return AutoBackend(self._backends, progress=self._progress, packages=packages)

    async def unavailable_reason(self) -> str | None:
        """Return why no backend works; see `SandboxBackend.unavailable_reason`."""
        try:
            await choose_backend(self._backends)
        except SandboxUnavailableError as error:
            return str(error)
        return None

    async def is_set_up(self) -> bool:
        """Whether the first kind that works here is set up; see `SandboxBackend.is_set_up`."""
        try:
            return await self._equipped(await choose_backend(await asyncio.to_thread(self._candidates))).is_set_up()
        except SandboxError:  # there is none, or not with the packages: `create` says why
            return False

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a sandbox of the best kind that starts; see `SandboxBackend.create`.

        Raises:
            SandboxUnavailableError: None does; the text gives each one's reason.
            SandboxPackagesError: The packages cannot be installed for the best kind.
            InvalidArgumentError: A mount cannot be made in any sandbox.
        """
        reasons: dict[str, str] = {}
        for backend in await asyncio.to_thread(self._candidates):
            try:
                reasons[backend.name] = await backend.unavailable_reason() or ""
                # A reason that is known costs milliseconds, while setting up what cannot start may cost minutes.
                if not reasons[backend.name]:
                    equipped = self._equipped(backend)
                    sandbox = await self._started(equipped, policy, mounts)
                    self._chosen, self.name = equipped, equipped.name
                    return sandbox
            except SandboxPackagesError:
                raise  # the next kind would search the same place for the same packages
            except (SandboxError, MissingExtraError, OSError) as error:
                reasons[backend.name] = str(error)
                self._report(f"{backend.name} does not start: {error}")
        raise _none_works(reasons)

    def _equipped(self, backend: SandboxBackend) -> SandboxBackend:
        if self._packages is None or backend is self._chosen:
            return backend
        return backend.with_packages(self._packages)

    async def _started(self, backend: SandboxBackend, policy: SandboxPolicy, mounts: Sequence[SandboxMount]) -> Sandbox:
        await backend.set_up(self._progress)
        return await backend.create(policy, mounts=mounts)

    def _candidates(self) -> list[SandboxBackend]:
        """The backend that started before, then the others. May read files, to list the registered kinds."""
        backends = sandbox_backends() if self._backends is None else self._backends
        if self._chosen is None:
            return list(backends)
        return [self._chosen, *(backend for backend in backends if backend.name != self._chosen.name)]

    def _report(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)


def create_default_code_executor(
    work_dir: Path | str | None = None, **options: Unpack[DefaultExecutorOptions]
) -> SandboxCodeExecutor:
    """Make an executor on the best sandbox that works on this machine, chosen when it starts.

    Starting it raises `SandboxUnavailableError` where none works.

    Args:
        work_dir: The folder of the host whose files the code sees and where its files go to.
        options: ``timeout``, ``policy``, ``packages`` and others; see `DefaultExecutorOptions`.

    Raises:
        ArgumentTypeError, InvalidArgumentError: As `SandboxCodeExecutor`.
    """
    return SandboxCodeExecutor(AutoBackend(), work_dir=work_dir, **options)


def _none_works(reasons: dict[str, str]) -> SandboxUnavailableError:
    listed = "\n".join(f"- {name}: {reason}" for name, reason in reasons.items())
    return SandboxUnavailableError(NONE_WORKS.format(reasons=listed))
