import pytest

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage
from symposia.agentchat.teams import Speak, Stop
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
