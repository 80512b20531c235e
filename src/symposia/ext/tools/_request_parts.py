"""The parts of a request that arguments of a model become."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from pydantic import JsonValue
from pydantic_core import to_json

from symposia.core.exceptions import ToolArgumentsError

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""The methods that may be sent again. Source: RFC 9110, section 9.2.2."""


def path_segment(name: str, value: JsonValue) -> str:
    """One argument as a part of a path, so that it stays one part.

    Raises:
        ToolArgumentsError: It is missing, or would lead to another path.
    """
    text = plain_text(value)
    # Dots are no characters that encoding changes, and clients resolve such segments before they send the path.
    if value is None or text in {"", ".", ".."} or isinstance(value, (dict, list)):
        raise ToolArgumentsError(f"{name} is {value!r}: it is part of a path, and has to be a text that is one name.")
    return quote(text, safe="")


def with_query(url: str, query: str) -> str:
    """An address with more of a query, which may be empty; it may have one already."""
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def plain_text(value: JsonValue) -> str:
    """A value in a URL: a text as it is, everything else as JSON writes it."""
    return value if isinstance(value, str) else to_json(value).decode()
