"""Logging of conversations: agents, requests to models, messages, replies and calls of functions.

Nothing is collected unless a program starts it. Importing this module imports no database.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import sqlite3

    from symposia.v02.logger import base_logger
else:
    from symposia._lazy import lazy_module

    base_logger = lazy_module("symposia.v02.logger.base_logger")
    sqlite3 = lazy_module("sqlite3")

__all__ = [
    "get_connection",
    "log_chat_completion",
    "log_event",
    "log_function_use",
    "log_new_agent",
    "log_new_client",
    "log_new_wrapper",
    "logging_enabled",
    "start",
    "stop",
]

Arguments = Mapping[str, Any]  # Any: arguments of constructors and functions

_started: Final[list[base_logger.BaseLogger]] = []
"""The logger, while there is one."""


def start(
    logger: base_logger.BaseLogger | None = None,
    logger_type: Literal["sqlite", "file"] = "sqlite",
    config: Mapping[str, Any] | None = None,  # Any: of the program
) -> str:
    """Begin to log.

    Args:
        logger: A logger of the program.
        logger_type: Without one, where to: ``"sqlite"`` for a database, ``"file"`` for a file.
        config: ``dbname`` for the one, ``filename`` for the other.

    Returns:
        The id of the session, which is in the rows.

    Raises:
        InvalidArgumentError: There is no such type.
    """
    from symposia.v02.logger.logger_factory import LoggerFactory  # noqa: PLC0415 - programs without a log need no database

    stop()
    chosen = logger or LoggerFactory.get_logger(logger_type, config)
    session = chosen.start()
    _started.append(chosen)
    return session


def stop() -> None:
    """End logging. Without a logger, it does nothing."""
    while _started:
        _started.pop().stop()


def logging_enabled() -> bool:
    """Whether a logger was started."""
    return bool(_started)


def get_connection() -> sqlite3.Connection | None:
    """The database of the log, where there is one."""
    return _started[-1].get_connection() if _started else None


def log_chat_completion(
    invocation_id: uuid.UUID,
    client_id: int,
    wrapper_id: int,
    agent: object,
    request: Mapping[str, Any],  # Any: JSON
    response: object,
    is_cached: int,
    cost: float,
    start_time: str,
) -> None:
    """See `BaseLogger.log_chat_completion`."""
    for logger in _started:
        logger.log_chat_completion(
            invocation_id, client_id, wrapper_id, agent, request, response, is_cached, cost, start_time
        )


def log_new_agent(agent: object, init_args: Arguments) -> None:
    """See `BaseLogger.log_new_agent`."""
    for logger in _started:
        logger.log_new_agent(agent, init_args)


def log_event(source: object, name: str, **kwargs: object) -> None:
    """See `BaseLogger.log_event`."""
    for logger in _started:
        logger.log_event(source, name, **kwargs)


def log_function_use(agent: object, function: Callable[..., object], args: Arguments, returns: object) -> None:
    """See `BaseLogger.log_function_use`."""
    for logger in _started:
        logger.log_function_use(agent, function, args, returns)


def log_new_wrapper(wrapper: object, init_args: Arguments) -> None:
    """See `BaseLogger.log_new_wrapper`."""
    for logger in _started:
        logger.log_new_wrapper(wrapper, init_args)


def log_new_client(client: object, wrapper: object, init_args: Arguments) -> None:
    """See `BaseLogger.log_new_client`."""
    for logger in _started:
        logger.log_new_client(client, wrapper, init_args)
