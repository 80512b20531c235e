import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    StructuredMessage,
    TextMessage,
)
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock
from symposia.core.exceptions import SandboxError
from symposia.core.models import RequestUsage
from symposia.presets.coding import (
    AgentUsage,
    CodingOutcome,
    CodingResult,
    CodingTask,
    Review,
    RunFolder,
    RunFolderError,
)

USAGE = (
    AgentUsage(
        agent="planner",
        model="large",
        usage=RequestUsage(10, 5, model="large", usd=0.25, cached_tokens=4, reasoning_tokens=3),
    ),
    AgentUsage(agent="coder", model="small", usage=RequestUsage(100, 50, model="small")),
    AgentUsage(
        agent="reviewer",
        model="large",
        usage=RequestUsage(1, 2, model="large", usd=0.5) + RequestUsage(20, 0, model="small", cache_write_tokens=7),
    ),
)
APPROVAL = StructuredMessage[Review](
    content=Review(approved=True, reasons=[], evidence=["2"], answer="It is **2**."), source="reviewer"
)


def made(path: str, data: bytes = b"data") -> Artifact:
    return Artifact(path=path, kind="text/plain", size=len(data), sha256="0" * 64, data=data)


def execution(*files: Artifact, exit_code: int = 0, stdout: str = "2\n", stderr: str = "") -> ExecutionMessage:
    run = BlockResult(
        block=CodeBlock("print(1 + 1)\n", "python"),
        code_file=None,
        output=stdout + stderr,
        status="error" if exit_code else "ok",
        exit_code=exit_code,
        stdout=stdout,
        stderr=stderr,
        artifacts=files,
    )
    return ExecutionMessage(runs=(run,), source="executor")


def result(
    *messages: BaseAgentEvent | BaseChatMessage,
    outcome: CodingOutcome = CodingOutcome.VERIFIED,
    detail: str = "",
    recorded: bool = False,
) -> CodingResult:
    return CodingResult(
        task=CodingTask(text="Add one and one"),
        outcome=outcome,
        detail=detail,
        messages=messages,
        usage=USAGE,
        sandbox="fake",
        recorded=recorded,
        folder=None,
        wall_seconds=1.0,
    )


