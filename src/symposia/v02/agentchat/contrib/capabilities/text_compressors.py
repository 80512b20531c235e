"""Compressors of texts: a class of the program, or the library LLMLingua."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol

__all__ = ["LLMLingua", "TextCompressor"]

DEFAULTS: Final[Mapping[str, Any]] = {  # Any: of the library
    "model_name": "microsoft/llmlingua-2-bert-base-multilingual-cased-meetingbank",
    "use_llmlingua2": True,
    "device_map": "cpu",
}


class TextCompressor(Protocol):
    """Compresses a text."""

    def compress_text(self, text: str, **compression_params: Any) -> dict[str, Any]:  # Any: of the compressor
        """The text under ``compressed_prompt``, with ``origin_tokens`` and ``compressed_tokens``."""
        ...


class LLMLingua:
    """The library ``llmlingua``, which Symposia does not install.

    Args:
        prompt_compressor_kwargs: Arguments of its ``PromptCompressor``.
        structured_compression: Whether texts have its marks of structure.

    Raises:
        ImportError: It is not installed.
    """

    def __init__(
        self,
        prompt_compressor_kwargs: Mapping[str, Any] = DEFAULTS,  # Any: of the library
        structured_compression: bool = False,
    ) -> None:
        try:
            llmlingua: Any = import_module("llmlingua")  # Any: it is not among the dependencies
        except ImportError as error:
            raise ImportError("LLMLingua needs the library: pip install llmlingua") from error
        compressor = llmlingua.PromptCompressor(**prompt_compressor_kwargs)
        self._compress = compressor.structured_compress_prompt if structured_compression else compressor.compress_prompt

    def compress_text(self, text: str, **compression_params: Any) -> dict[str, Any]:  # Any: of the library
        """See `TextCompressor.compress_text`."""
        return self._compress([text], **compression_params)
