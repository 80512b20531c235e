"""The bundled tasks: their data, and recordings that fit only what they were recorded for."""

import csv
import random
from io import StringIO

import pytest

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import AssistantMessage, CreateResult, UserMessage
from symposia.presets.coding import (
    BundledName,
    RecordedChatCompletionClient,
    RecordedReply,
    RecordingError,
    bundled_task,
)

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
REPLIES = [
    RecordedReply(agent="coder", expects=("the task",), content="first answer"),
    RecordedReply(agent="coder", expects=("error 7",), content="second answer"),
]


def test_the_product_data_are_what_their_seeded_generator_makes() -> None:
    chance = random.Random(2024)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["month", "product", "revenue", "units_sold"])
    for row in range(100):
        product = chance.choice(["Widget A", "Widget B", "Widget C"])
        writer.writerow([MONTHS[row % 12], product, f"{chance.uniform(1000, 50000):.2f}", chance.randint(10, 500)])
    assert bundled_task("products").task.data[0].read_text() == text.getvalue()


@pytest.mark.parametrize("name", BundledName)
def test_every_bundled_task_has_a_reply_for_each_agent_with_a_model(name: str) -> None:
    task = bundled_task(name)
    assert {reply.agent for reply in task.replies} == {"planner", "coder", "reviewer"}
    assert all(path.is_file() for path in task.task.data)
    assert all(reply.expects for reply in task.replies)


def test_an_unknown_task_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidArgumentError, match="sales, products, sorting"):
        bundled_task("poetry")


async def test_recorded_replies_come_in_order_where_they_fit() -> None:
    client = RecordedChatCompletionClient(REPLIES)
    first = await client.create([UserMessage(content="Here is the task.", source="user")])
    assert first.content == "first answer"
    assert first.cached
    said = AssistantMessage(content="first answer", source="coder")
    second = await client.create([said, UserMessage(content="It ended with error 7.", source="executor")])
    assert second.content == "second answer"


async def test_a_recording_that_does_not_fit_says_so() -> None:
    client = RecordedChatCompletionClient(REPLIES)
    with pytest.raises(RecordingError, match=r"does not fit.*'the task'"):
        await client.create([UserMessage(content="Something else.", source="user")])


async def test_what_was_said_before_the_last_answer_does_not_make_a_reply_fit() -> None:
    client = RecordedChatCompletionClient(REPLIES[1:])
    old = UserMessage(content="error 7", source="executor")
    with pytest.raises(RecordingError, match="does not fit"):
        await client.create(
            [old, AssistantMessage(content="…", source="coder"), UserMessage(content="ok", source="executor")]
        )


async def test_a_recording_that_is_used_up_says_so() -> None:
    client = RecordedChatCompletionClient([])
    with pytest.raises(RecordingError, match="another one is requested"):
        await client.create([])


async def test_a_recorded_reply_streams_in_words_and_ends_with_the_whole() -> None:
    client = RecordedChatCompletionClient(REPLIES)
    pieces = [piece async for piece in client.create_stream([UserMessage(content="the task", source="user")])]
    *words, whole = pieces
    assert isinstance(whole, CreateResult)
    assert "".join(str(word) for word in words) == whole.content == "first answer"


def test_recorded_models_are_not_made_for_a_sandbox_that_does_not_exist() -> None:
    with pytest.raises(InvalidArgumentError, match="There is no sandbox 'lokal'"):
        bundled_task("sales").models(sandbox="lokal")
