"""The reviewer's approval counts only with ground in the real output."""

import json
from collections.abc import Sequence

import pytest

from symposia.agentchat.messages import BaseChatMessage, ExecutionMessage, StructuredMessage
from symposia.core import CancellationToken, Image
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock
from symposia.core.exceptions import ModelError
from symposia.core.models import ModelInfo
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import Review
from symposia.presets.coding._agents import reviewer, without_ground

PNG = b"\x89PNG\r\n\x1a\n and so on"
CHART = Artifact(path="chart.png", kind="image/png", size=len(PNG), sha256="0" * 64, data=PNG)
NO_PICTURE = Artifact(path="fake.png", kind="image/png", size=4, sha256="0" * 64, data=b"text")
RUN = BlockResult(
    block=CodeBlock("", "python"),
    code_file=None,
    status="ok",
    exit_code=0,
    output="total:   12.50\nmean: 3\n",
    artifacts=(CHART, NO_PICTURE),
)
EXECUTION = ExecutionMessage(runs=(RUN,), source="executor")


def answer(
    *, approved: bool = True, evidence: Sequence[str] = (), text: str = "It is 12.5.", reasons: Sequence[str] = ()
) -> str:
    return json.dumps({"approved": approved, "reasons": list(reasons), "evidence": list(evidence), "answer": text})


async def review(*answers: str) -> Review:
    messages: list[BaseChatMessage] = [EXECUTION]
    response = await reviewer(ReplayChatCompletionClient(answers)).on_messages(messages, CancellationToken())
    match response.chat_message:
        case StructuredMessage(content=Review() as content):
            return content
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("line", ["total: 12.50", "total:   12.50", "`mean: 3`", "chart.png"])
def test_a_line_that_was_printed_or_a_file_that_was_made_is_evidence(line: str) -> None:
    assert without_ground(Review(approved=True, reasons=[], evidence=[line], answer=""), EXECUTION) == []


@pytest.mark.parametrize("line", ["total: 12.5 EUR", "total: 13", "other.png", "", "  "])
def test_a_line_that_was_not_printed_is_none(line: str) -> None:
    assert without_ground(Review(approved=True, reasons=[], evidence=[line], answer=""), EXECUTION) == [line]


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
    with pytest.raises(ModelError, match=r"reviewer.*no usable Review in 3 answers"):
        await review("no", "no", "no")


async def test_the_tokens_of_every_attempt_are_counted() -> None:
    client = ReplayChatCompletionClient(["no", answer(evidence=["mean: 3"])])
    result = await reviewer(client).run(task=EXECUTION)
    spent = [message.models_usage for message in result.messages if message.models_usage]
    assert sum(usage.prompt_tokens for usage in spent) == client.total_usage().prompt_tokens
    assert sum(usage.completion_tokens for usage in spent) == client.total_usage().completion_tokens


@pytest.mark.parametrize("sees", [True, False])
async def test_a_model_that_can_see_is_shown_the_pictures_that_the_program_made(sees: bool) -> None:
    abilities = ModelInfo(
        vision=sees, function_calling=False, json_output=True, family="unknown", structured_output=True
    )
    client = ReplayChatCompletionClient([answer(evidence=["chart.png"])], abilities)
    await reviewer(client).on_messages([EXECUTION], CancellationToken())
    last = client.create_calls[0]["messages"][-1]
    pictures = [part.data for part in last.content if isinstance(part, Image)]
    assert pictures == ([PNG] if sees else [])
