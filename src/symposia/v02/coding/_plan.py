"""What a command line executor does with a code block: its language, its file, and whether it is run. Does no I/O."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from symposia.v02._code_text import POWERSHELLS, SHELLS
from symposia.v02._files import as_argument
from symposia.v02.coding.base import CodeBlock
from symposia.v02.coding.utils import named_file, silence_pip

DEFAULT_POLICY: Final[dict[str, bool]] = {
    **dict.fromkeys((*SHELLS, *POWERSHELLS, "python"), True),
    **dict.fromkeys(("javascript", "html", "css"), False),
}
"""The languages of a command line executor, and which are run. Blocks of the others are saved."""
REFUSED_COMMANDS: Final = {
    r"\brm\s+-rf\b": "Use of 'rm -rf' command is not allowed.",
    r"\bmv\b.*?\s/dev/null\b": "Moving files to /dev/null is not allowed.",
    r"\bdd\b": "Use of 'dd' command is not allowed.",
    r">\s*/dev/sd[a-z]": "Overwriting disk blocks directly is not allowed.",
    r":\(\)\s*\{.*?\};\s*:": "Fork bombs are not allowed.",
}
"""What shell code must not have, with the text of the error."""


@dataclass(frozen=True)
class Planned:
    """A block that can be run or saved.

    Attributes:
        language: In small letters, ``python`` for each of its names.
        code: The source, with the name of its file in the first line where it has one.
        file: The file that it names, relative to the work folder.
        runs: Whether it is run, and not saved alone.
    """

    language: str
    code: str
    file: str | None
    runs: bool

    @property
    def saved_as(self) -> str:
        """The file of a block that is saved, relative to the work folder."""
        digest = hashlib.md5(self.code.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
        return self.file or f"tmp_code_{digest}.{'py' if self.language == 'python' else self.language}"


class UnknownLanguageError(ValueError):
    """An executor neither runs nor saves blocks in the language."""


def refuse_dangerous(language: str, code: str) -> None:
    """Refuse shell code with a command that destroys what is around it. Other code is not looked at.

    Raises:
        ValueError: It has one.
    """
    if language not in SHELLS:
        return
    for pattern, text in REFUSED_COMMANDS.items():
        if re.search(pattern, code):
            raise ValueError(f"Potentially dangerous command detected: {text}")


def plan(block: CodeBlock, policies: Mapping[str, bool], work_dir: PurePath, aliases: Mapping[str, str]) -> Planned:
    """Decide what is done with a block.

    Args:
        block: The block.
        policies: The languages, and which are run.
        work_dir: The absolute path of the work folder.
        aliases: Other names of languages.

    Raises:
        UnknownLanguageError: Its language is another one.
        ValueError: Its file is outside of the work folder. The text is its output.
    """
    language = aliases.get(block.language.lower(), block.language.lower())
    if language not in policies:
        raise UnknownLanguageError
    code = silence_pip(block.code, language)
    return Planned(language, code, named_file(code, work_dir), policies[language])


def runnable(planned: Planned) -> tuple[str, str]:
    """The language and the source with which a core executor runs a block, which has its own rule for names of files.

    The first line stays one line, so that the lines of a traceback are those of the block.
    """
    if planned.language in POWERSHELLS:
        return "sh", f"exec pwsh -NoProfile -File {as_argument(planned.saved_as)}"
    if planned.file is None:
        return planned.language, planned.code
    return planned.language, re.sub(r"\A[^\n]*", lambda _: f"# filename: {planned.file}", planned.code, count=1)
