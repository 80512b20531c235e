"""Requests that are too long for a model: the words in which vendors refuse them, and the numbers in those."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

CODES: Final = frozenset({"context_length_exceeded", "exceed_context_size_error"})
"""The names of the error, where a vendor has one: of OpenAI and servers in its format, and of llama.cpp's server."""

# No vendor documents these sentences. They are those of errors that users report: of OpenAI, most servers in its format
# and xAI; Anthropic; Anthropic with the answer's limit, and OpenAI's Responses API; Bedrock; OpenAI for long contexts;
# Google; Mistral; llama.cpp; SGLang and Together; vLLM's first versions; Hugging Face's servers; Moonshot; Poolside;
# Groq. "Too many tokens" is not among them: AWS says that of a rate limit.
_REFUSAL: Final = re.compile(
    r"maximum (?:context|prompt) length"
    r"|prompt is too long"
    r"|exceeds? (?:the )?context (?:limit|window)"
    r"|input is too long for requested model"
    r"|exceed the configured limit of"
    r"|exceeds the maximum number of tokens allowed"
    r"|too large for model with"
    r"|exceeds the available context size"
    r"|longer than the model's context length"
    r"|longer than the maximum model length"
    r"|`inputs` tokens \+ `max_new_tokens` must be"
    r"|exceeded model token limit"
    r"|exceeds the maximum allowed input length"
    r"|reduce the length of the (?:messages|prompt)",
    re.IGNORECASE,
)
_COUNT: Final = r"(\d[\d,]*)"
_TOTALS: Final = tuple(
    re.compile(pattern.replace("#", _COUNT), re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"total of (?:at least )?#",  # vLLM, which names its parts before it
        r"# \+ # >",  # Anthropic's sum of the prompt and the answer's limit
        r"# tokens? >",
        r"resulted in #",
        r"requested (?:about )?# tokens",
        r"request (?:has|contains) #",
        r"token count \(#\)",
        r"prompt contains # tokens",
        r"request \(# tokens\)",
        r"input length \(?#",
        r"input \(# tokens\)",
        r"prompt \(length #\)",
        r"given: # `inputs` tokens and #",
    )
)
_LIMITS: Final = tuple(
    re.compile(pattern.replace("#", _COUNT), re.IGNORECASE)
    for pattern in (
        r"maximum (?:context|prompt|allowed input) length(?: is| of|:)? \(?#",
        r"> #",
        r"tokens allowed:? \(?#",
        r"model with # maximum",
        r"configured limit of #",
        r"context size \(#",
        r"context length \(#",
        r"token limit: #",
        r"maximum model length of #",
        r"must be <= #",
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSize:
    """The tokens of a request, and of what the model takes.

    Attributes:
        tokens: Those of the request; None if they are not known.
        limit: The most that the model takes; None if it is not known.
    """

    tokens: int | None
    limit: int | None


def reported_overflow(words: str, codes: frozenset[str], body: object) -> RequestSize | None:
    """What a vendor says about a request that is too long; None for other errors.

    Args:
        words: The vendor's words.
        codes: The vendor's names of the error.
        body: The error as JSON, of which llama.cpp's server puts the numbers into fields.
    """
    if CODES.isdisjoint(codes) and not _REFUSAL.search(words):
        return None
    return RequestSize(
        tokens=_field(body, "n_prompt_tokens") or _first(_TOTALS, words),
        limit=_field(body, "n_ctx") or _first(_LIMITS, words),
    )


def describe_overflow(reported: RequestSize, estimated: RequestSize | None) -> str:
    """By how much a request is too long, and what to do: in the vendor's numbers, or else in estimated ones."""
    return f"{_excess(reported, estimated)}{_ADVICE}"


_ADVICE: Final = (
    "Shorten the conversation, ask for a shorter answer, or use a model that takes more. In a program, a "
    "TokenLimitedChatCompletionContext keeps an agent's conversation short enough."
)


def _excess(reported: RequestSize, estimated: RequestSize | None) -> str:
    tokens, limit = reported.tokens, reported.limit
    if tokens is not None and limit is not None:
        # A vendor that names the prompt alone refuses the answer's limit with it.
        return f"It is too long by {_count(tokens - limit)}: {tokens:,} of {limit:,}. " if tokens > limit else ""
    if estimated is None:
        return ""
    about = "" if tokens is not None else "about "
    tokens, limit = tokens or estimated.tokens, limit or estimated.limit
    if tokens is None or limit is None:
        return ""
    by = "" if reported.limit else ", by its profile"
    taken = f"and the model takes {limit:,}{by}"
    if tokens > limit:
        return f"It is too long by {about}{_count(tokens - limit)}: it has {about}{tokens:,}, {taken}. "
    return f"It has {about}{_count(tokens)}, {taken}, with the answer's. "


def _count(tokens: int) -> str:
    return "1 token" if tokens == 1 else f"{tokens:,} tokens"


def _first(patterns: Sequence[re.Pattern[str]], words: str) -> int | None:
    """The number that the first matching pattern finds, or the sum of its numbers."""
    found = next((match for pattern in patterns if (match := pattern.search(words))), None)
    return None if found is None else sum(int(count.replace(",", "")) for count in found.groups())


def _field(body: object, name: str) -> int | None:
    """A number in an error, at its top or in ``error``."""
    if not isinstance(body, Mapping):
        return None
    fields = cast("Mapping[str, object]", body)
    value = fields.get(name)
    return value if isinstance(value, int) and value > 0 else _field(fields.get("error"), name)
