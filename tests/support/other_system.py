"""Imports everything as another system would: ``python -m tests.support.other_system win32``.

The modules and attributes that the system lacks are taken away from this project alone: the standard library and other
packages have their own ways around them, and are loaded beforehand. It prints each module that cannot be imported.
"""

import asyncio
import builtins
import importlib
import importlib.util
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import symposia

LINUX_ONLY = (
    "symposia.ext.code_executors._sandbox._inside",
    "symposia.ext.code_executors._sandbox._launcher",
    "symposia.ext.code_executors.bubblewrap",
    "symposia.ext.code_executors.namespaces",
)
"""The two sandboxes that are made of Linux's namespaces, and what runs inside a sandbox, which is Linux on any host."""

HOOK = "symposia.autogen"

NEEDING_AN_EXTRA = {"symposia.migration._": "libcst"}
"""Modules that import a library at once, which is imported by name only where it is installed."""

MISSING_MODULES = {
    "darwin": {"ossaudiodev", "spwd"},
    "win32": {
        *("_posixsubprocess", "crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd"),
        *("readline", "resource", "spwd", "syslog", "termios", "tty"),
    },
}
"""From the availability notes of the standard library's documentation; so are the attributes."""

LINUX_OS = {"O_PATH", "O_TMPFILE", "getresuid", "memfd_create", "pidfd_open", "pipe2", "sched_getaffinity", "unshare"}
UNIX_OS = {
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG", "chown", "fork", "forkpty", "getegid"),
    *("geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getuid", "killpg", "mkfifo", "nice", "openpty"),
    *("setpgid", "setsid", "statvfs", "sysconf", "uname", "wait4", "waitid"),
}
UNIX_SIGNALS = {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"}
MISSING_ATTRIBUTES: Mapping[str, Sequence[tuple[ModuleType, set[str]]]] = {
    "darwin": [(os, LINUX_OS)],
    "win32": [
        (os, LINUX_OS | UNIX_OS),
        (signal, UNIX_SIGNALS),
        (socket, {"AF_UNIX"}),
        (asyncio, {"start_unix_server", "open_unix_connection"}),
    ],
}


def modules() -> Iterator[str]:
    """Every module that has to be importable there, the import hook last: it answers for what comes after it."""
    left_out = [begin for begin, library in NEEDING_AN_EXTRA.items() if importlib.util.find_spec(library) is None]
    names = [module.name for module in pkgutil.walk_packages(symposia.__path__, "symposia.")]
    wanted = [name for name in names if not name.startswith((*LINUX_ONLY, HOOK, *left_out))]
    yield from (name for name in wanted if not name.endswith("__main__"))
    yield HOOK


def become(system: str) -> None:
    """Take away what `system` lacks, from imports by this project."""
    missing = MISSING_MODULES[system]
    original = builtins.__import__

    def without_missing(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names of `__import__`
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        importer = str((globals or {}).get("__name__", ""))
        if level == 0 and name.partition(".")[0] in missing and importer.startswith("symposia"):
            raise ModuleNotFoundError(f"No module named {name!r} on {system}", name=name)
        return original(name, globals, locals, fromlist, level)

    builtins.__import__ = without_missing
    for module, names in MISSING_ATTRIBUTES[system]:
        for name in names & vars(module).keys():
            delattr(module, name)
    sys.platform = system


def main() -> None:
    wanted = list(modules())
    for name in wanted:  # loads what they need of others
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.startswith("symposia")]:
        del sys.modules[name]
    become(sys.argv[1])
    for name in wanted:
        try:
            importlib.import_module(name)
        except (ImportError, AttributeError) as error:
            sys.stdout.write(f"{name}: {error}\n")


if __name__ == "__main__":
    main()
