"""Where the events of conversations are logged: a database of SQLite, a file, or a class of the program."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.logger.file_logger import FileLogger
    from symposia.v02.logger.logger_factory import LoggerFactory
    from symposia.v02.logger.sqlite_logger import SqliteLogger
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "file_logger": ["FileLogger"],
            "logger_factory": ["LoggerFactory"],
            "sqlite_logger": ["SqliteLogger"],
        },
    )

__all__ = ["FileLogger", "LoggerFactory", "SqliteLogger"]
