from collections.abc import Sequence

import pytest

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    StructuredMessage,
    TextMessage,
)
from symposia.agentchat.teams import Decision, RuleContext, Speak, Stop
from symposia.core.code_executor import BlockResult, CodeBlock, RunStatus
from symposia.presets.coding import CodingOutcome, CodingRule, Plan, Review

TASK = TextMessage(content="Add one and one", source="user")
PLAN = StructuredMessage[Plan](content=Plan(steps=["Add."], checks=["The sum is printed."]), source="planner")
CODE = TextMessage(content="```python\nprint(1 + 1)\n```", source="coder")
NO_CODE = ExecutionMessage(remark="There is no code.", source="executor")


async def next_step(transcript: Sequence[BaseAgentEvent | BaseChatMessage]) -> Decision:
    return await CodingRule().decide(transcript, RuleContext())


def ran(exit_code: int) -> ExecutionMessage:
    run = BlockResult(
        block=CodeBlock("print(1 + 1)\n", "python"),
        code_file=None,
        status="ok" if exit_code == 0 else "error",
        exit_code=exit_code,
        output="2\n",
    )
    return ExecutionMessage(runs=(run,), source="executor")


def review(*, approved: bool) -> StructuredMessage[Review]:
    content = Review(approved=approved, reasons=[], evidence=["2"], answer="It is 2.")
    return StructuredMessage[Review](content=content, source="reviewer")


@pytest.mark.parametrize(
    ("transcript", "speaker"),
    [
        pytest.param([], "planner", id="nothing yet"),
        pytest.param([TASK], "planner", id="the task"),
        pytest.param([TASK, PLAN], "coder", id="a plan"),
        pytest.param([TASK, PLAN, CODE], "executor", id="an answer of the coder"),
        pytest.param([TASK, PLAN, CODE, ran(1)], "coder", id="a program that failed"),
        pytest.param([TASK, PLAN, CODE, NO_CODE], "coder", id="no program"),
        pytest.param([TASK, PLAN, CODE, ran(0)], "reviewer", id="a program that ran"),
        pytest.param([TASK, PLAN, CODE, ran(0), review(approved=False)], "coder", id="sent back"),
    ],
)
async def test_the_next_speaker_follows_from_what_was_said_last(
    transcript: list[BaseAgentEvent | BaseChatMessage], speaker: str
) -> None:
    assert await next_step(transcript) == Speak((speaker,))


async def test_an_approval_ends_the_run() -> None:
    assert await next_step([TASK, PLAN, CODE, ran(0), review(approved=True)]) == Stop(CodingOutcome.VERIFIED)


async def test_three_answers_on_end_without_code_end_the_run() -> None:
    assert await next_step([TASK, PLAN, *[CODE, NO_CODE] * 3]) == Stop(CodingOutcome.NO_CODE)


async def test_answers_without_code_count_anew_after_a_program() -> None:
    transcript = [TASK, PLAN, *[CODE, NO_CODE] * 2, CODE, ran(1), *[CODE, NO_CODE] * 2]
    assert await next_step(transcript) == Speak(("coder",))


def program(code: str, *, stderr: str = "", limit: str = "", status: RunStatus = "error") -> list[BaseChatMessage]:
    """The coder's answer with a program, and what came of it, which is a failure if it has an error or met a limit."""
    failed = bool(stderr or limit)
    run = BlockResult(
        block=CodeBlock(code, "python"),
        code_file=None,
        status=status if failed else "ok",
        exit_code=1 if failed else 0,
        output=f"2\n{stderr}",
        stdout="2\n",
        stderr=stderr,
        ended_by=limit,
    )
    return [CODE, ExecutionMessage(runs=(run,), source="executor")]


async def test_n04_the_same_program_is_not_run_a_fourth_time() -> None:
    failing = program("sort()", stderr="KeyError: 3")
    again = program("  sort()\n\n", stderr="KeyError: 7")
    other = program("sorted()", stderr="TypeError")
    assert await next_step([TASK, PLAN, *failing, *other, *again]) == Speak(("coder",))
    assert await next_step([TASK, PLAN, *failing, *other, *again, *failing]) == Stop(CodingOutcome.NO_PROGRESS)


async def test_n04_a_program_that_is_sent_back_as_it_was_ends_the_run() -> None:
    round_of = [*program("print(2)"), review(approved=False)]
    assert await next_step([TASK, PLAN, *round_of * 2]) == Speak(("coder",))
    assert await next_step([TASK, PLAN, *round_of * 3]) == Stop(CodingOutcome.NO_PROGRESS)
    approved = [*program("print(2)"), review(approved=True)]
    assert await next_step([TASK, PLAN, *round_of * 2, *approved]) == Stop(CodingOutcome.VERIFIED)


@pytest.mark.parametrize(
    ("stderr", "limit", "status"),
    [
        ("Traceback\nModuleNotFoundError: No module named 'sklearn'\n", "", "error"),
        ("", "the memory limit of 512 MiB", "out_of_memory"),
    ],
)
async def test_n04_programs_that_differ_and_fail_alike_end_the_run(stderr: str, limit: str, status: RunStatus) -> None:
    tries = [program(f"try({number})", stderr=stderr, limit=limit, status=status) for number in range(5)]
    assert await next_step([TASK, PLAN, *(m for each in tries[:4] for m in each)]) == Speak(("coder",))
    assert await next_step([TASK, PLAN, *(m for each in tries for m in each)]) == Stop(CodingOutcome.NO_PROGRESS)
    between = [*tries[:3], program("fine()"), *tries[3:]]
    assert await next_step([TASK, PLAN, *(m for each in between for m in each)]) == Speak(("coder",))
