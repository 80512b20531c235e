import pytest

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage
from symposia.agentchat.teams import Speak, Stop
from symposia.core.code_executor import RunStatus
from symposia.core.models import RequestUsage
from symposia.presets.coding import BlockRun, ExecutionMessage, Outcome, Plan, Review, SwarmLimits, next_step

LIMITS = SwarmLimits()
TASK = TextMessage(content="Add one and one", source="user")
PLAN = StructuredMessage[Plan](content=Plan(steps=["Add."], checks=["The sum is printed."]), source="planner")
CODE = TextMessage(content="```python\nprint(1 + 1)\n```", source="coder")
NO_CODE = ExecutionMessage(remark="There is no code.", source="executor")


def ran(exit_code: int) -> ExecutionMessage:
    run = BlockRun(
        code="print(1 + 1)\n",
        language="python",
        status="ok" if exit_code == 0 else "error",
        exit_code=exit_code,
        stdout="2\n",
        stderr="",
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
def test_the_next_speaker_follows_from_what_was_said_last(
    transcript: list[BaseAgentEvent | BaseChatMessage], speaker: str
) -> None:
    assert next_step(transcript, LIMITS) == Speak((speaker,))


def test_an_approval_ends_the_run() -> None:
    assert next_step([TASK, PLAN, CODE, ran(0), review(approved=True)], LIMITS) == Stop(Outcome.VERIFIED)


def test_three_answers_on_end_without_code_end_the_run() -> None:
    assert next_step([TASK, PLAN, *[CODE, NO_CODE] * 3], LIMITS) == Stop(Outcome.NO_CODE)


def test_answers_without_code_count_anew_after_a_program() -> None:
    transcript = [TASK, PLAN, *[CODE, NO_CODE] * 2, CODE, ran(1), *[CODE, NO_CODE] * 2]
    assert next_step(transcript, LIMITS) == Speak(("coder",))


def test_the_message_limit_counts_what_the_agents_said() -> None:
    transcript = [TASK, PLAN, CODE]
    assert next_step(transcript, SwarmLimits(max_messages=3)) == Speak(("executor",))
    assert next_step(transcript, SwarmLimits(max_messages=2)) == Stop(Outcome.MESSAGE_LIMIT)


def test_the_token_limit_counts_every_call() -> None:
    plan = PLAN.model_copy(update={"models_usage": RequestUsage(60, 40)})
    assert next_step([TASK, plan], SwarmLimits(max_tokens=101)) == Speak(("coder",))
    assert next_step([TASK, plan], SwarmLimits(max_tokens=100)) == Stop(Outcome.TOKEN_LIMIT)


def test_an_approval_counts_even_where_a_limit_is_reached_with_it() -> None:
    transcript = [TASK, PLAN, CODE, ran(0), review(approved=True)]
    assert next_step(transcript, SwarmLimits(max_messages=1)) == Stop(Outcome.VERIFIED)


@pytest.mark.parametrize("limit", ["max_messages", "timeout", "max_tokens"])
def test_a_limit_below_one_is_refused_by_name(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        SwarmLimits(**{limit: 0})  # pyright: ignore[reportArgumentType] - one of several


def program(code: str, *, stderr: str = "", limit: str = "", status: RunStatus = "error") -> list[BaseChatMessage]:
    """The coder's answer with a program, and what came of it, which is a failure if it has an error or met a limit."""
    failed = bool(stderr or limit)
    run = BlockRun(
        code=code,
        language="python",
        status=status if failed else "ok",
        exit_code=1 if failed else 0,
        stdout="2\n",
        stderr=stderr,
        limit=limit,
    )
    return [CODE, ExecutionMessage(runs=(run,), source="executor")]


def test_n04_the_same_program_is_not_run_a_fourth_time() -> None:
    failing = program("sort()", stderr="KeyError: 3")
    again = program("  sort()\n\n", stderr="KeyError: 7")
    other = program("sorted()", stderr="TypeError")
    assert next_step([TASK, PLAN, *failing, *other, *again], LIMITS) == Speak(("coder",))
    assert next_step([TASK, PLAN, *failing, *other, *again, *failing], LIMITS) == Stop(Outcome.NO_PROGRESS)


def test_n04_a_program_that_is_sent_back_as_it_was_ends_the_run() -> None:
    round_of = [*program("print(2)"), review(approved=False)]
    assert next_step([TASK, PLAN, *round_of * 2], LIMITS) == Speak(("coder",))
    assert next_step([TASK, PLAN, *round_of * 3], LIMITS) == Stop(Outcome.NO_PROGRESS)
    approved = [*program("print(2)"), review(approved=True)]
    assert next_step([TASK, PLAN, *round_of * 2, *approved], LIMITS) == Stop(Outcome.VERIFIED)


@pytest.mark.parametrize(
    ("stderr", "limit", "status"),
    [
        ("Traceback\nModuleNotFoundError: No module named 'sklearn'\n", "", "error"),
        ("", "the memory limit of 512 MiB", "out_of_memory"),
    ],
)
def test_n04_programs_that_differ_and_fail_alike_end_the_run(stderr: str, limit: str, status: RunStatus) -> None:
    tries = [program(f"try({number})", stderr=stderr, limit=limit, status=status) for number in range(5)]
    assert next_step([TASK, PLAN, *(m for each in tries[:4] for m in each)], LIMITS) == Speak(("coder",))
    assert next_step([TASK, PLAN, *(m for each in tries for m in each)], LIMITS) == Stop(Outcome.NO_PROGRESS)
    between = [*tries[:3], program("fine()"), *tries[3:]]
    assert next_step([TASK, PLAN, *(m for each in between for m in each)], LIMITS) == Speak(("coder",))
