"""The options of Ollama's client: as types for programs, and as models that check JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from symposia._lazy import explained_names
from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.ollama._options import BaseOllamaClientConfiguration, CreateArguments

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "BaseOllamaClientConfiguration",
    "BaseOllamaClientConfigurationConfigModel",
    "CreateArguments",
    "CreateArgumentsConfigModel",
]


class CreateArgumentsConfigModel(BaseModel, defer_build=True):
    """The arguments of every request; see `CreateArguments`. Those that are left out have Ollama's defaults."""

    model: str
    host: str | None = None
    response_format: Any = None  # Any: a schema of the vendor's JSON
    format: str | dict[str, Any] | None = None  # Any: likewise
    think: bool | str | None = None
    keep_alive: float | str | None = None


class BaseOllamaClientConfigurationConfigModel(CreateArgumentsConfigModel, defer_build=True):
    """The options of `OllamaChatCompletionClient`; see `BaseOllamaClientConfiguration`."""

    api_key: SecretStr | None = None
    follow_redirects: bool = True
    timeout: Any = None  # Any: seconds, or the HTTP client's own type
    headers: Mapping[str, str] | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    options: Mapping[str, Any] | None = None  # Any: each option is of its own type
