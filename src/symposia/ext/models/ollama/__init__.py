"""Models that an Ollama server runs."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.ollama._client import CATALOG, OllamaChatCompletionClient
from symposia.ext.models.ollama._options import BaseOllamaClientConfiguration, CreateArguments
from symposia.ext.models.ollama.config import BaseOllamaClientConfigurationConfigModel, CreateArgumentsConfigModel

VENDOR: Final = ModelVendor(
    name="ollama",
    title="Ollama",
    models=r"(?!)",  # none: the names of its models are those of their makers
    default_model="qwen3",
    make=OllamaChatCompletionClient,
    key=None,
    address_variable="OLLAMA_HOST",
    sdk="ollama",
    extra="ollama",
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "VENDOR",
    "BaseOllamaClientConfiguration",
    "BaseOllamaClientConfigurationConfigModel",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "OllamaChatCompletionClient",
]
