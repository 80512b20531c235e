"""What code in a sandbox may use and see: the limits and the mounts, which are checked when they are made.

Backends pass the limits on to the kernel, to an engine or to a server. Each of these has values of its own that mean
"no limit" (0 for a tmpfs, 0 and -1 for a cgroup), so a mistake would remove a limit. A `SandboxPolicy` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import ClassVar, Final, cast

from symposia.core.code_executor._network import NetworkPolicy
from symposia.core.code_executor._results import RunStatus
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

MIB = 1024 * 1024

LEAST_LIMITS: Final[Mapping[str, int | float]] = MappingProxyType(
    {
        "memory_bytes": 32 * MIB,  # a Python interpreter and the sandbox's server take some 20 MiB
        "cpus": 0.01,  # Docker's least, and the kernel's: 1 ms in each 100 ms
        "processes": 4,  # bubblewrap and the server take up to three before the block runs
        "open_files": 16,  # with 8, Docker cannot start a container, and the server cannot open the work folder
        "work_bytes": MIB,
        "work_inodes": 16,  # the folder is one of them, the block's source another
        "tmp_bytes": 1,  # rounded up to a page
        "output_kept_bytes": 0,
        "output_limit_bytes": 1,
        "artifacts": 0,
        "artifact_bytes": 0,
    }
)
"""The least value of each limit with which every backend runs a block. The command line has the same ones."""

MOST: Final = 2**53
"""The largest count or size: what JSON carries exactly. The kernel's integers end at 2**63."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPolicy:
    """What code in a sandbox may use. Every limit is on; only that of the time can be lifted, by ``math.inf``.

    There is no switch for root or for capabilities: a sandbox never has them. It has no network but the hosts that
    `network` names.

    Attributes:
        memory_bytes: Memory of everything in the sandbox together, 32 MiB at least; reaching it ends the block as
            ``out_of_memory``. What is imported ahead counts, some 70 MiB by default.
        cpus: Processor time a second, in processors; 0.01 at least.
        processes: Processes and threads alive at once, in the whole sandbox; 4 at least.
        open_files: File descriptors a process; 16 at least.
        work_bytes: Size of the work folder, which is memory-backed; 1 MiB at least.
        work_inodes: Files and folders in the work folder; 16 at least.
        tmp_bytes: Size of ``/tmp``, and of ``/dev/shm``; 1 at least.
        time_limit: Seconds a block may run when the call does not say; more than 0.
        output_kept_bytes: Bytes kept of each of stdout and stderr: the head and the tail, and a line between them that
            says how much was cut. 0 at least.
        output_limit_bytes: Bytes of output after which the block is ended as ``output_limit``; 1 at least.
        artifacts: Most files that come back from one block; 0 at least.
        artifact_bytes: Most bytes of files that come back from one block; 0 at least.
        imported_ahead: Modules that a sandbox imports while it has nothing to do, where they are installed, so that a
            block's own import of them takes no time. They must not start threads when they are imported. With less than
            256 MiB of memory or half a processor, none is imported.
        stateful: Whether variables, imports, the current folder and the environment of Python blocks live on from block
            to block, until the sandbox ends or is reset. A block that is ended by a limit or cancelled changes none of
            them. By default each block begins anew.
        network: The hosts that code may connect to, through a proxy of the host; None for no network.

    Raises:
        ArgumentTypeError: A limit is not a number, or is a fraction where a whole number is needed; `stateful` is not a
            bool, or `network` no `NetworkPolicy`.
        InvalidArgumentError: A limit is too small, too large or NaN; the text names the least value.
    """

    # A misspelt limit in JSON is refused, also where the fields around the policy are open to more.
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    memory_bytes: int = 512 * MIB
    cpus: float = 1.0
    processes: int = 64
    open_files: int = 256
    work_bytes: int = 64 * MIB
    work_inodes: int = 4096
    tmp_bytes: int = 32 * MIB
    time_limit: float = 60.0
    output_kept_bytes: int = 1 * MIB
    output_limit_bytes: int = 16 * MIB
    artifacts: int = 32
    artifact_bytes: int = 8 * MIB
    imported_ahead: tuple[str, ...] = ("numpy", "pandas", "matplotlib.pyplot")
    stateful: bool = False
    network: NetworkPolicy | None = None

    def __post_init__(self) -> None:
        for name, least in LEAST_LIMITS.items():
            _check_limit(name, getattr(self, name), least)
        _check_number("time_limit", self.time_limit, "a number of seconds, such as 60")
        if not self.time_limit > 0:  # NaN too
            raise _invalid("time_limit", self.time_limit, "a number of seconds that is more than 0")
        _check_modules(self.imported_ahead)
        if not isinstance(_as_given(self.stateful), bool):
            raise ArgumentTypeError(_problem("stateful", self.stateful, "True or False"))
        _check_network(self.network)

    def limit_met(self, status: RunStatus) -> str:
        """Name the limit that a block met, with its value: "the time limit of 60 s".

        Args:
            status: How the block ended.

        Returns:
            The limit in words; empty where the status tells of none.
        """
        match status:
            case "timeout":
                return f"the time limit of {self.time_limit:g} s"
            case "out_of_memory":
                return f"the memory limit of {_mib(self.memory_bytes)}"
            case "disk_full":
                return f"the disk limit of {_mib(self.work_bytes)} (or {self.work_inodes:,} files)"
            case "output_limit":
                return f"the output limit of {_mib(self.output_limit_bytes)}"
            case _:
                return ""


