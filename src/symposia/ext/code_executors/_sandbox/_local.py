"""Starting a sandbox on this machine: what the namespaces and the bubblewrap backend have in common."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandbox._connection import SandboxConnection
from symposia.ext.code_executors._sandbox._launcher import MEMORY_COUNTER_FD
from symposia.ext.code_executors._sandbox._mounts import as_json, mount_plan, place_python
from symposia.ext.code_executors._sandbox._process import ProcessTransport
from symposia.ext.code_executors._sandbox._program import bootstrap_arguments, launcher_program
from symposia.ext.code_executors._sandbox._python import SandboxPython, base_python
from symposia.ext.code_executors._sandbox._seccomp import seccomp_program
from symposia.ext.code_executors._sandbox._settings import ServerSettings

_PROCESSES_COUNTED_IN_EACH_NAMESPACE = (5, 14)
_USER_NAMESPACE_SWITCHES = {
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "user/max_user_namespaces": ("0", "65536"),
}


async def start_local_sandbox(
    kind: str,
    python: SandboxPython,
    policy: SandboxPolicy,
    mounts: Sequence[SandboxMount],
    *,
    request: Mapping[str, object],
    server: bytes = b"",
) -> Sandbox:
    """Start the launcher of `kind`, and the server behind it.

    Args:
        kind: The launcher's module, see `launcher_program`.
        python: Runs the blocks.
        policy: What code in the sandbox may use.
        mounts: Files of the host, below ``/data``.
        request: What this kind of launcher needs beside the plan and the limits.
        server: The server's program, where the launcher becomes another program that runs it with an interpreter of
            its own; it follows the launcher's on stdin, before the conversation.

    Raises:
        SandboxUnavailableError: It does not work on this machine.
        InvalidArgumentError: A mount cannot be made.
    """
    placed = await asyncio.to_thread(place_python, python)
    plan = as_json(await asyncio.to_thread(mount_plan, placed, policy, mounts))
    starts = {"server": [placed.executable, *bootstrap_arguments(server)], "environment": placed.environment}
    limits = {"memory_bytes": policy.memory_bytes, "cpus": policy.cpus, "processes": policy.processes}
    program = await asyncio.to_thread(launcher_program, kind, {"mounts": plan, **limits, **starts, **request})
    command = [str(base_python().executable), *bootstrap_arguments(program)]
    settings = ServerSettings(
        python=placed.executable,
        environment=placed.environment,
        memory_counters=(f"/proc/self/fd/{MEMORY_COUNTER_FD}",),
        limit_processes=_process_limit_is_own(),
        seccomp=_seccomp_of_this_machine(),
    )
    try:
        transport = await ProcessTransport.start(command, program + server)
    except OSError as error:
        raise SandboxUnavailableError(f"The sandbox's launcher did not start: {error}") from error
    return await SandboxConnection.open(transport, policy, settings)


def _seccomp_of_this_machine() -> bytes:
    try:
        return seccomp_program(platform.machine())
    except ValueError as error:
        raise SandboxUnavailableError(str(error)) from error


async def local_unavailable_reason(backend: SandboxBackend) -> str | None:
    """Why `backend` cannot start a sandbox here, found by trying, with the kernel's switch that is off; else None."""
    if sys.platform != "linux":
        return f"It needs Linux, and this is {sys.platform}."
    try:
        sandbox = await backend.create(SandboxPolicy())
    except SandboxUnavailableError as error:
        return f"{error}. {await asyncio.to_thread(_switch_that_is_off)}"
    await sandbox.close()
    return None


def _switch_that_is_off() -> str:
    """What may stand in the way of user namespaces, which every sandbox of this machine needs."""
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
