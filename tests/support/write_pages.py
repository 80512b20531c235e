"""Writes what the blocks of pages print into the pages: ``scripts/docs outputs [PAGE …]``.

What a block raises, and what is printed where the page shows no output, is told on stderr.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from tests.support.pages import fences, is_output, pages, place, play


def write_outputs(page: Path) -> None:
    """Run a page, and put what its blocks print into their outputs."""
    with tempfile.TemporaryDirectory() as folder:
        results = play(page, Path(folder))
    printed = {ran["line"]: ran["printed"] for ran in results}
    outputs = {before.line: output for before, output in pairwise(fences(page)) if is_output(output)}
    lines = page.read_text().splitlines(keepends=True)
    for line, output in reversed(outputs.items()):
        if line in printed:
            first = output.line - 1
            lines[first : first + output.text.count("\n")] = [printed[line]]
    page.write_text("".join(lines))
    for ran in results:
        if ran["error"]:
            tell(f"{place(page, ran['line'])} fails:\n{ran['error']}")
        elif ran["printed"] and ran["line"] not in outputs:
            tell(f"{place(page, ran['line'])} prints, and the page shows no output:\n{ran['printed']}")


def tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    for given in [Path(argument).resolve() for argument in sys.argv[1:]] or pages():
        write_outputs(given)
