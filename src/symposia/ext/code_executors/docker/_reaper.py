"""Removes sandboxes whose owner is gone.

A sandbox ends by itself when its owner does, since its server then reads the end of its stdin, and the engine removes
it. What remains is what even that cannot reach: a container that was created and never started because its owner
died in between. Each carries its owner in its labels, so that only those of dead processes of this machine are removed.

It runs before each new sandbox, and in no process of its own: a daemon would need one to look after it in turn. Age was
rejected as the sign of a left-over, as a sandbox may serve for days.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from symposia.core.code_executor import RunningSandbox
from symposia.core.exceptions import SandboxError
from symposia.ext._owners import has_ended, machine, owner_pid, this_process
from symposia.ext.code_executors.docker._engine import (
    EngineClient,
    EngineConflictError,
    EngineNotFoundError,
    LabelledEntry,
    ask,
)

SANDBOX_LABEL: Final = "symposia.sandbox"
HOST_LABEL: Final = "symposia.owner.host"
PROCESS_LABEL: Final = "symposia.owner.process"


def owner_labels() -> dict[str, str]:
    """Labels that identify the sandbox and its owner: a process of a machine since the machine's last start.

    Several machines can use one engine, and numbers of processes are used again: so the machine, its boot and the time
    at which the process started belong to the name.
    """
    return {SANDBOX_LABEL: uuid.uuid4().hex, HOST_LABEL: machine(), PROCESS_LABEL: this_process()}


def is_left_over(labels: Mapping[str, str]) -> bool:
    """Whether the owner in the labels has ended. False for processes of other machines."""
    return has_ended(labels.get(PROCESS_LABEL, ""), labels.get(HOST_LABEL, ""))


async def remove_left_over(client: EngineClient) -> list[str]:
    """Remove the sandboxes and the networks of processes that are gone; return their ids."""
    containers = await ask(client.containers, all=True, filters={"label": SANDBOX_LABEL})
    dead = await asyncio.to_thread(_left_over, containers)
    for container in dead:
        await remove(client, container)
    networks = await asyncio.to_thread(_left_over, await ask(client.networks, filters={"label": SANDBOX_LABEL}))
    for network in networks:
        with suppress(EngineNotFoundError):  # another process was faster
            await ask(client.remove_network, network)
    return [*dead, *networks]


def _left_over(entries: Sequence[LabelledEntry]) -> list[str]:
    """The ids of those whose owner has ended. Reads files."""
    return [entry["Id"] for entry in entries if is_left_over(entry["Labels"] or {})]


async def running_containers(client: EngineClient, kind: str) -> list[RunningSandbox]:
    """The sandboxes of this machine's processes that run in the engine."""
    here = await asyncio.to_thread(machine)
    entries = await ask(client.containers, all=False, filters={"label": f"{HOST_LABEL}={here}"})
    return [
        RunningSandbox(
            kind=kind,
            name=entry["Id"][:12],  # as the `docker` command shows and takes it
            owner=owner_pid(entry["Labels"].get(PROCESS_LABEL, "")),
            seconds=max(0.0, time.time() - entry["Created"]),
            memory_bytes=await _memory_of(client, entry["Id"]),
        )
        for entry in entries
    ]


async def _memory_of(client: EngineClient, container: str) -> int | None:
    try:
        # Without `one_shot` the engine takes a second sample after a second, for the use of processors.
        stats = await ask(client.stats, container, stream=False, one_shot=True)
    except SandboxError:  # it has ended meanwhile
        return None
    used = stats.get("memory_stats", {}).get("usage")
    return used if isinstance(used, int) else None


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
