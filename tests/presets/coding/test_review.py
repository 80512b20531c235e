"""The reviewer's approval counts only with evidence in the real output."""

import json
import re
from collections.abc import Sequence

import pytest

from symposia.core import Image
from symposia.core.code_executor import Artifact, SandboxResult
from symposia.core.models import ModelInfo
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import (
    CodingOutcome,
    CodingResult,
    CodingTask,
    NamedModel,
    Review,
    SwarmLimits,
    SwarmModels,
    run_coding_swarm,
)
from symposia.testing.sandboxes import FakeSandboxBackend

PLAN = json.dumps({"steps": ["Add."], "checks": ["The total is printed."]})
PNG = b"\x89PNG\r\n\x1a\n and so on"
CHART = Artifact(path="chart.png", kind="image/png", size=len(PNG), sha256="0" * 64, data=PNG)
NO_PICTURE = Artifact(path="fake.png", kind="image/png", size=4, sha256="0" * 64, data=b"text")


def answer(
    *, approved: bool = True, evidence: Sequence[str] = (), text: str = "It is 12.5.", reasons: Sequence[str] = ()
) -> str:
    return json.dumps({"approved": approved, "reasons": list(reasons), "evidence": list(evidence), "answer": text})


async def prints_and_makes_files(code: str) -> SandboxResult:
    return SandboxResult(
        status="ok",
        exit_code=0,
        stdout="total:   12.50\nmean: 3\n",
        stderr="",
        artifacts=(CHART, NO_PICTURE),
    )


async def run(reviewer: ReplayChatCompletionClient) -> CodingResult:
    """Run the swarm up to the first review."""
    models = SwarmModels(
        planner=NamedModel(name="p", client=ReplayChatCompletionClient([PLAN])),
        coder=NamedModel(name="c", client=ReplayChatCompletionClient(["```python\nsum()\n```"])),
        reviewer=NamedModel(name="r", client=reviewer),
    )
    return await run_coding_swarm(
        CodingTask(text="Sum it"),
        models=models,
        sandbox=FakeSandboxBackend(prints_and_makes_files),
        limits=SwarmLimits(max_messages=4),
    )


async def review(*answers: str) -> Review:
    found = (await run(ReplayChatCompletionClient(answers))).review
    assert found is not None
    return found


@pytest.mark.parametrize("line", ["total: 12.50", "total:   12.50", "`mean: 3`", "chart.png"])
async def test_a_line_that_was_printed_or_a_file_that_was_made_is_evidence(line: str) -> None:
    content = await review(answer(evidence=[line]))
    assert (content.approved, content.evidence) == (True, [line])


@pytest.mark.parametrize("line", ["total: 12.5 EUR", "total: 13", "other.png", "", "  "])
async def test_a_line_that_was_not_printed_is_no_evidence(line: str) -> None:
    assert (await review(answer(evidence=[line]), answer(evidence=["mean: 3"]))).evidence == ["mean: 3"]


async def test_an_approval_on_printed_lines_stands() -> None:
    assert (await review(answer(evidence=["total: 12.50"]))).approved


async def test_an_approval_on_invented_lines_is_asked_again() -> None:
    assert (await review(answer(evidence=["total: 99"]), answer(evidence=["total: 12.50"]))).evidence == [
        "total: 12.50"
    ]


async def test_an_approval_that_stays_without_ground_becomes_a_rejection_that_says_why() -> None:
    content = await review(*[answer(evidence=["total: 99"])] * 3)
    assert not content.approved
    assert "total: 99" in content.reasons[-1]


@pytest.mark.parametrize("bad", [answer(evidence=[]), answer(evidence=["mean: 3"], text=" "), answer(approved=False)])
async def test_a_review_that_says_too_little_is_asked_again(bad: str) -> None:
    assert (await review(bad, answer(evidence=["mean: 3"]))).approved


async def test_f36_a_review_in_a_fence_is_read() -> None:
    assert (await review(f"Here it is:\n```json\n{answer(evidence=['mean: 3'])}\n```")).approved


async def test_f36_a_review_that_lacks_a_key_is_asked_again() -> None:
    assert (await review('{"approved": true}', "no JSON at all", answer(evidence=["mean: 3"]))).approved


async def test_f36_a_model_that_never_answers_in_the_schema_fails_by_name() -> None:
    result = await run(ReplayChatCompletionClient(["no", "no", "no"]))
    assert result.outcome is CodingOutcome.ANSWER_REJECTED
    assert re.search(r"reviewer.*no usable Review in 3 answers", result.detail)


async def test_a_field_too_many_in_a_review_is_ignored() -> None:
    review_with_more = json.dumps({**json.loads(answer(evidence=["mean: 3"])), "problems": []})
    assert (await review(review_with_more)).approved


async def test_the_tokens_of_every_attempt_are_counted() -> None:
    client = ReplayChatCompletionClient(["no", answer(evidence=["mean: 3"])])
    usage = next(each.usage for each in (await run(client)).usage if each.agent == "reviewer")
    total = client.total_usage()
    assert (usage.prompt_tokens, usage.completion_tokens) == (total.prompt_tokens, total.completion_tokens)


@pytest.mark.parametrize("sees", [True, False])
async def test_a_model_that_can_see_is_shown_the_pictures_that_the_program_made(sees: bool) -> None:
    abilities = ModelInfo(
        vision=sees, function_calling=False, json_output=True, family="unknown", structured_output=True
    )
    client = ReplayChatCompletionClient([answer(evidence=["chart.png"])], abilities)
    await run(client)
    last = client.create_calls[0]["messages"][-1]
    pictures = [part.data for part in last.content if isinstance(part, Image)]
    assert pictures == ([PNG] if sees else [])
