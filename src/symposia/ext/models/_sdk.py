"""What the vendors' SDKs have in common: they are generated alike, and take the same options with a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from symposia.ext.models._client import Body

# An argument of the SDKs' own methods, and what it is called in the options of a request.
_OPTIONS: Final[Mapping[str, str]] = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}


def split_options(body: Body) -> tuple[Body, Any]:
    """A request, without the arguments that are None, apart from the options to send it with.

    Clients send requests by the SDK's `post` and read answers as JSON. The SDKs' typed methods walk every message
    along its type hints, which costs 150 microseconds a message (openai 3.52), and so makes a turn slower the longer
    the conversation is.

    Returns:
        The request, and options: a `RequestOptions`, of which each SDK has its own.
    """
    request = {name: value for name, value in without_none(body).items() if name not in _OPTIONS}
    return request, {option: body[name] for name, option in _OPTIONS.items() if name in body}


def without_none(arguments: Mapping[str, Any]) -> Body:
    """The arguments that were given: None is how programs say that they give none."""
    return {name: value for name, value in arguments.items() if value is not None}
