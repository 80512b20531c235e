"""The configuration of the tool, and the combinations of fields that cannot work."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

API_VERSION: Final = "2023-10-01-preview"
"""AutoGen's default. Any later version of the service's API may be given."""
QueryType = Literal["simple", "full", "semantic", "vector"]
_OTHER_NAMES: Final = {"fulltext": "full"}


class AzureAISearchConfig(BaseModel, defer_build=True):
    """What is searched, and how.

    Attributes:
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        endpoint: The address of the search service.
        index_name: The index.
        credential: A key or a token credential of Azure's SDK, or ``{"api_key": "…"}``.
        api_version: The version of the service's API.
        query_type: ``simple``, ``full`` (Lucene's syntax), ``semantic`` or ``vector``.
        search_fields: The fields that are searched as text; all searchable ones by default.
        select_fields: The fields of the results; all retrievable ones by default.
        vector_fields: The fields that are searched by the vector of the query.
        top: How many results are wanted.
        filter: An OData expression that all results fulfil.
        semantic_config_name: The semantic configuration of the index, for ``semantic``.
        enable_caching: Whether the results of a query are kept.
        cache_ttl_seconds: For how long.
        embedding_provider: ``azure_openai`` or ``openai``, which makes the vector of a query, or the index if None.
        embedding_model: Its model, or the deployment of it.
        openai_api_key: Its key; by default that of the environment.
        openai_api_version: The version of Azure OpenAI's API.
        openai_endpoint: The address of Azure OpenAI.
    """

    name: str
    description: str | None = None
    endpoint: str
    index_name: str
    credential: Any  # Any: of an optional dependency, or a dictionary
    api_version: str = API_VERSION
    query_type: QueryType = "simple"
    search_fields: list[str] | None = None
    select_fields: list[str] | None = None
    vector_fields: list[str] | None = None
    top: int | None = None
    filter: str | None = None
    semantic_config_name: str | None = None
    enable_caching: bool = False
    cache_ttl_seconds: int = Field(default=300, ge=0)
    embedding_provider: str | None = None
    embedding_model: str | None = None
    openai_api_key: str | None = None
    openai_api_version: str | None = None
    openai_endpoint: str | None = None

    @field_validator("endpoint")
    @classmethod
    def validate_endpoint(cls, v: str) -> str:
        """Check that it is an address."""
        if not v.startswith(("http://", "https://")):
            raise ValueError("endpoint must be a valid URL starting with http:// or https://")
        return v

    @field_validator("query_type", mode="before")
    @classmethod
    def normalize_query_type(cls, v: object) -> object:
        """Take ``fulltext`` for ``full``."""
        return _OTHER_NAMES.get(v, v) if isinstance(v, str) else v

    @field_validator("top")
    @classmethod
    def validate_top(cls, v: int | None) -> int | None:
        """Check that it is positive."""
        if v is not None and v <= 0:
            raise ValueError("top must be a positive integer")
        return v

    @model_validator(mode="after")
    def validate_interdependent_fields(self) -> Self:
        """Check the fields that need others."""
        if self.query_type == "semantic" and not self.semantic_config_name:
            raise ValueError("semantic_config_name must be provided when query_type is 'semantic'")
        if self.query_type == "vector" and not self.vector_fields:
            raise ValueError("vector_fields must be provided for vector search")
        if self.embedding_provider not in {None, "azure_openai", "openai"}:
            raise ValueError("embedding_provider must be 'azure_openai' or 'openai'")
        if self.embedding_provider and not self.embedding_model:
            raise ValueError("embedding_model must be provided with an embedding_provider")
        if self.embedding_provider == "azure_openai" and not self.openai_endpoint:
            raise ValueError("openai_endpoint must be provided for azure_openai")
        return self
