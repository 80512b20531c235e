"""A tool that searches an index of Azure AI Search."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from azure.search.documents.models import VectorizableTextQuery

    from symposia.ext.tools.azure._ai_search import (
        AzureAISearchTool,
        BaseAzureAISearchTool,
        SearchQuery,
        SearchResult,
        SearchResults,
    )
    from symposia.ext.tools.azure._config import AzureAISearchConfig
else:
    _own, __dir__ = lazy_names(
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
        },
    )

    def __getattr__(name: str) -> object:
        if name == "VectorizableTextQuery":  # the SDK's own class, which AutoGen exports too
            from symposia.ext.tools.azure._ai_search import sdk_models  # noqa: PLC0415 - an optional dependency

            return sdk_models().VectorizableTextQuery
        return _own(name)


__all__ = [
    "AzureAISearchConfig",
    "AzureAISearchTool",
    "BaseAzureAISearchTool",
    "SearchQuery",
    "SearchResult",
    "SearchResults",
    "VectorizableTextQuery",
]
