"""`symposia debate` as its users call it."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest
from tests.support.command import symposia
from tests.support.terminal import CTRL_C, on_terminal
from typer.testing import Result

from symposia.cli._exit import Status
from symposia.presets.debate import BundledDebateName, DebateLimits
from symposia.testing.model_server import Hold, MockModelServer, Reply

ANSWER = json.dumps(
    {"position": "tea", "confidence": 0.9, "reason": "It is hot.", "summary": "Tea.", "agreed": ["Hot."]}
)
"""An answer that is a statement, a vote and a summary."""

QUESTION = ("Tea or coffee?", "--position", "tea: Green tea.", "--position", "coffee: Espresso.")


pytestmark = pytest.mark.usefixtures("in_its_folder")


async def debate(*arguments: str) -> Result:
    return await symposia("debate", *arguments)


async def test_without_a_key_a_bundled_debate_runs_and_says_that_it_is_recorded(tmp_path: Path) -> None:
    result = await debate()
    assert result.exit_code == 0, result.output
    for text in (
        "Question: The architecture of a data ingestion system (a bundled debate)",
        "Model: recorded",
        "The models' answers are recorded.",
        "Position: kafka: ",
        "Open position: hybrid: ",
        "Rounds: at most 4, 1 of them independent",
        "kafka_advocate votes for kafka (confidence 80%)",
        "critic: on round 1",
        "Consensus in round 3: 3 of 3 for 'hybrid'.",
        "Decided: consensus · 3 rounds · ",
        "decision.md",
    ):
        assert text in result.stdout, text
    [folder] = (tmp_path / "symposia-runs").iterdir()
    assert json.loads((folder / "decision.json").read_text())["decision"] == "hybrid"


async def test_the_dissent_is_printed_with_the_decision() -> None:
    result = await debate("--example", "database", "--out", "out")
    assert result.exit_code == 0, result.output
    assert "Dissent of document_store_advocate: A move at the stated limits" in result.stdout
    assert "Results: out" in result.stdout


async def test_a_question_of_ones_own_is_debated_by_models(models: MockModelServer, tmp_path: Path) -> None:
    models.script(*(Reply(text=ANSWER, usage=(10, 5)) for _ in range(5)))
    result = await debate(*QUESTION, "--open-position", "neither", "--model", "gpt-5.5", "--out", "out")
    assert result.exit_code == 0, result.output
    assert "Consensus in round 1: 2 of 2 for 'tea'." in result.stdout
    assert "75 tokens" in result.stdout
    assert "Forecast: a run takes " in result.stdout
    assert re.search(r"Forecast: .*\$\d", result.stdout)
    decision = json.loads((tmp_path / "out/decision.json").read_text())
    assert decision["positions"] == {"tea": "Green tea.", "coffee": "Espresso.", "neither": "neither"}
    assert decision["agreed"] == ["Hot."]
    schemas = [request.body["response_format"] for request in models.requests if "response_format" in request.body]
    assert len(schemas) == 3
    assert '["tea", "coffee", "neither"]' in json.dumps(schemas)


async def test_the_moderator_may_have_a_model_of_its_own(models: MockModelServer) -> None:
    models.script(*(Reply(text=ANSWER) for _ in range(5)))
    result = await debate(*QUESTION, "--model", "gpt-5.5", "--moderator-model", "gpt-5.5-mini")
    assert result.exit_code == 0, result.output
    assert [request.body["model"] for request in models.requests] == [*["gpt-5.5"] * 4, "gpt-5.5-mini"]


async def test_a_tie_has_a_status_of_its_own(models: MockModelServer) -> None:
    coffee = ANSWER.replace("tea", "coffee")
    models.script(*(Reply(text=text) for text in (*[ANSWER] * 3, coffee, ANSWER)))  # the fourth request is for a vote
    result = await debate(*QUESTION, "--model", "gpt-5.5", "--rounds", "1")
    assert result.exit_code == Status.NO_DECISION == 28, result.output
    assert "no decision, as the first positions are tied" in result.stdout
    assert "Allow more rounds" in result.stdout


async def test_answers_that_are_no_votes_have_the_status_of_a_model_that_fails(models: MockModelServer) -> None:
    no_vote = Reply(text='{"summary": "Tied.", "agreed": []}')
    models.script(*(no_vote for _ in range(9)))
    result = await debate(*QUESTION, "--model", "gpt-5.5", "--rounds", "1")
    assert result.exit_code == Status.MODEL_FAILED, result.output
    assert "No answer was a vote. Agent 'tea_advocate': the model's answer cannot be used" in result.stdout


async def test_a_limit_has_its_status(models: MockModelServer) -> None:
    models.script(*(Reply(text=ANSWER) for _ in range(5)))
    result = await debate(*QUESTION, "--model", "gpt-5.5", "--independent", "2", "--max-tokens", "5")
    assert result.exit_code == 0, result.output  # the votes of the same round decide
    models.script(*(Reply(text="{}") for _ in range(8)))
    result = await debate(*QUESTION, "--model", "gpt-5.5", "--max-tokens", "5", "--out", "out")
    assert result.exit_code == Status.TOKEN_LIMIT, result.output


async def test_a_model_that_fails_has_its_status(models: MockModelServer) -> None:
    result = await debate(*QUESTION, "--model", "gpt-5.5")
    assert result.exit_code == Status.MODEL_FAILED, result.output
    assert "the script has ended" in result.stdout


async def test_ctrl_c_keeps_what_was_said(models: MockModelServer, tmp_path: Path) -> None:
    hold = Hold(after=2)
    tie = [Reply(text=ANSWER.replace('"tea"', '"milk"')) for _ in range(8)]  # two statements, and votes for nothing
    models.script(*tie, Reply(text="Neither is a drink for the night.", hold=hold))
    environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": models.openai_url}
    command = (
        sys.executable,
        "-m",
        "symposia",
        "debate",
        *QUESTION,
        "--model",
        "gpt-5.5",
        "--out",
        str(tmp_path / "out"),
    )
    async with asyncio.timeout(60), on_terminal(*command, environment=environment) as terminal:
        await hold.reached.wait()
        await terminal.wait_until_drawn("critic writes")
        terminal.press(CTRL_C)
        assert await terminal.wait_until_ended() == Status.INTERRUPTED
    hold.release.set()
    assert "Results so far" in terminal.drawn
    assert "Traceback" not in terminal.drawn
    assert "interrupted" in (tmp_path / "out/decision.md").read_text()
    assert "abstained" in (tmp_path / "out/decision.md").read_text()


async def test_on_a_terminal_the_debate_is_drawn_live(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "symposia", "debate", "--example", "database", "--out", str(tmp_path / "out"))
    async with asyncio.timeout(60), on_terminal(*command) as terminal:
        await terminal.wait_until_drawn(" and ")  # several advocates write at the same time
        assert await terminal.wait_until_ended() == 0
    assert "✓ Decision" in terminal.drawn
    assert "██" in terminal.drawn


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("Which?",), Status.DEBATE_TASK, "at least two positions"),
        (("Which?", "--position", "a"), Status.DEBATE_TASK, "--position"),
        (("Which?", "--position", "a", "--position", "A"), Status.DEBATE_TASK, "Two positions are called 'A'"),
        ((" ", "--position", "a", "--position", "b"), Status.DEBATE_TASK, "question is empty"),
        ((*QUESTION,), Status.MISSING_KEY, "symposia debate --example ingestion"),
        ((*QUESTION, "--model", "llama-9"), Status.UNKNOWN_VENDOR, "openai-compatible:ADDRESS/NAME"),
        ((*QUESTION, "--example", "database"), Status.USAGE, "not both"),
        (("database",), Status.USAGE, "--example database"),
        (("--example", "tabs"), Status.USAGE, "ingestion, database"),
        (("--position", "a"), Status.USAGE, "goes with a question of your own"),
        (("--rounds", "3"), Status.USAGE, "--model"),
        ((*QUESTION, "--rounds", "0"), Status.USAGE, "--rounds"),
        ((*QUESTION, "--quorum", "80"), Status.USAGE, "above 0 and at most 1: 0.8 for 80 %"),
        ((*QUESTION, "--quorum", "-1"), Status.USAGE, "-1 is no share of the votes"),
        ((*QUESTION, "--quorum", "nan"), Status.USAGE, "nan is no share of the votes"),
        ((*QUESTION, "--rounds", "1", "--independent", "2"), Status.USAGE, "raise --rounds"),
        (("Tea", "or", "coffee?"), Status.USAGE, 'symposia debate "Tea or coffee?"'),
        (("--out", "."), Status.RUN_FOLDER, "--out DIR"),
    ],
    ids=str,
)
async def test_a_wrong_argument_has_its_status_and_says_what_to_do(
    arguments: tuple[str, ...], status: Status, text: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = await debate(*arguments)
    assert result.exit_code == status, result.output
    assert text in " ".join(result.stderr.replace("│", " ").split())
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["file"]


async def test_the_help_states_the_defaults_and_names_that_hold() -> None:
    text = " ".join((await debate("--help")).stdout.split())
    limits = DebateLimits()
    assert f"--rounds N The most rounds. [default: ({limits.rounds})" in text
    assert (
        f"--independent N First rounds in which statements are hidden. [default: ({limits.independent_rounds})" in text
    )
    assert f"--timeout S Seconds of the whole run. [default: ({limits.timeout:g})" in text
    assert f"A bundled debate: {' or '.join(BundledDebateName)}. [default: ({BundledDebateName.INGESTION})]" in text
