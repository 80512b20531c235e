"""The bank of memos: a folder in which insights are found by topics."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.interpreter import python

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MemoryStoreError
from symposia.core.memory import MemoryContent, MemoryMimeType, update_context
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import AssistantMessage, SystemMessage, UserMessage
from symposia.ext.experimental.task_centric_memory import Memo, MemoryBank, MemoryBankConfig
from symposia.ext.memory.embedders import FunctionEmbedder

AXES = {"red": (1.0, 0.0, 0.0), "orange": (0.8, 0.6, 0.0), "blue": (0.0, 1.0, 0.0), "loud": (0.0, 0.0, 5.0)}
"""Squared distances of directions: 0.4 from red to orange, 0.8 from orange to blue, and else 2."""


def axes(texts: Sequence[str]) -> list[Sequence[float]]:
    return [AXES[text] for text in texts]


@pytest.fixture
def config(tmp_path: Path) -> MemoryBankConfig:
    return MemoryBankConfig(path=str(tmp_path / "bank"), embedder=FunctionEmbedder(axes, "axes"))


def insights(memos: Sequence[Memo]) -> list[str]:
    return [memo.insight for memo in memos]


async def test_a_memo_is_found_by_another_bank_in_the_same_folder_and_forgotten_by_all(tmp_path: Path) -> None:
    config = MemoryBankConfig(path=str(tmp_path / "new" / "bank"))
    first, other = MemoryBank(False, config), MemoryBank(False, config)
    await first.add_memo("Use merge sort.", ["stable sorting"], task="Sort records")
    await first.add_memo("Ask for a size.", ["shoes"])
    assert await other.get_relevant_memos(["sorting stably"]) == [Memo("Sort records", "Use merge sort.")]
    await other.clear()
    assert await first.get_relevant_memos(["stable sorting", "shoes"]) == []
    await first.add_memo("Use merge sort.", ["stable sorting"])
    await asyncio.to_thread(other.reset)
    assert await first.get_relevant_memos(["stable sorting"]) == []


async def test_a_bank_made_with_reset_is_empty_from_its_first_use_on(config: MemoryBankConfig) -> None:
    await MemoryBank(False, config).add_memo("old", ["red"])
    bank = MemoryBank(True, config)
    await asyncio.gather(*(bank.add_memo(f"new {number}", ["red"]) for number in range(4)))
    for each in (bank, MemoryBank(False, config)):
        assert sorted(insights(await each.get_relevant_memos(["red"]))) == [f"new {number}" for number in range(4)]


async def test_writers_at_the_same_time_lose_nothing(config: MemoryBankConfig) -> None:
    banks = [MemoryBank(False, config) for _ in range(4)]
    await asyncio.gather(*(banks[number % 4].add_memo(str(number), ["red"]) for number in range(16)))
    found = await MemoryBank(False, config).get_relevant_memos(["red"])
    assert sorted(insights(found), key=int) == [str(number) for number in range(16)]


async def test_the_relevance_of_a_memo_adds_up_over_its_topics(config: MemoryBankConfig) -> None:
    bank = MemoryBank(False, config)
    await bank.add_memo("one", ["red"])
    await bank.add_memo("two", ["orange", "red"])
    await bank.add_memo("none", ["loud"])
    found = (await bank.query("", topics=["red"])).results
    relevances = {each.content: (each.metadata or {})["relevance"] for each in found}
    assert relevances == {"two": pytest.approx(1.7 + 1.3), "one": pytest.approx(1.7)}
    assert list(relevances) == ["two", "one"]  # the most relevant first


@pytest.mark.parametrize(
    ("option", "found"),
    [
        (MemoryBankConfig(n_results=1), ["exact"]),
        (MemoryBankConfig(distance_threshold=0.3), ["exact"]),
        (MemoryBankConfig(relevance_conversion_threshold=0.3), ["exact"]),
        (MemoryBankConfig(relevance_conversion_threshold=3), ["exact", "near", "far"]),
        (MemoryBankConfig(), ["exact", "near"]),
    ],
    ids=str,
)
async def test_the_options_of_a_search_bound_what_is_found(
    config: MemoryBankConfig, option: MemoryBankConfig, found: list[str]
) -> None:
    bank = MemoryBank(False, {**config, **option})
    for insight, topic in (("far", "blue"), ("near", "orange"), ("exact", "red")):
        await bank.add_memo(insight, [topic])
    assert insights(await bank.get_relevant_memos(["red"])) == found


async def test_vectors_of_another_embedder_are_refused_until_the_bank_is_emptied(config: MemoryBankConfig) -> None:
    await MemoryBank(False, config).add_memo("old", ["red"])
    for embedder in (FunctionEmbedder(axes, "other"), FunctionEmbedder(lambda texts: [[1.0]] * len(texts), "axes")):
        changed = MemoryBankConfig(path=config.get("path", ""), embedder=embedder)
        for use in (
            MemoryBank(False, changed).get_relevant_memos(["red"]),
            MemoryBank(False, changed).add_memo("", ["red"]),
        ):
            with pytest.raises(InvalidArgumentError, match="Use the embedder that the bank was made with"):
                await use
    assert insights(await MemoryBank(False, config).get_relevant_memos(["red"])) == ["old"]
    bank = MemoryBank(True, changed)
    await bank.add_memo("new", ["red"])
    assert insights(await bank.get_relevant_memos(["red"])) == ["new"]


async def test_a_file_that_is_no_bank_and_a_folder_that_cannot_be_made_are_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "memos.sqlite").write_bytes(b"no database at all" * 100)
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "bank"):
        with pytest.raises(MemoryStoreError, match=f"The memory bank in {path}/memos.sqlite fails"):
            await MemoryBank(False, {"path": str(path)}).get_relevant_memos(["red"])


async def test_a_write_that_fails_leaves_no_part_of_a_memo(config: MemoryBankConfig) -> None:
    bank = MemoryBank(False, config)
    await bank.add_memo("whole", ["red"])
    path = Path(config.get("path", "")) / "memos.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER full AFTER INSERT ON topics BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(MemoryStoreError, match="disk is full"):
        await bank.add_memo("half", ["red"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT insight FROM memos").fetchall() == [("whole",)]


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud83d", "'; DROP TABLE memos; --", "a\nb", "\U0001d6fc" * 3000], ids=ascii
)
async def test_any_text_can_be_a_memo_and_a_topic(tmp_path: Path, text: str) -> None:
    bank = MemoryBank(False, {"path": str(tmp_path), "relevance_conversion_threshold": 3})
    await bank.add_memo(text, [text], task=text)
    kept = text.encode(errors="replace").decode().replace("?", "\ufffd") if text == "\ud83d" else text
    assert await bank.get_relevant_memos([text]) == [Memo(kept, kept)]


async def test_a_bank_shows_an_agent_what_fits_the_last_message_once(config: MemoryBankConfig) -> None:
    bank = MemoryBank(False, config)
    await bank.add(MemoryContent(content="red", mime_type=MemoryMimeType.TEXT))
    context = UnboundedChatCompletionContext([SystemMessage(content="red")])
    assert (await update_context(bank, context)).memories.results == []
    await context.add_message(UserMessage(content=["red"], source="user"))
    assert [each.content for each in (await update_context(bank, context)).memories.results] == ["red"]
    assert (await update_context(bank, context)).memories.results == []
    shown = await context.get_messages()
    assert isinstance(shown[-1], UserMessage)
    assert "- red" in shown[-1].content
    await context.add_message(AssistantMessage(content="Noted.", source="agent"))
    assert (await update_context(bank, context)).memories.results == []
    assert len(await context.get_messages()) == 4
    await bank.close()


async def test_cancelling_ends_the_wait(config: MemoryBankConfig) -> None:
    token = CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await MemoryBank(False, config).query("red", token)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"paht": "bank"}, "paht: Extra inputs"),
        ({"n_results": "many"}, "n_results: "),
        ({"embedder": "ada"}, "embedder: "),
    ],
    ids=str,
)
def test_a_wrong_configuration_is_refused_when_the_bank_is_made(wrong: MemoryBankConfig, fault: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"MemoryBankConfig cannot be used: {fault}.*Its keys are path, "):
        MemoryBank(False, wrong)


async def test_content_that_is_no_text_is_refused(config: MemoryBankConfig) -> None:
    with pytest.raises(ArgumentTypeError, match="An insight is a text, and not bytes"):
        await MemoryBank(False, config).add(MemoryContent(content=b"red", mime_type=MemoryMimeType.BINARY))


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
from symposia.core.exceptions import MissingExtraError
from symposia.ext.experimental.task_centric_memory import MemoryBank
try:
    MemoryBank(False, {"path": sys.argv[1]})
except MissingExtraError as error:
    print(error)
"""


def test_without_numpy_the_error_names_the_extra(tmp_path: Path) -> None:
    done = python("-c", WITHOUT_NUMPY, str(tmp_path))  # in a process that has not imported it
    assert "pip install 'symposia[task-centric-memory]'" in done.stdout, done.stderr
