"""What the sandboxes do not stop, and the table of all attacks for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from symposia.ext.code_executors.attacks._target import Attack

KINDS: Final = ("docker", "bubblewrap", "namespaces")
GAPS: Final[Mapping[tuple[str, str], str]] = MappingProxyType({})
"""What gets through, by the attack's name and the sandbox's, and why."""


def attack_table(attacks: Iterable[Attack]) -> str:
    """All attacks and which sandbox stops them, in Markdown. The tests hold each cell."""
    lines = [f"| the code tries to | {' | '.join(f'`{kind}`' for kind in KINDS)} |", "|---|" + "---|" * len(KINDS)]
    for attack in attacks:
        cells = (GAPS.get((attack.name, kind), "stopped") for kind in KINDS)
        lines.append(f"| {attack.aim} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
