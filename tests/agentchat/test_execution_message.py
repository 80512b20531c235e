"""The message with the results of code that ran: what a person, a model and another process get of it."""

import json

from symposia.agentchat.messages import ExecutionMessage, MessageFactory
from symposia.core import Image
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock
from symposia.core.models import UserMessage

PNG = b"\x89PNG\r\n\x1a\n and so on"
CHART = Artifact(path="chart.png", kind="image/png", size=len(PNG), sha256="0" * 64, data=PNG)
FAKE = Artifact(path="fake.png", kind="image/png", size=4, sha256="0" * 64, data=b"text")
LARGE = Artifact(path="large.png", kind="image/png", size=4 * 1024 * 1024, sha256="0" * 64, data=PNG)


def ran(
    stdout: str = "2\n",
    stderr: str = "",
    *files: Artifact,
    exit_code: int = 0,
    skipped: tuple[tuple[str, str], ...] = (),
) -> BlockResult:
    return BlockResult(
        block=CodeBlock("print(1 + 1)", "python"),
        code_file=None,
        status="error" if exit_code else "ok",
        exit_code=exit_code,
        output=stdout + stderr,
        stdout=stdout,
        stderr=stderr,
        artifacts=files,
        artifacts_skipped=skipped,
    )


def execution(*runs: BlockResult, remark: str = "") -> ExecutionMessage:
    return ExecutionMessage(runs=runs, remark=remark, source="runner")


def test_its_text_says_how_each_block_ended_and_what_it_printed_and_made() -> None:
    message = execution(
        ran("one\n", "a warning\n", CHART, skipped=(("big.bin", "too large"),)),
        ran("", "KeyError: 3\n", exit_code=1),
        remark="The last block did not run.",
    )
    assert message.to_text() == "\n".join(
        [
            "exit status 0",
            "stdout:",
            "one",
            "stderr:",
            "a warning",
            f"file made: chart.png (image/png, {len(PNG)} bytes)",
            "file left behind: big.bin (too large)",
            "",
            "exit status 1",
            "stderr:",
            "KeyError: 3",
            "Nothing was printed to stdout.",
            "",
            "The last block did not run.",
        ]
    )
    assert message.to_model_text() == message.to_text()
    assert not message.succeeded


def test_it_succeeded_if_something_ran_and_all_of_it_well() -> None:
    assert execution(ran()).succeeded
    assert not execution().succeeded
    assert not execution(ran(), ran(exit_code=1)).succeeded


def test_a_long_output_is_shortened_in_the_middle_for_models_and_kept_in_the_message() -> None:
    message = execution(ran("a" * 6_000 + "b" * 6_000))
    text = message.to_text()
    assert "[… 4,000 characters left out …]" in text
    assert text.count("a" * 4_000) == text.count("b" * 4_000) == 1
    assert len(message.output) == 12_000


def test_models_are_shown_the_pictures_that_are_pictures_and_not_too_large() -> None:
    told = execution(ran("2\n", "", CHART, FAKE, LARGE)).to_model_message()
    assert isinstance(told, UserMessage)
    assert [part.data for part in told.content if isinstance(part, Image)] == [PNG]
    assert execution(ran("2\n", "", FAKE)).to_model_message().content == execution(ran("2\n", "", FAKE)).to_text()


def test_of_a_file_that_two_blocks_made_the_later_counts() -> None:
    later = Artifact(path="chart.png", kind="image/png", size=1, sha256="0" * 64, data=b"x")
    assert execution(ran("", "", CHART, FAKE), ran("", "", later)).files == (later, FAKE)


def test_it_survives_json_with_its_files() -> None:
    message = execution(ran("2\n", "", CHART), remark="r")
    again = MessageFactory().create(json.loads(json.dumps(message.dump())))
    assert again == message
