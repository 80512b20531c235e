"""Models that llama.cpp runs in this process, from files in the GGUF format."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.llama_cpp._client import LlamaCppChatCompletionClient
from symposia.ext.models.llama_cpp._options import LlamaCppParams

VENDOR: Final = ModelVendor(
    name="llama-cpp",
    title="llama.cpp",
    models=r".+\.gguf$",
    default_model=None,
    make=LlamaCppChatCompletionClient,
    key=None,
    sdk="llama_cpp",
    extra="llama-cpp",
    named_by=("model_path",),
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["VENDOR", "LlamaCppChatCompletionClient", "LlamaCppParams"]
