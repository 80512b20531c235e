"""The parts around a memory of insights: an apprentice, a grader, a teachable agent, and a recorder of models."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.support.chat_agents import asks_for, model, shown

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError
from symposia.core.memory import MemoryContent, MemoryMimeType
from symposia.core.models import AssistantMessage, CreateResult, LLMMessage, SystemMessage, UserMessage
from symposia.ext.experimental.task_centric_memory import MemoryController, MemoryControllerConfig
from symposia.ext.experimental.task_centric_memory.utils import (
    Apprentice,
    ApprenticeConfig,
    ChatCompletionClientRecorder,
    Grader,
    Teachability,
)
from symposia.ext.models.replay import ReplayChatCompletionClient

Answer = Callable[[Sequence[LLMMessage]], str]


@pytest.fixture
def memory_config(tmp_path: Path) -> MemoryControllerConfig:
    bank = {"path": str(tmp_path / "bank")}
    return MemoryControllerConfig(
        generalize_task=False, generate_topics=False, validate_memos=False, MemoryBank={"path": bank["path"]}
    )


def lodger(messages: Sequence[LLMMessage]) -> str:
    """A model that finds advice in what begins with "Remember", and else says what it was told of dinner."""
    text = "\n".join(str(message.content) for message in messages if isinstance(message, UserMessage))
    if "A user wrote the message" in text:
        found = re.findall(r"Remember: (.*)", text)
        return json.dumps({"found": found[0] if found else None})
    facts = re.findall(r"^- (.*)", text, re.MULTILINE)
    return f"You said: {facts[0]}" if facts else "You said nothing."


async def test_a_teachable_agent_knows_in_the_next_conversation_what_it_was_taught(
    memory_config: MemoryControllerConfig,
) -> None:
    def teachable() -> AssistantAgent:
        client = ReplayChatCompletionClient(lodger)
        memory = Teachability(MemoryController(False, client, config=memory_config), name="lessons")
        return AssistantAgent("host", client, memory=[memory])

    taught = await teachable().run(task="Remember: The user never eats fish for dinner.")
    assert taught.messages[-1].to_text() == "You said nothing."
    asked = await teachable().run(task="What do I eat for dinner, fish?")
    assert asked.messages[-1].to_text() == "You said: The user never eats fish for dinner."


async def test_a_teachable_memory_is_asked_taught_and_cleared_without_an_agent(
    memory_config: MemoryControllerConfig,
) -> None:
    memory = Teachability(MemoryController(False, ReplayChatCompletionClient(lodger), config=memory_config))
    assert memory.name == "teachability"
    await memory.add(MemoryContent(content="Remember: No fish.", mime_type=MemoryMimeType.TEXT))
    await memory.add(MemoryContent(content="Hello.", mime_type=MemoryMimeType.TEXT))
    for query in ("no fish", MemoryContent(content="no fish", mime_type=MemoryMimeType.TEXT)):
        assert [each.content for each in (await memory.query(query)).results] == ["No fish."]
    with pytest.raises(ArgumentTypeError, match="An insight is a text"):
        await memory.query(MemoryContent(content=b"fish", mime_type=MemoryMimeType.BINARY))
    await memory.clear()
    assert (await memory.query("no fish")).results == []
    await memory.close()
    with pytest.raises(ComponentError):
        memory.dump_component()


def pupil(messages: Sequence[LLMMessage]) -> str:
    """A model that solves a sum with the insight, and grades."""
    question = str(messages[-1].content)
    if "Copy the final answer" in question:
        return re.findall(r"<response>\s*(.*?)\s*</response>", question)[0]
    if "<correct>" in question:
        return "yes" if "<given>\n4" in question else "no"
    if "Write the advice" in question:
        return "Add twice."
    return "4" if "Add twice." in question else "5"


async def test_an_apprentice_learns_from_failures(memory_config: MemoryControllerConfig) -> None:
    client = ReplayChatCompletionClient(pupil)
    apprentice = Apprentice(client, ApprenticeConfig(MemoryController=memory_config))
    grader = Grader(client)
    assert await grader.test_apprentice(apprentice, "2 + 2", "4", 2, use_memory=True, client=client) == (0, 2)
    await apprentice.train_on_task("2 + 2", "4")
    assert await grader.test_apprentice(apprentice, "2 + 2", "4", 2, use_memory=True, client=client) == (2, 2)
    assert await grader.test_apprentice(apprentice, "2 + 2", "4", 1, use_memory=False, client=client) == (0, 1)
    assert await apprentice.assign_task_to_agent_or_team("2 + 2") == ("5", "apprentice: 5")
    await asyncio.to_thread(apprentice.reset_memory)
    await apprentice.add_task_solution_pair_to_memory("2 + 2", "Add twice.")
    assert await apprentice.handle_user_message("2 + 2") == "5"  # this model takes every message for advice
    assert await apprentice.assign_task("2 + 2") == "4"


async def test_trials_differ_for_a_cache_of_prompts_if_that_is_wanted(memory_config: MemoryControllerConfig) -> None:
    client = model("4", "4")
    apprentice = Apprentice(client, {"disable_prefix_caching": True, "MemoryController": memory_config})
    for _ in range(2):
        await apprentice.assign_task_to_agent_or_team("2 + 2")
    tasks = [str(shown(client, call)[-1].content) for call in range(2)]
    assert all(re.fullmatch(r"\(\d+\)\n\n2 \+ 2", task) for task in tasks)


def test_an_apprentice_refuses_what_it_does_not_know(memory_config: MemoryControllerConfig) -> None:
    with pytest.raises(InvalidArgumentError, match="'AssistantAgent' or 'MagenticOneGroupChat'"):
        Apprentice(model(), {"name_of_agent_or_team": "Nobody"})  # type: ignore[typeddict-item]  # the error is tested
    with pytest.raises(ArgumentTypeError):
        Teachability(model())  # type: ignore[arg-type]  # likewise


async def test_a_grader_finds_the_answer_in_a_response_and_is_asked_anything() -> None:
    client = model("Paris", '{"reason": "It is.", "answer": true}', "Hello.", "Again.", "Once more.")
    grader = Grader(client)
    assert await grader.is_response_correct("Capital of France?", "I think it is Paris.", "Paris") == (True, "Paris")
    assert await grader.call_model("Greet", "Hi.") == "Hello."
    assert await grader.call_model("Greet", "Hi!", "Be kind.", keep_these_messages=False) == "Again."
    await grader.call_model("Greet", "Hi?")
    assert shown(client)[1:] == [
        UserMessage(content="Hi.", source="user"),
        AssistantMessage(content="Hello.", source="assistant"),
        UserMessage(content="Hi?", source="user"),
    ]
    assert shown(client, 3)[0] == SystemMessage(content="Be kind.")


HELLO = [SystemMessage(content="Be brief."), UserMessage(content="Hello?", source="user")]


def make(client: ReplayChatCompletionClient, mode: str, path: Path) -> ChatCompletionClientRecorder:
    return ChatCompletionClientRecorder(client, mode, str(path))  # type: ignore[arg-type]  # a wrong one is tested


async def record(path: Path) -> list[str | CreateResult]:
    """Record an answer, a call of a tool, and a stream."""
    recorder = make(model("Hello.", asks_for(("search", "{}")), "Bye bye."), "record", path)
    answers = [await recorder.create(HELLO), await recorder.create(HELLO)]
    stream = [item async for item in recorder.create_stream(HELLO)]
    await asyncio.to_thread(recorder.finalize)
    return [*answers, *stream]


async def test_a_recorded_session_is_replayed_without_the_model(tmp_path: Path) -> None:
    recorded = await record(tmp_path / "new" / "session.json")
    unused = model()
    replay = await asyncio.to_thread(make, unused, "replay", tmp_path / "new" / "session.json")
    replayed: list[str | CreateResult] = [await replay.create(HELLO), await replay.create(HELLO)]
    replayed += [item async for item in replay.create_stream(HELLO)]
    replay.finalize()
    assert replayed == [
        each if isinstance(each, str) else each.model_copy(update={"cached": True}) for each in recorded
    ]
    assert unused.create_calls == []
    with pytest.raises(ValueError, match="No more recorded turns to check"):
        await replay.create(HELLO)


async def test_a_question_that_was_not_recorded_is_an_error_that_shows_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    await record(path)
    replay = await asyncio.to_thread(make, model(), "replay", path)
    other = [HELLO[0], UserMessage(content="Goodbye?", source="user")]
    with pytest.raises(ValueError, match=r"doesn't match the recorded message list of turn 1.*Message 2 was .*Goodbye"):
        await replay.create(other)
    with pytest.raises(ValueError, match="It had 2 messages, and has 1"):
        await replay.create(HELLO[:1])
    with pytest.raises(ValueError, match="recorded by create, and not by create_stream"):
        await anext(replay.create_stream(HELLO))
    await replay.create(HELLO)
    with pytest.raises(ValueError, match="Only 1 of the 3 recorded turns were checked"):
        replay.finalize()


async def test_sessions_recorded_by_autogen_are_read(tmp_path: Path) -> None:
    turn = {
        "mode": "create",
        "messages": [{"content": "Hello?", "source": "user", "type": "UserMessage"}],
        "response": {
            "finish_reason": "stop",
            "content": "Hello.",
            "usage": {"prompt_tokens": 2, "completion_tokens": 2},
            "cached": False,
            "logprobs": None,
            "thought": None,
        },
        "stream": [],
    }
    (tmp_path / "session.json").write_text(json.dumps([turn]))
    replay = await asyncio.to_thread(make, model(), "replay", tmp_path / "session.json")
    assert (await replay.create(HELLO[1:])).content == "Hello."


def test_a_file_without_a_session_and_an_unknown_mode_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('[{"mode": "dance"}]')
    for name, fault in (("none.json", "No such file"), ("bad.json", "is none: 0.mode")):
        with pytest.raises(ValueError, match=f"Failed to load recorded session: .*{name}.*{fault}"):
            make(model(), "replay", tmp_path / name)
    with pytest.raises(InvalidArgumentError, match="is 'record' or 'replay', not 'rewind'"):
        make(model(), "rewind", tmp_path / "bad.json")
