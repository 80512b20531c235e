"""Backends whose sandboxes are built on this machine by the launcher: namespaces, and bubblewrap."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import re
import sys
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from symposia.core import Component
from symposia.core.code_executor import (
    Progress,
    RunningSandbox,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
)
from symposia.core.exceptions import InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors._environment import (
    find_sandbox_python,
    make_sandbox_python,
    remove_unused_environments,
    set_up_problem,
)
from symposia.ext.code_executors._sandbox._connection import SandboxConnection
from symposia.ext.code_executors._sandbox._launcher import MEMORY_COUNTER_FD
from symposia.ext.code_executors._sandbox._launcher._cgroups import remove_left_over_groups
from symposia.ext.code_executors._sandbox._mounts import as_json, mount_plan
from symposia.ext.code_executors._sandbox._program import (
    ServerSettings,
    bootstrap_arguments,
    launcher_program,
    server_program,
)
from symposia.ext.code_executors._sandbox._python import PlacedPython, SandboxPython, base_python, place_python
from symposia.ext.code_executors._sandbox._running import marked_arguments, running_sandboxes
from symposia.ext.code_executors._sandbox._seccomp import seccomp_program
from symposia.ext.code_executors._sandbox._transport import ProcessTransport, Transport

logger = logging.getLogger(__name__)

_PROCESSES_COUNTED_IN_EACH_NAMESPACE = (5, 14)  # the Linux that counts RLIMIT_NPROC in each user namespace
# With the values for off and on: Debian's own switch, Ubuntu's since 23.10, and the kernel's (namespaces(7)).
_USER_NAMESPACE_SWITCHES = {
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "user/max_user_namespaces": ("0", "65536"),
}


class LauncherCommand(NamedTuple):
    """What one kind of launcher needs besides the plan of mounts and the limits.

    Attributes:
        kind: The launcher's module, see `launcher_program`.
        request: The arguments of the module.
    """

    kind: str
    request: dict[str, object]


class LaunchedBackend(Component, SandboxBackend):
    """A `SandboxBackend` whose sandboxes a launcher builds, a process of this machine that outlives none of them.

    The launcher is a fresh interpreter with an empty environment. The function between fork and exec that `subprocess`
    offers (``preexec_fn``) was rejected: it runs Python in a copy of a process with threads, whose locks nothing will
    ever release, and the copy of a large process is slow.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
        packages: What blocks can import beside these; not with a `python` of the caller's.
    """

    component_type = "sandbox_backend"

    def __init__(self, python: SandboxPython | None = None, *, packages: SandboxPackages | None = None) -> None:
        self._has_own_python = python is not None
        self._python = python
        self._packages = packages

    @abstractmethod
    async def _launcher(self) -> LauncherCommand:
        """The command that launches a sandbox here.

        Raises:
            SandboxUnavailableError: A program is missing; the text says what to install.
        """

    @classmethod
    def _with_base_python(cls) -> Self:
        """A backend that needs nothing to be made, for trying whether this kind of sandbox starts at all."""
        return cls(base_python())

    def with_packages(self, packages: SandboxPackages) -> Self:
        """A backend with these packages in the environment that runs blocks; see `SandboxBackend.with_packages`.

        Raises:
            InvalidArgumentError: The backend was given a Python of its own, which is used as it is.
        """
        if self._has_own_python:
            raise InvalidArgumentError("A Python of your own is used as it is. Install the packages into it.")
        return self._like_this(packages)

    def _like_this(self, packages: SandboxPackages) -> Self:
        """A backend that is made like this one, but for the packages."""
        return type(self)(packages=packages)

    async def unavailable_reason(self) -> str | None:
        """Try to start a sandbox, and return why it fails; see `SandboxBackend.unavailable_reason`.

        Whether user namespaces are allowed is decided in many places (kernel settings, AppArmor, seccomp of a container
        around this process), which cannot be read but by an attempt. The setting that disables them is named.
        """
        if sys.platform != "linux":
            return f"It needs Linux, and this is {sys.platform}."
        try:
            await self._launcher()
        except SandboxUnavailableError as error:
            return str(error)
        if self._python is None and (problem := await set_up_problem(self._packages)):
            return problem
        try:
            sandbox = await self._with_base_python().create(SandboxPolicy())
        except SandboxUnavailableError as error:
            return f"{error}. {await asyncio.to_thread(_disabling_setting)}"
        await sandbox.close()
        return None

    async def is_set_up(self) -> bool:
        """Whether the Python that runs blocks exists."""
        return self._python is not None or await find_sandbox_python(self._packages) is not None

    async def set_up(self, progress: Progress | None = None) -> None:
        """Make the Python that runs blocks; see `SandboxBackend.set_up`."""
        if self._python is None:
            self._python = await make_sandbox_python(progress, self._packages)

    async def running(self) -> Sequence[RunningSandbox]:
        """List the sandboxes of all launchers of this kind; see `SandboxBackend.running`."""
        return await asyncio.to_thread(running_sandboxes, self.name) if sys.platform == "linux" else ()

    async def clean(self) -> Sequence[str]:
        """Remove the control groups of killed launchers, and unused environments; see `SandboxBackend.clean`."""
        groups = await asyncio.to_thread(remove_left_over_groups) if sys.platform == "linux" else []
        return [*groups, *map(str, await remove_unused_environments())]

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start the launcher, and the server behind it; see `SandboxBackend.create`.

        Raises:
            SandboxUnavailableError: It does not work on this machine.
            InvalidArgumentError: A mount cannot be made.
        """
        launcher = await self._launcher()
        python = await self._placed_python()
        settings = ServerSettings(
            python=python.executable,
            environment=python.environment,
            memory_counters=(f"/proc/self/fd/{MEMORY_COUNTER_FD}",),
            limit_processes=_process_limit_is_own(),
            seccomp=_seccomp_of_this_machine(policy),
            data=[mount.target for mount in mounts],
        )
        forked = None if mounts else await self._fork(python, policy)
        if forked is not None:
            try:
                return await SandboxConnection.open(forked, policy, settings)
            except SandboxUnavailableError as error:  # the zygote may just have ended
                logger.info("A sandbox is launched, as it could not be forked: %s", error)
        program = await asyncio.to_thread(_program, launcher, python, policy, mounts)
        command = [*launcher_python(), *bootstrap_arguments(program), *marked_arguments(self.name)]
        try:
            transport = await ProcessTransport.start(command, program + server_program())
        except OSError as error:
            raise SandboxUnavailableError(f"The sandbox's launcher did not start: {error}") from error
        return await SandboxConnection.open(transport, policy, settings)

    async def _placed_python(self) -> PlacedPython:
        """The Python that runs blocks, which is made where it is not there yet."""
        if self._python is None:
            self._python = await make_sandbox_python(packages=self._packages)
        return await asyncio.to_thread(place_python, self._python)

    async def _fork(self, python: PlacedPython, policy: SandboxPolicy) -> Transport | None:  # noqa: ARG002 - overridden
        """The transport to a server that was forked rather than launched; None where there is no zygote."""
        return None


