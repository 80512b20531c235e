"""The memory in ChromaDB: in the process, and of a real server."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import chromadb
import httpx
import pytest
from chromadb.config import Settings
from tests.contracts.memory_contract import FACTS, MemoryContract, found, text
from tests.support.outgoing_connections import hosts_of

from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError, MemoryStoreError
from symposia.core.memory import Memory
from symposia.ext.memory.chromadb import (
    ChromaDBVectorMemory,
    ChromaDBVectorMemoryConfig,
    CustomEmbeddingFunctionConfig,
    HttpChromaDBVectorMemoryConfig,
    OpenAIEmbeddingFunctionConfig,
    PersistentChromaDBVectorMemoryConfig,
)
from symposia.ext.memory.embedders import HashingEmbedder

NAMES = count()
Documents = Sequence[str]


class NGrams(chromadb.EmbeddingFunction[Any]):
    """An embedding function that needs no model."""

    def __init__(self, dimensions: int = 512) -> None:
        self.dimensions = dimensions

    def __call__(self, input: Any) -> Any:  # noqa: A002 - the library passes it by this name
        return HashingEmbedder(self.dimensions).hash_texts(input)

    @staticmethod
    def name() -> str:
        return "ngrams-of-the-tests"

    def get_config(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "NGrams":
        return NGrams()


CUSTOM = CustomEmbeddingFunctionConfig(function=NGrams, params={"dimensions": 256})


def in_folder(folder: Path, **options: Any) -> ChromaDBVectorMemory:
    options = {"k": 10, "embedding_function_config": CUSTOM} | options
    return ChromaDBVectorMemory(PersistentChromaDBVectorMemoryConfig(persistence_path=str(folder), **options))


class TestChromaDBInTheProcess(MemoryContract):
    @pytest.fixture(autouse=True)
    def store(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def open_memory(self) -> ChromaDBVectorMemory:
        return in_folder(self.folder)


# As the command `chroma` does, which imports the whole library before: 6 s of processor time.
SERVER = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', 'run', *sys.argv[1:]])"


def on_server(port: int) -> HttpChromaDBVectorMemoryConfig:
    name = f"test{next(NAMES)}"
    return HttpChromaDBVectorMemoryConfig(
        host="127.0.0.1", port=port, collection_name=name, k=10, embedding_function_config=CUSTOM
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """The port of a server, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--path", str(tmp_path_factory.mktemp("db"))]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 100
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat").is_success
    except httpx.TransportError:
        time.sleep(0.05)  # asked again until the deadline
        return False


class TestChromaDBServer(MemoryContract):
    @pytest.fixture(autouse=True)
    def store(self, server: tuple[int, "subprocess.Popen[bytes]"]) -> None:
        self.config = on_server(server[0])

    def open_memory(self) -> ChromaDBVectorMemory:
        return ChromaDBVectorMemory(self.config)


async def test_a_memory_is_closed_and_forgets_while_others_write_and_ask(tmp_path: Path) -> None:
    added: set[str] = set()
    async with in_folder(tmp_path, k=99) as first, in_folder(tmp_path, k=99) as second:

        async def write(memory: ChromaDBVectorMemory, writer: str) -> None:
            for number in range(8):
                await memory.add(text(f"entry of {writer} {number}"))
                added.add(f"entry of {writer} {number}")

        async def forget(memory: ChromaDBVectorMemory) -> None:
            for _ in range(8):
                for each in (await memory.query("entry")).results[:1]:
                    await memory.forget([(each.metadata or {})["id"]])
                    forgotten.add(str(each.content))

        async def close(memory: ChromaDBVectorMemory) -> None:
            for _ in range(8):
                await memory.close()

        forgotten: set[str] = set()
        both = (("one", first), ("two", second))
        calls = [call for name, memory in both for call in (write(memory, name), forget(memory), close(memory))]
        await asyncio.wait_for(asyncio.gather(*calls), 100)
        assert set(await found(second, "entry")) == added - forgotten


async def test_what_is_found_can_be_narrowed_and_forgotten(tmp_path: Path) -> None:
    async with in_folder(tmp_path) as memory:
        for number in range(4):
            await memory.add(text(f"lamp {number}", source=f"{number % 2}.md"))
        results = (await memory.query("lamp", where={"source": "1.md"})).results
        assert sorted(str(each.content) for each in results) == ["lamp 1", "lamp 3"]
        assert len((await memory.query("lamp", n_results=1)).results) == 1
        assert await found(memory, "lamp 2") != []
        assert [each.content for each in (await memory.query("lamp 2", score_threshold=0.99)).results] == ["lamp 2"]
        await memory.forget(where={"source": "1.md"})
        (result,) = (await memory.query("lamp 0", n_results=1)).results
        await memory.forget([(result.metadata or {})["id"]])
        assert await found(memory, "lamp") == ["lamp 2"]


