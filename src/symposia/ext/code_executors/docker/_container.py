"""The configuration of a sandbox's container, in the engine API's own JSON. Does no I/O.

Each setting answers an attack: no network, no capabilities and no way to new privileges; an ordinary user on a
read-only root; memory, processors, processes, files, disk and inodes under a limit; no log file that output could fill.
The engine's own system call filter stays, and the server inside adds the one that all sandboxes share.

Rejected: a bind mount of the work folder, through which a block can make the host follow a link or overwrite a file;
the engine's ``Init``, since PID 1 has to be the server; RLIMIT_NPROC, which would count the processes of the same user
id in all containers and on the host, while the pids group counts this container's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from typing_extensions import TypedDict

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox._program import WORK_FOLDER, server_open_files

SHARED_USER_ID: Final = 1000
"""The user id where the engine maps ids, so that it is nobody's on the host, or has only some tens of thousands."""
_FIRST_OWN_USER_ID: Final = 1_900_000_000 + 2**22  # above those of `_launcher._identity`
SERVER_PROCESSES: Final = 2  # the server itself, and the one that it forks each block from
GVISOR: Final = "runsc"
"""The name under which gVisor's documentation has its runtime installed in the engine."""
GVISOR_PROCESSES: Final = 512
"""The engine's limit for a container in gVisor counts the threads of gVisor itself, some hundreds, as well."""
NANO: Final = 1_000_000_000


class Ulimit(TypedDict):
    """A limit of each process in the container."""

    Name: str
    Soft: int
    Hard: int


class Isolation(TypedDict):
    """The part of `HostConfig` that isolates the container."""

    NetworkMode: str
    IpcMode: str
    CapDrop: list[str]
    SecurityOpt: list[str]
    ReadonlyRootfs: bool
    Privileged: bool


class Limits(TypedDict):
    """The part of `HostConfig` with the limits."""

    Memory: int
    MemorySwap: int
    NanoCpus: int
    Ulimits: list[Ulimit]


class HostConfig(Isolation, Limits):
    """How the engine runs the container, in the API's JSON."""

    Tmpfs: dict[str, str]
    Mounts: list[Mapping[str, object]]
    DeviceRequests: list[Mapping[str, object]]
    Runtime: str
    PidsLimit: int
    AutoRemove: bool
    LogConfig: dict[str, str]


class ContainerConfig(TypedDict):
    """The body of the API's request to create a container."""

    Image: str
    Entrypoint: list[str]
    Cmd: list[str]
    User: str
    WorkingDir: str
    Labels: dict[str, str]
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    OpenStdin: bool
    StdinOnce: bool
    Tty: bool
    NetworkDisabled: bool
    HostConfig: HostConfig


def own_user_id() -> int:
    """A user id that no other container and no user of the host has, with near certainty.

    The kernel counts by user id, over all containers: inotify instances, queued signals, pending timers and more. An id
    that a user of the host has would let code use up what that user's programs need.
    """
    return _FIRST_OWN_USER_ID + secrets.randbelow(2**31 - 1 - _FIRST_OWN_USER_ID)


def container_config(
    *,
    image: str,
    command: Sequence[str],
    policy: SandboxPolicy,
    mounts: Sequence[Mapping[str, object]],
    labels: Mapping[str, str],
    user: int = SHARED_USER_ID,
    device_requests: Sequence[Mapping[str, object]] = (),
    parents: Sequence[Mapping[str, object]] = (),
    runtime: str = "",
) -> ContainerConfig:
    """The request for a container that ends when its attached client disconnects.

    Args:
        image: The image, as the engine knows it.
        command: What its first process runs.
        policy: The limits.
        mounts: Data of the host, in the API's JSON.
        labels: By which it is found again.
        user: The user id of everything inside, and of the group.
        device_requests: Devices, in the API's JSON.
        parents: Mounts that others are below, in the API's JSON.
        runtime: The engine's runtime that runs the container; empty for its default.
    """
    processes = policy.processes + SERVER_PROCESSES
    return {
        "Image": image,
        "Entrypoint": [],
        "Cmd": list(command),
        "User": f"{user}:{user}",
        "WorkingDir": WORK_FOLDER,
        "Labels": dict(labels),
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,  # stdin ends with the attached client, and the server with its stdin
        "Tty": False,
        "NetworkDisabled": True,
        "HostConfig": {
            **_isolation(),
            **_limits(policy),
            "Runtime": runtime,
            "PidsLimit": max(GVISOR_PROCESSES, processes) if runtime == GVISOR else processes,
            "Tmpfs": _file_systems(policy, user),
            "Mounts": [*parents, *mounts],
            "DeviceRequests": list(device_requests),
            "AutoRemove": True,  # by the engine, so that it happens when this program is dead
            "LogConfig": {"Type": "none"},  # the default writes all output to a file of the host, without a limit
        },
    }


def _isolation() -> Isolation:
    return {
        "NetworkMode": "none",
        "IpcMode": "none",  # no /dev/shm of the engine's, whose size no limit of inodes holds
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Privileged": False,
    }


def _limits(policy: SandboxPolicy) -> Limits:
    return {
        "Memory": policy.memory_bytes,
        "MemorySwap": policy.memory_bytes,  # memory and swap together: no swap
        "NanoCpus": round(policy.cpus * NANO),
        "Ulimits": [
            _ulimit("core", 0),
            _ulimit("msgqueue", 0),  # /dev/mqueue is there in every container, and writable
            _ulimit("nofile", server_open_files(policy)),
            _ulimit("fsize", max(policy.work_bytes, policy.tmp_bytes)),
        ],
    }


def _ulimit(name: str, value: int) -> Ulimit:
    return {"Name": name, "Soft": value, "Hard": value}


def _file_systems(policy: SandboxPolicy, user: int) -> dict[str, str]:
    work = f"nosuid,nodev,size={policy.work_bytes},nr_inodes={policy.work_inodes},mode=0700"
    scratch = f"nosuid,nodev,size={policy.tmp_bytes},nr_inodes={policy.work_inodes},mode=1777"
    return {
        WORK_FOLDER: f"{work},uid={user},gid={user},exec",
        "/tmp": f"{scratch},exec",  # noqa: S108 - a file system of the container
        "/dev/shm": f"{scratch},noexec",  # noqa: S108 - a file system of the container
    }
