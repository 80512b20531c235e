"""What a sandbox's container is asked to be, in the engine API's own JSON. Decides everything, does nothing.

Each setting answers an attack: no network, no capabilities and no way to new privileges; an ordinary user on a
read-only root; memory, processors, processes, files, disk and inodes under a limit; no log file that output could fill.
The engine's own system call filter stays, and the server inside adds the one that all sandboxes share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox._mounts import Bind
from symposia.ext.code_executors._sandbox._program import WORK_FOLDER

USER_ID: Final = 1000
SERVER_PROCESSES: Final = 2  # the server itself, and the one that it forks each block from
NANO: Final = 1_000_000_000


def container_config(
    *,
    image: str,
    command: Sequence[str],
    policy: SandboxPolicy,
    binds: Sequence[Bind],
    labels: Mapping[str, str],
    device_requests: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Say what to create: a container that ends when the client that is attached to it goes away."""
    return {
        "Image": image,
        "Entrypoint": [],
        "Cmd": list(command),
        "User": f"{USER_ID}:{USER_ID}",
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
            "Tmpfs": _file_systems(policy),
            "Mounts": [_read_only_mount(bind) for bind in binds],
            "DeviceRequests": list(device_requests),
            "AutoRemove": True,
            "LogConfig": {"Type": "none"},
        },
    }


def _isolation() -> dict[str, Any]:
    return {
        "NetworkMode": "none",
        "IpcMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Privileged": False,
    }


def _limits(policy: SandboxPolicy) -> dict[str, Any]:
    return {
        "Memory": policy.memory_bytes,
        "MemorySwap": policy.memory_bytes,  # memory and swap together: no swap
        "NanoCpus": round(policy.cpus * NANO),
        "PidsLimit": policy.processes + SERVER_PROCESSES,
        "Ulimits": [
            _ulimit("core", 0),
            _ulimit("msgqueue", 0),  # /dev/mqueue is there in every container, and writable
            _ulimit("nofile", policy.open_files),
            _ulimit("fsize", max(policy.work_bytes, policy.tmp_bytes)),
        ],
    }


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}


def _file_systems(policy: SandboxPolicy) -> dict[str, str]:
    work = f"nosuid,nodev,size={policy.work_bytes},nr_inodes={policy.work_inodes},mode=0700"
    scratch = f"nosuid,nodev,size={policy.tmp_bytes},nr_inodes={policy.work_inodes},mode=1777"
    return {
        WORK_FOLDER: f"{work},uid={USER_ID},gid={USER_ID},exec",
        "/tmp": f"{scratch},exec",  # noqa: S108 - a file system of the container
        "/dev/shm": f"{scratch},noexec",  # noqa: S108 - likewise
    }


def _read_only_mount(bind: Bind) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": bind.source,
        "Target": bind.target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }
