"""Tools of LangChain."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.langchain._langchain_adapter import LangChainToolAdapter

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["LangChainToolAdapter"]
