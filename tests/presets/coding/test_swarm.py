"""The swarm with scripted models and a fake sandbox: what it does when things go well, and when they do not."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import JsonValue
from tests.support.slow_sandboxes import SlowSandboxes

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeOutputEvent,
    ExecutionMessage,
    ModelClientStreamingChunkEvent,
)
from symposia.core.code_executor import (
    Artifact,
    NetworkPolicy,
    OutputListener,
    RunStatus,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.effects import Effect, EffectRequest, handle_effects
from symposia.core.exceptions import ModelError, SandboxDiedError, SandboxUnavailableError
from symposia.core.models import ChatCompletionClient, LLMMessage
from symposia.ext.code_executors import AutoBackend
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import (
    CodingOutcome,
    CodingResult,
    CodingTask,
    NamedModel,
    RunFolderError,
    SwarmLimits,
    SwarmModels,
    run_coding_swarm,
)
from symposia.testing.sandboxes import FakeSandbox, FakeSandboxBackend, printed

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")

TASK = CodingTask(text="Add one and one")
PLAN = json.dumps({"steps": ["Add."], "checks": ["The sum is printed."]})
CODE = "Here:\n```python\nprint(1 + 1)\n```"
APPROVAL = json.dumps({"approved": True, "reasons": [], "evidence": ["sum: 2"], "answer": "It is **2**."})
REJECTION = json.dumps({"approved": False, "reasons": ["Name the figure."], "evidence": [], "answer": ""})


async def prints_the_sum(code: str) -> SandboxResult:
    return printed("sum: 2\n")


async def dies(code: str) -> SandboxResult:
    raise SandboxDiedError("The sandbox ended: killed from outside.")


def models(
    coder: Sequence[str] | ChatCompletionClient = (CODE,),
    reviewer: Sequence[str] = (APPROVAL,),
    planner: Sequence[str] = (PLAN,),
) -> SwarmModels:
    client = coder if isinstance(coder, ChatCompletionClient) else ReplayChatCompletionClient(list(coder))
    return SwarmModels(
        planner=NamedModel(name="p", client=ReplayChatCompletionClient(list(planner))),
        coder=NamedModel(name="c", client=client),
        reviewer=NamedModel(name="r", client=ReplayChatCompletionClient(list(reviewer))),
    )


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def speakers(result: CodingResult) -> list[str]:
    return [message.source for message in result.messages]


async def test_a_task_goes_from_plan_to_code_to_output_to_approval() -> None:
    sandbox = FakeSandboxBackend(prints_the_sum)
    result = await run_coding_swarm(TASK, models=models(), sandbox=sandbox)
    assert result.outcome is CodingOutcome.VERIFIED
    assert result.answer == "It is **2**."
    assert speakers(result) == ["user", "planner", "coder", "executor", "reviewer"]
    assert sandbox.sandboxes[0].closed


async def test_the_code_sees_the_data_files_read_only_and_the_models_their_beginning(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("month,revenue\nJan,10\n")
    sandbox = FakeSandboxBackend(prints_the_sum)
    task = CodingTask(text="Add", data=(tmp_path / "sales.csv",))
    result = await run_coding_swarm(task, models=models(), sandbox=sandbox, policy=SandboxPolicy(time_limit=7))
    (mount,) = sandbox.sandboxes[0].mounts
    assert (mount.source, mount.target) == (tmp_path / "sales.csv", "/data/sales.csv")
    assert sandbox.sandboxes[0].policy.time_limit == 7
    assert "month,revenue" in result.messages[0].to_text()


async def test_a_program_that_fails_goes_back_to_the_coder_with_its_error() -> None:
    outcomes = iter([printed("", exit_code=1, stderr="NameError: name 'x' is not defined\n"), printed("sum: 2\n")])

    async def fails_once(code: str) -> SandboxResult:
        return next(outcomes)

    client = ReplayChatCompletionClient([CODE, CODE])
    result = await run_coding_swarm(TASK, models=models(client), sandbox=FakeSandboxBackend(fails_once))
    assert speakers(result) == ["user", "planner", "coder", "executor", "coder", "executor", "reviewer"]
    assert "NameError: name 'x' is not defined" in result.executions[0].to_model_text()


async def test_a_program_that_is_sent_back_is_mended() -> None:
    result = await run_coding_swarm(
        TASK, models=models([CODE, CODE], [REJECTION, APPROVAL]), sandbox=FakeSandboxBackend(prints_the_sum)
    )
    assert result.outcome is CodingOutcome.VERIFIED
    assert speakers(result)[-4:] == ["reviewer", "coder", "executor", "reviewer"]


async def test_an_answer_without_code_is_told_so_and_the_third_ends_the_run() -> None:
    result = await run_coding_swarm(TASK, models=models(["I cannot."] * 3), sandbox=FakeSandboxBackend(prints_the_sum))
    assert result.outcome is CodingOutcome.NO_CODE
    assert "take another model" in result.detail
    assert "--" not in result.detail
    assert all("```python" in execution.remark for execution in result.executions)


async def test_an_answer_that_was_cut_off_is_told_so() -> None:
    result = await run_coding_swarm(
        TASK, models=models(["```python\nprint(1", CODE]), sandbox=FakeSandboxBackend(prints_the_sum)
    )
    assert "ended inside a code block" in result.executions[0].remark
    assert result.outcome is CodingOutcome.VERIFIED


async def test_blocks_run_in_order_up_to_the_first_that_fails() -> None:
    ran: list[str] = []

    async def second_fails(code: str) -> SandboxResult:
        ran.append(code)
        return printed("", exit_code=len(ran) - 1)

    three = "".join(f"```python\nstep({number})\n```\n" for number in (1, 2, 3))
    await run_coding_swarm(
        TASK,
        models=models([three]),
        sandbox=FakeSandboxBackend(second_fails),
        limits=SwarmLimits(max_messages=3),
    )
    assert ran == ["step(1)\n", "step(2)\n"]


async def test_a_model_that_fails_for_good_ends_the_run_and_the_transcript_is_kept(tmp_path: Path) -> None:
    result = await run_coding_swarm(
        TASK,
        models=models(ReplayChatCompletionClient([ModelError("openai: status 401, the key is wrong.")])),
        sandbox=FakeSandboxBackend(prints_the_sum),
        folder=tmp_path / "run",
    )
    assert result.outcome is CodingOutcome.MODEL_FAILED
    assert "the key is wrong" in result.detail
    assert speakers(result) == ["user", "planner"]
    assert len((tmp_path / "run" / "transcript.jsonl").read_text().splitlines()) == 2
    assert "the key is wrong" in (tmp_path / "run" / "answer.md").read_text()


async def test_a_sandbox_that_dies_is_replaced_and_the_coder_is_told(tmp_path: Path) -> None:
    deaths = iter([True, False])

    async def dies_once(code: str) -> SandboxResult:
        return await (dies(code) if next(deaths) else prints_the_sum(code))

    sandbox = FakeSandboxBackend(dies_once)
    result = await run_coding_swarm(TASK, models=models([CODE, CODE]), sandbox=sandbox, folder=tmp_path / "run")
    assert result.outcome is CodingOutcome.VERIFIED
    assert "The sandbox ended: killed from outside." in result.executions[0].to_model_text()
    assert (tmp_path / "run" / "code" / "01-exit-137.py").exists()
    assert [each.closed for each in sandbox.sandboxes] == [True, True]


async def test_a_sandbox_that_dies_and_cannot_be_replaced_ends_the_run(tmp_path: Path) -> None:
    class Once(FakeSandboxBackend):
        async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
            if self.sandboxes:
                raise SandboxUnavailableError("The engine was stopped.")
            return await super().create(policy, mounts=mounts)

    result = await run_coding_swarm(TASK, models=models([CODE, CODE]), sandbox=Once(dies), folder=tmp_path / "run")
    assert result.outcome is CodingOutcome.SANDBOX_DIED
    assert "no other could be started" in result.detail
    assert "The engine was stopped." in result.detail
    assert [run.ending for run in result.runs] == [
        "exit status 137 (crashed)",
        "interrupted: the sandbox ended before the program did",
    ]
    programs = [name for name in file_names(tmp_path / "run" / "code") if name.endswith(".py")]
    assert programs == ["01-exit-137.py", "02-interrupted.py"]


async def test_packages_are_installed_and_the_coder_is_told_of_them() -> None:
    class Installing(FakeSandboxBackend):
        def with_packages(self, packages: SandboxPackages) -> SandboxBackend:
            return FakeSandboxBackend(prints_the_sum, name=f"fake with {packages.requirements}")

    coder, packages = ReplayChatCompletionClient([CODE]), SandboxPackages(requirements=("sympy==1.14", "scipy"))
    result = await run_coding_swarm(TASK, models=models(coder), sandbox=Installing(dies), packages=packages)
    assert result.outcome is CodingOutcome.VERIFIED
    assert result.sandbox == "fake with ('scipy', 'sympy==1.14')"
    assert "These packages are installed, too: scipy, sympy==1.14." in str(coder.create_calls[0]["messages"])


async def test_the_coder_is_told_of_allowed_hosts_and_what_ran_is_recorded(tmp_path: Path) -> None:
    coder, log = ReplayChatCompletionClient([CODE]), tmp_path / "audit.jsonl"
    policy = SandboxPolicy(network=NetworkPolicy(allow=["api.test", "*.example.com:8443"]))
    sandbox = FakeSandboxBackend(prints_the_sum)
    result = await run_coding_swarm(TASK, models=models(coder), sandbox=sandbox, policy=policy, audit_log=log)
    assert result.outcome is CodingOutcome.VERIFIED
    assert sandbox.sandboxes[0].policy == policy
    assert "may connect to api.test, *.example.com:8443 by HTTP" in str(coder.create_calls[0]["messages"])
    [line] = (json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines())
    assert (line["event"], line["status"], line["connections"]) == ("run", "ok", 0)


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        (SwarmLimits(max_messages=2), CodingOutcome.MESSAGE_LIMIT),
        (SwarmLimits(max_tokens=1), CodingOutcome.TOKEN_LIMIT),
    ],
)
async def test_a_limit_ends_the_run_and_says_how_to_raise_it(limits: SwarmLimits, outcome: CodingOutcome) -> None:
    result = await run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), limits=limits)
    assert result.outcome is outcome
    assert "Raise it, or split the task." in result.detail


async def test_an_approval_counts_even_where_a_limit_is_reached_with_it() -> None:
    result = await run_coding_swarm(
        TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), limits=SwarmLimits(max_messages=4)
    )
    assert result.outcome is CodingOutcome.VERIFIED


async def test_the_message_limit_counts_what_the_agents_said() -> None:
    result = await run_coding_swarm(
        TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), limits=SwarmLimits(max_messages=3)
    )
    assert result.outcome is CodingOutcome.MESSAGE_LIMIT
    assert speakers(result) == ["user", "planner", "coder", "executor"]


async def test_of_two_limits_that_one_message_meets_one_is_told() -> None:
    limits = SwarmLimits(max_messages=1, max_tokens=1)
    result = await run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), limits=limits)
    assert result.outcome is CodingOutcome.MESSAGE_LIMIT


@pytest.mark.parametrize("limit", ["max_messages", "timeout", "max_tokens"])
def test_a_limit_below_one_is_refused_by_name(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        SwarmLimits(**{limit: 0})  # pyright: ignore[reportArgumentType] - one of several


async def test_f38_the_time_limit_ends_a_turn_that_is_stuck() -> None:
    async def never_ends(code: str) -> SandboxResult:
        await asyncio.Event().wait()
        raise AssertionError

    sandbox = FakeSandboxBackend(never_ends)
    async with asyncio.timeout(10):
        result = await run_coding_swarm(TASK, models=models(), sandbox=sandbox, limits=SwarmLimits(timeout=0.2))
    assert result.outcome is CodingOutcome.TIME_LIMIT
    assert sandbox.sandboxes[0].closed


async def test_a_sandbox_that_cannot_be_made_leaves_no_folder(tmp_path: Path) -> None:
    class Refusing(FakeSandboxBackend):
        async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
            raise SandboxUnavailableError("Not on this machine.")

    with pytest.raises(SandboxUnavailableError):
        await run_coding_swarm(TASK, models=models(), sandbox=Refusing(prints_the_sum), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


async def test_a_cancelled_run_stops_the_program_and_leaves_the_folder_complete(tmp_path: Path) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def until_cancelled(code: str) -> SandboxResult:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    sandbox = FakeSandboxBackend(until_cancelled)
    running = asyncio.create_task(run_coding_swarm(TASK, models=models(), sandbox=sandbox, folder=tmp_path / "run"))
    async with asyncio.timeout(10):
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert stopped.is_set()
    assert sandbox.sandboxes[0].closed
    assert "interrupted" in (tmp_path / "run" / "answer.md").read_text()
    assert (tmp_path / "run" / "usage.json").exists()


class PrintingSandbox(FakeSandboxBackend):
    """Prints, and then does not end."""

    def __init__(self, printed: asyncio.Event) -> None:
        super().__init__(prints_the_sum)
        self._printed = printed

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        event = self._printed

        class Printing(FakeSandbox):
            async def run(
                self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
            ) -> SandboxResult:
                if on_output and "first" not in code:
                    on_output("stdout", "half ")
                    on_output("stderr", "a warning\n")
                    on_output("stdout", "done\n")
                    event.set()
                    await asyncio.Event().wait()
                return printed("first\n")

        return Printing(prints_the_sum, policy, mounts)


@pytest.mark.parametrize("by", ["Ctrl-C", "the run's time limit"])
async def test_n03_a_program_that_the_run_does_not_wait_for_is_kept_and_counted(by: str, tmp_path: Path) -> None:
    two = "```python\nprint('first')\n```\n```python\nwait()\n```"
    begun, seen = asyncio.Event(), list[BaseAgentEvent | BaseChatMessage]()
    limits = SwarmLimits(timeout=900 if by == "Ctrl-C" else 0.5)
    work = run_coding_swarm(
        TASK,
        models=models([two]),
        sandbox=PrintingSandbox(begun),
        folder=tmp_path / "run",
        limits=limits,
        watch=seen.append,
    )
    async with asyncio.timeout(10):
        running = asyncio.create_task(work)
        await begun.wait()
        if by == "Ctrl-C":
            running.cancel()
        await asyncio.wait([running])
    code = tmp_path / "run" / "code"
    assert file_names(code) == [
        "01-exit-0.py",
        "01-exit-0.stdout.txt",
        "02-interrupted.py",
        "02-interrupted.stderr.txt",
        "02-interrupted.stdout.txt",
    ]
    assert (code / "02-interrupted.py").read_text() == "wait()\n"
    assert (code / "02-interrupted.stdout.txt").read_text() == "half done\n"
    answer = (tmp_path / "run" / "answer.md").read_text()
    assert "2 programs ran" in answer
    assert "Interrupted: the run ended before the program did." in answer
    assert isinstance(seen[-1], ExecutionMessage)
    lines = (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["runs"][1]["stdout"] == "half done\n"


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        ("timeout", "the time limit of 7 s"),
        ("out_of_memory", "the memory limit of 512 MiB"),
        ("disk_full", "the disk limit of 64 MiB (or 4,096 files)"),
        ("output_limit", "the output limit of 16 MiB"),
    ],
)
async def test_n04_the_limit_that_ends_a_program_is_told_to_the_model_and_to_the_user(
    status: RunStatus, limit: str, tmp_path: Path
) -> None:
    async def is_killed(code: str) -> SandboxResult:
        return SandboxResult(status=status, exit_code=137, stdout="", stderr="")

    result = await run_coding_swarm(
        TASK,
        models=models([CODE] * 9),
        sandbox=FakeSandboxBackend(is_killed),
        policy=SandboxPolicy(time_limit=7),
        folder=tmp_path / "run",
    )
    assert result.outcome is CodingOutcome.NO_PROGRESS
    assert len(result.runs) == 3
    assert f"ended at {limit}" in result.executions[0].to_model_text()
    assert f"The last program was ended at {limit}." in result.detail
    assert f"Exit status 137: ended at {limit}." in (tmp_path / "run" / "answer.md").read_text()


async def test_n11_a_failed_runs_answer_has_what_the_reviewer_objected_to(tmp_path: Path) -> None:
    result = await run_coding_swarm(
        TASK,
        models=models([CODE] * 9, [REJECTION] * 9),
        sandbox=FakeSandboxBackend(prints_the_sum),
        folder=tmp_path / "run",
    )
    assert result.outcome is CodingOutcome.NO_PROGRESS
    assert "## What the reviewer objected to\n\n- Name the figure." in (tmp_path / "run" / "answer.md").read_text()


async def test_n11_a_folder_that_cannot_hold_the_results_is_told_before_a_sandbox_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sandbox = FakeSandboxBackend(prints_the_sum)
    with pytest.raises(RunFolderError, match="is a file"):
        await run_coding_swarm(TASK, models=models(), sandbox=sandbox, folder=tmp_path / "file" / "run")
    assert sandbox.sandboxes == []


async def test_the_caller_is_told_when_the_sandbox_has_started_and_which_it_is() -> None:
    sandbox = FakeSandboxBackend(prints_the_sum)
    said: list[str] = []
    await run_coding_swarm(TASK, models=models(), sandbox=AutoBackend([sandbox]), started=said.append)
    assert said == ["fake"]


async def test_an_unexpected_error_is_raised_and_the_folder_is_complete(tmp_path: Path) -> None:
    async def breaks(code: str) -> SandboxResult:
        raise ZeroDivisionError("a fault of the sandbox's code")

    with pytest.raises(ZeroDivisionError):
        await run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(breaks), folder=tmp_path / "run")
    assert "a fault of the sandbox's code" in (tmp_path / "run" / "answer.md").read_text()


async def test_a_watcher_sees_tokens_and_output_as_they_come() -> None:
    seen: list[BaseAgentEvent | BaseChatMessage] = []
    result = await run_coding_swarm(
        TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), watch=seen.append
    )
    kinds = [type(message) for message in seen]
    assert kinds.index(ModelClientStreamingChunkEvent) < kinds.index(CodeOutputEvent) < kinds.index(ExecutionMessage)
    assert not any(isinstance(message, ModelClientStreamingChunkEvent) for message in result.messages)


class Journal:
    """Keeps the results of effects, and answers with them when it is asked again."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.results: dict[str, JsonValue] = {}

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        self.kinds.append(effect.kind.name)
        if effect.id not in self.results:
            self.results[effect.id] = effect.kind.encode_result(await proceed())
        return effect.kind.decode_result(self.results[effect.id])


