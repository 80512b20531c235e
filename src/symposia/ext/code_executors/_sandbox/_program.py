"""How the program inside gets there: as source, over its own stdin, so that any Python and any backend will do.

The backend starts ``python -I -S -c BOOTSTRAP`` with `bootstrap_arguments`, and the first bytes that it sends are the
program; after them the conversation begins. Nothing of the host needs to be readable inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

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
    """Arguments for a Python interpreter that make it read `program` from stdin and run it."""
    return ["-I", "-S", "-B", "-c", _READER, str(len(program))]


@cache
def server_program() -> bytes:
    """The program of PID 1: it serves on stdin and stdout. Reads files the first time: not on the event loop."""
    return _modules("_inside") + b"from sandbox._inside._server import main\nmain()\n"


def launcher_program(kind: str, request: Mapping[str, object]) -> bytes:
    """The program that makes a sandbox on this machine and stays until it is gone: ``namespaces``, ``bubblewrap``.

    Reads files the first time: not on the event loop.
    """
    imports = f"from sandbox._launcher._{kind} import main\nfrom sandbox._launcher._keeper import launch\n"
    return _modules("_inside", "_launcher") + f"{imports}launch(main, {dict(request)!r})\n".encode()


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
