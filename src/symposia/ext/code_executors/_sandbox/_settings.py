"""What the server is told when it comes up: the policy, and where things are inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symposia.core.code_executor import SandboxPolicy

WORK_FOLDER = "/work"
SCRATCH_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108 - inside the sandbox, each its own file system


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """Where things are inside one kind of sandbox.

    Attributes:
        python: The interpreter that runs Python blocks.
        environment: Variables added to those that every block has (see `block_environment`).
        memory_counters: Files inside that say how often the kernel killed for want of memory (``memory.events`` of
            cgroup v2, ``memory.oom_control`` of v1), the first that exists counts. Where there is none, the server
            itself adds up the memory of all processes.
        limit_processes: Whether the server's user id is the sandbox's own, so that the kernel's limit of processes a
            user counts those of the sandbox and no others.
        seccomp: A BPF program that the server puts on itself and so on everything inside; empty where the backend has
            put one on the server already.
    """

    python: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_counters: Sequence[str] = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
    limit_processes: bool = False
    seccomp: bytes = b""


def block_environment(python: str, extra: Mapping[str, str]) -> dict[str, str]:
    """All of the environment that a block has: nothing of the host's comes in."""
    folder = python.rpartition("/")[0]
    one_thread_each = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": SCRATCH_FOLDERS[0],
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{SCRATCH_FOLDERS[0]}/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",  # compiled modules would come back as results
        "PYTHONUNBUFFERED": "1",  # what a block printed before it was killed has left it
        **one_thread_each,
        **extra,
    }


def open_request(policy: SandboxPolicy, settings: ServerSettings) -> dict[str, object]:
    """The header of the first frame; its data is the seccomp program."""
    return {
        "kind": "open",
        "python": settings.python,
        "environment": block_environment(settings.python, settings.environment),
        "work_folder": WORK_FOLDER,
        "scratch_folders": list(SCRATCH_FOLDERS),
        "memory_counters": list(settings.memory_counters),
        "memory_bytes": policy.memory_bytes,
        "processes": policy.processes if settings.limit_processes else 0,
        "open_files": policy.open_files,
        "file_bytes": max(policy.work_bytes, policy.tmp_bytes),
        "inodes": policy.work_inodes,
        "output_limit_bytes": policy.output_limit_bytes,
        "artifacts": policy.artifacts,
        "artifact_bytes": policy.artifact_bytes,
    }
