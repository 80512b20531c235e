"""How the program inside gets there: as source, over its own stdin, so that any Python and any wall will do.

The backend starts ``python -I -S -c BOOTSTRAP`` with `bootstrap_arguments`, and the first bytes that it sends are the
program; after them the conversation begins. Nothing of the host needs to be readable inside.
"""

from __future__ import annotations

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
        return "." not in name
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
    return program_of({"server": f"{__package__}._inside"}, "from server._server import main\nmain()\n")


def program_of(packages: dict[str, str], main: str) -> bytes:
    """A program made of whole packages, each under a name of its own, and the lines that start it."""
    sources: dict[str, str] = {}
    for name, package in packages.items():
        for file in resources.files(package).iterdir():
            if file.name.endswith(".py"):
                module = name if file.name == "__init__.py" else f"{name}.{file.name[: -len('.py')]}"
                sources[module] = file.read_text(encoding="utf-8")
    return f"SOURCES = {sources!r}\n{_IMPORTER}\n{main}".encode()