async def test_every_effect_passes_the_handlers_and_a_recorded_run_is_replayed_without_models_or_sandbox() -> None:
    async def breaks(code: str) -> SandboxResult:
        raise AssertionError("a recorded run runs no code")

    journal, printed_sum = Journal(), FakeSandboxBackend(prints_the_sum)
    with handle_effects(journal):
        first = await run_coding_swarm(TASK, models=models(), sandbox=printed_sum)
    assert journal.kinds == ["model", "model", "code", "model"]
    with handle_effects(journal):
        again = await run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(breaks))
    assert (again.outcome, again.answer) == (first.outcome, first.answer)
    assert [run.output for run in again.runs] == [run.output for run in first.runs]


async def test_the_files_of_a_program_reach_the_folder_and_the_transcript_names_them(tmp_path: Path) -> None:
    file = Artifact(path="a.txt", kind="text/plain", size=4, sha256="0" * 64, data=b"made")

    async def makes_a_file(code: str) -> SandboxResult:
        return SandboxResult(status="ok", exit_code=0, stdout="sum: 2\n", stderr="", artifacts=[file])

    sandbox = FakeSandboxBackend(makes_a_file)
    result = await run_coding_swarm(TASK, models=models(), sandbox=sandbox, folder=tmp_path / "run")
    assert result.files == (file,)
    assert (tmp_path / "run" / "files" / "a.txt").read_bytes() == b"made"
    transcript = (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()
    [run] = json.loads(transcript[3])["runs"]
    assert "code_file" not in run  # in a folder of the host that is gone by then
    assert run["artifacts"] == [{"path": "a.txt", "kind": "text/plain", "size": 4, "sha256": "0" * 64}]


async def test_the_tokens_are_counted_by_agent() -> None:
    result = await run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum))
    assert [(each.agent, each.model) for each in result.usage] == [("planner", "p"), ("coder", "c"), ("reviewer", "r")]
    assert all(each.usage.prompt_tokens > 0 and each.usage.completion_tokens > 0 for each in result.usage)


