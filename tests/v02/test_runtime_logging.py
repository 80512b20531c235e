"""What is logged of conversations, in a database and in a file, and nothing of it without a start."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.interpreter import printed

from symposia.testing.model_server import Failure, MockModelServer, Reply, ToolCall
from symposia.v02 import AssistantAgent, OpenAIWrapper, UserProxyAgent, register_function, runtime_logging
from symposia.v02.logger.logger_factory import LoggerFactory
from symposia.v02.logger.logger_utils import to_dict
from symposia.v02.logger.sqlite_logger import SqliteLogger

SECRET = "sk-secret"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    runtime_logging.stop()


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


def config(server: MockModelServer) -> dict[str, Any]:  # Any: JSON
    entry = {"model": "gpt-4o", "api_key": SECRET, "base_url": server.openai_url, "max_retries": 0}
    return {"config_list": [entry], "cache_seed": None}


def converse(server: MockModelServer) -> None:
    """A model calls a function, and is told its result."""
    server.script(Reply(tool_calls=(ToolCall(id="1", name="add", arguments='{"x": 1}'),)), Reply(text="TERMINATE"))
    bot = AssistantAgent("bot", llm_config=config(server))
    user = UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False)

    def add(x: int) -> int:
        return x + 1

    register_function(add, caller=bot, executor=user, description="Adds one.")
    user.initiate_chat(bot, message="hi", silent=True)


def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:  # Any: of any column
    with closing(sqlite3.connect("logs.db")) as database:
        return database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()


def test_a_conversation_is_logged_in_the_tables_of_autogen(server: MockModelServer) -> None:
    session = runtime_logging.start(config={"dbname": "logs.db"})
    assert runtime_logging.logging_enabled()
    converse(server)
    runtime_logging.stop()
    assert not runtime_logging.logging_enabled()
    assert set(rows("agents", "session_id", "name", "class")) == {
        (session, "bot", "AssistantAgent"),
        (session, "user", "UserProxyAgent"),
    }
    asked = rows("chat_completions", "source_name", "is_cached", "cost > 0", "json_extract(request, '$.model')")
    assert asked == [("bot", 0, 1, "gpt-4o")] * 2
    assert rows("function_calls", "source_name", "function_name", "args", "returns") == [
        ("user", "add", '{"x": 1}', '"2"')
    ]
    received = rows("events", "source_name", "json_extract(json_state, '$.sender')", "event_name")
    assert [row[:2] for row in received if row[2] == "received_message"] == [
        ("bot", "user"),
        ("user", "bot"),
        ("bot", "user"),
        ("user", "bot"),
    ]
    assert ("generate_oai_reply", 1) in rows(
        "events", "json_extract(json_state, '$.reply_func_name')", "json_extract(json_state, '$.final')"
    )
    assert len(rows("oai_wrappers", "id")) == len(rows("oai_clients", "id")) == 2  # a tool makes another one
    assert rows("version", "version_number") == [(1,)]


def test_no_key_is_in_a_log(server: MockModelServer, folder: Path) -> None:
    runtime_logging.start()
    converse(server)
    runtime_logging.start(logger_type="file")
    converse(server)
    runtime_logging.stop()
    assert SECRET.encode() not in (folder / "logs.db").read_bytes()
    assert SECRET not in (folder / "autogen_logs" / "runtime.log").read_text()


@pytest.mark.parametrize(
    "given",
    [
        {"extra_headers": {"X-Mine": SECRET}},
        {"extra_query": {"key": SECRET}},
        {"default_headers": {"X-Mine": SECRET}},
        {"default_query": {"key": SECRET}},
        {"webhook_secret": SECRET},
        {"organization": SECRET},
    ],
    ids=lambda given: next(iter(given)),
)
def test_no_secret_of_a_configuration_is_in_a_log_or_in_the_key_of_a_cache(
    server: MockModelServer, folder: Path, given: dict[str, Any]
) -> None:
    server.script(Reply(text="a"), Reply(text="b"))
    for kind in ("sqlite", "file"):
        runtime_logging.start(logger_type=kind)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - both are kinds
        agent = AssistantAgent("bot", llm_config={**config(server), **given, "cache_seed": kind})
        agent.generate_reply([{"role": "user", "content": "hi"}])
    runtime_logging.stop()
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {"logs.db", "runtime.log", "cache.db"} <= {path.name for path in written}
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_what_has_the_name_of_a_secret_is_not_logged_wherever_it_is(folder: Path) -> None:
    class Vault:
        def __init__(self) -> None:
            self._api_key = SECRET

    runtime_logging.start()
    with httpx.Client(headers={"Authorization": SECRET}) as http_client:
        runtime_logging.log_event(
            "somebody",
            "asked",
            http_client=http_client,
            within=[{"AUTHORIZATION": SECRET, "Api-Key": SECRET, "credentials": SECRET, "client_host": SECRET}],
            headers=http_client.headers,
            vault=Vault(),
            location="here",
        )
    runtime_logging.stop()
    assert SECRET.encode() not in (folder / "logs.db").read_bytes()
    assert rows("events", "json_extract(json_state, '$.location')") == [("here",)]


def test_a_file_has_a_line_for_each_event(server: MockModelServer, folder: Path) -> None:
    session = runtime_logging.start(logger_type="file", config={"filename": "mine.log"})
    assert runtime_logging.get_connection() is None
    converse(server)
    runtime_logging.stop()
    first, *lines = (folder / "autogen_logs" / "mine.log").read_text().splitlines()
    assert first == f"Started new session with Session ID: {session}"
    events = [json.loads(line) for line in lines]
    agents = [event for event in events if "agent_name" in event]
    assert {event["agent_name"] for event in agents} == {"bot", "user"}
    assert all(event["current_time"] for event in agents)
    assert sum("invocation_id" in event for event in events) == 2


def test_an_error_of_a_model_is_logged_as_its_answer(server: MockModelServer) -> None:
    server.script(Failure(status=400, message="no"))
    runtime_logging.start()
    wrapper = OpenAIWrapper(**config(server))
    with pytest.raises(Exception, match="no"):
        wrapper.create(messages=[{"role": "user", "content": "hi"}])
    runtime_logging.stop()
    [(response,)] = rows("chat_completions", "response")
    assert "no" in json.loads(response)


def test_a_logger_of_the_program_is_used() -> None:
    logger = SqliteLogger({"dbname": "mine.db"})
    runtime_logging.start(logger=logger)
    connection = runtime_logging.get_connection()
    assert connection is logger.get_connection()
    assert connection is not None
    runtime_logging.log_event("somebody", "waved", at="you")
    assert connection.execute("SELECT source_name, event_name, json_state FROM events").fetchall() == [
        ("somebody", "waved", '{"at": "you"}')
    ]


def test_without_a_start_nothing_is_logged_and_no_database_imported(folder: Path) -> None:
    runtime_logging.log_event("somebody", "waved")
    runtime_logging.stop()
    assert not list(folder.iterdir())
    program = "import sys; from symposia.v02 import ConversableAgent; print(*sys.modules)"
    assert "sqlite3" not in printed(program).split()


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Unknown logger type: other\. Use 'sqlite' or 'file'"):
        LoggerFactory.get_logger("other")  # pyright: ignore[reportArgumentType] - what the test is about


def test_an_object_that_refers_to_itself_has_an_end_as_json() -> None:
    class Node:
        def __init__(self) -> None:
            self.name, self.me, self.values = "a", self, [1, {"key": None}]

    node = Node()
    assert to_dict(node) == {"name": "a", "me": repr(node), "values": [1, {"key": None}]}
    assert to_dict({"a": 1, "b": {"a": 2}}, exclude=("a",)) == {"b": {}}
