"""Models of Semantic Kernel's connectors."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.models.semantic_kernel._adapter import SKChatCompletionAdapter

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["SKChatCompletionAdapter"]