def asked_model(answer: str, asked: asyncio.Event, may_answer: asyncio.Event) -> ChatCompletionClient:
    """A model that sets an event when it is asked, and answers when another one is set."""

    async def create(_messages: Sequence[LLMMessage]) -> str:
        asked.set()
        await may_answer.wait()
        return answer

    return ReplayChatCompletionClient(create)


def with_planner(planner: ChatCompletionClient) -> SwarmModels:
    return replace(models(), planner=NamedModel(name="p", client=planner))


async def test_the_sandbox_starts_during_the_planners_first_call(tmp_path: Path) -> None:
    sandbox, asked = SlowSandboxes(prints_the_sum), asyncio.Event()
    planner = asked_model(PLAN, asked, may_answer=sandbox.begun)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        run = group.create_task(
            run_coding_swarm(TASK, models=with_planner(planner), sandbox=sandbox, folder=tmp_path / "run")
        )
        await asked.wait()
        await sandbox.begun.wait()
        assert not (tmp_path / "run").exists()
        sandbox.gate.set()
    assert run.result().outcome is CodingOutcome.VERIFIED
    assert [each.closed for each in sandbox.sandboxes] == [True]


async def test_a_sandbox_that_has_to_be_set_up_is_started_before_a_model_is_asked() -> None:
    class Missing(SlowSandboxes):
        async def is_set_up(self) -> bool:
            return False

    sandbox, asked = Missing(prints_the_sum), asyncio.Event()
    planner = asked_model(PLAN, asked, may_answer=sandbox.gate)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        run = group.create_task(run_coding_swarm(TASK, models=with_planner(planner), sandbox=AutoBackend([sandbox])))
        await sandbox.begun.wait()
        assert not asked.is_set()
        sandbox.gate.set()
    assert run.result().outcome is CodingOutcome.VERIFIED


