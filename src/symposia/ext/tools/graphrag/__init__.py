"""Tools that search an index of GraphRAG."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.graphrag._config import (
    GlobalContextConfig,
    GlobalDataConfig,
    LocalContextConfig,
    LocalDataConfig,
    MapReduceConfig,
    SearchConfig,
)
from symposia.ext.tools.graphrag._global_search import GlobalSearchTool, GlobalSearchToolArgs, GlobalSearchToolReturn
from symposia.ext.tools.graphrag._local_search import LocalSearchTool, LocalSearchToolArgs, LocalSearchToolReturn

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "GlobalContextConfig",
    "GlobalDataConfig",
    "GlobalSearchTool",
    "GlobalSearchToolArgs",
    "GlobalSearchToolReturn",
    "LocalContextConfig",
    "LocalDataConfig",
    "LocalSearchTool",
    "LocalSearchToolArgs",
    "LocalSearchToolReturn",
    "MapReduceConfig",
    "SearchConfig",
]
