"""AutoGen's distributions among the requirements of a project, and what to require instead.

Requirements are not rewritten: where a project gets Symposia from is its own decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from symposia.migration._findings import FindingKind, Note

FILES: Final = re.compile(r"requirements.*\.txt|pyproject\.toml|setup\.cfg|Pipfile|environment\.ya?ml")
"""The names of files with requirements."""

_REQUIREMENT = re.compile(
    r"(?<![\w./-])(autogen-agentchat|autogen-core|autogen-ext|pyautogen)(?:\[([\w\s,.-]*)\])?(?![\w./-])"
)
_SAME = (
    *("anthropic", "azure", "chromadb", "diskcache", "docker", "gemini", "graphrag", "http-tool", "langchain"),
    *("llama-cpp", "mcp", "mem0", "ollama", "openai", "redis", "task-centric-memory", "video-surfer", "web-surfer"),
)
_EXTRAS: Final[Mapping[str, Sequence[str]]] = {
    **{extra: (extra,) for extra in _SAME},
    "canvas": (),
    "docker-jupyter-executor": ("docker-jupyter",),
    "file-surfer": ("documents",),
    "jupyter-executor": ("jupyter",),
    "magentic-one": ("documents", "openai", "web-surfer"),
    "mem0-local": ("mem0",),
    "redisvl": ("redis-memory",),
    "rich": (),
    "semantic-kernel-all": ("semantic-kernel",),
    "semantic-kernel-core": ("semantic-kernel",),
}


def requirement_notes(text: str) -> Iterator[Note]:
    """What to require instead of AutoGen's distributions, for a file with requirements."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in _REQUIREMENT.finditer(line.partition("#")[0]):
            yield Note(line=number, kind=FindingKind.NOTE, text=_advice(found[0], found[1], found[2] or ""))


def _advice(requirement: str, distribution: str, given: str) -> str:
    wanted = [extra.strip().lower() for extra in given.split(",") if extra.strip()]
    extras = {ours for extra in wanted for ours in _EXTRAS.get(extra, ())}
    extras |= {"openai"} if distribution == "pyautogen" else set()
    missing = [extra for extra in wanted if extra not in _EXTRAS] if distribution == "autogen-ext" else []
    ours = f"symposia[{','.join(sorted(extras))}]" if extras else "symposia"
    advice = f"Require {ours} in place of {requirement}."
    return f"{advice} Nothing corresponds to the extra {missing[0]}." if missing else advice