async def test_a_sandbox_that_fails_during_the_planners_call_ends_it_and_leaves_no_folder(tmp_path: Path) -> None:
    sandbox, asked, never = SlowSandboxes(prints_the_sum), asyncio.Event(), asyncio.Event()
    sandbox.error = SandboxUnavailableError("Not on this machine.")
    planner = asked_model(PLAN, asked, may_answer=never)
    running = asyncio.ensure_future(
        run_coding_swarm(TASK, models=with_planner(planner), sandbox=sandbox, folder=tmp_path / "run")
    )
    async with asyncio.timeout(10):
        await asked.wait()
        sandbox.gate.set()
        with pytest.raises(SandboxUnavailableError, match="Not on this machine"):
            await running
    assert not (tmp_path / "run").exists()


async def test_a_run_that_is_cancelled_before_its_sandbox_has_started_leaves_none() -> None:
    sandbox, asked, never = SlowSandboxes(prints_the_sum), asyncio.Event(), asyncio.Event()
    planner = asked_model(PLAN, asked, may_answer=never)
    running = asyncio.ensure_future(run_coding_swarm(TASK, models=with_planner(planner), sandbox=sandbox))
    async with asyncio.timeout(10):
        await asked.wait()
        await sandbox.begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert (sandbox.open_starts, sandbox.sandboxes) == (0, [])


