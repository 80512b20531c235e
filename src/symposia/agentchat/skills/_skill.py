"""Skills: folders with instructions for particular tasks, in the open Agent Skills format.

A skill is a folder with a ``SKILL.md``: front matter in YAML between two lines ``---``, and instructions in Markdown
after it. Other files of the folder are read, or run, when the instructions say so. The rules of the front matter are
those of the specification at agentskills.io (2026).

A skill may come from a stranger. What the model reads of it is what a person who opens its files can see: characters
that nothing shows, which models read, are dropped, and so are hidden files.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError
from symposia.core.terminal_text import printable

if TYPE_CHECKING:
    from symposia.agentchat.skills._front_matter import Field

SKILL_FILE: Final = "SKILL.md"

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_LIMIT: Final = 64
_DESCRIPTION_LIMIT: Final = 1024
_COMPATIBILITY_LIMIT: Final = 500
_MARK: Final = "---"
_NULLS: Final = ("", "~", "null")  # as YAML writes a field without a value

MOST_INSTRUCTION_BYTES: Final = 256 * 1024
"""The most bytes of a SKILL.md: the specification advises less than 500 lines; this is some 60,000 tokens."""

MOST_FILES: Final = 1000
MOST_FOLDER_BYTES: Final = 64 * 1024 * 1024
"""The most files, and bytes, of a skill's folder. A folder with more is a mistake, such as a home folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """A skill, as its SKILL.md describes it.

    Attributes:
        name: Lower-case letters, digits and single hyphens, at most 64; the name of its folder.
        description: What it does and when to use it, at most 1,024 characters.
        instructions: The Markdown after the front matter.
        folder: Its folder, as an absolute path.
        files: The paths of the other files in it, relative to the folder and with ``/``, sorted. Links, hidden files
            and ``__pycache__`` are left out, and names with characters that cannot be shown.
        license: The license, or the name of a file with it.
        compatibility: What it needs to run.
        metadata: Further fields of the author.
        allowed_tools: The tools that the author suggests to allow. Symposia does not use it.
        digest: A hash of the SKILL.md, and of the names and sizes of the other files.
    """

    name: str
    description: str
    instructions: str
    folder: Path
    files: Sequence[str] = ()
    license: str | None = None
    compatibility: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    allowed_tools: Sequence[str] = ()
    digest: str = ""


def read_skills(folders: Sequence[Path | str] | Path | str) -> list[Skill]:
    """Read the skills of some folders, in their order, and those of one folder by their names.

    Args:
        folders: One folder, or several. Each is a skill itself, or has skills as its subfolders.

    Raises:
        ArgumentTypeError: It is no path, and no list of paths.
        InvalidArgumentError: There is no such folder, it has no skills, one does not follow the format, two
            have one name, or a folder is too large. The text names the file.
        MissingExtraError: The extra ``skills`` is not installed.
    """
    found: dict[str, Skill] = {}
    for folder in _paths(folders):
        for each in _skill_folders(folder):
            skill = read_skill(each)
            if skill.name in found:
                both = f"{found[skill.name].folder} and {skill.folder}"
                raise InvalidArgumentError(f"Two skills are named {skill.name!r}: {both}. Leave one out.")
            found[skill.name] = skill
    return list(found.values())


def _paths(folders: object) -> Sequence[Path]:
    given = [folders] if isinstance(folders, str | Path) else folders
    if not isinstance(given, Sequence) or not given or isinstance(given, bytes):
        raise ArgumentTypeError(f"skills is {folders!r}: give a folder, such as 'skills', or a list of folders.")
    for each in cast("Sequence[object]", given):
        if not isinstance(each, str | Path):
            raise ArgumentTypeError(f"skills has {each!r}: give folders, such as 'skills'.")
    return [Path(each) for each in cast("Sequence[str | Path]", given)]


def _skill_folders(folder: Path) -> Sequence[Path]:
    try:
        if not folder.is_dir():
            raise InvalidArgumentError(f"skills names {str(folder)!r}, and there is no folder {folder.absolute()}.")
        if (folder / SKILL_FILE).is_file():
            return [folder]
        found = sorted(each for each in folder.iterdir() if (each / SKILL_FILE).is_file())
    except OSError as error:
        raise InvalidArgumentError(f"skills names {str(folder)!r}, which cannot be read ({error}).") from error
    if not found:
        raise InvalidArgumentError(
            f"skills names {str(folder)!r}, which has no {SKILL_FILE}, and no subfolder with one."
        )
    return found


def read_skill(folder: Path | str) -> Skill:
    """Read one skill.

    Args:
        folder: Its folder.

    Raises:
        InvalidArgumentError: It does not follow the format, or is too large. The text names the file.
        MissingExtraError: The extra ``skills`` is not installed.
    """
    root = _resolved(folder)
    path = root / SKILL_FILE
    source = _read(path)
    front, instructions = _split(path, source)
    try:
        sizes = _sizes(root)
    except OSError as error:  # such as of a folder that changes meanwhile
        raise _fault(path, f"its folder cannot be read ({error})") from error
    name = _text(path, front, "name", _NAME_LIMIT)
    if not _NAME.fullmatch(name):
        raise _fault(path, f"its name is {name!r}: lower-case letters and digits, with single hyphens between them")
    if name != root.name:
        raise _fault(path, f"its name is {name!r}, and that of its folder {root.name!r}: both have to be the same")
    return Skill(
        name=name,
        description=" ".join(_text(path, front, "description", _DESCRIPTION_LIMIT).split()),
        instructions=printable(instructions),
        folder=root,
        files=tuple(sizes),
        license=_optional(path, front, "license"),
        compatibility=_optional(path, front, "compatibility", _COMPATIBILITY_LIMIT),
        metadata=_metadata(path, front.get("metadata")),
        allowed_tools=_allowed_tools(path, front.get("allowed-tools")),
        digest=hashlib.sha256(source + repr(sorted(sizes.items())).encode()).hexdigest(),
    )


def _resolved(folder: Path | str) -> Path:
    try:
        return Path(folder).resolve()
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise InvalidArgumentError(f"The skill {str(folder)!r} cannot be used: {error}.") from error


def _read(path: Path) -> bytes:
    try:
        if not path.resolve().is_relative_to(path.parent):  # a link, as to a private note with front matter
            raise _fault(path, "it is a link to a file outside of its folder: put the file itself there")
        if path.stat().st_size > MOST_INSTRUCTION_BYTES:
            raise _fault(path, f"it has more than {MOST_INSTRUCTION_BYTES:,} bytes: put details into other files")
        return path.read_bytes()
    except OSError as error:
        raise _fault(path, f"it cannot be read ({error})") from error


def _split(path: Path, source: bytes) -> tuple[Mapping[str, Field], str]:
    """The front matter, and the text after it."""
    try:
        # Not `splitlines`, which also splits at characters that no editor shows as the end of a line.
        lines = source.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise _fault(path, "it is not UTF-8") from error
    if not lines or lines[0].rstrip() != _MARK or _MARK not in (ends := [line.rstrip() for line in lines[1:]]):
        raise _fault(path, f"it has to begin with front matter between two lines {_MARK!r}")
    end = ends.index(_MARK) + 1
    return _parse(path, "\n".join(lines[1:end])), "\n".join(lines[end + 1 :]).strip()


def _parse(path: Path, text: str) -> Mapping[str, Field]:
    try:
        from symposia.agentchat.skills._front_matter import read_front_matter  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        raise MissingExtraError("Reading skills", "skills") from None
    try:
        return read_front_matter(text)
    except InvalidArgumentError as error:
        raise _fault(path, str(error)) from error


def _text(path: Path, front: Mapping[str, Field], name: str, limit: int) -> str:
    value = _optional(path, front, name, limit)
    if value is None:
        raise _fault(path, f"its front matter has no {name}")
    return value


def _optional(path: Path, front: Mapping[str, Field], name: str, limit: int | None = None) -> str | None:
    value = front.get(name)
    if value is None or value in _NULLS:
        return None
    if not isinstance(value, str):
        raise _fault(path, f"its {name} is a {'list' if isinstance(value, list) else 'mapping'}: write a text")
    if not value.strip():
        raise _fault(path, f"its {name} is {value[:_NAME_LIMIT]!r}: write a text")
    if limit is not None and len(value) > limit:
        raise _fault(path, f"its {name} has {len(value):,} characters: {limit:,} at most")
    return printable(value)


def _metadata(path: Path, value: Field | None) -> Mapping[str, str]:
    fields = value or {}
    if not isinstance(fields, dict) or None in fields or None in fields.values():
        raise _fault(path, "its metadata has to be a mapping of texts")
    return {printable(str(name)): printable(str(each)) for name, each in fields.items()}


def _allowed_tools(path: Path, value: Field | None) -> Sequence[str]:
    given = value.split() if isinstance(value, str) else value or []
    if not isinstance(given, list) or None in given:
        raise _fault(path, "its allowed-tools have to be a text of names with spaces between them")
    return tuple(printable(str(each)) for each in given)


def _sizes(root: Path) -> dict[str, int]:
    """The sizes of the files of a folder but its SKILL.md, by their paths, sorted.

    Links are left out, so that a skill shows no file from outside of its folder. Hidden files are those of other
    programs, as the ``.git`` of a skill that was cloned, and may be secret, as ``.env``.
    """
    sizes: dict[str, int] = {}
    total = 0
    for folder, subfolders, files in os.walk(root):  # which follows no links to folders
        subfolders[:] = filter(_is_shown, subfolders)
        for name in filter(_is_shown, files):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            total += (size := path.stat().st_size)
            sizes[path.relative_to(root).as_posix()] = size
            if len(sizes) > MOST_FILES or total > MOST_FOLDER_BYTES:
                raise InvalidArgumentError(
                    f"The skill in {root} is too large: {MOST_FILES:,} files and {MOST_FOLDER_BYTES:,} bytes at most."
                )
    sizes.pop(SKILL_FILE, None)
    return dict(sorted(sizes.items()))


def _is_shown(name: str) -> bool:
    # A name that is not UTF-8 is not printable either: no model could be told it.
    return not name.startswith(".") and name != "__pycache__" and name.isprintable()


def _fault(path: Path, fault: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"The skill {path} cannot be used: {fault}.")