def _program(
    launcher: LauncherCommand, python: PlacedPython, policy: SandboxPolicy, mounts: Sequence[SandboxMount]
) -> bytes:
    """The launcher's program with its request. Reads the file system."""
    plan = as_json(mount_plan(python.mounts, policy, mounts))
    request: dict[str, object] = {
        "mounts": plan,
        **limits_of(policy),
        "server": [python.executable, *bootstrap_arguments(server_program())],
        "environment": python.environment,
        **launcher.request,
    }
    return launcher_program(launcher.kind, request)


def launcher_python() -> list[str]:
    """The Python that runs launchers: without the packages of any environment (-S), or variables and folders (-I)."""
    return [str(base_python().executable), "-I", "-S"]


def limits_of(policy: SandboxPolicy) -> dict[str, object]:
    """What a launcher has to know of a policy."""
    return {
        "memory_bytes": policy.memory_bytes,
        "cpus": policy.cpus,
        "processes": policy.processes,
        "loopback": policy.network is not None,
    }


def _seccomp_of_this_machine(policy: SandboxPolicy) -> bytes:
    try:
        return seccomp_program(platform.machine(), tcp=policy.network is not None, stateful=policy.stateful)
    except ValueError as error:
        raise SandboxUnavailableError(str(error)) from error


def _disabling_setting() -> str:
    """A sentence on what may disable user namespaces, which every sandbox of this machine needs."""
    for name, (off, on) in _USER_NAMESPACE_SWITCHES.items():
        path = Path("/proc/sys", name)
        if path.exists() and path.read_text(encoding="ascii").strip() == off:
            return f"User namespaces are switched off: sysctl {name.replace('/', '.')}={on} switches them on."
    return "It needs user namespaces, which no kernel setting forbids here; most containers do."


def _process_limit_is_own() -> bool:
    """Whether the kernel's count of a user's processes holds those of one sandbox and no others.

    So it is for root, who gives each sandbox a user id of its own. Others share theirs, and only newer kernels count a
    user's processes apart in each user namespace.
    """
    release = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])
    return os.geteuid() == 0 or release >= _PROCESSES_COUNTED_IN_EACH_NAMESPACE
