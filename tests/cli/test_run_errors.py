"""Whatever goes wrong with `symposia run` has one message that says what to do, and a status of its own."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.command import symposia

from symposia.cli._exit import MEANING, Status
from symposia.cli._verbs.conversations import CONVERSATION_MEANING
from symposia.cli._verbs.debate import DEBATE_MEANING
from symposia.cli._verbs.magentic import MAGENTIC_MEANING
from symposia.core.code_executor import RunStatus, SandboxBackend, SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.exceptions import SandboxDiedError, SandboxUnavailableError
from symposia.testing.model_server import Failure, MockModelServer, Reply
from symposia.testing.sandboxes import FakeRun, FakeSandbox, FakeSandboxBackend, printed

PLAN = Reply(text=json.dumps({"steps": ["Add."], "checks": ["The sum is printed."]}))
CODE = Reply(text="```python\nprint('sum: 2')\n```")
APPROVAL = Reply(text=json.dumps({"approved": True, "reasons": [], "evidence": ["sum: 2"], "answer": "It is **2**."}))

Pretend = Callable[[FakeRun], None]


pytestmark = pytest.mark.usefixtures("in_its_folder")


@pytest.fixture
def models(models: MockModelServer, monkeypatch: pytest.MonkeyPatch) -> MockModelServer:
    """The model server, which Anthropic's SDK is sent to as well."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", models.anthropic_url)
    return models


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Puts a sandbox in place that runs nothing."""

    def put(run: FakeRun) -> None:
        def chosen(name: str, report: Callable[[str], None]) -> SandboxBackend:
            return FakeSandboxBackend(run)

        monkeypatch.setattr("symposia.cli._run.chosen_sandbox", chosen)

    return put


async def prints_the_sum(code: str) -> SandboxResult:
    return printed("sum: 2\n")


async def test_an_empty_task() -> None:
    result = await symposia("run", "  ")
    assert result.exit_code == Status.EMPTY_TASK == 10
    assert "Say what to do" in result.stderr
    advice = 'Plot sales.csv by month\'. The task is an argument: symposia run "Plot sales.csv by month"'
    assert advice in " ".join(result.stderr.split())


async def test_a_missing_data_file() -> None:
    result = await symposia("run", "Plot it", "--data", "nowhere.csv")
    assert result.exit_code == Status.DATA_FILE == 11
    assert "nowhere.csv does not exist" in result.stderr


async def test_a_data_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> bool:
        return False

    (tmp_path / "secret.csv").touch()
    monkeypatch.setattr("os.access", refuse)  # root may read everything
    result = await symposia("run", "Plot it", "--data", "secret.csv")
    assert result.exit_code == Status.DATA_FILE
    assert "chmod u+r secret.csv" in result.stderr


async def test_a_folder_that_cannot_be_written(pretend: Pretend, tmp_path: Path) -> None:
    pretend(prints_the_sum)
    (tmp_path / "file").touch()
    result = await symposia("run", "--out", "file/run")
    assert result.exit_code == Status.RUN_FOLDER == 12
    assert "Give another folder. The option is --out DIR" in " ".join(result.stderr.split())


async def test_a_folder_that_is_not_empty(pretend: Pretend, tmp_path: Path) -> None:
    pretend(prints_the_sum)
    result = await symposia("run", "--out", str(tmp_path.parent))
    assert result.exit_code == Status.RUN_FOLDER
    assert "is not empty" in result.stderr


async def test_an_unknown_vendor() -> None:
    result = await symposia("run", "Add", "--model", "llama-9")
    assert result.exit_code == Status.UNKNOWN_VENDOR == 13
    assert "openai-compatible:ADDRESS/NAME" in result.stderr


@pytest.mark.parametrize(("model", "key"), [("gpt-5.5", "OPENAI_API_KEY"), ("claude-sonnet-5-5", "ANTHROPIC_API_KEY")])
async def test_a_missing_key(model: str, key: str) -> None:
    result = await symposia("run", "Add", "--model", model)
    assert result.exit_code == Status.MISSING_KEY == 14
    assert f"export {key}=" in result.stderr


async def test_a_task_of_ones_own_without_any_key() -> None:
    result = await symposia("run", "Add")
    assert result.exit_code == Status.MISSING_KEY
    assert "- anthropic: ANTHROPIC_API_KEY is not set\n- openai: OPENAI_API_KEY is not set\n" in result.stderr
    assert "symposia run --task sales" in result.stderr


async def test_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Refusing(FakeSandboxBackend):
        async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
            raise SandboxUnavailableError("No sandbox works on this machine.")

    def chosen(name: str, report: Callable[[str], None]) -> SandboxBackend:
        return Refusing(prints_the_sum)

    monkeypatch.setattr("symposia.cli._run.chosen_sandbox", chosen)
    result = await symposia("run")
    assert result.exit_code == Status.NO_SANDBOX == 15
    assert "No sandbox works" in result.stderr
    assert not (tmp_path / "symposia-runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("Add", "--task", "sales"),
        ("--data", "sales.csv"),
        ("--max-messages", "0"),
        ("--timeout", "0"),
        ("--sandbox", "cloud"),
        ("--task", "poetry"),
    ],
)
async def test_options_that_are_wrong_or_do_not_go_together(arguments: tuple[str, ...]) -> None:
    assert (await symposia("run", *arguments)).exit_code == Status.USAGE == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("run", "--task"), "Option '--task' requires an argument."),
        (("run", "Add", "--max-tokens"), "Option '--max-tokens' requires an argument."),
        (("setup", "--sandbox"), "Option '--sandbox' requires an argument."),
        (("run", "--max-messages", "0"), "'--max-messages'"),
        (("run", "--sandbox", "cloud"), "There is no sandbox 'cloud'."),
        (("run", "--nonsense"), "--nonsense"),
        (("doctor", "all"), "all"),
        (("setup", "--sandbox", "cloud"), "There is no sandbox 'cloud'."),
    ],
)
async def test_every_usage_error_shows_the_usage_of_its_verb(arguments: tuple[str, ...], error: str) -> None:
    result = await symposia(*arguments)
    assert result.exit_code == Status.USAGE
    usage, advice, _, message = result.stderr.splitlines()
    assert re.fullmatch(rf"Usage: \w+ {arguments[0]} \[OPTIONS\].*", usage)
    assert re.fullmatch(rf"Try '\w+ {arguments[0]} --help' for help\.", advice)
    assert message.startswith("Error: ")
    assert error in message


async def test_three_answers_without_code(models: MockModelServer, pretend: Pretend) -> None:
    pretend(prints_the_sum)
    models.script(PLAN, *[Reply(text="I cannot.")] * 3)
    result = await symposia("run", "Add", "--model", "gpt-5.5", "--out", "run")
    assert result.exit_code == Status.NO_CODE == 20
    assert "Take another model: --model M" in result.stdout


async def test_a_server_without_token_counts_has_estimates_and_reaches_the_budget(
    models: MockModelServer, pretend: Pretend, tmp_path: Path
) -> None:
    pretend(prints_the_sum)
    models.script(*[replace(reply, usage=(0, 0)) for reply in (PLAN, CODE, APPROVAL)])
    with pytest.warns(UserWarning, match="sent no token counts"):
        result = await symposia("run", "Add", "--model", "gpt-5.5", "--out", "run", "--max-tokens", "10")

    assert result.exit_code == Status.TOKEN_LIMIT
    assert re.search(r"about [\d,]+ tokens, estimated", result.stdout)
    usage = json.loads((tmp_path / "run" / "usage.json").read_text())
    assert usage["estimated"] is True
    assert usage["agents"]["planner"]["completion_tokens"] > 0


async def test_a_model_that_never_answers_in_the_schema_leaves_all_its_words_and_tokens(
    models: MockModelServer, pretend: Pretend, tmp_path: Path
) -> None:
    pretend(prints_the_sum)
    models.script(*[Reply(text=f"No plan {number}.") for number in range(3)])
    result = await symposia("run", "Print 42", "--model", "gpt-5.5", "--out", "run")

    assert result.exit_code == Status.ANSWER_REJECTED == 27
    assert "failed for good" not in result.stdout
    folder = tmp_path / "run"
    lines = [json.loads(line) for line in (folder / "transcript.jsonl").read_text().splitlines()]
    assert [line["content"] for line in lines[1:]] == ["No plan 0.", "No plan 1.", "No plan 2."]
    total = json.loads((folder / "usage.json").read_text())["total"]
    assert (total["prompt_tokens"], total["completion_tokens"]) == (33, 21)
    assert all(f"No plan {number}." in (folder / "transcript.md").read_text() for number in range(3))
    assert "No plan 2." in (folder / "answer.md").read_text()


async def test_a_model_call_that_fails_for_good_keeps_the_transcript(
    models: MockModelServer, pretend: Pretend, tmp_path: Path
) -> None:
    pretend(prints_the_sum)
    models.script(PLAN, Failure(status=401, message="this key is wrong"))
    result = await symposia("run", "Add", "--model", "claude-sonnet-5-5", "--out", "run")
    assert result.exit_code == Status.MODEL_FAILED == 21
    assert "this key is wrong" in result.stdout
    lines = (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["user", "planner"]


async def test_a_sandbox_that_ends_and_cannot_be_started_again(
    models: MockModelServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def dies(code: str) -> SandboxResult:
        raise SandboxDiedError("The sandbox ended.")

    class Once(FakeSandboxBackend):
        async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
            if self.sandboxes:
                raise SandboxUnavailableError("The engine was stopped.")
            return await super().create(policy, mounts=mounts)

    def chosen(name: str, report: Callable[[str], None]) -> SandboxBackend:
        return Once(dies)

    monkeypatch.setattr("symposia.cli._run.chosen_sandbox", chosen)
    models.script(PLAN, CODE, CODE)
    result = await symposia("run", "Add", "--model", "gpt-5.5", "--out", "run")
    assert result.exit_code == Status.SANDBOX_DIED == 22
    assert "The engine was stopped." in result.stdout
    assert "symposia doctor" in result.stdout
    assert "sum: 2" in (tmp_path / "run" / "transcript.md").read_text()


@pytest.mark.parametrize(
    ("option", "limit", "status"),
    [("--max-messages", "2", Status.MESSAGE_LIMIT), ("--max-tokens", "5", Status.TOKEN_LIMIT)],
)
async def test_a_limit(models: MockModelServer, pretend: Pretend, option: str, limit: str, status: Status) -> None:
    pretend(prints_the_sum)
    models.script(PLAN, CODE)
    result = await symposia("run", "Add", "--model", "gpt-5.5", option, limit)
    assert result.exit_code == status
    assert f"Raise it: {option} N" in result.stdout


@pytest.mark.parametrize(
    ("status", "option"),
    [("timeout", "--time-limit S"), ("out_of_memory", "--memory SIZE"), ("disk_full", "--disk SIZE")],
)
async def test_n04_the_limit_that_ended_the_last_program_is_told_with_its_option(
    models: MockModelServer, pretend: Pretend, status: RunStatus, option: str
) -> None:
    async def is_killed(code: str) -> SandboxResult:
        return SandboxResult(status=status, exit_code=137, stdout="", stderr="")

    pretend(is_killed)
    models.script(PLAN, CODE, CODE, CODE)
    result = await symposia("run", "Add", "--model", "gpt-5.5")
    assert result.exit_code == Status.NO_PROGRESS == 26
    assert f"Raise the program's limit: {option}" in result.stdout


async def test_the_time_limit(models: MockModelServer, pretend: Pretend) -> None:
    async def never_ends(code: str) -> SandboxResult:
        await asyncio.Event().wait()
        raise AssertionError

    pretend(never_ends)
    models.script(PLAN, CODE)
    result = await symposia("run", "Add", "--model", "gpt-5.5", "--timeout", "1")
    assert result.exit_code == Status.TIME_LIMIT == 24
    assert "--timeout S" in result.stdout


def test_every_status_is_another_one_and_has_its_meaning() -> None:
    assert len({status.value for status in Status}) == len(Status)
    meanings = (MEANING, DEBATE_MEANING, MAGENTIC_MEANING, CONVERSATION_MEANING)
    assert {status for each in meanings for status in each} == set(Status)


@pytest.mark.parametrize(
    ("verb", "meanings"),
    [
        ("run", MEANING),
        ("debate", DEBATE_MEANING),
        ("magentic", MAGENTIC_MEANING),
        ("chat", CONVERSATION_MEANING),
    ],
)
async def test_the_help_lists_every_status(verb: str, meanings: dict[Status, str]) -> None:
    text = (await symposia(verb, "--help")).stdout
    for status, meaning in meanings.items():
        assert str(status.value) in text
        assert meaning.split()[-1] in text
