"""A log in a file, with a line of JSON for each event."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping
from io import TextIOBase
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from symposia.v02.logger.base_logger import BaseLogger
from symposia.v02.logger.logger_utils import as_logged, get_current_ts
from symposia.v02.logger.sqlite_logger import name_of

__all__ = ["FileLogger"]

FOLDER: Final = "autogen_logs"


class FileLogger(BaseLogger):
    """Appends lines to a file in the folder ``autogen_logs``.

    Args:
        config: ``filename``; by default ``runtime.log``.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:  # Any: of the program
        self.config = dict(config or {})
        self.session_id = str(uuid.uuid4())
        self.log_file = str(Path(FOLDER, self.config.get("filename", "runtime.log")))
        self._lock = threading.Lock()
        self._file: TextIOBase | None = None

    @override
    def start(self) -> str:
        Path(self.log_file).parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._file = Path(self.log_file).open("a", encoding="utf-8")  # noqa: SIM115 - closed by `stop`
            self._file.write(f"Started new session with Session ID: {self.session_id}\n")
        return self.session_id

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
        self._write(
            invocation_id=str(invocation_id),
            client_id=client_id,
            wrapper_id=wrapper_id,
            source_name=name_of(source),
            request=request,
            response=response,
            is_cached=is_cached,
            cost=cost,
            start_time=start_time,
            end_time=get_current_ts(),
        )

    @override
    def log_new_agent(self, agent: object, init_args: Mapping[str, Any]) -> None:
        client = getattr(agent, "client", None)
        self._write(
            id=id(agent),
            agent_name=name_of(agent),
            wrapper_id="" if client is None else id(client),
            session_id=self.session_id,
            agent_type=type(agent).__name__,
            args=init_args,
            current_time=get_current_ts(),
        )

    @override
    def log_event(self, source: object, name: str, **kwargs: object) -> None:
        is_agent = not isinstance(source, str)
        self._write(
            source_id=id(source),
            source_name=name_of(source),
            event_name=name,
            agent_module=type(source).__module__ if is_agent else None,
            agent_class=type(source).__name__ if is_agent else None,
            json_state=kwargs,
        )

    @override
    def log_new_wrapper(self, wrapper: object, init_args: Mapping[str, Any]) -> None:
        self._write(wrapper_id=id(wrapper), session_id=self.session_id, json_state=init_args)

    @override
    def log_new_client(self, client: object, wrapper: object, init_args: Mapping[str, Any]) -> None:
        self._write(
            client_id=id(client),
            wrapper_id=id(wrapper),
            session_id=self.session_id,
            json_state=init_args,
            **{"class": type(client).__name__},
        )

    @override
    def log_function_use(
        self, source: object, function: Callable[..., object], args: Mapping[str, Any], returns: object
    ) -> None:
        self._write(
            source_id=id(source),
            source_name=name_of(source),
            function_name=getattr(function, "__name__", repr(function)),
            input_args=args,
            returns=returns,
        )

    def _write(self, **values: object) -> None:
        moment = {"timestamp": get_current_ts(), "thread_id": threading.get_ident()}
        line = json.dumps({**as_logged(values), **moment})
        with self._lock:
            if self._file is not None:
                self._file.write(f"{line}\n")
                self._file.flush()

    @override
    def stop(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    @override
    def get_connection(self) -> sqlite3.Connection | None:
        return None
