"""The logger of a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.logger.base_logger import BaseLogger
from symposia.v02.logger.file_logger import FileLogger
from symposia.v02.logger.sqlite_logger import SqliteLogger

__all__ = ["LoggerFactory"]


class LoggerFactory:
    """Makes loggers."""

    @staticmethod
    def get_logger(
        logger_type: Literal["sqlite", "file"] = "sqlite",
        config: Mapping[str, Any] | None = None,  # Any: of the program
    ) -> BaseLogger:
        """A logger.

        Args:
            logger_type: ``"sqlite"`` for a database, ``"file"`` for lines of JSON.
            config: ``dbname``, or ``filename``.

        Raises:
            InvalidArgumentError: It is neither.
        """
        classes = {"sqlite": SqliteLogger, "file": FileLogger}
        if logger_type not in classes:
            raise InvalidArgumentError(f"Unknown logger type: {logger_type}. Use 'sqlite' or 'file'.")
        return classes[logger_type](config)
