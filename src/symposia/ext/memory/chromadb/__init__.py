"""A memory in ChromaDB, in the process or of a server."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.memory.chromadb._configs import ChromaDBVectorMemoryConfig as ChromaDBVectorMemoryConfig
from symposia.ext.memory.chromadb._configs import CustomEmbeddingFunctionConfig as CustomEmbeddingFunctionConfig
from symposia.ext.memory.chromadb._configs import DefaultEmbeddingFunctionConfig as DefaultEmbeddingFunctionConfig
from symposia.ext.memory.chromadb._configs import HttpChromaDBVectorMemoryConfig as HttpChromaDBVectorMemoryConfig
from symposia.ext.memory.chromadb._configs import OpenAIEmbeddingFunctionConfig as OpenAIEmbeddingFunctionConfig
from symposia.ext.memory.chromadb._configs import (
    PersistentChromaDBVectorMemoryConfig as PersistentChromaDBVectorMemoryConfig,
)
from symposia.ext.memory.chromadb._configs import (
    SentenceTransformerEmbeddingFunctionConfig as SentenceTransformerEmbeddingFunctionConfig,
)
from symposia.ext.memory.chromadb._memory import ChromaDBVectorMemory as ChromaDBVectorMemory

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "ChromaDBVectorMemory",
    "ChromaDBVectorMemoryConfig",
    "CustomEmbeddingFunctionConfig",
    "DefaultEmbeddingFunctionConfig",
    "HttpChromaDBVectorMemoryConfig",
    "OpenAIEmbeddingFunctionConfig",
    "PersistentChromaDBVectorMemoryConfig",
    "SentenceTransformerEmbeddingFunctionConfig",
]
