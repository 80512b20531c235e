"""The files of generated code in the work folder: they replace no other file, and have no name that a tool obeys.

A file that code made is written by the host with the user's rights, where the user's tools find it. So:

- A file that was there before the run, or that the host changed since, is not replaced. What the code made of it
  is written to the same path below ``changed-by-code``.
- A name that tools of the host run or obey by themselves is not written at all: dot-files and what is below
  dot-folders, files of builds, tests and package managers, and what Python imports at each start.
- The folder holds no more than the sandbox's own, so that it always fits into the next sandbox.

The code itself notices none of it: what was not written in its place is kept in memory, and put into the next sandbox
as the code left it, until the host changes the file.

Rejected: to ask the user for each file, as programs run unattended; and a folder of its own for all that code made, as
programs written for AutoGen find the files of their blocks in ``work_dir``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._work_folder import FileState, HostFile, WorkFolder

CHANGED_FOLDER: Final = "changed-by-code"
OBEYED: Final = "not written, since tools run or obey a file of this name by themselves"
HIDDEN: Final = "not written, since a name that begins with a dot is hidden, and tools obey many of them"
WAS_THERE: Final = f"written to {CHANGED_FOLDER}/, since the work folder had a file of this name before"
FULL: Final = "not written, since the work folder holds as much as the policy allows"
# Room for what a sandbox's own file system needs beside the files: folders, and the rest of the last page of each.
_USABLE: Final = 7 / 8
_PAGE: Final = 4096  # the least that there is

# What is run or obeyed by a tool that a user starts in the folder for another purpose, without naming the file:
# builds, test runners, package managers, editors and shells. Lower case, as some file systems do not tell cases apart.
_OBEYED = re.compile(
    r"""
    (?: gnu)?makefile | .*\.mk | cmakelists\.txt | cmakepresets\.json | configure | meson\.build | build\.ninja
    | build(?:\.bazel|\.rs|\.xml|\.gradle(?:\.kts)?|\.zig)? | workspace(?:\.bazel)? | module\.bazel
    | settings\.gradle(?:\.kts)? | gradle\.properties | gradlew | pom\.xml | directory\..*\.(?:props|targets)
    | justfile | taskfile\.ya?ml | rakefile | gemfile | vagrantfile | jenkinsfile | procfile | guardfile | podfile
    | fastfile | dockerfile | (?:docker-)?compose(?:\..*)?\.ya?ml | skaffold\.ya?ml | tiltfile | sconstruct | wscript
    | build\.sbt | ctesttestfile\.cmake | makefile\.pl | build\.pl | cpanfile | .*\.gemspec | xmake\.lua | brewfile
    | .*\.(?:cs|fs|vb|vcx)proj | .*\.sln[xf]? | nuget\.config | snakefile | dvc\.yaml | lefthook\.ya?ml | mise\.toml
    | ansible\.cfg | terragrunt\.hcl | .*\.tf(?:\.json)? | mypy\.ini | pylintrc(?:\.toml)? | (?:pytest|tox|pixi)\.toml
    | conf\.py | (?:ipython|jupyter)_.*config\.(?:py|json) | gunicorn\.conf\.py | locustfile\.py | celeryconfig\.py
    | alembic\.ini | mkdocs\.ya?ml
    | dodo\.py | fabfile\.py | tasks\.py | noxfile\.py | conftest\.py | setup\.(?:py|cfg) | pyproject\.toml
    | tox\.ini | pytest\.ini | pyvenv\.cfg | (?:site|user)customize\.py | .*\.pth | .*\._pth | manage\.py
    | requirements.*\.txt | constraints.*\.txt | pipfile | poetry\.lock | uv\.(?:toml|lock) | hatch\.toml
    | package(?:-lock)?\.json | yarn\.lock | pnpm-.*\.ya?ml | .*\.conf(?:ig)?\.[cm]?[jt]s | (?:gulp|grunt)file\..*
    | turbo\.json | deno\.jsonc? | bunfig\.toml | tsconfig.*\.json | composer\.json | cargo\.(?:toml|lock)
    | go\.(?:mod|work) | flake\.nix | shell\.nix | default\.nix | mix\.exs | rebar\.config | stack\.yaml | .*\.cabal
    | dune(?:-project)?
    | .*\.code-workspace | .*\.sublime-project | .*\.(?:desktop|lnk|url|command|scf) | desktop\.ini | autorun\.inf
    | head                                    # with refs and objects beside it, a folder is a git repository
    """,
    re.VERBOSE,
)
_OBEYED_FOLDERS = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class _Held:
    """A file that code made and that is not in its place on the host.

    Attributes:
        original: The host's file of this path at that time; None where there is none.
        sent: Whether the present sandbox has it.
    """

    data: bytes
    original: FileState | None
    sent: bool


def obeyed_name(path: PurePosixPath) -> str:
    """Why no file of code is written at a path: tools of the host would run or obey it by themselves.

    Args:
        path: Relative to the folder that results are written to.

    Returns:
        The reason; empty where it may be written.
    """
    parts = [part.casefold() for part in path.parts]
    if any(part.startswith(".") for part in parts):
        return HIDDEN
    if _OBEYED.fullmatch(parts[-1]) or _OBEYED_FOLDERS.intersection(parts[:-1]):
        return OBEYED
    return ""


class ReturnedFiles:
    """The files of the work folder, from both sides: those of the host go in, those of the code come out by the rules.

    Everything here blocks, and belongs in a worker thread.

    Args:
        folder: The host's folder.
        policy: Says how much it may hold.
        trusted: Whether files of code are written wherever they belong. The limits hold all the same.
    """

    def __init__(self, folder: WorkFolder, policy: SandboxPolicy, *, trusted: bool) -> None:
        self._folder = folder
        self._trusted = trusted
        self._most_bytes = policy.work_bytes * _USABLE
        self._most_files = policy.work_inodes * _USABLE
        self._written: dict[PurePosixPath, FileState] = {}
        self._held: dict[PurePosixPath, _Held] = {}
        self._listed: dict[PurePosixPath, HostFile] = {}
        # What is on the host, as far as this has listed and written it: a walk for each file would cost more than the
        # file. By path, since a file that is written again takes no more room.
        self._sizes: dict[PurePosixPath, int] | None = None

    def write(self, path: PurePosixPath, data: bytes, *, sent: bool) -> str:
        """Write a file of the code, by the rules.

        Args:
            path: Where the code has it.
            data: Its content.
            sent: Whether the present sandbox has it already.

        Returns:
            Why it is not in its place, and where else; empty where it is in its place.

        Raises:
            OSError: It cannot be written.
            ValueError: The path leaves the folder.
        """
        found = self._folder.state(path)
        if found is not None and self._is_same(path, found, data):
            self._held.pop(path, None)
            return ""
        reason = "" if self._trusted else obeyed_name(path)
        if not reason and found is not None and not self._trusted and self._written.get(path) != found:
            reason = WAS_THERE
        place = PurePosixPath(CHANGED_FOLDER) / path if reason == WAS_THERE else path
        if not self._fits(place, len(data)):
            return FULL
        if not reason:
            self._write(path, data)
            self._held.pop(path, None)
            if not sent:
                self._folder.forget(path)
            written = self._folder.state(path)
            if written is not None:
                self._written[path] = written
            return ""
        self._held[path] = _Held(data, found, sent)
        if reason == WAS_THERE:
            self._write(place, data)
        return reason

    def place_of(self, path: PurePosixPath) -> PurePosixPath:
        """Where a file of the code is on the host, if it was written at all."""
        return PurePosixPath(CHANGED_FOLDER) / path if path in self._held and not obeyed_name(path) else path

    def forget(self) -> None:
        """Treat every file as new: the next sandbox has none."""
        self._folder.forget()
        self._held = {path: _Held(held.data, held.original, sent=False) for path, held in self._held.items()}

    def unsent(self) -> list[PurePosixPath]:
        """List the files that the present sandbox does not have as they should be."""
        self._listed = {}
        files = self._folder.files()
        self._sizes = {file.path: file.state.size for file in files}
        for file in files:
            if self._folder.is_seen(file):
                continue
            held = self._held.get(file.path)
            if file.path.parts[0] == CHANGED_FOLDER or (held is not None and held.original == file.state):
                continue
            self._held.pop(file.path, None)  # the host has changed it since, which counts
            self._listed[file.path] = file
        return [*self._listed, *(path for path, held in self._held.items() if not held.sent)]

    def read(self, path: PurePosixPath) -> bytes:
        """Read a file as the code should see it.

        Raises:
            OSError: It is not a regular file, or not there any more.
        """
        held = self._held.get(path)
        return self._folder.read(path) if held is None else held.data

    def mark_sent(self, path: PurePosixPath) -> None:
        """Leave a file out of `unsent` until it changes again."""
        held = self._held.get(path)
        if held is not None:
            self._held[path] = _Held(held.data, held.original, sent=True)
        elif path in self._listed:
            self._folder.mark_seen(self._listed[path])  # as it was when it was listed, before it was read

    def _is_same(self, path: PurePosixPath, found: FileState, data: bytes) -> bool:
        try:
            return found.size == len(data) and self._folder.read(path, len(data)) == data
        except OSError:  # a link or a folder, or not readable: not the same
            return False

    def _write(self, path: PurePosixPath, data: bytes) -> None:
        self._folder.write(path, data)
        self._known_sizes()[path] = len(data)

    def _known_sizes(self) -> dict[PurePosixPath, int]:
        if self._sizes is None:
            self._sizes = {file.path: file.state.size for file in self._folder.files()}
        return self._sizes

    def _fits(self, path: PurePosixPath, size: int) -> bool:
        """Whether the folder, and the sandbox, may hold this file as well, or in the place of the one that it has."""
        sizes = {**self._known_sizes(), path: size}
        sizes |= {other: len(held.data) for other, held in self._held.items() if other != path}
        folders = {path.parent for path in sizes}
        return sum(map(_pages, sizes.values())) <= self._most_bytes and len(sizes) + len(folders) <= self._most_files


def _pages(size: int) -> int:
    """The bytes that a file of this size takes in a file system in memory."""
    return -(-size // _PAGE) * _PAGE
