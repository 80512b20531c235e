"""The memory by mem0: the real library, on a model and an embedder that a scripted server on loopback plays."""

import ast
import asyncio
import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.memory_contract import FACTS, MemoryContract, found, text
from tests.support.outgoing_connections import hosts_of
from typing_extensions import override

from symposia.core.exceptions import ComponentError, InvalidArgumentError, MemoryStoreError
from symposia.core.memory import Memory
from symposia.ext.memory.embedders import HashingEmbedder
from symposia.ext.memory.mem0 import Mem0Memory

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's own, when it is imported


class Vendor(BaseHTTPRequestHandler):
    """Embeddings, and a model to which each text is one fact, which is new."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = self.embeddings(body["input"]) if self.path.endswith("/embeddings") else self.answer(body["messages"])
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def embeddings(self, texts: list[str]) -> dict[str, Any]:
        vectors = HashingEmbedder().hash_texts(texts)
        data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
        return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}

    def answer(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        given = messages[-1]["content"]
        if "## New Messages" in given:  # from version 2.0 on
            fact = given.partition("## New Messages\nuser: ")[2].partition("\n\n## ")[0].strip()
            said: dict[str, Any] = {"memory": [{"id": "0", "text": fact}]}
        elif given.startswith("Input:"):
            said = {"facts": [given.partition("user: ")[2].strip()]}
        else:
            facts: list[str] = ast.literal_eval(re.findall(r"^\s*(\[['\"].*\])\s*$", given, re.MULTILINE)[-1])
            said = {"memory": [{"id": str(i), "text": fact, "event": "ADD"} for i, fact in enumerate(facts, 90)]}
        message = {"role": "assistant", "content": json.dumps(said)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("MEM0_DIR", str(tmp_path / "mem0"))
    model = {"api_key": "sk-secret", "model": "m", "openai_base_url": vendor}
    return {
        "history_db_path": str(tmp_path / "history.db"),
        "llm": {"provider": "openai", "config": model},
        "embedder": {"provider": "openai", "config": {**model, "embedding_dims": 512}},
        "vector_store": {"provider": "chroma", "config": {"collection_name": "facts", "path": str(tmp_path / "db")}},
    }


class TestMem0Memory(MemoryContract):
    @pytest.fixture(autouse=True)
    def store(self, config: dict[str, Any]) -> None:
        self.config = config

    def open_memory(self) -> Mem0Memory:
        return Mem0Memory("ann", is_cloud=False, config=self.config)

    @override
    async def test_contents_come_back_as_they_were(self) -> None:
        memory = self.open_memory()
        await memory.add(text(FACTS[0], source="a.md"))
        (result,) = (await memory.query("Trieste")).results
        assert (result.content, result.mime_type) == (FACTS[0], "text/plain")  # of facts, the text and the metadata
        assert {"source", "id", "score"} <= (result.metadata or {}).keys()
        await memory.forget([(result.metadata or {})["id"]])
        assert await found(memory, "Trieste") == []
        await memory.close()


PROGRAM = """
import asyncio, json, threading
from symposia.core.memory import MemoryContent
from symposia.ext.memory.mem0 import Mem0Memory

async def main():
    async with Mem0Memory("ann", is_cloud=False, config=json.loads(sys.argv[1])) as memory:
        await memory.add(MemoryContent(content="A fact.", mime_type="text/plain"))
        before = threading.active_count()
        for _ in range(12):
            await memory.query("fact")
        allowed = sys.argv[2] == "True"  # versions before 2.0 start a thread for each call then
        assert allowed or threading.active_count() - before < 12, threading.enumerate()

asyncio.run(main())
"""


@pytest.mark.parametrize("allowed", [False, True])
async def test_telemetry_leaves_the_machine_only_where_it_is_allowed(config: dict[str, Any], allowed: bool) -> None:
    env = {name: value for name, value in os.environ.items() if name != "MEM0_TELEMETRY"}
    env |= {"MEM0_TELEMETRY": "True"} if allowed else {}
    hosts = await hosts_of(PROGRAM, json.dumps(config), str(allowed), env=env)
    assert ("us.i.posthog.com" in hosts) if allowed else not hosts


async def test_users_do_not_find_what_others_said(config: dict[str, Any]) -> None:
    async with (
        Mem0Memory("ann", is_cloud=False, config=config) as ann,
        Mem0Memory(is_cloud=False, config=config) as bob,
    ):
        await ann.add(text(FACTS[0]))
        assert await found(bob, FACTS[0]) == []
        await bob.clear()
        assert await found(ann, FACTS[0]) == [FACTS[0]]


def test_no_key_is_saved_and_one_that_is_missing_is_asked_for(config: dict[str, Any]) -> None:
    saved = Mem0Memory("ann", 3, is_cloud=False, config=config).dump_component()
    assert "secret" not in saved.model_dump_json()
    with pytest.raises(ComponentError, match="keys of a Mem0Memory are not saved"):
        Memory.load_component(saved)
    cloud = Mem0Memory("ann", api_key="m0-secret").dump_component()
    assert "secret" not in cloud.model_dump_json()
    loaded = Memory.load_component({**cloud.model_dump(), "provider": "autogen_ext.memory.mem0.Mem0Memory"})
    assert isinstance(loaded, Mem0Memory)
    assert (loaded.user_id, loaded.limit, loaded.is_cloud, loaded.config) == ("ann", 10, True, None)


async def test_a_model_that_is_gone_is_one_clear_error(config: dict[str, Any]) -> None:
    for part in ("llm", "embedder"):
        config[part]["config"]["openai_base_url"] = "http://127.0.0.1:1/v1"
    with pytest.raises(MemoryStoreError, match="mem0 failed for the user 'ann'"):
        await Mem0Memory("ann", is_cloud=False, config=config).query("x")
    with pytest.raises(InvalidArgumentError, match="needs its configuration"):
        Mem0Memory(is_cloud=False)


async def test_a_limit_below_1_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="limit of a query of Mem0Memory is 0"):
        Mem0Memory("ann", 0, is_cloud=False, config=config)
    with pytest.raises(InvalidArgumentError, match="limit of a query of Mem0Memory is 0"):
        await Mem0Memory("ann", is_cloud=False, config=config).query("x", limit=0)


async def test_a_memory_is_closed_between_calls_and_not_in_one(config: dict[str, Any]) -> None:
    memory = Mem0Memory("ann", is_cloud=False, config=config)
    await memory.add(text(FACTS[0]))
    await asyncio.gather(*(memory.add(text(fact)) for fact in FACTS[1:]), memory.close())
    assert await found(memory, FACTS[1]) != []
    await memory.close()
