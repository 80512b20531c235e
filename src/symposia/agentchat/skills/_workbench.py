"""The tools by which a model uses skills: it reads one, reads a file of one, and runs a script of one in a sandbox."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import JsonValue

from symposia.agentchat._any_loop_lock import AnyLoopLock
from symposia.agentchat._arguments import check_code_executor
from symposia.agentchat.skills._skill import MOST_FOLDER_BYTES, Skill, read_skills
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeExecutor, execute_code
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.terminal_text import printable
from symposia.core.text_limits import ends_of
from symposia.core.tools import FunctionTool, StaticWorkbench

DEFAULT_EXECUTOR: Final = "symposia.ext.code_executors.create_default_code_executor"
"""The executor of scripts, by name as in the JSON of a component: this package imports no kind of sandbox."""

MOST_SHOWN: Final = 32_000
"""The most characters of a file, or of what a script prints, that a model is shown at once, some 8,000 tokens."""

MOST_COPIED: Final = 4 * 1024 * 1024
"""The most bytes of a skill that are copied into a sandbox, as a part of the program."""

_INSTRUCTIONS: Final = (
    "There are skills, which are instructions for particular tasks. Where one fits what you are to do, read it by the"
    " tool read_skill before you begin, and follow it."
)
_READ_FILE: Final = (
    "Read a file of a skill that its instructions name. A long file comes in parts: give the offset where the last part"
    " ended."
)
_RUNNERS: Final = {".py": "python", ".sh": "sh", ".bash": "bash"}

# The program includes the files, since executors have no other common way to receive them; so a recorded run is
# complete. They are written outside of the work folder, whose files come back as results. A Python script runs in the
# interpreter of the block, which a sandbox forks in a millisecond; a new one takes twenty.
_PROGRAM: Final = """\
import base64, json, os, runpy, subprocess, sys, tempfile
root = os.path.join(tempfile.gettempdir(), "skills", {name!r})
for path, data in json.loads({files!r}).items():
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "wb") as file:
        file.write(base64.b64decode(data))
script, arguments = os.path.join(root, {script!r}), json.loads({arguments!r})
if {runner!r} != "python":
    sys.stdout.flush()
    sys.exit(subprocess.run([{runner!r}, script, *arguments]).returncode)
