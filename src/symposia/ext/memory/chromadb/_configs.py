"""The configuration of a `ChromaDBVectorMemory`, with AutoGen's names and defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field


class DefaultEmbeddingFunctionConfig(BaseModel):
    """ChromaDB's own model, all-MiniLM-L6-v2 on ONNX, which it downloads once."""

    function_type: Literal["default"] = "default"


class SentenceTransformerEmbeddingFunctionConfig(BaseModel):
    """A model of the library ``sentence-transformers``.

    Attributes:
        model_name: The name of the model.
    """

    function_type: Literal["sentence_transformer"] = "sentence_transformer"
    model_name: str = "all-MiniLM-L6-v2"


class OpenAIEmbeddingFunctionConfig(BaseModel):
    """A model of OpenAI.

    Attributes:
        api_key: The key, which is not saved; empty for that in the environment variable ``OPENAI_API_KEY``.
        model_name: The name of the model.
    """

    function_type: Literal["openai"] = "openai"
    api_key: str = Field(default="", exclude=True, repr=False)
    model_name: str = "text-embedding-ada-002"


class CustomEmbeddingFunctionConfig(BaseModel):
    """A function of the program, which is not saved: a memory with one is no component.

    Attributes:
        function: Called with `params`, it returns an embedding function of ChromaDB.
        params: Its keyword arguments.
    """

    function_type: Literal["custom"] = "custom"
    function: Callable[..., Any]  # Any: the library's protocol has no type without the library
    params: dict[str, Any] = Field(default_factory=dict[str, Any])


EmbeddingFunctionConfig: TypeAlias = Annotated[
    DefaultEmbeddingFunctionConfig
    | SentenceTransformerEmbeddingFunctionConfig
    | OpenAIEmbeddingFunctionConfig
    | CustomEmbeddingFunctionConfig,
    Field(discriminator="function_type"),
]


class ChromaDBVectorMemoryConfig(BaseModel):
    """What both kinds of ChromaDB have in common.

    Attributes:
        client_type: The kind.
        collection_name: The name of the collection, which is made if it does not exist.
        distance_metric: ``cosine``, ``l2`` or ``ip``; that of an existing collection stays.
        k: How many entries a query finds at most.
        score_threshold: The least score of what is found.
        allow_reset: Whether `ChromaDBVectorMemory.reset` may be called.
        tenant: The tenant.
        database: The database.
        embedding_function_config: What makes the vectors.
    """

    client_type: Literal["persistent", "http"]
    collection_name: str = "memory_store"
    distance_metric: str = "cosine"
    k: int = 3
    score_threshold: float | None = None
    allow_reset: bool = False
    tenant: str = "default_tenant"
    database: str = "default_database"
    embedding_function_config: EmbeddingFunctionConfig = Field(default_factory=DefaultEmbeddingFunctionConfig)


class PersistentChromaDBVectorMemoryConfig(ChromaDBVectorMemoryConfig):
    """ChromaDB in this process.

    Attributes:
        persistence_path: The folder.
    """

    client_type: Literal["persistent", "http"] = "persistent"
    persistence_path: str = "./chroma_db"


class HttpChromaDBVectorMemoryConfig(ChromaDBVectorMemoryConfig):
    """A ChromaDB server.

    Attributes:
        host: Its name.
        port: Its port.
        ssl: Whether the connection is encrypted.
        headers: Sent with each request. They are saved, as their keys have no fixed names.
    """

    client_type: Literal["persistent", "http"] = "http"
    host: str = "localhost"
    port: int = 8000
    ssl: bool = False
    headers: dict[str, str] | None = Field(default=None, repr=False)
