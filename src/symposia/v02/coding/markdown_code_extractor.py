"""Finds the fenced code blocks of Markdown."""

from __future__ import annotations

import re

from symposia.v02._code_text import CODE_BLOCK_PATTERN, UNKNOWN, content_str, infer_lang
from symposia.v02.coding.base import CodeBlock, CodeExtractor, MessageContent

__all__ = ["MarkdownCodeExtractor"]


class MarkdownCodeExtractor(CodeExtractor):
    """Finds fenced code blocks. The language of one without a label is inferred, and empty where it cannot be."""

    def extract_code_blocks(self, message: MessageContent) -> list[CodeBlock]:
        """The code blocks of a message's content, in order."""
        found = re.findall(CODE_BLOCK_PATTERN, content_str(message), flags=re.DOTALL)
        return [CodeBlock(code=code, language=language or _inferred(code)) for language, code in found]


def _inferred(code: str) -> str:
    language = infer_lang(code)
    return "" if language == UNKNOWN else language
