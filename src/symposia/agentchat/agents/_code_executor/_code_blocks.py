"""Code in Markdown: the fenced blocks of a text, and blocks as text again. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from symposia.core.code_executor import CodeBlock

_OPENING: Final = re.compile(r"(?P<before>[^`~]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]+)(?P<rest>[^`]*)")
"""A fence that names its language. Models also open one behind text: then nothing may follow the language."""

_ALIASES: Final = {"py": "python", "python3": "python", "bash": "sh", "shell": "sh", "zsh": "sh"}
"""Other names of the languages that every executor runs."""


def code_blocks(text: str, languages: Collection[str]) -> list[CodeBlock]:
    """The closed, fenced blocks of `text` in one of `languages`, each with the language as its fence names it.

    A block that is still open at the end was cut off, so it is left out. Indentation that the fence has too is removed.
    """
    wanted = {_canonical(language) for language in languages}
    return [block for block in _closed_blocks(text) if _canonical(block.language) in wanted]


def ends_inside_block(text: str) -> bool:
    """Whether `text` ends in a fenced block that is still open, as an answer does that was cut off."""
    block: _OpenBlock | None = None
    for line in text.splitlines(keepends=True):
        if block is None:
            block = _opened(line)
        elif block.take(line):
            block = None
    return block is not None


def as_markdown(blocks: Sequence[CodeBlock]) -> str:
    """The blocks, each in a fence of its own."""
    return "\n".join(f"{_fence(block)}{block.language}\n{_ended(block.code)}{_fence(block)}" for block in blocks)


@dataclass(slots=True)
class _OpenBlock:
    language: str
    fence: str
    indent: str
    lines: list[str] = field(default_factory=list[str])

    def take(self, line: str) -> bool:
        """Add a line; True if it ends the block, alone or behind the last of the code."""
        code = line.rstrip().removesuffix(self.fence)
        ends = line.rstrip().endswith(self.fence) and self.fence[0] not in code
        if not ends:
            self.lines.append(line.removeprefix(self.indent))
        elif code.strip():
            self.lines.append(code.removeprefix(self.indent) + "\n")
        return ends


def _closed_blocks(text: str) -> Iterator[CodeBlock]:
    block: _OpenBlock | None = None
    for line in text.splitlines(keepends=True):
        if block is None:
            block = _opened(line)
        elif block.take(line):
            yield CodeBlock(code="".join(block.lines), language=block.language)
            block = None


def _opened(line: str) -> _OpenBlock | None:
    match = _OPENING.fullmatch(line.rstrip())
    if match is None:
        return None
    before = match["before"]
    if before.strip() and match["rest"].strip():
        return None
    return _OpenBlock(match["language"], match["fence"], "" if before.strip() else before)


def _canonical(language: str) -> str:
    return _ALIASES.get(language.lower(), language.lower())


def _fence(block: CodeBlock) -> str:
    runs = re.findall("`{3,}", block.code)
    return "`" * max([3, *(len(run) + 1 for run in runs)])


def _ended(code: str) -> str:
    return code if code.endswith("\n") or not code else f"{code}\n"
