"""What a vendor says about a failure, wherever it says it: words, codes, a time to wait, the verdict of a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, cast

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict


class ReportedError(ValueError):
    """A response with a status of success in which the vendor reports an error; the text holds the vendor's words.

    Attributes:
        codes: The vendor's names of the error, such as ``overloaded_error``.
    """

    def __init__(self, words: str, codes: frozenset[str] = frozenset()) -> None:
        super().__init__(words)
        self.codes = codes


DEEPEST_WORDS: Final = 5
"""Levels at which a vendor's words are looked for: those of known servers, and no endless nesting."""
MOST_PARTS: Final = 10
"""Items of a list in which they are looked for."""


def reported_words(body: object, depth: int = DEEPEST_WORDS) -> str | None:
    """The text in a vendor's error, wherever the vendor puts it; None where there is none.

    The places are those of OpenAI and Anthropic (``error.message``), AWS (``Message``), FastAPI (``detail``), OAuth
    (``error_description``) and of servers that send a bare string or list.
    """
    if isinstance(body, str):
        return body.strip() or None
    if isinstance(body, Mapping):
        fields: Mapping[str, object] = body  # pyright: ignore[reportUnknownVariableType] - JSON
        places = ("error", "message", "Message", "error_description", "detail", "msg")
        parts = [fields.get(name) for name in places]
    elif isinstance(body, list):
        parts: list[object] = body[:MOST_PARTS]  # pyright: ignore[reportUnknownVariableType] - JSON
    else:
        return None
    return next((words for part in parts if depth and (words := reported_words(part, depth - 1))), None)


def filtered_categories(error: object) -> list[str]:
    """What a content filter found in a prompt, each with its severity where that is given; empty if none refused it.

    The place is that of Azure: ``innererror.content_filter_result`` in the error, with an entry for each category. Some
    of these have a severity, and those of attacks on the model have none.
    """
    inner = _field(error, "innererror")
    results = _field(inner, "content_filter_result") or _field(inner, "content_filter_results")
    if not isinstance(results, Mapping):
        return []
    entries = cast("Mapping[str, object]", results)
    found = {name: entry for name, entry in entries.items() if _field(entry, "filtered") is True}
    severities = {name: _field(entry, "severity") for name, entry in found.items()}
    return [f"{name} ({severity})" if isinstance(severity, str) else name for name, severity in severities.items()]


def _field(value: object, name: str) -> object:
    return cast("Mapping[str, object]", value).get(name) if isinstance(value, Mapping) else None


_CODE_FIELDS: Final = ("code", "type", "status")


def reported_codes(body: object) -> frozenset[str]:
    """The vendor's names of an error: the texts of `_CODE_FIELDS`, at the top and in ``error``."""
    places = (body, _field(body, "error"))
    return frozenset(name for at in places for key in _CODE_FIELDS if isinstance(name := _field(at, key), str))


_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"
"""The type of the detail of Google's errors that tells when to try again
(https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto)."""


def reported_retry_delay(body: object) -> str | None:
    """The duration after which an error of Google says to try again, such as ``34.07s``; None if it does not.

    Google's server for OpenAI's format puts the error into a list.
    """
    errors = cast("Sequence[object]", body) if isinstance(body, list) else (body,)
    for place in [place for error in errors for place in (error, _field(error, "error"))]:
        details = _field(place, "details")
        for detail in cast("Sequence[object]", details) if isinstance(details, list) else ():
            delay = _field(detail, "retryDelay")
            if _field(detail, "@type") == _RETRY_INFO and isinstance(delay, str):
                return delay
    return None


def describe_problem(error: ValueError) -> str:
    """The error in an answer, with its place."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


class _ErrorWire(TypedDict, total=False):
    """Anything that may be an error."""

    error: object


@cache  # `json_parser` would call `raise_reported` again
def _errors() -> TypeAdapter[_ErrorWire]:
    return TypeAdapter(_ErrorWire)


def raise_reported(data: bytes) -> None:
    """Raise the error that a server sent in place of an answer, if it sent one.

    Raises:
        ReportedError: It does.
    """
    try:
        error = _errors().validate_json(data).get("error")
    except ValueError:
        return
    if words := reported_words(error):
        raise ReportedError(words, reported_codes(error))
