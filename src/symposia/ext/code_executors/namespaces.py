"""Running code in the kernel's own namespaces: these sandboxes need nothing but Linux and Python."""

from __future__ import annotations

import asyncio
from typing import Final, Self, Unpack

from typing_extensions import override

from symposia.core.argument_checks import check_flag
from symposia.core.code_executor import SandboxPackages, SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors._sandbox._launched import (
    LaunchedBackend,
    LauncherCommand,
    launcher_python,
    limits_of,
)
from symposia.ext.code_executors._sandbox._mounts import Bind, Mount, as_json, mount_plan
from symposia.ext.code_executors._sandbox._program import bootstrap_arguments, imported_ahead, zygote_program
from symposia.ext.code_executors._sandbox._python import PlacedPython, state_of_packages
from symposia.ext.code_executors._sandbox._running import zygote_arguments
from symposia.ext.code_executors._sandbox._transport import Transport
from symposia.ext.code_executors._sandbox._zygotes import ZYGOTES, ZygotePlan
from symposia.ext.code_executors._sandbox_options import SandboxOptions
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

IDLE_SECONDS: Final = 60.0
"""Without a sandbox, after which a process with imported libraries ends. A new one takes a second of processor time."""
ANSWER_SECONDS: Final = 10.0
"""After which a process that does not fork is taken for broken. It takes milliseconds, and more on a busy machine."""

__all__ = ["NamespaceBackend", "NamespaceCommandLineCodeExecutor"]


class NamespaceBackend(LaunchedBackend):
    """A `SandboxBackend` on the kernel's user, mount, PID, network, IPC and UTS namespaces.

    Works for root and for ordinary users. Memory, processes and processors are limited by control groups where some
    can be made; elsewhere the server adds up memory itself and the kernel counts the user's processes.

    The first sandbox of a program is a process of its own. With the second, a process is started that imports the
    policy's `imported_ahead`, and from which later sandboxes without mounts are forked: they start in a tenth of the
    time and share the memory of the libraries. Nothing that code does in one can be seen in another. They also share
    the layout of their address space, so that code that learns of it in one knows it for all.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
        packages: What blocks can import beside these; not with a `python` of the caller's.
        fork: Whether sandboxes may be forked from one process. False for tenants who may attack each other.

    Raises:
        ArgumentTypeError: `fork` is not a bool.
    """

    name = "namespaces"

    def __init__(
        self, python: SandboxPython | None = None, *, packages: SandboxPackages | None = None, fork: bool = True
    ) -> None:
        super().__init__(python, packages=packages)
        check_flag("NamespaceBackend", "fork", fork)
        self._may_fork = fork

    @override
    def _like_this(self, packages: SandboxPackages) -> Self:
        return type(self)(packages=packages, fork=self._may_fork)

    @override
    @classmethod
    def _with_base_python(cls) -> Self:
        return cls(base_python(), fork=False)

    async def fork_problem(self) -> str | None:
        """Try whether sandboxes can be forked here; return why not. It imports no library."""
        if not self._may_fork:
            return "It was made with fork=False."
        try:
            await NamespaceBackend(base_python()).prepare_fork(SandboxPolicy(imported_ahead=("json",)))
        except SandboxUnavailableError as error:
            return str(error)
        return None

    async def prepare_fork(self, policy: SandboxPolicy) -> None:
        """Start the process from which sandboxes of a policy are forked, and wait until it is ready.

        Without it, the process is started in the background with the second sandbox. There is none for policies that
        import nothing ahead, or leave no room for it: less than 256 MiB, or half a processor.

        Raises:
            SandboxUnavailableError: Sandboxes cannot be forked here, and are started one by one. The text says why.
        """
        if not self._may_fork:
            raise SandboxUnavailableError("It was made with fork=False.")
        if not imported_ahead(policy):
            return
        python = await self._placed_python()
        await ZYGOTES.start(await asyncio.to_thread(_zygote_plan, python, policy))

    @override
    async def _fork(self, python: PlacedPython, policy: SandboxPolicy) -> Transport | None:
        if not self._may_fork or not imported_ahead(policy):
            return None
        plan, request = await asyncio.to_thread(lambda: (_zygote_plan(python, policy), _fork_request(python, policy)))
        return await ZYGOTES.fork(plan, request)

    async def _launcher(self) -> LauncherCommand:
        return LauncherCommand("namespaces", {})


def _zygote_plan(python: PlacedPython, policy: SandboxPolicy) -> ZygotePlan:
    """The zygote for sandboxes of a policy. Reads the file system.

    Of the policy it takes the libraries alone, so that policies with the same ones share a zygote.
    """
    limits, libraries = SandboxPolicy(), imported_ahead(policy)
    program = zygote_program(libraries)
    request: dict[str, object] = {
        "mounts": as_json(mount_plan(python.mounts, limits, ())),
        **limits_of(limits),
        "zygote": [python.executable, *bootstrap_arguments(program)],
        "libraries": libraries,
        "environment": python.environment,
        "trial": _fork_request(python, limits),
        "answer_seconds": ANSWER_SECONDS,
        "idle_seconds": IDLE_SECONDS,
    }
    return ZygotePlan(
        tuple(launcher_python()), tuple(zygote_arguments("namespaces")), request, program, state_of_packages(python)
    )


def _fork_request(python: PlacedPython, policy: SandboxPolicy) -> dict[str, object]:
    """The request of a sandbox, to be forked where all that is mounted for it is at its place already."""
    plan = mount_plan(python.mounts, policy, ())
    return {"mounts": as_json([_from_inside(mount) for mount in plan]), **limits_of(policy)}


def _from_inside(mount: Mount) -> Mount:
    return Bind(mount.target, mount.target) if isinstance(mount, Bind) else mount


class NamespaceCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in the kernel's own namespaces, which need nothing but Linux.

    It starts on its first use; see `SandboxCodeExecutor`.

    Args:
        options: See `SandboxOptions`.
    """

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        super().__init__(NamespaceBackend(), **options)
