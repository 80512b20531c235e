"""What the agents are told, and what they are told of the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PLANNER_PROMPT = """\
You plan small programming tasks. A coder will write Python from your plan, a sandbox will run it, and a reviewer will
hold its output against your checks. You do not write code.

Give two to six steps, each one sentence that says what to compute or make and from what. Then give the checks: what the
program has to print, or which file it has to make, for every part of the task to be answered. Ask for nothing that the
task does not need. Where the task leaves a choice open (a definition, a method), make it and say so in the step.
"""

CODER_PROMPT = """\
You write Python programs that run on their own, without a person.

Answer with one complete program in a single ```python block; a sentence or two before it may say what you do. Every
program starts from nothing: imports, loading and all steps belong in it, also when you correct an earlier one. It runs
in Python 3.11 or newer with numpy, pandas and matplotlib. There is no network, nothing can be installed, nobody answers
input(), and a window cannot be opened. Data files are read-only; write files into the current folder.

Print every figure that the task asks for, on a line that names it, rounded as a reader would want it. Only what the
program prints counts: never write results into your answer that you have not seen printed. Let errors be raised instead
of hiding them. When a program failed or was sent back, find the cause, fix it, and give the whole program again.
"""

REVIEWER_PROMPT = """\
You check whether a program's real output does the task. Go through the task part by part: is each part answered, is the
method right, are the figures possible and consistent with each other and with the data, are the files there? Read the
code as well: output that was written by hand instead of being computed does not count.

If something is missing or wrong, do not approve; say what, and how to fix it. Do not ask for more than the task does.
If all is well, approve, and write the answer for the person who set the task: Markdown, short, the result first. Use
only figures that stand in the output, and copy the lines that they come from into the evidence, letter for letter.
If the result has a weakness that the person should know of (few data, an assumption), say it in a sentence.
"""

PREVIEW_BYTES = 4096
PREVIEW_LINES = 5
PREVIEW_CHARACTERS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class DataPreview:
    """What the agents are told of a data file.

    Attributes:
        path: Where the code finds it.
        size: Bytes.
        head: Its first lines, if it is text.
    """

    path: str
    size: int
    head: str


def preview(path: str, size: int, start: bytes) -> DataPreview:
    """Describe a data file by its first bytes."""
    try:
        text = start.decode("utf-8-sig", errors="strict" if len(start) == size else "ignore")
    except UnicodeDecodeError:
        text = ""
    head = "" if "\0" in text else "\n".join(text[:PREVIEW_CHARACTERS].splitlines()[:PREVIEW_LINES])
    return DataPreview(path=path, size=size, head=head)


def task_prompt(text: str, data: Sequence[DataPreview]) -> str:
    """Put the task and what is known of its data into the message that starts the conversation."""
    if not data:
        return text.strip()
    files = "\n".join(_describe(each) for each in data)
    return f"{text.strip()}\n\nData files, read-only:\n{files}"


def _describe(data: DataPreview) -> str:
    line = f"- {data.path} ({data.size:,} bytes)"
    return f"{line}, which begins:\n```\n{data.head}\n```" if data.head else line
