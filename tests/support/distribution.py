"""A distribution that offers entry points, installed in a folder of its own for a fresh Python."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.interpreter import python


class Distribution:
    """An installed distribution.

    Args:
        folder: An empty folder.
        name: The name of the distribution, and of its one module.
        source: The module's source.
        entry_points: The names in the module by entry point: ``{"group": {"entry": "NAME"}}``.
    """

    def __init__(self, folder: Path, name: str, source: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = folder
        (folder / f"{name}.py").write_text(source)
        information = folder / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [
            line
            for group, entries in entry_points.items()
            for line in (f"[{group}]", *(f"{entry} = {name}:{attribute}" for entry, attribute in entries.items()))
        ]
        (information / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def printed(self, code: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """The lines that a program prints where the distribution is installed. It has to end well."""
        done = python("-c", code, folder=None, given="", PYTHONPATH=str(self._folder), **(environment or {}))
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
