"""The tool: its arguments become the path, the query and the body of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, Self, cast
from urllib.parse import urlencode

from pydantic import BaseModel, Field, JsonValue
from pydantic_core import from_json, to_json

from symposia.core import CancellationToken, cancelled_by
from symposia.core.argument_checks import checked_model
from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.core.text_limits import beginning_of
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.tools._exchange import MIB, Call, ExchangeLimits, Reply, exchange, require_httpx
from symposia.ext.tools._request_parts import IDEMPOTENT, path_segment, plain_text, with_query
from symposia.ext.tools._schema_arguments import SchemaArguments, arguments_of_schema
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten

Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH"]

IN_THE_QUERY: Final = frozenset({"GET", "DELETE"})
"""The methods whose arguments are sent in the query. The others send them as a JSON object in the body."""
_IN_BRACES: Final = re.compile(r"\{([^{}]*)\}")


class HttpToolConfig(BaseModel, defer_build=True):
    """A saved `HttpTool`; see there.

    Attributes:
        max_bytes: Left out where it is the default, as AutoGen has no such field. So is `max_chars`.
    """

    name: str
    description: str | None = "HTTP tool"
    scheme: Literal["http", "https"] = "http"
    host: str
    port: int
    path: str = "/"
    method: Method | None = "POST"
    headers: dict[str, Any] | None = Field(default=None, repr=False)
    json_schema: dict[str, Any]
    return_type: Literal["text", "json"] | None = "text"
    timeout: float = 5.0
    max_bytes: int = Field(default=5 * MIB, exclude_if=lambda value: value == 5 * MIB)
    max_chars: int = Field(default=MAX_CHARS, exclude_if=lambda value: value == MAX_CHARS)


class HttpTool(BaseTool[BaseModel, Any]):
    """A tool that is an HTTP endpoint.

    A call is one request. Arguments that the path names in braces, as in ``/orders/{id}``, are put there,
    percent-encoded. The others are the query of a ``GET`` or ``DELETE``, behind the one that the path may have, and the
    JSON body of another request. An argument that the model does not give is its default in the schema, or is left out.

    A status that is no success is a failure of the tool, with the beginning of the answer. Redirects are not followed,
    since the headers may hold a key. To effect handlers, the methods that RFC 9110 calls idempotent are ``idempotent``.

    Args:
        name: The name by which the model calls the tool.
        host: The name or address of the server.
        port: Its port.
        json_schema: The JSON schema of the arguments, an object.
        headers: Headers of each request. They are saved with the tool: a key in them is not hidden.
        description: The description of the tool for the model.
        path: The path of the endpoint, with the names of arguments in braces.
        scheme: ``http`` or ``https``.
        method: The method.
        return_type: ``text``, or ``json`` for a result that is parsed.
        timeout: Seconds from the request to the end of the answer.
        max_bytes: Bytes of an answer; a larger one is a failure.
        max_chars: Characters of the result that the model reads.

    Raises:
        InvalidArgumentError: An argument cannot work; the text names it.
        MissingExtraError: ``httpx2`` or ``jsonschema`` is not installed.
    """

    component_config_schema = HttpToolConfig

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        json_schema: dict[str, Any],
        headers: dict[str, Any] | None = None,
        description: str = "HTTP tool",
        path: str = "/",
        scheme: Literal["http", "https"] = "http",
        method: Method = "POST",
        return_type: Literal["text", "json"] = "text",
        timeout: float = 5.0,
        *,
        max_bytes: int = 5 * MIB,
        max_chars: int = MAX_CHARS,
    ) -> None:
        owner = f"the HttpTool {name!r}"
        require_httpx("HttpTool", "http-tool")
        given = {key: value for key, value in locals().items() if key in HttpToolConfig.model_fields}
        self.server_params = checked_model(owner, HttpToolConfig, given)
        self._limits = ExchangeLimits(timeout=timeout, max_bytes=max_bytes)
        self._limits.check(owner)
        check_max_chars(owner, max_chars)
        arguments = arguments_of_schema(name, json_schema, "HttpTool", "http-tool")
        unknown = set(_IN_BRACES.findall(path)) - set(cast("Mapping[str, object]", json_schema.get("properties", {})))
        if unknown:
            raise InvalidArgumentError(
                f"path of {owner} names {', '.join(sorted(unknown))}, which json_schema does not have as a property: "
                "add it there, or take it out of the path."
            )
        self.traits = ToolTraits("idempotent" if method in IDEMPOTENT else "unknown")
        super().__init__(arguments, object if return_type == "json" else str, name, description)

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Send the request.

        Returns:
            The text of the answer, or its JSON as Python values.

        Raises:
            ToolArgumentsError: An argument cannot be part of a path.
            ToolServiceError: The server refuses, cannot be reached, is too slow, or answers with too much or with
                something that is no text.
            asyncio.CancelledError: The token was cancelled.
        """
        given = args.given() if isinstance(args, SchemaArguments) else args.model_dump(mode="json", exclude_unset=True)
        with cancelled_by(cancellation_token):
            reply = await exchange(self._call(given), self._limits)
        reply.require_success()
        return _json(reply) if self.server_params.return_type == "json" else reply.require_text()

    def return_value_as_string(self, value: object) -> str:
        """The text of a result: the answer, or JSON, at most `max_chars` of it."""
        text = value if isinstance(value, str) else to_json(value).decode()
        return shorten(text, self.server_params.max_chars)

    def _call(self, given: dict[str, JsonValue]) -> Call:
        params = self.server_params
        path = _IN_BRACES.sub(lambda match: path_segment(match[1], given.get(match[1])), params.path)
        named = set(_IN_BRACES.findall(params.path))
        others = {name: value for name, value in given.items() if name not in named}
        url = f"{params.scheme}://{_bracketed(params.host)}:{params.port}{path if path.startswith('/') else f'/{path}'}"
        headers = {name: str(value) for name, value in (params.headers or {}).items()}
        method = params.method or "POST"
        if method in IN_THE_QUERY:
            query = urlencode([pair for name, value in others.items() for pair in _in_query(name, value)])
            return Call(method=method, url=with_query(url, query), headers=headers)
        headers.setdefault("Content-Type", "application/json")
        return Call(method=method, url=url, headers=headers, content=to_json(others))

    def _to_config(self) -> HttpToolConfig:
        return self.server_params

    @classmethod
    def _from_config(cls, config: HttpToolConfig) -> Self:
        given = {name: value for name, value in dict(config).items() if value is not None}
        return cls(**given)


def _in_query(name: str, value: JsonValue) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, list):
        return [(name, plain_text(each)) for each in value]
    return [(name, plain_text(value))]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _json(reply: Reply) -> Any:
    try:
        return from_json(reply.text)
    except ValueError as error:
        raise ToolServiceError(
            f"{reply.source} answered with something other than JSON: {beginning_of(reply.text, 200)!r} ({error})"
        ) from error
