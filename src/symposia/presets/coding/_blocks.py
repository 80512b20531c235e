"""Finding the code in a model's answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symposia.core.code_executor import CodeBlock

LANGUAGES = {"python": "python", "py": "python", "python3": "python", "sh": "sh", "bash": "sh", "shell": "sh"}
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^`]*$")


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What an answer holds.

    Attributes:
        blocks: What can run, in order.
        cut_off: Whether the answer ended in the middle of a block, which is left out then.
    """

    blocks: tuple[CodeBlock, ...]
    cut_off: bool = False


def find_code(answer: str) -> CodeAnswer:
    """Find the Python and shell blocks of a Markdown text; blocks of other languages are only shown."""
    blocks: list[CodeBlock] = []
    lines = iter(answer.splitlines())
    for line in lines:
        opening = _FENCE.match(line)
        if opening is None:
            continue
        code, closed = _until_closed(lines, opening["fence"])
        if not closed:
            return CodeAnswer(tuple(blocks), cut_off=True)
        language = LANGUAGES.get(opening["language"].lower())
        if language and code.strip():
            blocks.append(CodeBlock(code=code, language=language))
    return CodeAnswer(tuple(blocks))


def _until_closed(lines: Iterator[str], fence: str) -> tuple[str, bool]:
    """Take lines up to one that closes `fence`: of the same character, at least as many, and nothing else."""
    body: list[str] = []
    for line in lines:
        stripped = line.strip()
        if stripped.startswith(fence) and not stripped.strip(fence[0]):
            return "".join(f"{each}\n" for each in body), True
        body.append(line)
    return "", False