RESERVED_FOLDERS: Final = MappingProxyType(
    {
        "/work": "the work folder",
        "/tmp": "the temporary files",  # noqa: S108 - inside
        **dict.fromkeys(("/dev", "/proc", "/sys"), "the devices and processes"),
        "/etc": "the accounts and host names",
        **dict.fromkeys(("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"), "the programs"),
        "/opt/symposia": "the Python",
        "/.old": "the file system, while it is made,",
    }
)
"""The folders that every sandbox uses itself, each with its use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxMount:
    """A file or folder of the host, seen read-only inside.

    Attributes:
        source: An existing path on the host. Whether it exists is checked when a sandbox is made.
        target: An absolute path inside, such as ``/data/table.csv``. Not in a place where every sandbox has something
            of its own: the work folder, ``/tmp``, the system's folders.

    Raises:
        ArgumentTypeError: `source` is not a `Path`, or `target` is not a text.
        InvalidArgumentError: `target` is not absolute, has a ``..``, or is such a place.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    source: Path
    target: str

    def __post_init__(self) -> None:
        source, target = _as_given(self.source), _as_given(self.target)
        if not isinstance(source, Path):
            raise ArgumentTypeError(f"source of SandboxMount is {source!r}: give a path, such as Path('table.csv').")
        if not isinstance(target, str):
            raise ArgumentTypeError(f"target of SandboxMount is {target!r}: give a text, such as '/data/table.csv'.")
        path = PurePosixPath(target)
        if path.parts[:1] != ("/",) or ".." in path.parts or "\0" in target:
            raise InvalidArgumentError(
                f"target of SandboxMount is {target!r}: give an absolute path without '..', such as '/data/table.csv'."
            )
        for folder, use in RESERVED_FOLDERS.items():
            if path.is_relative_to(folder) or PurePosixPath(folder).is_relative_to(path):
                raise InvalidArgumentError(
                    f"target of SandboxMount is {target!r}: {folder} has {use} of the sandbox, which the mount would "
                    f"hide, or be hidden by. Give another place, such as '/data/{path.name or 'table.csv'}'."
                )


def _check_modules(given: object) -> None:
    if not isinstance(given, tuple) or not all(isinstance(name, str) for name in cast("tuple[object, ...]", given)):
        raise ArgumentTypeError(
            f"imported_ahead of SandboxPolicy is {given!r}: give a tuple of the names of modules, such as ('numpy',)."
        )
    if wrong := [
        name for name in cast("tuple[str, ...]", given) if not all(part.isidentifier() for part in name.split("."))
    ]:
        raise InvalidArgumentError(f"imported_ahead of SandboxPolicy names {wrong[0]!r}, which is no name of a module.")


def _check_network(given: object) -> None:
    if given is not None and not isinstance(given, NetworkPolicy):
        raise ArgumentTypeError(
            f"network of SandboxPolicy is {given!r}: give NetworkPolicy(allow=['api.test']), or None for no network."
        )


def _check_limit(name: str, given: object, least: float) -> None:
    what = "a number of processors" if name == "cpus" else f"a whole number of {name.replace('_', ' ')}"
    if name.endswith("_bytes"):
        what = "a whole number of bytes"
    wanted = f"{what}, {_amount(least)} at least"
    number = _check_number(name, given, wanted)
    if isinstance(number, float) and name != "cpus":
        raise ArgumentTypeError(_problem(name, given, wanted))
    if not least <= number <= MOST:  # NaN too
        raise _invalid(name, given, wanted if not number > MOST else f"{wanted} and {MOST:,} at most")


def _check_number(name: str, given: object, wanted: str) -> int | float:
    # bool is an int to Python, and no limit to a reader: memory_bytes=True is one byte.
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ArgumentTypeError(_problem(name, given, wanted))
    return given


def _invalid(name: str, given: object, wanted: str) -> InvalidArgumentError:
    return InvalidArgumentError(_problem(name, given, wanted))


def _problem(name: str, given: object, wanted: str) -> str:
    return f"{name} of SandboxPolicy is {given!r}: give {wanted}."


def _as_given(value: object) -> object:
    """What the caller gave, which need not be of the type that is declared."""
    return value


def _amount(least: float) -> str:
    return f"{least:,} ({_mib(least)})" if least >= MIB else f"{least:,}"


def _mib(size: float) -> str:
    return f"{size / MIB:,.4g} MiB"