PROGRAM = """
import asyncio, sys
import chromadb
from symposia.core.memory import MemoryContent
from symposia.ext.memory import chromadb as ours

class Ones(chromadb.EmbeddingFunction):
    def __init__(self):
        pass

    def __call__(self, input):
        return [[1.0, 0.0] for _ in input]

async def main():
    config = ours.PersistentChromaDBVectorMemoryConfig(
        persistence_path=sys.argv[1], embedding_function_config=ours.CustomEmbeddingFunctionConfig(function=Ones)
    )
    async with ours.ChromaDBVectorMemory(config) as memory:
        await memory.add(MemoryContent(content="A fact.", mime_type="text/plain"))
        assert len((await memory.query("fact")).results) == 1

asyncio.run(main())
"""


async def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    assert await hosts_of(PROGRAM, str(tmp_path)) == set()


async def test_the_entries_of_autogens_memory_are_found(tmp_path: Path) -> None:
    client = chromadb.PersistentClient(str(tmp_path), Settings(anonymized_telemetry=False))
    collection = client.get_or_create_collection("memory_store", embedding_function=NGrams(256))
    collection.add(documents=["old news"], metadatas=[{"mime_type": "MemoryMimeType.TEXT", "n": 1}], ids=["a"])
    async with in_folder(tmp_path) as memory:
        (result,) = (await memory.query("old news")).results
        assert (result.content, result.mime_type) == ("old news", "text/plain")
        assert (result.metadata or {}).items() >= {"id": "a", "n": 1}.items()


async def test_a_reset_has_to_be_allowed(tmp_path: Path) -> None:
    async with in_folder(tmp_path) as memory:
        with pytest.raises(InvalidArgumentError, match="allow_reset=True"):
            await memory.reset()
    async with in_folder(tmp_path / "other", allow_reset=True) as memory:
        await memory.add(text(FACTS[0]))
        await memory.reset()
        assert await found(memory, FACTS[0]) == []


async def test_a_server_that_is_gone_and_a_filter_that_is_none_are_clear_errors(tmp_path: Path) -> None:
    gone = HttpChromaDBVectorMemoryConfig(host="127.0.0.1", port=1, embedding_function_config=CUSTOM)
    with pytest.raises(MemoryStoreError, match=r"in the server 127\.0\.0\.1:1 cannot be used: .*[^.]\. Check that"):
        await ChromaDBVectorMemory(gone).query("x")
    async with in_folder(tmp_path) as memory:
        with pytest.raises(InvalidArgumentError, match="ChromaDB refused the call"):
            await memory.query("x", where={"a": {"$wrong": 1}})
    with pytest.raises(ArgumentTypeError, match="give a PersistentChromaDBVectorMemoryConfig"):
        ChromaDBVectorMemory(ChromaDBVectorMemoryConfig(client_type="http"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no processes")
async def test_a_server_that_hangs_is_left_and_used_again_when_it_answers(
    server: tuple[int, "subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symposia.ext.memory.chromadb._memory.TIMEOUT_SECONDS", 10)
    port, process = server
    async with ChromaDBVectorMemory(on_server(port)) as memory:
        await memory.add(text(FACTS[0]))
        process.send_signal(signal.SIGSTOP)
        try:
            calls = (memory.query(FACTS[0]), ChromaDBVectorMemory(on_server(port)).add(text("x")))
            results = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            process.send_signal(signal.SIGCONT)
        for result in results:
            assert isinstance(result, MemoryStoreError), result
            assert "timed out" in str(result)
        assert await found(memory, FACTS[0]) == [FACTS[0]]


async def test_a_collection_that_another_program_removed_is_empty(tmp_path: Path) -> None:
    async with in_folder(tmp_path) as memory:
        await memory.add(text(FACTS[0]))
        other: Any = chromadb.PersistentClient(str(tmp_path), Settings(anonymized_telemetry=False))
        other.delete_collection("memory_store")
        assert await found(memory, FACTS[0]) == []
        await memory.add(text("half \ud83d of a pair \0"))
        assert await found(memory, "a pair") == ["half \ud83d of a pair \0"]
        other.close()
    smaller = CustomEmbeddingFunctionConfig(function=NGrams, params={"dimensions": 64})
    async with in_folder(tmp_path, embedding_function_config=smaller) as memory:
        with pytest.raises(MemoryStoreError, match="made with the same embedding function"):
            await memory.add(text("x"))


@pytest.mark.parametrize("kind", ["persistent", "http"])
def test_json_of_autogen_is_loaded(kind: str) -> None:
    place = {"persistent": {"persistence_path": "./there"}, "http": {"host": "db", "port": 80, "headers": {"a": "b"}}}
    config = {"client_type": kind, "k": 7, "embedding_function_config": {"function_type": "default"}, **place[kind]}
    saved = {"provider": "autogen_ext.memory.chromadb.ChromaDBVectorMemory", "component_type": "memory"}
    loaded = Memory.load_component({**saved, "version": 1, "component_version": 1, "config": config})
    assert isinstance(loaded, ChromaDBVectorMemory)
    again = loaded.dump_component().config
    assert again.items() >= config.items()


def test_no_function_and_no_key_is_saved(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="JSON holds no function"):
        in_folder(tmp_path).dump_component()
    model = OpenAIEmbeddingFunctionConfig(api_key="sk-secret")
    saved = in_folder(tmp_path, embedding_function_config=model).dump_component()
    assert "secret" not in saved.model_dump_json()
    assert Memory.load_component(saved).dump_component() == saved
