"""Results of queries, and a logger in colours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from symposia.v02.agentchat.contrib.vectordb.base import Document, QueryResults
from symposia.v02.formatting_utils import colored

__all__ = ["ColoredLogger", "chroma_results_to_query_results", "filter_results_by_distance", "get_logger"]


class ColoredLogger(logging.Logger):
    """A logger whose methods take a ``color``."""

    @override
    def debug(self, msg: object, *args: object, color: str | None = None, **kwargs: Any) -> None:  # Any: of logging
        super().debug(colored(msg, color), *args, **kwargs)

    @override
    def info(self, msg: object, *args: object, color: str | None = None, **kwargs: Any) -> None:
        super().info(colored(msg, color), *args, **kwargs)

    @override
    def warning(self, msg: object, *args: object, color: str | None = "yellow", **kwargs: Any) -> None:
        super().warning(colored(msg, color), *args, **kwargs)

    @override
    def error(self, msg: object, *args: object, color: str | None = "light_red", **kwargs: Any) -> None:
        super().error(colored(msg, color), *args, **kwargs)

    @override
    def critical(self, msg: object, *args: object, color: str | None = "red", **kwargs: Any) -> None:
        super().critical(colored(msg, color), *args, **kwargs)


def get_logger(name: str, level: int = logging.INFO) -> ColoredLogger:
    """A logger of its own, which writes to standard error."""
    logger = ColoredLogger(name, level)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    logger.addHandler(handler)
    return logger


def filter_results_by_distance(results: QueryResults, distance_threshold: float = -1) -> QueryResults:
    """The results whose distance is below a threshold; all, if that is below 0."""
    if distance_threshold < 0:
        return results
    return [[(doc, distance) for doc, distance in each if distance < distance_threshold] for each in results]


def chroma_results_to_query_results(
    data_dict: Mapping[str, list[list[Any]] | None],  # Any: of ChromaDB
    special_key: str = "distances",
) -> QueryResults:
    """The answer of a query of ChromaDB as results.

    Args:
        data_dict: For each name a list for each query, or None: ``ids``, ``documents``, ``metadatas``, ``embeddings``,
            and the distances.
        special_key: The name of the distances.
    """
    names = {"ids": "id", "documents": "content", "contents": "content"}
    fields = {
        names.get(name, name.removesuffix("s")): lists
        for name, lists in data_dict.items()
        if name != special_key and lists and not isinstance(lists[0], str)  # which the names of what is included are
    }
    distances = data_dict[special_key] or []
    return [
        [
            (_document({name: lists[query][number] for name, lists in fields.items()}), distance)
            for number, distance in enumerate(each)
        ]
        for query, each in enumerate(distances)
    ]


def _document(fields: dict[str, Any]) -> Document:  # Any: as above
    return {"id": "", "content": "", **fields}  # type: ignore[return-value,typeddict-item] # of the answer's keys