def test_every_message_is_a_line_of_the_transcript_at_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.record(TextMessage(content="line one\nline two ✓", source="user"))
    folder.record(execution())
    lines = (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()
    first, second = (json.loads(line) for line in lines)
    assert first["content"] == "line one\nline two ✓"
    assert second["type"] == "ExecutionMessage"
    assert second["runs"][0]["stdout"] == "2\n"


def test_text_that_is_no_unicode_is_kept_all_the_same(tmp_path: Path) -> None:
    RunFolder(tmp_path).record(TextMessage(content="half a pair: \ud83d", source="coder"))
    (line,) = (tmp_path / "transcript.jsonl").read_text().splitlines()
    assert json.loads(line)["content"] == "half a pair: \ud83d"


def test_the_transcript_to_read_names_every_speaker(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for message in (TextMessage(content="Add", source="user"), execution(), APPROVAL):
        folder.record(message)
    text = (tmp_path / "transcript.md").read_text()
    assert [line.split()[1] for line in text.splitlines() if line.startswith("## ")] == ["user", "executor", "reviewer"]
    assert "**Approved**" in text


def test_each_program_is_kept_with_its_exit_status_and_its_output(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.record(execution(exit_code=1, stdout="", stderr="ValueError: no\n"))
    folder.record(execution())
    code = tmp_path / "code"
    assert sorted(path.name for path in code.iterdir()) == [
        "01-exit-1.py",
        "01-exit-1.stderr.txt",
        "02-exit-0.py",
        "02-exit-0.stdout.txt",
    ]
    assert (code / "02-exit-0.py").read_text() == "print(1 + 1)\n"
    assert (code / "01-exit-1.stderr.txt").read_text() == "ValueError: no\n"


def test_n03_a_program_is_kept_from_when_it_starts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.record(execution())
    for code in ("print(2)\n", "print(3)\n"):
        folder.begin_block(CodeBlock(code=code, language="python"))
    names = ["01-exit-0.py", "01-exit-0.stdout.txt", "02-running.py", "03-running.py"]
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == names
    assert (tmp_path / "code" / "03-running.py").read_text() == "print(3)\n"
    folder.record(execution(exit_code=1, stdout=""))
    folder.record(execution())
    names = ["01-exit-0.py", "01-exit-0.stdout.txt", "02-exit-1.py", "03-exit-0.py", "03-exit-0.stdout.txt"]
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == names


def test_files_that_the_code_made_are_kept_and_the_latest_version_stays(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.record(execution(made("plots/a.png", b"old"), made("b.txt")))
    folder.record(execution(made("plots/a.png", b"new")))
    assert (tmp_path / "files" / "plots" / "a.png").read_bytes() == b"new"
    assert (tmp_path / "files" / "b.txt").read_bytes() == b"data"


def test_a_file_may_take_the_place_of_a_folder_and_a_folder_that_of_a_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.record(execution(made("a"), made("b/c")))
    folder.record(execution(made("a/x"), made("b")))
    assert (tmp_path / "files" / "a" / "x").is_file()
    assert (tmp_path / "files" / "b").is_file()


@pytest.mark.parametrize("path", ["../escape.txt", "/etc/escape.txt", "a/../../escape.txt", "", "nul\0byte"])
def test_a_file_that_would_leave_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(SandboxError, match="not inside"):
        folder.record(execution(made(path)))
    assert not list(tmp_path.glob("**/escape.txt"))


def test_the_usage_is_given_by_agent_by_model_and_in_all(tmp_path: Path) -> None:
    def figures(prompt: int, completion: int, usd: float | None, **others: int) -> dict[str, float | None]:
        kinds = ("cached_tokens", "cache_write_tokens", "reasoning_tokens", "unpriced_tokens")
        tokens = {"prompt_tokens": prompt, "completion_tokens": completion, "usd": usd}
        return tokens | dict.fromkeys(kinds, 0) | others

    RunFolder(tmp_path).finish(result())
    usage = json.loads((tmp_path / "usage.json").read_text())
    assert usage == {
        "estimated": False,
        "agents": {
            "planner": {"model": "large", **figures(10, 5, 0.25, cached_tokens=4, reasoning_tokens=3)},
            "coder": {"model": "small", **figures(100, 50, None, unpriced_tokens=150)},
            "reviewer": {"model": "large", **figures(21, 2, 0.5, unpriced_tokens=20, cache_write_tokens=7)},
        },
        "silent": figures(0, 0, None),
        "models": {
            "large": figures(11, 7, 0.75, cached_tokens=4, reasoning_tokens=3),
            "small": figures(120, 50, None, unpriced_tokens=170, cache_write_tokens=7),
        },
        "total": figures(131, 57, 0.75, unpriced_tokens=170, cached_tokens=4, cache_write_tokens=7, reasoning_tokens=3),
    }


def test_the_answer_page_has_the_answer_and_the_real_output(tmp_path: Path) -> None:
    RunFolder(tmp_path).finish(result(execution(made("a.png")), APPROVAL))
    page = (tmp_path / "answer.md").read_text()
    assert page.startswith("# Answer\n")
    assert "It is **2**." in page
    assert "```text\n2\n```" in page
    assert "[a.png](<files/a.png>)" in page


def test_without_a_verified_answer_the_page_says_why(tmp_path: Path) -> None:
    RunFolder(tmp_path).finish(result(execution(), outcome=CodingOutcome.TIME_LIMIT, detail="Raise it."))
    page = (tmp_path / "answer.md").read_text()
    assert page.startswith("# No verified answer\n")
    assert "**Not verified (time limit).** Raise it." in page


def test_an_approval_that_came_too_late_is_no_answer() -> None:
    assert result(APPROVAL, outcome=CodingOutcome.INTERRUPTED).answer is None


def test_a_recorded_run_says_so(tmp_path: Path) -> None:
    RunFolder(tmp_path).finish(result(recorded=True))
    assert "are recorded" in (tmp_path / "answer.md").read_text()


def test_output_with_fences_in_it_stays_one_block(tmp_path: Path) -> None:
    RunFolder(tmp_path).finish(result(execution(stdout="```\n# not a heading\n```\n")))
    assert "````text\n```\n# not a heading\n```\n````" in (tmp_path / "answer.md").read_text()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunFolderError, match=r"not empty.*Give a new folder"):
        RunFolder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match=r"cannot be written.*Give another folder"):
        RunFolder(tmp_path / "file" / "run")


def test_n11_a_folder_is_checked_without_being_made(tmp_path: Path) -> None:
    RunFolder.check(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_n11_what_keeps_results_from_being_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    told = {
        tmp_path / "file" / "run": "is a file",
        tmp_path / "file": "is a file",
        Path("null\0character"): "null",
        tmp_path / ("x" * 300): "File name too long",
    }
    for path, reason in told.items():
        with pytest.raises(RunFolderError, match=rf"{reason}.*Give another folder"):
            RunFolder.check(path)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(RunFolderError, match="the working directory does not exist any more"):
        RunFolder.check(Path("symposia-runs/run"))


def test_n11_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> bool:
        return False

    monkeypatch.setattr("os.access", refuse)  # root may write everything
    with pytest.raises(RunFolderError, match="is read-only, or not yours to write"):
        RunFolder.check(tmp_path / "run")


def test_of_runs_that_begin_at_once_in_one_folder_one_has_it(tmp_path: Path) -> None:
    runs = 8
    together = Barrier(runs, timeout=30)

    def begin(_number: int) -> bool:
        together.wait()
        try:
            RunFolder(tmp_path / "run")
        except RunFolderError as error:
            assert "is not empty" in str(error)  # noqa: PT017 - some fail
            return False
        return True

    with ThreadPoolExecutor(runs) as threads:
        assert sum(threads.map(begin, range(runs))) == 1
    assert (tmp_path / "run" / "transcript.md").read_text() == "# Transcript\n"
