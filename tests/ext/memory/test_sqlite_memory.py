"""The memory in SQLite, which searches words and vectors."""

import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.memory_contract import FACTS, MemoryContract, found, text

from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError, MemoryStoreError
from symposia.core.memory import Memory
from symposia.ext.memory.embedders import FunctionEmbedder, HashingEmbedder
from symposia.ext.memory.sqlite import SQLiteMemory


class TestSQLiteMemory(MemoryContract):
    @pytest.fixture(autouse=True)
    def store(self, tmp_path: Path) -> None:
        self.path = tmp_path / "memory.db"

    def open_memory(self) -> SQLiteMemory:
        return SQLiteMemory(self.path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


async def test_words_are_found_without_accents_and_with_other_endings_or_errors(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        await memory.add_many([text(each) for each in (*FACTS, "Die Bäckerei öffnet früh.")])
        for query in ("baeckerei backerei", "BÄCKEREI", "Bäckereien", "Bakerei öfnet"):
            assert (await found(memory, query))[0] == "Die Bäckerei öffnet früh.", query
        assert await found(memory, 'quoted "words" AND (brackets* NEAR: -x') == []


@pytest.mark.parametrize(
    "word", ["안녕", "がっこう", "x²", "re\N{COMBINING ACUTE ACCENT}sume\N{COMBINING ACUTE ACCENT}"]
)
async def test_words_of_any_language_are_found(path: Path, word: str) -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:  # a question is like no entry
        return [[1.0, 0.0] if each.endswith(".") else [0.0, 1.0] for each in texts]

    async with SQLiteMemory(path, embedder=FunctionEmbedder(embed, "entries"), min_similarity=0.5) as memory:
        entry = unicodedata.normalize("NFC", f"They say {word} there.")
        await memory.add_many([text("They say nothing there."), text(entry)])
        assert await found(memory, word) == [entry]


async def test_what_is_forgotten_is_not_in_the_file(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        [_, forgotten] = await memory.add_many([text("the lamp"), text("the wordthatisforgotten")])
        await memory.forget([forgotten])
    assert b"the lamp" in path.read_bytes()  # noqa: ASYNC240 - a small file
    assert b"wordthatisforgotten" not in path.read_bytes()  # noqa: ASYNC240 - as above


async def test_what_is_found_can_be_narrowed_by_metadata_and_forgotten(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        ids = await memory.add_many(
            [text(f"lamp {number}", source=f"{number % 2}.md", n=number) for number in range(8)]
        )
        results = (await memory.query("lamp", where={"source": "1.md"}, limit=9)).results
        assert {(each.metadata or {})["n"] for each in results} == {1, 3, 5, 7}
        assert (await memory.query("lamp", where={"n": True})).results == []
        assert await memory.forget(where={"source": "1.md"}) == 4
        assert await memory.forget(ids[:3]) == 2  # the other one was of 1.md
        assert await memory.forget() == 0
        assert sorted(map(str, await found(memory, "lamp"))) == ["lamp 4", "lamp 6"]
        assert [each.content for each in (await memory.query("")).results] == ["lamp 6", "lamp 4"]


async def test_an_embedder_of_the_users_choosing_finds_what_means_the_same(path: Path) -> None:
    kinds = {"car": [1.0, 0.0, 0.1], "automobile": [0.9, 0.1, 0.0], "bread": [0.0, 1.0, 0.0]}

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [next(vector for word, vector in kinds.items() if word in each) for each in texts]

    async with SQLiteMemory(path, embedder=FunctionEmbedder(embed, "kinds-1"), min_similarity=0.5) as memory:
        await memory.add_many([text("my car"), text("my bread")])
        assert await found(memory, "automobile") == ["my car"]
    with pytest.raises(InvalidArgumentError, match=r"of the embedder 'kinds-1'.*give the memory that embedder"):
        await SQLiteMemory(path).query("car")


async def test_the_rarest_words_of_a_long_query_decide(path: Path) -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:  # a question is like no entry
        return [[1.0, 0.0] if each.endswith(".") else [0.0, 1.0] for each in texts]

    embedder = FunctionEmbedder(embed, "entries")
    async with SQLiteMemory(path, embedder=embedder, limit=2, min_similarity=0.5) as memory:
        # Words of 8,000 entries, and of each second and each twentieth: 6,000 entries are ranked by their words.
        counted = [" ".join(f"every{n}" for n in (1, 2, 20) if number % n == 0) for number in range(8_000)]
        await memory.add_many([text(f"{each} entry.") for each in counted])
        best = ["a zebra and every20.", "a zebra and every2."]
        await memory.add_many([text(each) for each in (*best, "every1 alone.")])
        assert await found(memory, "every1 every2 every20 zebra") == best
        assert (await found(memory, "every1"))[0] == "every1 alone."  # too frequent to be ranked by: the newest


async def test_the_closest_of_many_vectors_is_found_by_their_codes(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        words = [" ".join(f"w{(number * factor) % 997}x" for factor in (3, 7, 31, 101)) for number in range(1, 1500)]
        await memory.add_many([text(each) for each in words])
        misspelled = [each.replace("x", "y") for each in words[::150]]  # no word is the same
        hits = [words[index * 150] in await found(memory, each) for index, each in enumerate(misspelled)]
        assert all(hits)


def test_without_an_embedder_the_log_says_what_similar_means(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert SQLiteMemory(path).embedder.name == "hashed-ngrams-512-v1"
        assert "finds what is spelled alike" in caplog.text
        caplog.clear()
        SQLiteMemory(path, embedder=HashingEmbedder())
        assert not caplog.text


async def test_a_file_that_is_none_is_one_clear_error(path: Path) -> None:
    path.write_text("this is no database" * 100)  # noqa: ASYNC240 - a few bytes, before anything else runs
    with pytest.raises(MemoryStoreError, match=r"memory.db fails: .*Check that the file is a memory"):
        await SQLiteMemory(path).query("x")
    with pytest.raises(MemoryStoreError):
        await SQLiteMemory(path / "folder" / "x.db").add(text("x"))


async def test_a_memory_is_saved_and_loaded_with_its_embedder(path: Path) -> None:
    async with SQLiteMemory(str(path), embedder=HashingEmbedder(64), limit=2) as memory:
        await memory.add(text(FACTS[0]))
        saved = memory.dump_component().model_dump(mode="json")
    again: Any = Memory.load_component(saved)
    assert (await found(again, FACTS[0]), again.embedder.name) == ([FACTS[0]], "hashed-ngrams-64-v1")
    await again.close()
    with pytest.raises(ComponentError):
        SQLiteMemory(path, embedder=FunctionEmbedder(lambda _: [[1.0]], "f")).dump_component()


def test_wrong_arguments_are_refused(path: Path) -> None:
    with pytest.raises(ArgumentTypeError):
        SQLiteMemory(5)  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(InvalidArgumentError, match="power of two"):
        HashingEmbedder(100)


def test_the_vectors_of_hashed_ngrams_stay_those_that_stores_have() -> None:
    a, b = 15**-0.5, (2 / 15) ** 0.5
    expected = [a, a, -a, -b, -a, -a, 0, a, 0, 0, -b, -a, -b, a, -a, 0]
    assert HashingEmbedder(16).hash_texts(["Grüße aus Triest", ""]) == [pytest.approx(expected), [0.0] * 16]
