"""A log in a database of SQLite, in the tables of AutoGen 0.2."""

from __future__ import annotations

import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from typing_extensions import override

from symposia.v02.logger.base_logger import BaseLogger
from symposia.v02.logger.logger_utils import get_current_ts, text_of

__all__ = ["SqliteLogger"]

_logger = logging.getLogger(__name__)

TABLES: Final = """
CREATE TABLE IF NOT EXISTS chat_completions (
    id INTEGER PRIMARY KEY, invocation_id TEXT, client_id INTEGER, wrapper_id INTEGER, session_id TEXT,
    source_name TEXT, request TEXT, response TEXT, is_cached INTEGER, cost REAL,
    start_time DATETIME DEFAULT CURRENT_TIMESTAMP, end_time DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS agents (
    id INTEGER PRIMARY KEY, agent_id INTEGER, wrapper_id INTEGER, session_id TEXT, name TEXT, class TEXT,
    init_args TEXT, timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (agent_id, session_id)
);
CREATE TABLE IF NOT EXISTS oai_wrappers (
    id INTEGER PRIMARY KEY, wrapper_id INTEGER, session_id TEXT, init_args TEXT,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (wrapper_id, session_id)
);
CREATE TABLE IF NOT EXISTS oai_clients (
    id INTEGER PRIMARY KEY, client_id INTEGER, wrapper_id INTEGER, session_id TEXT, class TEXT, init_args TEXT,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (client_id, session_id)
);
CREATE TABLE IF NOT EXISTS version (id INTEGER PRIMARY KEY CHECK (id = 1), version_number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    event_name TEXT, source_id INTEGER, source_name TEXT, agent_module TEXT DEFAULT NULL,
    agent_class_name TEXT DEFAULT NULL, id INTEGER PRIMARY KEY, json_state TEXT,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS function_calls (
    source_id INTEGER, source_name TEXT, function_name TEXT, args TEXT DEFAULT NULL, returns TEXT DEFAULT NULL,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP
);
INSERT OR IGNORE INTO version (id, version_number) VALUES (1, 1);
"""


class SqliteLogger(BaseLogger):
    """Writes rows into a database. An error of the database is logged, and ends no conversation.

    Args:
        config: ``dbname``, the path of the file; by default ``logs.db``.
    """

    schema_version = 1

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:  # Any: of the program
        self._path: str = (config or {}).get("dbname", "logs.db")
        self._session = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @override
    def start(self) -> str:
        with self._lock:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.executescript(TABLES)
        return self._session

    @override
    def log_chat_completion(
        self,
        invocation_id: uuid.UUID,
        client_id: int,
        wrapper_id: int,
        source: object,
        request: Mapping[str, Any],
        response: object,
        is_cached: int,
        cost: float,
        start_time: str,
    ) -> None:
        self._insert(
            "chat_completions",
            invocation_id=str(invocation_id),
            client_id=client_id,
            wrapper_id=wrapper_id,
            session_id=self._session,
            source_name=name_of(source),
            request=text_of(request),
            response=text_of(response),
            is_cached=is_cached,
            cost=cost,
            start_time=start_time,
            end_time=get_current_ts(),
        )

    @override
    def log_new_agent(self, agent: object, init_args: Mapping[str, Any]) -> None:
        client = getattr(agent, "client", None)
        self._insert(
            "agents",
            agent_id=id(agent),
            wrapper_id="" if client is None else id(client),
            session_id=self._session,
            name=name_of(agent),
            **{"class": type(agent).__name__},
            init_args=text_of(init_args),
            timestamp=get_current_ts(),
        )

    @override
    def log_event(self, source: object, name: str, **kwargs: object) -> None:
        is_agent = not isinstance(source, str)
        self._insert(
            "events",
            event_name=name,
            source_id=id(source),
            source_name=name_of(source),
            agent_module=type(source).__module__ if is_agent else None,
            agent_class_name=type(source).__name__ if is_agent else None,
            json_state=text_of(kwargs),
            timestamp=get_current_ts(),
        )

    @override
    def log_new_wrapper(self, wrapper: object, init_args: Mapping[str, Any]) -> None:
        self._insert(
            "oai_wrappers",
            wrapper_id=id(wrapper),
            session_id=self._session,
            init_args=text_of(init_args),
            timestamp=get_current_ts(),
        )

    @override
    def log_new_client(self, client: object, wrapper: object, init_args: Mapping[str, Any]) -> None:
        self._insert(
            "oai_clients",
            client_id=id(client),
            wrapper_id=id(wrapper),
            session_id=self._session,
            **{"class": type(client).__name__},
            init_args=text_of(init_args),
            timestamp=get_current_ts(),
        )

    @override
    def log_function_use(
        self, source: object, function: Callable[..., object], args: Mapping[str, Any], returns: object
    ) -> None:
        self._insert(
            "function_calls",
            source_id=id(source),
            source_name=name_of(source),
            function_name=getattr(function, "__name__", repr(function)),
            args=text_of(args),
            returns=text_of(returns),
            timestamp=get_current_ts(),
        )

    def _insert(self, table: str, **values: object) -> None:
        marks = ", ".join("?" * len(values))
        query = f"INSERT OR REPLACE INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - names of this module
        with self._lock:
            if self._connection is None:
                return
            try:
                with self._connection:
                    self._connection.execute(query, list(values.values()))
            except sqlite3.Error:
                _logger.exception("An event could not be logged in %s.", self._path)

    @override
    def stop(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @override
    def get_connection(self) -> sqlite3.Connection | None:
        return self._connection


def name_of(source: object) -> str:
    """The name of an agent, or the text that stands for one."""
    return source if isinstance(source, str) else str(getattr(source, "name", "") or "")
