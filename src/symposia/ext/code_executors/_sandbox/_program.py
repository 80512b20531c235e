"""How the program inside gets there: as source, over its own stdin, so that any Python and any backend will do.

The backend starts ``python -s -B -c BOOTSTRAP`` with `bootstrap_arguments`, and the first bytes that it sends are the
program; after them the conversation begins. Nothing of the host needs to be readable inside.

Rejected: a mount of this package's folder, which not every image could read and which shows where it is installed; the
source as an argument, which is limited to 128 KiB and shows in the list of processes; and a file written into the
sandbox first, which blocks could change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox._inside._relay import PORT

_READER = """
import os, sys
left, source = int(sys.argv[1]), b""
while left:
    piece = os.read(0, left)
    if not piece:
        sys.exit("stdin ended before the program")
    source, left = source + piece, left - len(piece)
exec(compile(source, "<sandbox>", "exec"))
"""
_IMPORTER = """
import importlib.abc, importlib.util, sys
class Shipped(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in SOURCES else None
    def is_package(self, name):
        return any(other.startswith(name + ".") for other in SOURCES)
    def get_source(self, name):
        return SOURCES[name]
sys.meta_path.insert(0, Shipped())
"""


def bootstrap_arguments(program: bytes) -> list[str]:
    """Arguments for a Python interpreter that make it read `program` from stdin and run it.

    Without packages of the user (-s) and without writing compiled modules (-B). Not isolated (-I), which Python passes
    on to the processes that `multiprocessing` starts, and these would ignore variables such as ``PYTHONUNBUFFERED``:
    instead, the server takes the current folder out of its path. The reader takes from the descriptor itself:
    `sys.stdin` would read ahead, into the conversation.
    """
    return ["-s", "-B", "-c", _READER, str(len(program))]


@cache
def server_program() -> bytes:
    """The program of PID 1, which serves on stdin and stdout. The first call reads files and blocks."""
    return _modules("_inside") + b"from sandbox._inside._server import main\nmain()\n"


def launcher_program(kind: str, request: Mapping[str, object]) -> bytes:
    """The program that makes a sandbox on this machine and stays until it is gone: ``namespaces``, ``bubblewrap``.

    The first call reads files and blocks.
    """
    imports = f"from sandbox._launcher._{kind} import main\nfrom sandbox._launcher._keeper import launch\n"
    return _modules("_launcher") + f"{imports}launch(main, {dict(request)!r})\n".encode()


@cache
def zygote_program(libraries: tuple[str, ...]) -> bytes:
    """The program of a zygote, from which servers are forked. The first call reads files and blocks.

    Args:
        libraries: What it imports.
    """
    request = {
        "libraries": list(libraries),
        "variables": block_environment("", {}),
        "scratch": SCRATCH_FOLDERS[0],
    }
    imports = "from sandbox._launcher._fork import main\n"
    return _modules("_inside", "_launcher") + f"{imports}main({request!r})\n".encode()


@cache
def _modules(*folders: str) -> bytes:
    """Source that makes the modules of some folders of this package importable, below ``sandbox``."""
    sources = {"sandbox": ""}
    for folder in folders:
        for file in resources.files(__name__.rpartition(".")[0]).joinpath(folder).iterdir():
            if file.name.endswith(".py"):
                module = "" if file.name == "__init__.py" else "." + file.name.removesuffix(".py")
                sources[f"sandbox.{folder}{module}"] = file.read_text(encoding="utf-8")
    return f"SOURCES = {sources!r}\n{_IMPORTER}\n".encode()


WORK_FOLDER = "/work"
_MEMORY_FOR_IMPORTS = 256 * 1024 * 1024  # numpy, pandas and matplotlib take a third of it
_FILES_OF_SERVER = 64  # eight pipe ends, when it forks an interpreter, and some of its own
_CPUS_FOR_IMPORTS = 0.5  # a request waits while a library is imported: with these, for a second
SCRATCH_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108 - inside the sandbox, each its own file system

_PROXY = f"http://127.0.0.1:{PORT}"
_NO_PROXY = "localhost,127.0.0.1,::1"
PROXY_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), _PROXY),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _NO_PROXY),
        "NODE_USE_ENV_PROXY": "1",  # Node.js 24 and later ignore the others without it
    }
)
"""What programs find the proxy by, where a sandbox has a network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """Where things are inside one kind of sandbox.

    Attributes:
        python: The path of the interpreter that runs Python blocks; empty for the one that runs the server.
        environment: Variables added to those that every block has (see `block_environment`).
        memory_counters: Files inside that say how often the kernel killed for want of memory (``memory.events`` of
            cgroup v2, ``memory.oom_control`` of v1), the first that exists counts. Where there is none, the server
            itself adds up the memory of all processes.
        limit_processes: Whether the server's user id is the sandbox's own, so that the kernel's limit of processes a
            user counts those of the sandbox and no others.
        seccomp: A BPF program that the server puts on itself and so on everything inside; empty where the backend has
            put one on the server already.
        data: Where data is mounted. A sandbox in which some of it cannot be read does not start.
    """

    python: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_counters: Sequence[str] = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
    limit_processes: bool = False
    seccomp: bytes = b""
    data: Sequence[str] = ()


def block_environment(python: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a block. It has no variable of the host."""
    folder = f"{python.rpartition('/')[0]}:" if python else ""  # an empty entry of PATH is the work folder
    # Numeric libraries start a thread for each processor of the machine, which the limit of processes counts, and which
    # a limit of one processor makes slower rather than faster.
    one_thread_each = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": f"{folder}/usr/local/bin:/usr/bin:/bin",
        "HOME": SCRATCH_FOLDERS[0],
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{SCRATCH_FOLDERS[0]}/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",  # compiled modules would come back as results
        "PYTHONNOUSERSITE": "1",  # its folder is below HOME, where one block could leave code for the next
        "PYTHONUNBUFFERED": "1",  # what a block printed before it was killed has left it
        **one_thread_each,
        **extra,
    }


def _has_room_for_imports(policy: SandboxPolicy) -> bool:
    return policy.memory_bytes >= _MEMORY_FOR_IMPORTS and policy.cpus >= _CPUS_FOR_IMPORTS


def server_open_files(policy: SandboxPolicy) -> int:
    """How many files the server may have open. It lowers the limit for the blocks."""
    return max(policy.open_files, _FILES_OF_SERVER + (policy.network.connections if policy.network else 0))


def imported_ahead(policy: SandboxPolicy) -> tuple[str, ...]:
    """What is imported before the first block that needs it."""
    return tuple(policy.imported_ahead) if _has_room_for_imports(policy) else ()


def open_request(policy: SandboxPolicy, settings: ServerSettings) -> dict[str, object]:
    """The header of the first frame; its data is the seccomp program."""
    network = policy.network
    return {
        "kind": "open",
        "python": settings.python,
        "environment": block_environment(
            settings.python, {**settings.environment, **(PROXY_VARIABLES if network else {})}
        ),
        "work_folder": WORK_FOLDER,
        "scratch_folders": list(SCRATCH_FOLDERS),
        "memory_counters": list(settings.memory_counters),
        "memory_bytes": policy.memory_bytes,
        "processes": policy.processes if settings.limit_processes else 0,
        "open_files": policy.open_files,
        "server_open_files": server_open_files(policy),
        "file_bytes": max(policy.work_bytes, policy.tmp_bytes),
        "inodes": policy.work_inodes,
        "imported_ahead": list(imported_ahead(policy)),
        "output_limit_bytes": policy.output_limit_bytes,
        "output_kept_bytes": policy.output_kept_bytes,
        "artifacts": policy.artifacts,
        "artifact_bytes": policy.artifact_bytes,
        "stateful": policy.stateful,
        "connections": network.connections if network else 0,
        "connections_a_block": network.connections_a_block if network else 0,
        "proxy_port": PORT if network else 0,
        "data": list(settings.data),
    }
