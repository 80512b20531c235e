"""Documents for agents: folders of text, Markdown, HTML, PDF and Office files as passages with their sources.

::

    memory = SQLiteMemory("handbook.db")
    await add_documents(memory, "handbook")
    agent = AssistantAgent("clerk", model_client, memory=[memory])

The extra ``documents`` reads HTML, PDF and Office files, by ``markitdown``, and has what `SQLiteMemory` needs. Text and
Markdown need nothing.
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.documents._conversion import DocumentConverter, DocumentError
from symposia.ext.documents._loading import DocumentLimits, LoadedDocuments, add_documents, load_documents
from symposia.ext.documents._passages import Passage, split_into_passages

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "DocumentConverter",
    "DocumentError",
    "DocumentLimits",
    "LoadedDocuments",
    "Passage",
    "add_documents",
    "load_documents",
    "split_into_passages",
]
