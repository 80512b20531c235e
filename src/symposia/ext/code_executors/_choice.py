"""The best sandbox that works on this machine. Running code on the host itself is never among the choices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

NONE_WORKS = (
    "No sandbox works on this machine, and code that a model wrote is not run without one.\n{reasons}\n"
    "Make one of them work. To run the code on this machine without a sandbox after all, say so with "
    "LocalCommandLineCodeExecutor."
)


def sandbox_backends() -> tuple[SandboxBackend, ...]:
    """Every kind of sandbox, the best first."""
    return DockerBackend(), BubblewrapBackend(), NamespaceBackend()


async def choose_backend(backends: Sequence[SandboxBackend] | None = None) -> SandboxBackend:
    """Choose the first backend that works on this machine.

    Raises:
        SandboxUnavailableError: None does; the text gives each one's reason.
    """
    reasons: list[str] = []
    for backend in sandbox_backends() if backends is None else backends:
        reason = await backend.unavailable_reason()
        if reason is None:
            return backend
        reasons.append(f"- {backend.name}: {reason}")
    raise SandboxUnavailableError(NONE_WORKS.format(reasons="\n".join(reasons)))


class AutoBackend(SandboxBackend):
    """A backend that is chosen when the first sandbox is made.

    Args:
        backends: What to choose from, the best first; every kind when None.
    """

    def __init__(self, backends: Sequence[SandboxBackend] | None = None) -> None:
        self._backends = backends
        self._chosen: SandboxBackend | None = None

    @property
    def name(self) -> str:
        """``auto`` until one is chosen, then its name."""
        return "auto" if self._chosen is None else self._chosen.name

    async def unavailable_reason(self) -> str | None:
        """Say why none works; see `SandboxBackend.unavailable_reason`."""
        try:
            await self._choose()
        except SandboxUnavailableError as error:
            return str(error)
        return None

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a sandbox of the best kind; see `SandboxBackend.create`."""
        backend = await self._choose()
        return await backend.create(policy, mounts=mounts)

    async def _choose(self) -> SandboxBackend:
        if self._chosen is None:
            self._chosen = await choose_backend(self._backends)
        return self._chosen


def create_default_code_executor(work_dir: Path | str | None = None) -> SandboxCodeExecutor:
    """Make an executor on the best sandbox that works on this machine, chosen when it starts.

    Starting it raises `SandboxUnavailableError` where none works.

    Args:
        work_dir: The folder of the host whose files the code sees and where its files go to.
    """
    return SandboxCodeExecutor(AutoBackend(), work_dir=work_dir)
