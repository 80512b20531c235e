"""The controller, which learns insights and gives them to agents: what it asks its model, and what it keeps."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.support.chat_agents import ABLE, asks_for

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ModelAnswerError
from symposia.core.models import CreateResult, LLMMessage, ModelInfo
from symposia.ext.experimental.task_centric_memory import Memo, MemoryController, MemoryControllerConfig
from symposia.ext.models.replay import ReplayChatCompletionClient

PLAIN = MemoryControllerConfig(generalize_task=False, generate_topics=False, validate_memos=False)
IN_WORDS = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)
IN_JSON = ModelInfo(vision=False, function_calling=False, json_output=True, family="unknown", structured_output=False)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "bank")


def controller(
    path: str,
    client: ReplayChatCompletionClient,
    config: MemoryControllerConfig = PLAIN,
    assign: Callable[[str], Awaitable[tuple[str, str]]] | None = None,
) -> MemoryController:
    return MemoryController(False, client, assign, {**config, "MemoryBank": {"path": path}})


def always(answer: str, info: ModelInfo = IN_WORDS) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(lambda _: answer, model_info=info)


class Agent:
    """Answers 4 where it was given the right insight, and notes its tasks."""

    def __init__(self, insight: str = "Add twice.") -> None:
        self.insight = insight
        self.tasks: list[str] = []

    async def __call__(self, task: str) -> tuple[str, str]:
        self.tasks.append(task)
        return ("4" if self.insight in task else "5"), "I counted my fingers."


class Teacher:
    """A model that grades, and has a new insight for each failure. It notes what it is asked."""

    def __init__(self, *insights: str) -> None:
        self._insights = list(insights)
        self.client = ReplayChatCompletionClient(self.answer, model_info=ABLE)
        self.questions: list[str] = []

    def answer(self, messages: Sequence[LLMMessage]) -> str:
        question = str(messages[-1].content)
        self.questions.append(question)
        if "Copy the final answer" in question:
            return re.findall(r"<response>\s*(.*?)\s*</response>", question)[0]
        if "<correct>" in question:
            given = re.findall(r"<given>\s*(.*?)\s*</given>", question)[0]
            return json.dumps({"reason": "I compared.", "answer": given == "4"})
        return self._insights.pop(0) if "Write the advice" in question else "It guessed."


async def test_training_keeps_the_insight_after_which_the_agent_succeeds(path: str) -> None:
    teacher, agent = Teacher("Count again.", "Add twice."), Agent()
    trained = controller(path, teacher.client, assign=agent)
    await trained.add_memo("Breathe.", task="2 + 2")
    await trained.train_on_task("2 + 2", "4")
    assert await trained.retrieve_relevant_memos("2 + 2") == [Memo("2 + 2", "Breathe."), Memo("2 + 2", "Add twice.")]
    assert [re.findall("- (.*)", task) for task in agent.tasks] == [
        ["Breathe."],
        ["Breathe.", "Count again."],
        *[["Breathe.", "Add twice."]] * 3,  # as often in a row as it has to succeed
    ]
    diagnosis = next(question for question in teacher.questions if "is wrong" in question)
    for part in ("2 + 2", "Breathe.", "I counted my fingers.", "<response>\n5", "<expected>\n4"):
        assert part in diagnosis


@pytest.mark.parametrize(("insight", "assigned"), [("2 + 2", 3), ("never", 2)])
async def test_training_keeps_nothing_if_the_agent_knows_how_or_never_learns(
    path: str, insight: str, assigned: int
) -> None:
    agent = Agent(insight)
    config = MemoryControllerConfig({**PLAIN, "max_train_trials": 2})
    trained = controller(path, Teacher("Count again.").client, config, agent)
    await trained.train_on_task("2 + 2", "4")
    assert len(agent.tasks) == assigned
    assert await trained.retrieve_relevant_memos("2 + 2") == []


async def test_a_test_counts_the_right_responses_with_the_insights_that_fit(path: str) -> None:
    agent = Agent()
    tested = controller(path, Teacher().client, assign=agent)
    assert await tested.test_on_task("2 + 2", "4", num_trials=2) == ("5", 0, 2)
    await tested.add_memo("Add twice.", task="2 + 2")
    assert await tested.test_on_task("2 + 2", "4") == ("4", 1, 1)


async def test_a_task_is_assigned_with_insights_unless_that_is_not_wanted(path: str) -> None:
    agent = Agent()
    assigning = controller(path, always("no"), assign=agent)
    await assigning.add_task_solution_pair_to_memory("2 + 2", "Add twice.")
    assert await assigning.assign_task("2 + 2") == "4"
    assert await assigning.assign_task("2 + 2", use_memory=False) == "5"
    assert agent.tasks[0].startswith("2 + 2\n\n## Insights")
    assert agent.tasks[1] == "2 + 2"


@pytest.mark.parametrize(
    "nothing", ["None", "none.", "", '{"found": null}', '```json\n{"found": null}\n```', '{"advice": "No field."}']
)
async def test_a_message_that_teaches_nothing_is_assigned_with_insights(path: str, nothing: str) -> None:
    agent = Agent()
    asked = controller(path, always(nothing), assign=agent)
    await asked.add_memo("Add twice.", task="2 + 2")
    assert await asked.consider_memo_storage("2 + 2") is None
    assert await asked.handle_user_message("2 + 2") == "4"
    assert len(await asked.retrieve_relevant_memos("2 + 2")) == 1


@pytest.mark.parametrize("advice", ["Add twice.", '{"found": "Add twice."}'])
async def test_a_message_that_teaches_is_assigned_as_it_is_and_its_advice_is_kept(path: str, advice: str) -> None:
    agent = Agent()
    asked = controller(path, always(advice), assign=agent)
    assert await asked.handle_user_message("2 + 2, and remember to add twice") == "5"
    assert agent.tasks == ["2 + 2, and remember to add twice"]
    assert await asked.retrieve_relevant_memos("add twice") == [Memo(None, "Add twice.")]


@pytest.mark.parametrize(
    ("config", "added", "found"),
    [
        ({}, 4, 5),  # generalized, criticized, revised, and topics; validated
        ({"revise_generalized_task": False}, 2, 3),
        ({"generalize_task": False}, 1, 2),
        ({"generate_topics": False}, 3, 4),
        ({"validate_memos": False}, 4, 4),
        (PLAIN, 0, 0),
    ],
    ids=str,
)
async def test_the_options_decide_what_the_model_is_asked(
    path: str, config: MemoryControllerConfig, added: int, found: int
) -> None:
    client = always("1")
    asked = controller(path, client, config)
    await asked.add_memo("An insight.", task="A task")
    assert len(client.create_calls) == added
    assert await asked.retrieve_relevant_memos("A task") == [Memo("A task", "An insight.")]
    assert len(client.create_calls) == added + found


@pytest.mark.parametrize(
    "topics", ["maths, adding", '["maths", "adding"]', "- maths\n2. adding", '{"topics": ["maths", "adding"]}', ""]
)
async def test_a_memo_is_found_by_the_topics_that_the_model_names(path: str, topics: str) -> None:
    asked = controller(path, always(topics), {**PLAIN, "generate_topics": True})
    await asked.add_memo("Add twice.", task="2 + 2")
    assert await asked.retrieve_relevant_memos("2 + 2") == [Memo("2 + 2", "Add twice.")]


async def test_a_memo_is_filed_by_its_task_alone_if_that_is_wanted(path: str) -> None:
    asked = controller(path, always("1"))
    await asked.add_memo("zebra crossing", task="Sort numbers", index_on_both=False)
    assert await asked.retrieve_relevant_memos("zebra crossing") == []
    assert await asked.retrieve_relevant_memos("Sort numbers") == [Memo("Sort numbers", "zebra crossing")]


@pytest.mark.parametrize("info", [IN_WORDS, IN_JSON, ABLE], ids=["words", "json", "schema"])
@pytest.mark.parametrize(
    ("answer", "helps"),
    [
        ('{"reason": "Same sum.", "answer": true}', True),
        ('So: {"reason": "Other sum.", "answer": false}', False),
        ("Yes, it does.", True),
        ("**No**", False),
        ("1", True),
        ("0", False),
        ("Hard to say.", False),
        ("", False),
    ],
)
async def test_a_memo_that_the_model_does_not_find_helpful_is_left_out(
    path: str, answer: str, helps: bool, info: ModelInfo
) -> None:
    client = always(answer, info)
    asked = controller(path, client, {**PLAIN, "validate_memos": True})
    await asked.add_memo("Add twice.", task="2 + 2")
    assert bool(await asked.retrieve_relevant_memos("2 + 2")) is helps
    wanted = client.create_calls[0]["json_output"]
    assert wanted is None if info is IN_WORDS else wanted is True if info is IN_JSON else isinstance(wanted, type)


async def test_no_more_memos_are_validated_than_are_wanted_and_all_that_are_at_once(path: str) -> None:
    waiting: list[str] = []
    all_ask = asyncio.Event()

    async def answer(messages: Sequence[LLMMessage]) -> str:
        waiting.append(str(messages[-1].content))
        if len(waiting) == 3:
            all_ask.set()
        await asyncio.wait_for(all_ask.wait(), 10)
        return "no" if "insight 0" in waiting[-1] or "insight 0" in str(messages[-1].content) else "yes"

    client = ReplayChatCompletionClient(answer, model_info=IN_WORDS)
    asked = controller(path, client, {**PLAIN, "validate_memos": True, "max_memos_to_retrieve": 3})
    for number in range(9):
        await asked.add_memo(f"insight {number}", task="A task", index_on_both=False)
    found = await asked.retrieve_relevant_memos("A task")
    assert [memo.insight for memo in found] == ["insight 1", "insight 2", "insight 3"]
    assert len(waiting) == 4


async def test_the_same_memo_twice_is_found_once(path: str) -> None:
    asked = controller(path, always("1"))
    for _ in range(2):
        await asked.add_memo("Add twice.", task="2 + 2")
    assert len(await asked.retrieve_relevant_memos("2 + 2")) == 1


def says_neither(_: Sequence[LLMMessage]) -> str:
    return "Hard to say."


def calls_a_tool(_: Sequence[LLMMessage]) -> CreateResult:
    return asks_for(("search", "{}"))


@pytest.mark.parametrize("answer", [says_neither, calls_a_tool])
async def test_a_grade_that_cannot_be_read_is_an_error(
    path: str, answer: Callable[[Sequence[LLMMessage]], str | CreateResult]
) -> None:
    graded = controller(path, ReplayChatCompletionClient(answer), assign=Agent())
    with pytest.raises(ModelAnswerError):
        await graded.test_on_task("2 + 2", "4")


async def test_what_assigns_tasks_needs_a_function_for_it_and_awaits_it(path: str) -> None:
    alone = controller(path, always("1"))
    for use in (alone.assign_task("2 + 2"), alone.train_on_task("2 + 2", "4"), alone.test_on_task("2 + 2", "4")):
        with pytest.raises(InvalidArgumentError, match="give it a task_assignment_callback"):
            await use
    with pytest.raises(InvalidArgumentError, match="create_task"):
        await controller(path, always("1"), assign=Agent()).assign_task("2 + 2", should_await=False)


def test_wrong_arguments_are_refused_when_the_controller_is_made(path: str) -> None:
    with pytest.raises(ArgumentTypeError):
        MemoryController(False, "gpt-4o")  # type: ignore[arg-type]  # the error is what is tested
    for wrong in ({"max_train_trials": 0}, {"validate": True}, {"MemoryBank": {"paht": "bank"}}):
        with pytest.raises(InvalidArgumentError, match="This MemoryControllerConfig cannot be used"):
            MemoryController(False, always("1"), config=wrong)  # type: ignore[arg-type]  # likewise


async def test_an_error_of_the_agent_ends_the_training_and_keeps_nothing(path: str) -> None:
    async def broken(task: str) -> tuple[str, str]:
        raise ConnectionError(task)

    trained = controller(path, Teacher().client, assign=broken)
    with pytest.raises(ConnectionError):
        await trained.train_on_task("2 + 2", "4")
    assert await trained.retrieve_relevant_memos("2 + 2") == []


async def test_reset_memory_forgets_everything(path: str) -> None:
    asked = controller(path, always("1"))
    await asked.add_memo("Add twice.", task="2 + 2")
    await asyncio.to_thread(asked.reset_memory)
    assert await asked.retrieve_relevant_memos("2 + 2") == []
