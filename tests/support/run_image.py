"""Draws ``docs/images/run.svg``: what `symposia run` shows on a terminal, from a real run of a bundled task.

Run as a program (``scripts/docs draw``), it writes the image.
"""

import asyncio
import html
import io
import re
import tempfile
from contextlib import chdir
from pathlib import Path

from rich.console import Console

from symposia.cli._coding_view import ending
from symposia.cli._live_view import LiveView
from symposia.cli._plan import RunArguments, plan_run
from symposia.cli._run import carry_out
from symposia.cli._sandboxes import chosen_sandbox

IMAGE = Path(__file__).parents[2] / "docs/images/run.svg"
TASK = "products"
FOLDER = Path("symposia-runs/20261121-161500-product-sales-with-a-chart")
COLUMNS = 100

_TEXT = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
_VARYING = re.compile(r"\d+\.\d+\ss\b|[\d,]+\sbytes|\bdocker\b|\bbubblewrap\b|\bnamespaces\b")


def draw(sandbox: str) -> str:
    """Run the task in the present folder, and return the image as SVG."""
    # Not a terminal, so that the line of status, which is redrawn in place, is not recorded.
    console = Console(record=True, width=COLUMNS, force_terminal=False, file=io.StringIO(), highlight=False)
    plan = plan_run(RunArguments(bundled=TASK, sandbox=sandbox, out=FOLDER))
    view = LiveView(console)
    with view:
        view.end(ending(asyncio.run(carry_out(plan, chosen_sandbox(sandbox, view.note), view))))
    return console.export_svg(title=f"symposia run --task {TASK}", unique_id="run")


def text_of(image: str) -> str:
    """The text of an image without the parts that vary: durations, sizes and the name of the sandbox."""
    return _VARYING.sub("…", "\n".join(html.unescape(text).rstrip() for text in _TEXT.findall(image)))


def write() -> None:
    """Write the image."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        image = draw("auto")
    IMAGE.write_text(image, encoding="utf-8")


if __name__ == "__main__":
    write()