async def test_a_run_that_is_cancelled_while_its_folder_is_made_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[asyncio.Future[CodingResult]] = []
    loop, mkdir = asyncio.get_running_loop(), Path.mkdir

    def make_and_cancel(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        mkdir(path, mode, parents, exist_ok)
        if path.name == "run":
            loop.call_soon_threadsafe(running[0].cancel)

    monkeypatch.setattr(Path, "mkdir", make_and_cancel)
    work = run_coding_swarm(TASK, models=models(), sandbox=FakeSandboxBackend(prints_the_sum), folder=tmp_path / "run")
    running.append(asyncio.ensure_future(work))
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await running[0]
    assert "interrupted" in (tmp_path / "run/answer.md").read_text()
    assert "Add one and one" in (tmp_path / "run/transcript.md").read_text()


async def test_a_timeout_that_ends_while_the_folder_is_made_is_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = asyncio.timeout(None)
    loop, mkdir = asyncio.get_running_loop(), Path.mkdir

    def make_late(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        mkdir(path, mode, parents, exist_ok)
        if path.name == "run":
            loop.call_soon_threadsafe(timeout.reschedule, 0)

    monkeypatch.setattr(Path, "mkdir", make_late)
    sandbox = FakeSandboxBackend(prints_the_sum)
    with pytest.raises(TimeoutError):
        async with timeout:
            await run_coding_swarm(TASK, models=models(), sandbox=sandbox, folder=tmp_path / "run")
    assert "interrupted" in (tmp_path / "run/answer.md").read_text()
