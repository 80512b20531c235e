"""Removes sandboxes whose owner is gone.

A sandbox ends by itself when its owner does, since its server then reads the end of its stdin, and the engine removes
it. What remains is what even that cannot reach: a container that was created and never started because its owner
died in between. Each carries its owner in its labels, so that only those of dead processes of this machine are removed.

It runs before each new sandbox, and in no process of its own: a daemon would need one to look after it in turn. Age was
rejected as the sign of a left-over, as a sandbox may serve for days.
"""

from __future__ import annotations

import asyncio
import os
import platform
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from symposia.ext.code_executors.docker._engine import EngineClient, EngineConflictError, EngineNotFoundError, ask

SANDBOX_LABEL: Final = "symposia.sandbox"
HOST_LABEL: Final = "symposia.owner.host"
PROCESS_LABEL: Final = "symposia.owner.process"


def owner_labels() -> dict[str, str]:
    """Labels that identify the sandbox and its owner: a process of a machine since the machine's last start.

    Several machines can use one engine, and numbers of processes are used again: so the machine, its boot and the time
    at which the process started belong to the name.
    """
    return {
        SANDBOX_LABEL: uuid.uuid4().hex,
        HOST_LABEL: _host(),
        PROCESS_LABEL: f"{os.getpid()} {_started(os.getpid())}",
    }


def is_left_over(labels: Mapping[str, str]) -> bool:
    """Whether the owner in the labels has ended. False for processes of other machines."""
    if labels.get(HOST_LABEL) != _host():
        return False
    pid, _, started = labels.get(PROCESS_LABEL, "").partition(" ")
    return not pid.isdigit() or _started(int(pid)) != started


async def remove_left_over(client: EngineClient) -> int:
    """Remove the sandboxes of processes that are gone; return how many there were."""
    found = await ask(client.containers, all=True, filters={"label": SANDBOX_LABEL})
    dead = await asyncio.to_thread(lambda: [entry["Id"] for entry in found if is_left_over(entry["Labels"])])
    for container in dead:
        await remove(client, container)
    return len(dead)


async def remove_labelled(client: EngineClient, labels: Mapping[str, str]) -> None:
    """Remove the container with `labels`, if it was created."""
    for entry in await ask(client.containers, all=True, filters={"label": f"{SANDBOX_LABEL}={labels[SANDBOX_LABEL]}"}):
        await remove(client, entry["Id"])


async def remove(client: EngineClient, container: str) -> None:
    """Kill and remove a container, and return when it is gone, also where another process removed it."""
    with suppress(EngineNotFoundError):
        try:
            await ask(client.remove_container, container, v=True, force=True)  # with its anonymous volumes
        except EngineConflictError:  # the engine is at it, since the container has just ended
            await ask(client.wait, container, condition="removed")


def _host() -> str:
    """This machine and its current boot, within which a process number is meaningful."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = "unknown"
    return f"{platform.node()} {boot}"


def _started(pid: int) -> str:
    """The start of a process in ticks since boot, which tells it from a later one of the same number; else empty."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
