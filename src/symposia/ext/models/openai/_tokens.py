"""Counting tokens by OpenAI's tokenizers, where they are on this machine: `tiktoken` with the files that it reads."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, estimate_tokens
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models.openai._request import MessageWriter

if TYPE_CHECKING:
    import tiktoken
else:
    tiktoken = lazy_module("tiktoken")

_ADDRESS: Final = "https://openaipublic.blob.core.windows.net/encodings/"
FILES: Final[Mapping[str, tuple[str, str]]] = {
    "cl100k_base": (
        f"{_ADDRESS}cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        f"{_ADDRESS}o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}
"""The file of each encoding, and its SHA-256, as in tiktoken's module `tiktoken_ext.openai_public` (0.14)."""

EXACT_MODELS: Final = re.compile(r"gpt-(4o(-mini)?|4(-turbo)?|3\.5-turbo)(?!-0301)(-\d{4}(-\d{2}-\d{2})?)?")
"""The models whose frames OpenAI's cookbook "How to count tokens with tiktoken" gives: those below. How reasoning
models frame messages is not published, so that their counts stay estimates, though the tokenizer counts their texts."""
TOKENS_A_MESSAGE: Final = 3
TOKENS_A_NAME: Final = 1
TOKENS_OF_THE_ANSWER: Final = 3
"""Every answer begins with a frame that counts as prompt."""

LONGEST_PIECE: Final = 100_000
"""Characters that are tokenized at once. The time for a text without spaces grows with the square of its length, so
that longer ones are counted in pieces, each of which may add a token."""


class OpenAITokenCounter:
    """Counts the tokens of requests to one of OpenAI's models.

    Args:
        writer: Writes messages as they are sent.
        model: The model.
        is_chat: Whether they are sent to Chat Completions, whose frames are published.
    """

    def __init__(self, writer: MessageWriter, model: str, *, is_chat: bool) -> None:
        self._writer = writer
        self._model = model.rpartition("/")[2]
        self._has_known_frames = is_chat and EXACT_MODELS.fullmatch(self._model) is not None

    def count(self, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> int | None:
        """See `TokenCounter.count`."""
        return None if self._counts is None else self._counts.of_request(messages, tools)

    def is_exact(self, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> bool:
        """See `TokenCounter.is_exact`: for plain texts. How tools, calls and images are framed is not published."""
        if not self._has_known_frames or tools or self._counts is None:
            return False
        return all(_is_plain(message) and len(message.content) <= LONGEST_PIECE for message in messages)

    # Found at the first count, and not when the client is made: most programs never count, and the encoding takes some
    # tenths of a second and tens of megabytes.
    @cached_property
    def _counts(self) -> _Counts | None:
        encoding = installed_encoding(self._model)
        return None if encoding is None else _Counts(self._writer, encoding)


class _Counts:
    """The counts of messages by an encoding. Each is counted once: histories are counted before each request."""

    def __init__(self, writer: MessageWriter, encoding: tiktoken.Encoding) -> None:
        self._writer = writer
        self._encode = encoding.encode_ordinary  # a text may quote special tokens, which are text there
        self._known = ConversionCache(self._of_message)

    def of_request(self, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> int:
        """The tokens of a request."""
        of_tools = estimate_tokens((), tools=tools, count_text=self._of_text)
        return sum(self._known.each(messages)) + of_tools + TOKENS_OF_THE_ANSWER

    def _of_message(self, message: LLMMessage) -> int:
        if not _is_plain(message):
            return estimate_tokens([message], count_text=self._of_text)
        [written] = self._writer.write(message)
        tokens = TOKENS_A_MESSAGE + sum(self._of_text(str(value)) for value in written.values())
        return tokens + (TOKENS_A_NAME if "name" in written else 0)

    def _of_text(self, text: str) -> int:
        pieces = range(0, len(text), LONGEST_PIECE)
        return sum(len(self._encode(text[start : start + LONGEST_PIECE])) for start in pieces)


def _is_plain(message: LLMMessage) -> bool:
    if isinstance(message, FunctionExecutionResultMessage) or not isinstance(message.content, str):
        return False
    return not (isinstance(message, AssistantMessage) and message.vendor_blocks)


def installed_encoding(model: str) -> tiktoken.Encoding | None:
    """The encoding of a model; None where tiktoken or its file is not on this machine.

    tiktoken fetches a file that it lacks, or that is damaged, so it is asked only for one that is there: loaded in this
    process, or in the folder where tiktoken looks for it. The first time, reading it takes some tenths of a second.
    """
    try:
        import tiktoken  # noqa: PLC0415 - an optional dependency
        from tiktoken.registry import ENCODINGS  # noqa: PLC0415 - an optional dependency
    except ImportError:
        return None
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:  # a model that this version of tiktoken does not know
        return None
    return tiktoken.get_encoding(name) if name in ENCODINGS or _has_file(name) else None


def _has_file(encoding: str) -> bool:
    if encoding not in FILES:
        return False
    address, digest = FILES[encoding]
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":  # tiktoken keeps no files then
        return False
    place = Path(tempfile.gettempdir(), "data-gym-cache") if folder is None else Path(folder)
    file = place / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest
    except OSError:
        return False