sys.argv = [script, *arguments]
sys.path.insert(0, os.path.dirname(script))
runpy.run_path(script, run_name="__main__")
"""


class SkillWorkbench(StaticWorkbench):
    """The skills of some folders, as tools for a model.

    `instructions` names them for the system message. A model reads one by ``read_skill``, and its other files by
    ``read_skill_file``; no file outside of a skill's folder is shown. Where a skill has scripts (``.py``, ``.sh``),
    ``run_skill_script`` runs them in a code executor, with a copy of the skill. The skills are read once, when the
    workbench is made.

    Args:
        folders: One folder, or several. Each is a skill itself, or has skills as its subfolders.
        code_executor: Runs the scripts. By default, a sandbox that starts with the first script.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: A skill cannot be used; see `read_skills`.
        MissingExtraError: The extra ``skills`` is not installed.
    """

    def __init__(
        self, folders: Sequence[Path | str] | Path | str, *, code_executor: CodeExecutor | None = None
    ) -> None:
        if code_executor is not None:
            check_code_executor("the skills", code_executor)
        self._skills = {skill.name: skill for skill in read_skills(folders)}
        self._executor = code_executor
        self._own_executor: CodeExecutor | None = None
        self._making = AnyLoopLock()  # the scripts of one answer run at the same time, in one sandbox
        tools = [
            FunctionTool(self._read_skill, "Read the instructions of a skill.", "read_skill", idempotency="pure"),
            FunctionTool(self._read_file, _READ_FILE, "read_skill_file", idempotency="pure"),
        ]
        if any(_is_script(path) for skill in self._skills.values() for path in skill.files):
            # Transparent: to effect handlers the run of the code is the effect, with its result and its files.
            text = "Run a script of a skill in a sandbox, and get its output. Of a long output the middle is left out."
            tools.append(FunctionTool(self._run_script, text, "run_skill_script", transparent=True))
        super().__init__(tools)

    @property
    def skills(self) -> Sequence[Skill]:
        """The skills, in the order of their folders."""
        return tuple(self._skills.values())

    @property
    def instructions(self) -> str:
        """The names and descriptions of the skills, for the system message."""
        lines = [f"- {skill.name}: {skill.description}" for skill in self._skills.values()]
        return "\n".join([_INSTRUCTIONS, *lines])

    def effect_identity(self) -> dict[str, JsonValue]:
        """The class, and the hash of each skill."""
        return {**super().effect_identity(), "skills": {name: skill.digest for name, skill in self._skills.items()}}

    async def stop(self) -> None:
        """End the sandbox that was started for scripts; a `code_executor` that was given is left alone."""
        await super().stop()
        executor, self._own_executor = self._own_executor, None
        if executor is not None:
            await executor.stop()

    def _skill(self, name: str) -> Skill:
        if name not in self._skills:
            raise InvalidArgumentError(f"There is no skill {name!r}. The skills are: {', '.join(self._skills)}.")
        return self._skills[name]

    def _read_skill(self, name: str) -> str:
        skill = self._skill(name)
        if not skill.files:
            return skill.instructions
        return "\n".join(
            [skill.instructions, "", f"Files of the skill {name}:", *(f"- {path}" for path in skill.files)]
        )

    def _read_file(self, skill: str, path: str, offset: int = 0) -> str:
        file = _file(self._skill(skill), path)
        if file.stat().st_size > MOST_FOLDER_BYTES:  # it has grown since the skill was read
            raise InvalidArgumentError(
                f"The file {path!r} has {file.stat().st_size:,} bytes, and is too large to read."
            )
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InvalidArgumentError(
                f"The file {path!r} is not text. It has {file.stat().st_size:,} bytes."
            ) from None
        part = text[max(offset, 0) :][:MOST_SHOWN]
        end = max(offset, 0) + len(part)
        shown = printable(part)
        return shown if end >= len(text) else f"{shown}\n[{len(text) - end:,} more characters: offset {end}]"

    async def _run_script(
        self, skill: str, path: str, cancellation_token: CancellationToken, arguments: list[str] | None = None
    ) -> str:
        program = await asyncio.to_thread(_program, self._skill(skill), path, arguments or [])
        executor = self._executor or await self._default_executor()
        result = await execute_code(executor, [CodeBlock(code=program, language="python")], cancellation_token)
        output = ends_of(result.output, MOST_SHOWN, "\n[{left} characters left out]\n")
        if result.exit_code == 0:
            return output
        return f"{output}\nThe script ended with exit status {result.exit_code}.".lstrip("\n")

    async def _default_executor(self) -> CodeExecutor:
        async with self._making:
            if self._own_executor is None:
                self._own_executor = await asyncio.to_thread(_make_default_executor)
            return self._own_executor


def _make_default_executor() -> CodeExecutor:
    module, _, name = DEFAULT_EXECUTOR.rpartition(".")
    executor: CodeExecutor = getattr(import_module(module), name)()
    return executor


def _is_script(path: str) -> bool:
    return PurePosixPath(path).suffix in _RUNNERS


def _is_there(skill: Skill, path: str) -> bool:
    """Whether a file of a skill is still a file in its folder: it has not become a link, nor has its folder."""
    file = skill.folder / path
    return file.is_file() and file.resolve() == file


def _file(skill: Skill, path: str) -> Path:
    """A file of a skill.

    Only files that existed when the skill was read have a path here, so that no path leads out of the folder.

    Raises:
        InvalidArgumentError: It has no such file.
    """
    known = PurePosixPath(path).as_posix()  # without "./"
    if known not in skill.files or not _is_there(skill, known):
        listed = ", ".join(each for each in skill.files if _is_there(skill, each)) or "none"
        raise InvalidArgumentError(f"The skill {skill.name!r} has no file {path!r}. Its files are: {listed}.")
    return skill.folder / known


def _program(skill: Skill, script: str, arguments: Sequence[str]) -> str:
    """The program that writes a copy of a skill into the sandbox, and runs a script of it.

    Raises:
        InvalidArgumentError: It is no script of the skill, or the skill is too large to be copied.
    """
    source = _file(skill, script)
    known = source.relative_to(skill.folder).as_posix()
    if not _is_script(known):
        raise InvalidArgumentError(f"The file {script!r} is no script: those end with {', '.join(_RUNNERS)}.")
    paths = [path for path in skill.files if _is_there(skill, path)]
    # Asked for before the files are read: they may have grown since the skill was.
    if (size := sum((skill.folder / path).stat().st_size for path in paths)) > MOST_COPIED:
        raise InvalidArgumentError(
            f"The files of the skill {skill.name!r} have {size:,} bytes: {MOST_COPIED:,} at most can be copied into a"
            " sandbox."
        )
    encoded = {path: base64.b64encode((skill.folder / path).read_bytes()).decode("ascii") for path in paths}
    return _PROGRAM.format(
        name=skill.name,
        files=json.dumps(encoded),
        script=known,
        arguments=json.dumps(list(arguments)),
        runner=_runner(source),
    )


def _runner(script: Path) -> str:
    """The program that runs a script. Many a ``.sh`` is written for bash, and says so in its first line."""
    runner = _RUNNERS[script.suffix]
    if runner == "sh" and b"bash" in script.read_bytes().partition(b"\n")[0]:
        return "bash"
    return runner
