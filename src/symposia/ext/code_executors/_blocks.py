"""The directives of a code block: its language, its file name, its command. Does no I/O."""

from __future__ import annotations

import hashlib
import posixpath
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from symposia.core.code_executor import BlockResult, CodeBlock, RunStatus, SandboxPolicy

Interpreter = Literal["python", "sh", "bash", "node"]

INTERPRETERS: Final[dict[str, Interpreter]] = {
    "python": "python",
    "python3": "python",
    "py": "python",
    "sh": "sh",
    "shell": "sh",
    "bash": "bash",
    "javascript": "node",
    "js": "node",
}
SUFFIXES: Final[dict[Interpreter, str]] = {"python": "py", "sh": "sh", "bash": "bash", "node": "js"}
FILE_NAME_COMMENT: Final = re.compile(r"(?:#|//)\s*filename:[ \t]*(?P<name>\S.*?)\s*(?:\n|$)")
OUTSIDE: Final = "Filename is not in the workspace"
ENDINGS: Final[dict[RunStatus, str]] = {
    "timeout": "Timeout",
    "out_of_memory": "Out of memory",
    "output_limit": "Too much output",
    "disk_full": "The disk is full",
}
FILES_ARE_MEMORY: Final = "Files in the work folder and in /tmp count for it."  # all are of file systems in memory
NO_MODULE: Final = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[A-Za-z_][A-Za-z0-9_]{0,60})[.']")
NO_PIP: Final = re.compile(r"\bpip[0-9.]{0,6}: (command )?not found|No module named '?pip'?$")


NO_PROCESS: Final = re.compile(
    r"BlockingIOError: \[Errno 11\]|can't start new thread|pthread_create failed|Cannot fork|"
    r"fork: (retry: )?Resource temporarily unavailable|\bEAGAIN\b"
)
NO_FILE: Final = re.compile(r"\[Errno 24\]|Too many open files|\bEMFILE\b")
NOT_INSTALLED: Final = "Code in a sandbox cannot install packages."
ALLOWED: Final = "The program that runs the code can allow one: packages=['scipy'], or `symposia run --with scipy`."


class RefusedBlockError(Exception):
    """The block cannot be run. The text is shown to its author as output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBlock:
    """A block that can be run.

    Attributes:
        block: As it was given.
        interpreter: What runs it.
        file: Where its source is kept, relative to the work folder.
        named: Whether its author chose that name, so that later blocks may import it.
    """

    block: CodeBlock
    interpreter: Interpreter
    file: PurePosixPath
    named: bool

    @property
    def argument(self) -> str:
        """The file as an argument of the interpreter, which takes a name that begins with a dash for an option."""
        return f"./{self.file}" if str(self.file).startswith("-") else str(self.file)


def plan_block(block: CodeBlock, work_folder: str) -> PlannedBlock:
    """Decide how to run a block.

    Args:
        block: The block.
        work_folder: The absolute path of the work folder for the block's author.

    Raises:
        RefusedBlockError: Its language cannot be run here, or its file is outside the work folder.
    """
    interpreter = INTERPRETERS.get(block.language.strip().lower())
    if interpreter is None:
        raise unknown_language(block, INTERPRETERS)
    chosen = FILE_NAME_COMMENT.match(block.code)
    if chosen:
        return PlannedBlock(block=block, interpreter=interpreter, file=_inside(chosen["name"], work_folder), named=True)
    digest = hashlib.sha256(block.code.encode("utf-8", "surrogatepass")).hexdigest()
    file = PurePosixPath(f"tmp_code_{digest}.{SUFFIXES[interpreter]}")
    return PlannedBlock(block=block, interpreter=interpreter, file=file, named=False)


def unknown_language(block: CodeBlock, known: Iterable[str]) -> RefusedBlockError:
    """The refusal of a block in a language that cannot be run here.

    Args:
        block: The block.
        known: The names of the languages that can.
    """
    return RefusedBlockError(f"unknown language {block.language}\nName the block as one of: {', '.join(known)}")


def refused(block: CodeBlock, error: RefusedBlockError) -> BlockResult:
    """The result of a block that was not run."""
    return BlockResult(block=block, code_file=None, status="error", exit_code=1, output=str(error))


def printed(stdout: str, stderr: str, status: RunStatus, limit: str) -> str:
    """Join the output of a block, and a last line that names the limit that it met; see `ending`."""
    last = ending(status, limit)
    return f"{stdout}{stderr}\n{last}" if last else stdout + stderr


def ending(status: RunStatus, limit: str) -> str:
    """A line for the author of a block that met a limit; empty for others.

    Args:
        status: How the block ended.
        limit: The limit in words, as `SandboxPolicy.limit_met` gives it.
    """
    met = ENDINGS.get(status, "")
    advice = f" {FILES_ARE_MEMORY}" if status == "out_of_memory" else ""
    return f"{met}: {limit} was reached.{advice}" if met else ""


def failure_note(stderr: str, policy: SandboxPolicy) -> str:
    """What the author of a block and its user have to know about a failure: a missing package, or a limit.

    The kernel tells a block of these limits by errors that say neither that there is a limit nor how high it is.

    Args:
        stderr: What the block wrote to stderr, of which the last line counts.
        policy: The limits.

    Returns:
        The note; empty where there is nothing to tell.
    """
    last = stderr.rstrip().rpartition("\n")[2]
    if NO_PROCESS.search(last):
        most = f"{policy.processes} processes and threads at the same time"
        return f"The sandbox allows {most}, and this may have been one too many."
    if NO_FILE.search(last):
        return f"The sandbox allows {policy.open_files} open files in a process, and this was one too many."
    return missing_package_note(stderr)


def missing_package_note(stderr: str) -> str:
    """What the author of a block and its user have to know where the block lacked a package; empty where it did not.

    Without it, a model tries to install the package, in block after block.

    Args:
        stderr: What the block wrote to stderr. Of it, no more than the name of a module gets into the note.
    """
    last = stderr.rstrip().rpartition("\n")[2]
    if NO_PIP.search(last):
        return f"{NOT_INSTALLED} {ALLOWED}"
    found = NO_MODULE.match(last)
    if found is None or found["name"] in sys.stdlib_module_names:
        return ""
    return f"The sandbox has no module {found['name']!r}. {NOT_INSTALLED} {ALLOWED}"


def _inside(name: str, work_folder: str) -> PurePosixPath:
    """Make a name relative to the work folder, by its text alone, without reading the file system."""
    path = PurePosixPath(posixpath.normpath(PurePosixPath(work_folder, name)))
    if "\0" in name or not path.is_relative_to(work_folder) or path == PurePosixPath(work_folder):
        raise RefusedBlockError(OUTSIDE)
    return path.relative_to(work_folder)
