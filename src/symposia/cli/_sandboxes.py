"""The sandboxes by the names that ``--sandbox`` takes, and `symposia setup`, which sets them up."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer

from symposia.cli._exit import fail, status_of_error, stopped_by_interrupt
from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPackages, SandboxPolicy
from symposia.core.exceptions import (
    MissingExtraError,
    SandboxError,
    SandboxPackagesError,
    SandboxUnavailableError,
    SymposiaError,
)
from symposia.ext.code_executors import AUTO, AutoBackend, sandbox_backends, sandbox_kind, sandbox_kinds


def sandbox_names() -> tuple[str, ...]:
    """The values of ``--sandbox``."""
    return (AUTO, *(kind.name for kind in sandbox_kinds()))


def check_sandbox_name(name: str) -> None:
    """Refuse an unknown name.

    Raises:
        typer.BadParameter: There is no sandbox of this name.
    """
    if name not in sandbox_names():
        raise typer.BadParameter(f"There is no sandbox {name!r}. There are: {', '.join(sandbox_names())}")


def chosen_sandbox(name: str, report: Callable[[str], None]) -> SandboxBackend:
    """The backend of a name. It is set up on its first use, and its errors name the options of this command.

    Args:
        name: One of `sandbox_names`.
        report: Called with a line of text as each step of the setup begins.

    Raises:
        InvalidArgumentError: There is no sandbox of this name.
    """
    if name == AUTO:
        return _Advised(AutoBackend(progress=report), "The option is --sandbox local")
    return _Advised(_Prepared(sandbox_kind(name).make(), report), "Else: --sandbox auto")


class _Wrapped(SandboxBackend):
    def __init__(self, backend: SandboxBackend) -> None:
        self.name = backend.name
        self._backend = backend

    def with_packages(self, packages: SandboxPackages) -> SandboxBackend:
        wrapper = copy.copy(self)
        vars(wrapper).update(_backend=self._backend.with_packages(packages))
        return wrapper

    async def unavailable_reason(self) -> str | None:
        return await self._backend.unavailable_reason()

    async def is_set_up(self) -> bool:
        return await self._backend.is_set_up()


class _Prepared(_Wrapped):
    """A backend that was chosen by name: set up on the first use, and never replaced by another."""

    def __init__(self, backend: SandboxBackend, report: Callable[[str], None]) -> None:
        super().__init__(backend)
        self._report = report

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        try:
            if not await self._backend.is_set_up():
                await self._backend.set_up(self._report)
            if reason := await self._backend.unavailable_reason():
                raise SandboxUnavailableError(reason)
            return await self._backend.create(policy, mounts=mounts)
        except SandboxPackagesError:
            raise
        except SandboxError as error:
            raise SandboxUnavailableError(f"{self.name} does not work on this machine: {error}") from error


class _Advised(_Wrapped):
    """A backend whose errors at the start end with advice for the command line."""

    def __init__(self, backend: SandboxBackend, advice: str) -> None:
        super().__init__(backend)
        self._advice = advice

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        try:
            sandbox = await self._backend.create(policy, mounts=mounts)
        except SandboxPackagesError:
            raise  # another sandbox would not have them either
        except SandboxUnavailableError as error:
            raise SandboxUnavailableError(f"{error}\n{self._advice}") from error
        self.name = self._backend.name
        return sandbox


@dataclass(frozen=True, slots=True)
class SetUp:
    """The result of a setup.

    Attributes:
        ready: Names of the sandboxes that work now.
        left_out: For each of the others, why it does not work and what to do.
    """

    ready: Sequence[str]
    left_out: Mapping[str, str]

    def summary(self) -> str:
        """Both, in one line."""
        reasons = [f"{name} ({' '.join(reason.split()).rstrip('.')})" for name, reason in self.left_out.items()]
        left_out = f" Left out: {', '.join(reasons)}." if reasons else ""
        return f"Ready: {', '.join(self.ready)}.{left_out}"


async def set_up(name: str, report: Callable[[str], None]) -> SetUp:
    """Set up a sandbox; for ``auto``, each one that this machine can run.

    Raises:
        InvalidArgumentError: There is no sandbox of this name.
        SandboxUnavailableError: No sandbox works after the setup; the text says why.
    """
    if name != AUTO:
        await _set_up((await asyncio.to_thread(sandbox_kind, name)).make(), report)
        return SetUp([name], {})
    ready: list[str] = []
    left_out: dict[str, str] = {}
    for backend in await asyncio.to_thread(sandbox_backends):
        try:
            await _set_up(backend, report)
            ready.append(backend.name)
        except (MissingExtraError, SandboxUnavailableError) as error:
            left_out[backend.name] = str(error)
            report(f"{backend.name} is left out: {error}")
    if not ready:
        raise SandboxUnavailableError("No sandbox could be made ready; the reasons are above.")
    return SetUp(ready, left_out)


async def _set_up(backend: SandboxBackend, report: Callable[[str], None]) -> None:
    """Set up a backend, and try it: where all that it needs is made, what runs it may still be missing."""
    await backend.set_up(report)
    if reason := await backend.unavailable_reason():
        raise SandboxUnavailableError(reason)


def set_up_and_show(name: str) -> None:
    """Set up a sandbox, and show the progress and what is ready.

    Raises:
        typer.Exit: The setup failed.
        typer.BadParameter: There is no sandbox of this name.
    """
    check_sandbox_name(name)
    try:
        with stopped_by_interrupt(lambda: "Interrupted. Nothing half-made is left."):
            result = asyncio.run(set_up(name, typer.echo))
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    typer.echo(result.summary())
