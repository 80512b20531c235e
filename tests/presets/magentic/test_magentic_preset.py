"""Runs of the Magentic-One preset for programs: results, folders, limits, and ends."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.chat_agents import ABLE
from tests.support.magentic_one import ledger

from symposia.core.code_executor import Sandbox, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ModelError, SandboxUnavailableError
from symposia.core.models import LLMMessage
from symposia.ext.code_executors.namespaces import NamespaceBackend
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets import NamedModel, RunFolderError
from symposia.presets.coding import DataFileError, EmptyTaskError
from symposia.presets.magentic import (
    MagenticLimits,
    MagenticOutcome,
    MagenticRun,
    MagenticTask,
    bundled_magentic_task,
    run_magentic,
)

BUNDLED = bundled_magentic_task()


def refuse(plan: str) -> str:
    return ""


async def run(answers: object, folder: Path, task: MagenticTask | None = None, **options: object) -> MagenticRun:
    client = ReplayChatCompletionClient(answers, model_info=ABLE)  # pyright: ignore[reportArgumentType] - any script
    return await run_magentic(
        task or MagenticTask(text="Compute."),
        model=NamedModel(name="scripted", client=client),
        sandbox=NamespaceBackend(),
        folder=folder,
        **options,  # pyright: ignore[reportArgumentType] - of its arguments
    )


async def test_the_bundled_task_reads_the_file_and_runs_the_code(tmp_path: Path) -> None:
    seen: list[str] = []
    done = await run_magentic(
        BUNDLED.task,
        model=BUNDLED.model(),
        sandbox=NamespaceBackend(),
        folder=tmp_path / "out",
        watch=lambda item: seen.append(type(item).__name__),
    )
    assert (done.outcome, done.recorded) == (MagenticOutcome.ANSWERED, True)
    assert "872.75" in done.answer
    assert seen.count("ProgressLedgerEvent") == 4
    written = {each.name for each in (tmp_path / "out").iterdir()}
    assert written == {"answer.md", "files", "transcript.jsonl", "transcript.md", "usage.json"}
    assert [each.name for each in (tmp_path / "out/files").iterdir()] == ["expenses.csv"]
    assert "872.75" in (tmp_path / "out/answer.md").read_text()
    agents = json.loads((tmp_path / "out/usage.json").read_text())["agents"]
    assert {name: agents[name]["completion_tokens"] > 0 for name in agents} == {
        "MagenticOneOrchestrator": True,
        "FileSurfer": True,
        "WebSurfer": False,
        "Coder": True,
    }


async def test_limits_and_failures_are_outcomes_with_what_was_said(tmp_path: Path) -> None:
    plan = ["Facts.", "Plan."]
    endless = [*plan, ledger("Coder"), "Hm.", "Best guess: 42."]
    done = await run(endless, tmp_path / "turns", limits=MagenticLimits(turns=1))
    assert (done.outcome, done.answer) == (MagenticOutcome.TURN_LIMIT, "Best guess: 42.")
    done = await run([*plan, ledger("Coder"), "Hm. " * 50, ledger("Coder")], tmp_path / "tokens",
                     limits=MagenticLimits(max_tokens=20))  # fmt: skip
    assert (done.outcome, done.answer) == (MagenticOutcome.TOKEN_LIMIT, "")
    done = await run([*plan, ModelError("no such model")], tmp_path / "model")
    assert done.outcome is MagenticOutcome.MODEL_FAILED
    assert "no such model" in (tmp_path / "model/answer.md").read_text()
    done = await run(plan, tmp_path / "plan", plan_review=refuse)
    assert done.outcome is MagenticOutcome.NOT_APPROVED
    with pytest.raises(ValueError, match="No more"):
        await run([*plan, ValueError("No more")], tmp_path / "failed")
    assert "Please report it" in (tmp_path / "failed/answer.md").read_text()


async def test_a_cancelled_run_leaves_a_complete_folder(tmp_path: Path) -> None:
    waits = asyncio.Event()

    async def never(messages: Sequence[LLMMessage]) -> str:
        waits.set()
        return await asyncio.Future[str]()

    running = asyncio.create_task(run(never, tmp_path / "out"))
    await asyncio.wait_for(waits.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert "interrupted" in (tmp_path / "out/answer.md").read_text()


class Unavailable(NamespaceBackend):
    """A sandbox that this machine cannot have."""

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        raise SandboxUnavailableError("no namespaces here")


async def test_a_sandbox_that_does_not_start_leaves_no_folder(tmp_path: Path) -> None:
    client = ReplayChatCompletionClient(["unused"], model_info=ABLE)
    model = NamedModel(name="scripted", client=client)
    with pytest.raises(SandboxUnavailableError, match="no namespaces here"):
        await run_magentic(BUNDLED.task, model=model, sandbox=Unavailable(), folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not client.create_calls


async def test_wrong_input_is_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    with pytest.raises(EmptyTaskError):
        MagenticTask(text=" ")
    with pytest.raises(DataFileError, match="same name"):
        MagenticTask(text="x", data=(Path("a/x.csv"), Path("b/x.csv")))
    for missing, words in ((tmp_path / "none.csv", "does not exist"), (tmp_path, "no regular file")):
        with pytest.raises(DataFileError, match=words):
            await run([], tmp_path / "out", MagenticTask(text="x", data=(missing,)))
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(RunFolderError):
        await run([], tmp_path / "full")
