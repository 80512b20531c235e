"""Code in messages, and running it without an executor."""

from __future__ import annotations

from typing import Final

from symposia.v02._code_text import CODE_BLOCK_PATTERN, UNKNOWN, content_str, extract_code, infer_lang

__all__ = [
    "CODE_BLOCK_PATTERN",
    "DEFAULT_MODEL",
    "DEFAULT_TIMEOUT",
    "FAST_MODEL",
    "PYTHON_VARIANTS",
    "TIMEOUT_MSG",
    "UNKNOWN",
    "content_str",
    "extract_code",
    "infer_lang",
]

DEFAULT_MODEL: Final = "gpt-4"
FAST_MODEL: Final = "gpt-3.5-turbo"
DEFAULT_TIMEOUT: Final = 600
"""Seconds that code may run."""
TIMEOUT_MSG: Final = "Timeout"
PYTHON_VARIANTS: Final = ["python", "Python", "py"]
