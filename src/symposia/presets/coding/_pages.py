"""The transcript and the answer as Markdown. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    OutputRejectedEvent,
    StructuredMessage,
)
from symposia.core.code_executor import Artifact, BlockResult
from symposia.core.terminal_text import escape_markdown, printable
from symposia.ext.code_executors import obeyed_name
from symposia.presets.coding._outcome import CodingOutcome
from symposia.presets.coding._prompts import Plan, Review
from symposia.presets.coding._result import CodingResult

RECORDED_NOTE: Final = "The models' answers are recorded. The code really runs, and its output is real."
"""Shown with a run on recorded models."""


def answer_page(result: CodingResult) -> str:
    """The answer, its evidence, and the course of the run."""
    parts = ["# Answer" if result.answer else "# No verified answer", _how_it_ended(result)]
    if result.recorded:
        parts.append(f"> {RECORDED_NOTE}")
    if result.answer:
        parts.append(result.answer.strip())
    if result.objections:
        objections = "\n".join(f"- {reason}" for reason in result.objections)
        parts.append(f"## What the reviewer objected to\n\n{objections}")
    if (rejected := result.rejected_answer) is not None:
        parts.append(f"## The last answer of the {rejected.source}\n\n{_rejected(rejected)}")
    parts += [f"## Task\n\n{_quoted(result.task.text)}"]
    if result.runs:
        parts.append(f"## What the last program printed\n\n{_last_output(result.runs[-1])}")
    if result.files:
        parts.append("## Files\n\n" + "\n".join(map(_file_line, result.files)))
    return printable("\n\n".join(parts)) + "\n"


def _how_it_ended(result: CodingResult) -> str:
    attempts = len(result.runs)
    ran = f"{attempts} program{'' if attempts == 1 else 's'} ran in the sandbox `{result.sandbox}`"
    if result.outcome is CodingOutcome.VERIFIED:
        return f"Verified by the reviewer against the program's real output; {ran}."
    return f"**Not verified ({result.outcome}).** {result.detail}\n\n{ran[0].upper()}{ran[1:]}."


def _last_output(run: BlockResult) -> str:
    output = "\n".join(text.rstrip() for _, text in run.streams if text.strip()) or "(nothing)"
    return f"{fenced(output)}\n\n{run.ending[0].upper()}{run.ending[1:]}."


def _file_line(file: Artifact) -> str:
    name, details = escape_markdown(file.path), f"({escape_markdown(file.kind)}, {file.size:,} bytes)"
    if reason := obeyed_name(PurePosixPath(file.path)):
        return f"- {name} {details}: {reason}"
    return f"- [{name}](<files/{quote(file.path)}>) {details}"


def message_page(message: BaseAgentEvent | BaseChatMessage) -> str:
    """A message of the transcript, below its heading."""
    match message:
        case StructuredMessage(content=Plan() as plan):
            return plan_markdown(plan)
        case StructuredMessage(content=Review() as review):
            return review_markdown(review)
        case OutputRejectedEvent():
            return _rejected(message)
        case ExecutionMessage():
            return fenced(message.to_text())
        case _:
            return message.to_text()


def _rejected(event: OutputRejectedEvent) -> str:
    return f"**Not accepted.** {event.reason}\n\n{fenced(event.content)}"


def plan_markdown(plan: Plan) -> str:
    """The steps, numbered, and the checks."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(plan.steps, 1))
    checks = "\n".join(f"- {check}" for check in plan.checks)
    return f"{steps}\n\nThe output has to show:\n\n{checks}"


def review_markdown(review: Review) -> str:
    """The verdict with its reasons, or with its evidence and the answer."""
    if not review.approved:
        return "**Sent back**\n\n" + "\n".join(f"- {reason}" for reason in review.reasons)
    evidence = fenced("\n".join(review.evidence))
    return f"**Approved**, on this evidence:\n\n{evidence}\n\n{review.answer.strip()}"


def fenced(text: str) -> str:
    """A block of plain text, with a fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
