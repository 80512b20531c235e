"""Puts pages in order: formats their blocks, and writes what these print: ``scripts/docs write [PAGE …]``.

What a block raises, and what is printed where the page shows no output, is told on stderr.
"""

import sys
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from tests.support.pages import examples, fences, formatted, is_example, is_output, pages, place, play


def write(page: Path) -> None:
    """Format the blocks of a page, run it, and put what its blocks print, and the repository's examples, into it."""
    _replace(page, examples(page))
    _replace(page, formatted(page))
    with tempfile.TemporaryDirectory() as folder:
        results = play(page, Path(folder))
    outputs = {
        before.line: output for before, output in pairwise(fences(page)) if is_output(output) and not is_example(before)
    }
    for ran in results:
        if ran["error"]:
            _tell(f"{place(page, ran['line'])} fails:\n{ran['error']}")
        elif ran["printed"] and ran["line"] not in outputs:
            _tell(f"{place(page, ran['line'])} prints, and the page shows no output:\n{ran['printed']}")
    printed = {ran["line"]: ran["printed"] for ran in results}
    _replace(page, {out.line: (out.text, printed[line]) for line, out in outputs.items() if line in printed})


def _replace(page: Path, texts: Mapping[int, tuple[str, str]]) -> None:
    """Put new texts in the place of old ones, each by its first line."""
    lines = page.read_text().splitlines(keepends=True)
    for line, (old, new) in sorted(texts.items(), reverse=True):
        lines[line - 1 : line - 1 + old.count("\n")] = [new]
    page.write_text("".join(lines))


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    for given in [Path(argument).resolve() for argument in sys.argv[1:]] or pages():
        write(given)
