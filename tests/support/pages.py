"""The pages of the documentation as programs.

A page is one program: its blocks run in order, in one namespace and one temporary folder. By their fences they are

- ``python``: runs;
- ``python title="NAME.py"``: becomes that file in the folder;
- ``python title="Not run: REASON"``: only what it imports is run, for the reason that the reader sees as well;
- ``python title="examples/NAME.py"``: is that program of the repository, and its output is what its own test expects;
- ``sh``: runs if an output follows;
- ``text title="Output"``: what the block before it prints.

Other blocks are for the reader alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.support import play_page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXPECTED = ROOT / "tests/examples/expected"
NOT_RUN = "Not run: "
EXAMPLES = "examples/"
LINE_LENGTH = 84
"""What the built pages show of a line without scrolling."""

Kind = Literal["python", "imports", "file", "sh"]

_FENCE = re.compile(r'```(?P<language>\w*)(?: title="(?P<title>[^"]*)")?\n')
_END = "```\n"


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A fenced block as it stands on the page.

    Attributes:
        language: As the fence names it.
        title: What is shown above the block; empty if nothing is.
        line: Of its first line of text, counted from 1.
        text: All its lines.
    """

    language: str
    title: str
    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block that does something.

    Attributes:
        kind: What is done with it.
        code: Its lines.
        line: Of its first line, counted from 1.
        title: Of a file, its name.
        output: What it has to print.
    """

    kind: Kind
    code: str
    line: int
    title: str = ""
    output: str = ""


def pages() -> list[Path]:
    """Every page of the documentation."""
    return sorted(DOCS.rglob("*.md"))


def fences(page: Path) -> Iterator[Fence]:
    """The fenced blocks of a page.

    Raises:
        ValueError: A fence cannot be read, or is never closed.
    """
    lines = iter(enumerate(page.read_text().splitlines(keepends=True), start=1))
    for number, line in lines:
        if not line.startswith("```"):
            continue
        start = _FENCE.fullmatch(line)
        if start is None:
            raise ValueError(f'{page}:{number}: write a fence as ```LANGUAGE or ```LANGUAGE title="TITLE"')
        text: list[str] = []
        for _, inner in lines:
            if inner == _END:
                break
            text.append(inner)
        else:
            raise ValueError(f"{page}:{number}: this block is never closed")
        yield Fence(language=start["language"], title=start["title"] or "", line=number + 1, text="".join(text))


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that do something, each with its output.

    Raises:
        ValueError: An output does not follow the block that prints it, or a title has no meaning.
    """
    found: list[Block] = []
    before: Fence | None = None
    for fence in fences(page):
        if is_output(fence):
            if before is None or before.language not in {"python", "sh"}:
                raise ValueError(f"{page}:{fence.line}: no block before this output prints it")
            if is_example(before):
                continue
            last = found.pop() if before.language == "python" else Block(kind="sh", code=before.text, line=before.line)
            found.append(Block(kind=last.kind, code=last.code, line=last.line, output=fence.text))
        elif fence.language == "python" and not is_example(fence):
            found.append(Block(kind=_kind(page, fence), code=fence.text, line=fence.line, title=fence.title))
        before = fence
    return found


def is_output(fence: Fence) -> bool:
    """Whether this is what the block before it prints."""
    return (fence.language, fence.title) == ("text", "Output")


def is_example(fence: Fence) -> bool:
    """Whether this is a program of the repository."""
    return fence.language == "python" and fence.title.startswith(EXAMPLES)


def examples(page: Path) -> dict[int, tuple[str, str]]:
    """The programs of the repository on a page, and their outputs, by line: as they are, and as they should be."""
    shown: dict[int, tuple[str, str]] = {}
    before: Fence | None = None
    for fence in fences(page):
        if is_example(fence):
            shown[fence.line] = (fence.text, (ROOT / fence.title).read_text())
        elif before is not None and is_example(before) and is_output(fence):
            expected = EXPECTED / Path(before.title).relative_to(EXAMPLES).with_suffix(".txt")
            shown[fence.line] = (fence.text, expected.read_text())
        before = fence
    return shown


def _kind(page: Path, fence: Fence) -> Kind:
    if not fence.title:
        return "python"
    if fence.title.startswith(NOT_RUN):
        return "imports"
    if fence.title.endswith(".py"):
        return "file"
    raise ValueError(f"{page}:{fence.line}: a title of Python is a file's name, or '{NOT_RUN}' and the reason")


def play(page: Path, folder: Path) -> list[play_page.Ran]:
    """Run a page in a folder, in an environment without keys: what its blocks printed, up to the first that raised."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    run = subprocess.run(
        [sys.executable, "-W", "error", play_page.__file__],
        input=json.dumps({"page": str(page), "blocks": [asdict(block) for block in blocks(page)]}),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"{place(page, 1)} did not come to its end:\n{run.stderr}")
    return json.loads(run.stdout)


def formatted(page: Path) -> dict[int, tuple[str, str]]:
    """The Python of a page by its lines: each block as it is, and as it should be."""
    by_line = {block.line: block.code for block in blocks(page) if block.kind != "sh"}
    with tempfile.TemporaryDirectory() as folder:
        files = {line: Path(folder, f"{line}.py") for line in by_line}
        for line, file in files.items():
            file.write_text(by_line[line])
        ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", f"--line-length={LINE_LENGTH}", folder]
        subprocess.run(ruff, check=True)
        return {line: (by_line[line], file.read_text()) for line, file in files.items()}


def place(page: Path, line: int) -> str:
    """A line of a page, as editors open it."""
    return f"{page.relative_to(ROOT) if page.is_relative_to(ROOT) else page}:{line}"
