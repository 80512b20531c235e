"""`symposia magentic` as its users call it."""

from pathlib import Path

import pytest
from tests.support.command import symposia
from tests.support.magentic_one import ledger
from typer.testing import Result

from symposia.cli._exit import Status
from symposia.presets.magentic import MagenticLimits
from symposia.testing.model_server import MockModelServer, Reply

pytestmark = pytest.mark.usefixtures("in_its_folder")


async def magentic(*arguments: str) -> Result:
    return await symposia("magentic", "--sandbox", "namespaces", *arguments)


async def test_without_a_task_the_bundled_one_runs_on_a_recorded_model(tmp_path: Path) -> None:
    result = await magentic()
    assert result.exit_code == 0, result.output
    for text in (
        "Task: The travel expenses of March (a bundled task)",
        "The model's answers are recorded.",
        "Sandbox: namespaces",
        "Turns: at most 20; a new plan after 3 stalls",
        "MagenticOneOrchestrator: The work makes progress; next is FileSurfer.",
        "share: 67.6%",
        "MagenticOneOrchestrator: The task is done.",
        "872.75 was spent on travel",
        "Answered · ",
    ):
        assert text in result.stdout, text
    assert len(list((tmp_path / "symposia-runs").iterdir())) == 1


async def test_a_task_of_ones_own_shows_stalls_and_the_answer(models: MockModelServer, tmp_path: Path) -> None:
    (tmp_path / "stock.txt").write_text("12 lamps\n")
    models.script(
        *(Reply(text=text) for text in ("Facts.", "Plan.", ledger("Coder", "Think.", loop=True), "Hm.")),
        *(Reply(text=text) for text in (ledger(done=True), "There are 12.")),
    )
    result = await magentic("How many lamps?", "--data", "stock.txt", "--model", "gpt-4o", "--out", "out")
    assert result.exit_code == 0, result.output
    assert "The work goes in circles (1 of 3 stalls); next is Coder." in result.stdout
    assert "There are 12." in result.stdout
    assert (tmp_path / "out/files/stock.txt").read_text() == "12 lamps\n"


async def test_statuses_say_how_a_run_ended(models: MockModelServer) -> None:
    result = await magentic("Wait.", "--model", "gpt-4o")
    assert result.exit_code == Status.MODEL_FAILED, result.output
    models.script(*(Reply(text=text) for text in ("Facts.", "Plan.", ledger("Coder"), "Hm.", "Perhaps.")))
    result = await magentic("Wait.", "--model", "gpt-4o", "--max-turns", "1", "--out", "turns")
    assert result.exit_code == Status.TURN_LIMIT == 29, result.output
    assert "Raise it: --max-turns N" in result.stdout
    assert (await magentic(" ")).exit_code == Status.EMPTY_TASK
    assert (await magentic("Read.", "--data", "none.csv", "--model", "gpt-4o")).exit_code == Status.DATA_FILE
    assert (await magentic("--data", "none.csv")).exit_code == Status.USAGE


@pytest.mark.parametrize(
    ("option", "value"), [("--start-page", "file:///x"), ("--private-host", "http://x"), ("--sandbox", "nosuch")]
)
async def test_a_wrong_option_is_named_and_leaves_no_folder(
    models: MockModelServer, tmp_path: Path, option: str, value: str
) -> None:
    result = await magentic("Wait.", "--model", "gpt-4o", "--out", "out", option, value)
    assert result.exit_code == Status.USAGE, result.output
    assert value in result.output
    assert not (tmp_path / "out").exists()
    assert models.requests == []


async def test_a_task_without_a_key_names_the_bundled_one() -> None:
    result = await magentic("Read.", "--model", "gpt-4o")
    assert result.exit_code == Status.MISSING_KEY
    assert "symposia magentic" in result.output


async def test_the_help_has_the_defaults() -> None:
    text, limits = (await magentic("--help")).stdout, MagenticLimits()
    for limit in (limits.turns, limits.stalls, limits.timeout):
        assert f"[default: ({limit:g})" in text
