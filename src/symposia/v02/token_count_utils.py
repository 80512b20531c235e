"""Tokens of texts and messages, and how many a model takes.

They are counted by OpenAI's tokenizer where it is on this machine, and estimated elsewhere. Nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import estimate_text_tokens
from symposia.ext.models.openai import installed_encoding

__all__ = ["count_token", "get_max_token_limit", "num_tokens_from_functions", "percentile_used", "token_left"]

MODEL: Final = "gpt-3.5-turbo-0613"

LIMITS: Final = {
    "gpt-3.5-turbo": 16385,
    "gpt-3.5-turbo-0301": 4096,
    "gpt-3.5-turbo-0613": 4096,
    "gpt-3.5-turbo-instruct": 4096,
    "gpt-3.5-turbo-16k": 16385,
    "gpt-3.5-turbo-16k-0613": 16385,
    "gpt-3.5-turbo-1106": 16385,
    "gpt-3.5-turbo-0125": 16385,
    "gpt-4": 8192,
    "gpt-4-0314": 8192,
    "gpt-4-0613": 8192,
    "gpt-4-32k": 32768,
    "gpt-4-32k-0314": 32768,
    "gpt-4-32k-0613": 32768,
    "gpt-4-turbo": 128_000,
    "gpt-4-turbo-2024-04-09": 128_000,
    "gpt-4-1106-preview": 128_000,
    "gpt-4-0125-preview": 128_000,
    "gpt-4-turbo-preview": 128_000,
    "gpt-4-vision-preview": 128_000,
    "gpt-4o": 128_000,
    "gpt-4o-2024-05-13": 128_000,
    "gpt-4o-2024-08-06": 128_000,
    "gpt-4o-mini": 128_000,
    "gpt-4o-mini-2024-07-18": 128_000,
}
"""Tokens of a prompt and its answer together, by OpenAI's documentation of its models."""

TOKENS_A_MESSAGE: Final = 3
TOKENS_A_NAME: Final = 1
TOKENS_OF_THE_ANSWER: Final = 3
"""As in OpenAI's cookbook, "How to count tokens with tiktoken"."""

Messages = str | Sequence[Any] | Mapping[str, Any]
"""A text, messages, or one message. Any: JSON"""


def get_max_token_limit(model: str = MODEL) -> int:
    """The tokens that one of OpenAI's models takes, its answer included.

    Raises:
        KeyError: The model is not known.
    """
    return LIMITS[model.replace("gpt-35", "gpt-3.5")]


def percentile_used(input: Messages, model: str = MODEL) -> float:  # noqa: A002 - AutoGen's name
    """The part of a model's limit that a prompt takes: 1 is all of it."""
    return count_token(input, model) / get_max_token_limit(model)


def token_left(input: Messages, model: str = MODEL) -> int:  # noqa: A002 - AutoGen's name
    """The tokens that a prompt leaves of a model's limit."""
    return get_max_token_limit(model) - count_token(input, model)


def count_token(input: Messages, model: str = MODEL) -> int:  # noqa: A002 - AutoGen's name
    """The tokens of a text, of a message or of several.

    Raises:
        ArgumentTypeError: It is none of these.
    """
    count = _counter(model)
    if isinstance(input, str):
        return count(input)
    if isinstance(input, Mapping):
        return _of_messages([input], count)
    if isinstance(input, list):
        return _of_messages(cast("list[Mapping[str, object]]", input), count)
    raise ArgumentTypeError(f"input must be str, list or dict, but we got {type(input)}")


def num_tokens_from_functions(functions: Sequence[Mapping[str, Any]], model: str = MODEL) -> int:  # Any: JSON
    """The tokens of descriptions of functions: an estimate, since how they are shown to models is not published."""
    count = _counter(model)
    return sum(count(json.dumps(function)) for function in functions)


def _of_messages(messages: Sequence[Mapping[str, object]], count: Callable[[str], int]) -> int:
    tokens = TOKENS_OF_THE_ANSWER
    for message in messages:
        tokens += TOKENS_A_MESSAGE
        for name, value in message.items():
            if value is not None:
                tokens += count(value if isinstance(value, str) else json.dumps(value, default=str))
            tokens += TOKENS_A_NAME if name == "name" else 0
    return tokens


def _counter(model: str) -> Callable[[str], int]:
    encoding = installed_encoding(model)
    if encoding is None:
        return estimate_text_tokens
    return lambda text: len(encoding.encode_ordinary(text))
