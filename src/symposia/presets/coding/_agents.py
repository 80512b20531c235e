"""The four agents of the swarm, each one of the library's with a prompt and rules of its own.

The reviewer's approval counts only with evidence: lines that the program has really printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symposia.agentchat.agents import AssistantAgent, BlockReport, CodeExecutorAgent
from symposia.agentchat.messages import BaseChatMessage, ExecutionMessage
from symposia.core.code_executor import CodeExecutor, NetworkPolicy, SandboxPackages
from symposia.core.exceptions import ModelAnswerError
from symposia.core.models import ChatCompletionClient
from symposia.presets.coding._prompts import (
    CODER_PROMPT,
    CUT_OFF,
    HOSTS,
    NO_CODE,
    PACKAGES,
    PLANNER_PROMPT,
    REVIEWER_PROMPT,
    Plan,
    Review,
)
from symposia.presets.coding._rule import CODER, EXECUTOR, PLANNER, REVIEWER

RETRIES: Final = 2
"""Answers that do not fit are sent back so often: a model that fails three times will go on to."""


def planner(client: ChatCompletionClient) -> AssistantAgent:
    """Turns the task into a `Plan`."""
    return AssistantAgent(
        PLANNER,
        client,
        description="Turns the task into a short plan.",
        system_message=PLANNER_PROMPT,
        output_content_type=Plan,
        output_retries=RETRIES,
    )


def coder(
    client: ChatCompletionClient, packages: SandboxPackages | None = None, network: NetworkPolicy | None = None
) -> AssistantAgent:
    """Writes the program.

    Args:
        client: The model.
        packages: What the program may import beside what is there anyway.
        network: The hosts that it may connect to.
    """
    added = PACKAGES.format(names=", ".join(packages.requirements)) if packages else ""
    if network is not None:
        added += HOSTS.format(names=", ".join(str(rule) for rule in network.rules))
    return AssistantAgent(
        CODER,
        client,
        description="Writes the program.",
        system_message=CODER_PROMPT + added,
        model_client_stream=True,
    )


def executor(code_executor: CodeExecutor) -> CodeExecutorAgent:
    """Runs the coder's program, and answers with an `ExecutionMessage`."""
    return CodeExecutorAgent(
        EXECUTOR,
        code_executor,
        description="Runs the coder's program in a sandbox.",
        sources=[CODER],
        stream_output=True,
        report=BlockReport(no_code=NO_CODE, cut_off=CUT_OFF),
    )


def reviewer(client: ChatCompletionClient) -> AssistantAgent:
    """Holds the program's real output against the task, and answers with a `Review`."""
    return AssistantAgent(
        REVIEWER,
        client,
        description="Checks a program's real output against the task.",
        system_message=REVIEWER_PROMPT,
        output_content_type=Review,
        output_retries=RETRIES,
        output_check=review_fault,
        output_fallback=rejection_of,
    )


def review_fault(review: Review, received: Sequence[BaseChatMessage]) -> str:
    """The fault of a review: an approval without evidence, a rejection without a reason; empty if there is none.

    Args:
        review: The review.
        received: The messages that the reviewer judges; the latest execution is what counts.
    """
    if not review.approved:
        return "" if review.reasons else "You do not approve: say in `reasons` what is wrong and how to fix it."
    if not review.answer.strip():
        return "You approve: write the answer to the task into `answer`."
    if not review.evidence:
        return "You approve: copy the lines of the output that the answer rests on into `evidence`."
    executions = (message for message in reversed(received) if isinstance(message, ExecutionMessage))
    missing = unsupported_evidence(review, next(executions, ExecutionMessage(source=EXECUTOR)))
    return f"The program has not printed this evidence: {'; '.join(missing)}." if missing else ""


def rejection_of(review: Review | None, complaint: str) -> Review:
    """Turn an approval that stays without ground into a rejection, so that "verified" always rests on the real output.

    Raises:
        ModelAnswerError: The model never gave a review.
    """
    if review is None:
        raise ModelAnswerError(f"{REVIEWER}: the model gave no usable Review in {RETRIES + 1} answers. {complaint}")
    reason = f"The review has no ground in the output. {complaint} Print each figure on a line that names it."
    return Review(approved=False, reasons=[*review.reasons, reason], evidence=[], answer="")


def unsupported_evidence(review: Review, execution: ExecutionMessage) -> list[str]:
    """List the evidence that is not in the real output and names no file that was made.

    Blanks and backticks around a line are taken loosely; everything else has to agree letter for letter.
    """
    output = _normalised(execution.output)
    files = {file.path for file in execution.files}
    return [line for line in review.evidence if line.strip() not in files and not _is_printed(line, output)]


def _is_printed(line: str, output: str) -> bool:
    looked_for = _normalised(line).strip("` ")
    return bool(looked_for) and looked_for in output


def _normalised(text: str) -> str:
    return " ".join(text.split())
