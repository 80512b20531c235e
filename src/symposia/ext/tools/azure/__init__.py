"""A tool that searches an index of Azure AI Search."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.tools.azure._ai_search import (
        AzureAISearchTool,
        BaseAzureAISearchTool,
        SearchQuery,
        SearchResult,
        SearchResults,
    )
    from symposia.ext.tools.azure._config import AzureAISearchConfig
    from symposia.ext.tools.azure._sdk import VectorizableTextQuery
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_ai_search": [
                "AzureAISearchTool",
                "BaseAzureAISearchTool",
                "SearchQuery",
                "SearchResult",
                "SearchResults",
            ],
            "_config": ["AzureAISearchConfig"],
            "_sdk": ["VectorizableTextQuery"],
        },
    )

__all__ = [
    "AzureAISearchConfig",
    "AzureAISearchTool",
    "BaseAzureAISearchTool",
    "SearchQuery",
    "SearchResult",
    "SearchResults",
    "VectorizableTextQuery",
]
