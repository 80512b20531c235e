"""The debate preset: bundled debates, its folder, the decision page, and every way in which a run ends."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.support.chat_agents import ABLE
from tests.support.model_clients import ANTHROPIC

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, ModelClientStreamingChunkEvent
from symposia.agentchat.teams import DebateResult, DebateStatement, Position
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import LLMMessage
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import NamedModel, RecordingError, RunFolderError
from symposia.presets.debate import (
    BundledDebateName,
    DebateLimits,
    DebateOutcome,
    DebateTask,
    DebateTaskError,
    bundled_debate,
    chart,
    position_from,
    run_debate,
)
from symposia.testing.model_server import Hold, MockModelServer, Reply

TASK = DebateTask(question="Tea or coffee?", positions=(Position("tea", "Green tea."), Position("coffee", "Espresso.")))


def answers(**by_round: str) -> Callable[[Sequence[LLMMessage]], str]:
    """The answers of every agent; a vote is that of its position, or another one in a round: ``tea_2="coffee"``."""

    def answer(messages: Sequence[LLMMessage]) -> str:
        told = "\n".join(str(message.content) for message in messages)
        if "You moderate" in told:
            return json.dumps({"summary": "Both are hot.", "agreed": ["Both are hot."]})
        if "Vote now" not in told:
            return "A statement."
        held = "tea" if "argue for 'tea'" in told else "coffee"
        number = next(number for number in range(9, 0, -1) if f"Round {number} of" in told)
        vote = by_round.get(f"{held}_{number}", held)
        return json.dumps({"position": vote, "confidence": 0.5, "reason": f"It is {vote}."})

    return answer


def models(answer: Callable[[Sequence[LLMMessage]], str]) -> dict[str, NamedModel]:
    client = ReplayChatCompletionClient(answer, model_info=ABLE)
    return dict.fromkeys(TASK.agents, NamedModel(name="scripted", client=client))


@pytest.mark.parametrize(
    ("name", "decision", "dissent"),
    [("ingestion", "hybrid", []), ("database", "start with postgres", ["document_store_advocate"])],
)
async def test_each_bundled_debate_reaches_its_decision(
    name: str, decision: str, dissent: list[str], tmp_path: Path
) -> None:
    debate = await asyncio.to_thread(bundled_debate, name)
    run = await run_debate(debate.task, models=debate.models(), limits=debate.limits, folder=tmp_path / "out")
    assert (run.outcome, run.result.decision) == (DebateOutcome.DECIDED, decision)
    assert [each.participant for each in run.result.dissent] == dissent
    assert run.result.agreed
    assert "The models' answers are recorded." in (tmp_path / "out/decision.md").read_text()
    used = {agent: sum(message.source == agent for message in run.messages) for agent in debate.task.agents}
    recorded = {agent: sum(reply.agent == agent for reply in debate.replies) for agent in debate.task.agents}
    statements = {
        agent: sum(isinstance(each, DebateStatement) for each in run.messages if each.source == agent) for agent in used
    }
    assert {agent: used[agent] + statements[agent] for agent in used} == recorded  # a statement is followed by a vote


def test_the_bundled_debates_are_those_of_the_names() -> None:
    folder = Path(bundled_debate.__code__.co_filename).parent / "bundled"
    assert {path.stem for path in folder.iterdir()} == set(BundledDebateName)
    with pytest.raises(InvalidArgumentError, match="ingestion, database"):
        bundled_debate("tabs")


async def test_the_folder_holds_the_decision_the_result_and_the_conversation(tmp_path: Path) -> None:
    shown: list[BaseAgentEvent | BaseChatMessage] = []
    run = await run_debate(TASK, models=models(answers(coffee_2="tea")), folder=tmp_path / "out", watch=shown.append)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("decision.json", "decision.md", "transcript.jsonl", "transcript.md", "usage.json")
    ]
    assert DebateResult.model_validate_json((tmp_path / "out/decision.json").read_text()) == run.result
    lines = [json.loads(line) for line in (tmp_path / "out/transcript.jsonl").read_text().splitlines()]
    assert [line["source"] for line in lines] == [
        *(
            "user",
            "tea_advocate",
            "coffee_advocate",
            "critic",
            "moderator",
            "tea_advocate",
            "coffee_advocate",
            "moderator",
        )
    ]
    assert lines[1]["vote"]["position"] == "tea"
    assert {message.source for message in shown} >= {"user", *TASK.agents}
    usage = json.loads((tmp_path / "out/usage.json").read_text())
    assert usage["agents"].keys() == set(TASK.agents)
    assert all(each["completion_tokens"] for each in usage["agents"].values())
    page = (tmp_path / "out/decision.md").read_text()
    for part in (
        "# Decision: tea",
        "Consensus in round 2: 2 of 2 for 'tea'.",
        "| coffee_advocate | coffee 50% | **→ tea** 50% |",
        "tea     █         ██",
        "- Both are hot.",
        "> Tea or coffee?",
    ):
        assert part in page


async def test_the_decision_page_names_the_dissent(tmp_path: Path) -> None:
    task = DebateTask(question="Which?", positions=(*TASK.positions, Position("water", "Water.")))
    client = ReplayChatCompletionClient(answers(), model_info=ABLE)
    run = await run_debate(
        task,
        models=dict.fromkeys(task.agents, NamedModel(name="scripted", client=client)),
        limits=DebateLimits(quorum=0.6),
        folder=tmp_path / "out",
    )
    assert run.result.ending == "quorum"  # the advocate of water votes for coffee from the beginning
    page = (tmp_path / "out/decision.md").read_text()
    assert "- **tea_advocate** votes for tea (confidence 50%): It is tea." in page


async def test_names_and_answers_with_markup_do_not_break_the_page(tmp_path: Path) -> None:
    names = ("# tea | `x`\n```", "a" * 200, "```")
    task = DebateTask(question="Which?", positions=tuple(Position(name, name) for name in names))

    def answer(messages: Sequence[LLMMessage]) -> str:
        told = "\n".join(str(message.content) for message in messages)
        if "You moderate" in told:
            return json.dumps({"summary": "Both.", "agreed": ["# One\n\n# and the other", "```", "<!-- three"]})
        if "Vote now" not in told:
            return "A statement."
        position = names[1] if "You are tea" in told else names[0]
        return json.dumps({"position": position, "confidence": 0.5, "reason": "So.\n\n# No heading\n\n```"})

    client = ReplayChatCompletionClient(answer, model_info=ABLE)
    scripted = dict.fromkeys(task.agents, NamedModel(name="scripted", client=client))
    run = await run_debate(task, models=scripted, limits=DebateLimits(quorum=0.6), folder=tmp_path / "out")

    lines = (tmp_path / "out/decision.md").read_text().splitlines()
    headings = ["How the positions moved", "Agreed by all", "Dissent", "Question", "Positions"]
    assert [line for line in lines if line.startswith("#") and "█" not in line] == [
        "# Decision: \\# tea \\| \\`x\\`␊\\`\\`\\`",
        *(f"## {each}" for each in headings),
    ]
    assert [line for line in lines if line.startswith("```") and "█" not in line] == ["````text", "````"]
    assert [line for line in lines if line.startswith("- \\")][:3] == [
        "- \\# One # and the other",
        "- \\```",
        "- \\<!-- three",
    ]
    assert max(map(len, chart(run.result).splitlines())) < 100


async def test_a_tie_after_the_last_round_is_no_decision(tmp_path: Path) -> None:
    run = await run_debate(TASK, models=models(answers()), limits=DebateLimits(rounds=1), folder=tmp_path / "out")
    assert (run.outcome, run.result.decision) == (DebateOutcome.NO_DECISION, None)
    assert "# No decision" in (tmp_path / "out/decision.md").read_text()


async def test_an_abstention_is_in_the_chart_and_the_table(tmp_path: Path) -> None:
    run = await run_debate(
        TASK, models=models(answers(tea_1="milk")), limits=DebateLimits(rounds=1), folder=tmp_path / "out"
    )
    assert chart(run.result).splitlines()[-1].startswith("(abstained)")
    assert "| tea_advocate | abstained |" in (tmp_path / "out/decision.md").read_text()


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [(DebateLimits(max_tokens=1), DebateOutcome.TOKEN_LIMIT), (DebateLimits(timeout=1e-6), DebateOutcome.TIME_LIMIT)],
)
async def test_a_limit_ends_the_debate_and_keeps_what_was_said(
    limits: DebateLimits, outcome: DebateOutcome, tmp_path: Path
) -> None:
    run = await run_debate(TASK, models=models(answers()), limits=limits, folder=tmp_path / "out")
    assert (run.outcome, run.result.ending) == (outcome, "stopped")
    assert "limit" in (tmp_path / "out/decision.md").read_text()


async def test_a_model_that_fails_is_an_outcome_and_what_was_said_is_kept(tmp_path: Path) -> None:
    def fails_in_round_2(messages: Sequence[LLMMessage]) -> str:
        if any("Round 2 of" in str(message.content) for message in messages):
            raise ModelError("no route")
        return answers()(messages)

    run = await run_debate(TASK, models=models(fails_in_round_2), folder=tmp_path / "out")
    assert run.outcome is DebateOutcome.MODEL_FAILED
    assert "no route" in run.detail
    page = (tmp_path / "out/decision.md").read_text()
    assert "no route" in page
    assert "| tea_advocate | tea 50% |" in page


async def test_an_unexpected_error_is_raised_and_what_was_said_is_kept(tmp_path: Path) -> None:
    def fails(messages: Sequence[LLMMessage]) -> str:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        await run_debate(TASK, models=models(fails), folder=tmp_path / "out")
    assert "a fault" in (tmp_path / "out/decision.md").read_text()


async def test_a_debate_that_is_cancelled_leaves_what_was_said(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def waits_in_round_2(messages: Sequence[LLMMessage]) -> str:
        if any("Round 2 of" in str(message.content) for message in messages):
            reached.set()
            await asyncio.Event().wait()
        return answers()(messages)

    client = ReplayChatCompletionClient(waits_in_round_2, model_info=ABLE)
    every = dict.fromkeys(TASK.agents, NamedModel(name="scripted", client=client))
    running = asyncio.create_task(run_debate(TASK, models=every, folder=tmp_path / "out"))
    await asyncio.wait_for(reached.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert "interrupted" in (tmp_path / "out/decision.md").read_text()
    assert (tmp_path / "out/usage.json").exists()


async def test_the_answers_that_a_cancelled_debate_was_getting_are_in_its_usage(tmp_path: Path) -> None:
    async with MockModelServer() as server:
        begun = Reply(text="one two three four five", usage=(300, 70), hold=Hold(after=6))
        client = ANTHROPIC.client(server, *[begun] * len(TASK.agents))
        every = dict.fromkeys(TASK.agents, NamedModel(name=ANTHROPIC.model, client=client))
        streaming = asyncio.Event()

        def watch(item: BaseAgentEvent | BaseChatMessage) -> None:
            if isinstance(item, ModelClientStreamingChunkEvent):
                streaming.set()

        running = asyncio.create_task(run_debate(TASK, models=every, folder=tmp_path / "out", watch=watch))
        await asyncio.wait_for(streaming.wait(), 10)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        spent = client.total_usage()
        await client.close()
    usage = json.loads((tmp_path / "out/usage.json").read_text())
    assert usage["estimated"]
    assert usage["silent"]["prompt_tokens"] == spent.prompt_tokens >= 300
    assert usage["silent"]["completion_tokens"] == spent.completion_tokens > 0
    assert usage["total"] == usage["silent"] == usage["models"][ANTHROPIC.model]


async def test_a_debate_that_is_cancelled_while_its_folder_is_made_leaves_a_whole_folder(tmp_path: Path) -> None:
    debate = asyncio.create_task(run_debate(TASK, models=models(answers()), folder=tmp_path / "out"))
    await asyncio.sleep(0)  # it waits for the thread that makes the folder
    debate.cancel()
    with pytest.raises(asyncio.CancelledError):
        await debate
    assert json.loads((tmp_path / "out/decision.json").read_text())["ending"] == "stopped"


async def test_a_debate_without_a_vote_that_can_be_used_is_a_failure_of_the_models(tmp_path: Path) -> None:
    without = answers(tea_1="milk", coffee_1="water")
    run = await run_debate(TASK, models=models(without), limits=DebateLimits(rounds=1), folder=tmp_path / "out")
    assert run.outcome is DebateOutcome.MODEL_FAILED
    assert "No answer was a vote. Agent 'tea_advocate': the model's answer cannot be used after 3" in run.detail
    assert run.detail in (tmp_path / "out/decision.md").read_text()


async def test_a_recording_that_does_not_fit_says_so() -> None:
    debate = await asyncio.to_thread(bundled_debate, "database")
    other = DebateTask(question="Another one?", positions=TASK.positions)
    run = await run_debate(other, models=dict.fromkeys(other.agents, debate.models()["critic"]))
    assert run.outcome is DebateOutcome.MODEL_FAILED
    assert "does not fit" in run.detail
    assert issubclass(RecordingError, ModelError)


async def test_a_folder_that_is_not_empty_is_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    every = models(answers())
    with pytest.raises(RunFolderError):
        await run_debate(TASK, models=every, folder=tmp_path)
    client = every["critic"].client
    assert client.total_usage().prompt_tokens == 0


async def test_an_agent_without_a_model_is_named() -> None:
    every = models(answers())
    del every["critic"]
    with pytest.raises(InvalidArgumentError, match="no model for critic"):
        await run_debate(TASK, models=every)


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("Kafka: a stream", "Kafka", "a stream"),
        ("Kafka", "Kafka", "Kafka"),
        ("Use https://kafka.test", "Use https", "//kafka.test"),
        (f"{'word ' * 20}", "word word word word word word word", ("word " * 20).strip()),
        (f"{'x' * 50}: y", "x" * 39, f"{'x' * 50}: y"),
        ("Kafka:", "Kafka:", "Kafka:"),
    ],
)
def test_a_position_is_a_name_and_a_text_or_its_first_words(text: str, name: str, rest: str) -> None:
    assert position_from(text) == Position(name, rest)


def test_advocates_have_names_of_their_own() -> None:
    positions = (Position("Größe", "a"), Position("grosse!", "b"), Position("grosse?", "c"), Position("…", "d"))
    task = DebateTask(question="?", positions=positions)
    assert list(task.advocates) == [*("groe_advocate", "grosse_advocate", "grosse_advocate_2", "position_advocate")]


@pytest.mark.parametrize(
    ("question", "texts", "complaint"),
    [
        (" ", ("a", "b"), "question is empty"),
        ("Which?", ("a",), "at least two"),
        ("Which?", ("a", "A"), "Two positions are called 'A'"),
        ("Which?", ("a", " "), "position is empty"),
    ],
)
def test_a_debate_that_cannot_be_is_refused(question: str, texts: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(DebateTaskError, match=complaint):
        DebateTask(question=question, positions=tuple(map(position_from, texts)))
