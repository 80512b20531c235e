"""Runs the blocks of a page, in a process and a folder of their own: what a reader gets who copies them one by one.

On stdin come the page and its blocks; on stdout go what each one printed, up to the first that raised.
"""

import ast
import contextlib
import faulthandler
import io
import json
import subprocess
import sys
import traceback
from pathlib import Path
from types import ModuleType

from typing_extensions import TypedDict

SECONDS = 60
"""How long a page may take; a longer one ends with a traceback of where it hangs."""


class ToRun(TypedDict):
    """A block: see `tests.support.pages.Block`."""

    kind: str
    code: str
    line: int
    title: str


class Ran(TypedDict):
    """What a block printed, and the traceback of what it raised."""

    line: int
    printed: str
    error: str


def play(page: str, blocks: list[ToRun]) -> list[Ran]:
    """Run the blocks in order, in one namespace."""
    module = ModuleType("page")
    sys.modules["page"] = module
    results: list[Ran] = []
    for block in blocks:
        printed = io.StringIO()
        error = ""
        try:
            with contextlib.redirect_stdout(printed):
                _run(page, block, module)
        except BaseException:  # noqa: BLE001 - whatever a block raises is told
            error = traceback.format_exc()
        results.append(Ran(line=block["line"], printed=printed.getvalue(), error=error))
        if error:
            break
    return results


def _run(page: str, block: ToRun, module: ModuleType) -> None:
    if block["kind"] == "file":
        Path(block["title"]).write_text(block["code"])
    elif block["kind"] == "sh":
        run = subprocess.run(["sh", "-e"], input=block["code"], capture_output=True, text=True, check=False)
        sys.stdout.write(run.stdout)
        if run.returncode:
            raise RuntimeError(f"exit status {run.returncode}: {run.stderr}")
    else:  # on the lines where it stands on the page, so that tracebacks lead there
        tree = ast.parse("\n" * (block["line"] - 1) + block["code"], page)
        if block["kind"] == "imports":
            tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        exec(compile(tree, page, "exec", dont_inherit=True), module.__dict__)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    sys.path[0] = ""  # modules are found in the folder of the page, and not beside this file
    order = json.load(sys.stdin)
    json.dump(play(order["page"], order["blocks"]), sys.stdout)
