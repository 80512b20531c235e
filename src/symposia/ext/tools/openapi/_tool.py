"""The tools: each is one operation of a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, JsonValue
from typing_extensions import TypedDict, Unpack

from symposia.core import CancellationToken, cancelled_by
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.tools._exchange import MIB, ExchangeLimits, exchange, require_httpx
from symposia.ext.tools._request_parts import IDEMPOTENT
from symposia.ext.tools._schema_arguments import SchemaArguments, arguments_of_schema
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten
from symposia.ext.tools._tool_names import UnusedNames, portable_name
from symposia.ext.tools.openapi._document import only_operation, read_document, well_formed
from symposia.ext.tools.openapi._operation import (
    arguments_schema,
    authorized,
    read_operation,
    request_of,
    sufficient_schemes,
)


class OpenApiOptions(TypedDict, total=False):
    """The options of an `OpenApiTool` that all tools of a document may have in common; see there."""

    server: str | None
    headers: Mapping[str, str] | None
    credentials: Mapping[str, str] | None
    timeout: float
    max_bytes: int
    max_chars: int


class OpenApiTool(BaseTool[BaseModel, str]):
    """A tool that is an operation of an OpenAPI document.

    Its arguments are the parameters of the operation by their names, and ``body``. Parameters of one name in several
    places have the place before it, as in ``query_id`` and ``path_id``. The model is shown their schemas.

    A status that is no success is a failure of the tool, with the beginning of the answer. Redirects are not followed.
    To effect handlers, the methods that RFC 9110 calls idempotent are ``idempotent``.

    Args:
        document: The document: a file, its text in JSON or YAML, or the mapping.
        operation: The ``operationId``; of an operation without one, the method and the path, as in ``get /pets``.
        name: The name by which the model calls the tool; by default, that of the operation.
        server: The address before the paths, if not the first server of the document.
        headers: Headers of each request. They are not saved, since they may hold a key.
        credentials: Secrets by the names of security schemes in the document: a key, a token, or ``name:password``.
            They are not saved, and are not shown to the model.
        timeout: Seconds from the request to the end of the answer.
        max_bytes: Bytes of an answer; a larger one is a failure.
        max_chars: Characters of the result that the model reads.

    Raises:
        InvalidArgumentError: The document cannot be read, or has no such operation; the text says why.
        MissingExtraError: ``httpx2``, ``jsonschema`` or PyYAML is not installed.
    """

    component_transient = frozenset({"headers", "credentials"})

    def __init__(
        self,
        document: Path | str | Mapping[str, JsonValue],
        operation: str,
        *,
        name: str | None = None,
        server: str | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        max_bytes: int = 5 * MIB,
        max_chars: int = MAX_CHARS,
    ) -> None:
        require_httpx("OpenApiTool", "openapi")
        self._document = read_document(document)
        with well_formed("The document"):
            place = self._document.place_of(operation)
        if place is None:
            known = ", ".join(self._document.operations)
            raise InvalidArgumentError(f"The document has no operation {operation!r}. It has: {known}.")
        with well_formed(f"The operation {operation!r}"):
            self._operation = read_operation(self._document, *place)
            schema = arguments_schema(self._document, self._operation)
        name = name or portable_name(operation, "operation")
        owner = f"the OpenApiTool {name!r}"
        self._server = server or self._operation.server
        if not self._server.startswith(("http://", "https://")):
            raise InvalidArgumentError(
                f"The server of {owner} is {self._server!r}: give server='https://…', since the document has no full "
                "address."
            )
        self._limits = ExchangeLimits(timeout=timeout, max_bytes=max_bytes)
        self._limits.check(owner)
        check_max_chars(owner, max_chars)
        self._headers = dict(headers or {})
        self._credentials = dict(credentials or {})
        self._timeout, self._max_bytes, self._max_chars = timeout, max_bytes, max_chars
        arguments = arguments_of_schema(name, schema, "OpenApiTool", "openapi")
        self.traits = ToolTraits("idempotent" if self._operation.method.upper() in IDEMPOTENT else "unknown")
        super().__init__(arguments, str, name, self._operation.description)

    @property
    def missing_credentials(self) -> tuple[str, ...]:
        """The names of security schemes of which one has to be among the `credentials`; empty if a call can be made."""
        if self._headers or sufficient_schemes(self._operation, self._credentials) is not None:
            return ()
        return tuple(dict.fromkeys(chain.from_iterable(self._operation.security)))

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> str:
        """Send the request.

        Returns:
            The text of the answer; of an empty one, its status.

        Raises:
            ToolArgumentsError: An argument cannot be part of a path.
            ToolServiceError: The server refuses, cannot be reached, is too slow, or answers with too much or with
                something that is no text.
            asyncio.CancelledError: The token was cancelled.
        """
        given = args.given() if isinstance(args, SchemaArguments) else args.model_dump(mode="json", exclude_unset=True)
        call = request_of(self._operation, given, self._server, self._headers)
        if not self._headers or self._credentials:
            call = authorized(call, self._document, self._operation, self._credentials)
        with cancelled_by(cancellation_token):
            reply = await exchange(call, self._limits)
        reply.require_success()
        if not reply.body:
            return f"HTTP {reply.status} {reply.reason}, without a text."
        return reply.require_text()

    def return_value_as_string(self, value: object) -> str:
        """The text of a result, at most `max_chars` of it."""
        return shorten(str(value), self._max_chars)

    def _to_config(self) -> BaseModel:
        # The part of the document that this operation needs: a team has a tool for each operation.
        own = only_operation(self._document, self._operation.path, self._operation.method)
        return self._derived_config(document=own)


def openapi_tools(
    document: Path | str | Mapping[str, JsonValue],
    *,
    operations: Collection[str] | None = None,
    **options: Unpack[OpenApiOptions],
) -> list[OpenApiTool]:
    """Make a tool of each operation of an OpenAPI document. See `OpenApiTool`.

    Args:
        document: The document: a file, its text in JSON or YAML, or the mapping. OpenAPI 3.0 and 3.1.
        operations: The ids of the operations; all, by default. Give few: a model is shown all of them.
        options: Of each tool; see `OpenApiTool`.

    Raises:
        InvalidArgumentError: The document cannot be read, has no such operation, or an operation needs a credential
            that is not given.
        MissingExtraError: ``httpx2``, ``jsonschema`` or PyYAML is not installed.
    """
    require_httpx("openapi_tools", "openapi")
    read = read_document(document)
    with well_formed("The document"):
        known = list(read.operations)
    if operations is not None and (unknown := sorted(set(operations) - set(known))):
        raise InvalidArgumentError(f"operations has {unknown}, which the document does not have. It has: {known}.")
    tools: list[OpenApiTool] = []
    names = UnusedNames()
    for id_ in known:
        if operations is not None and id_ not in operations:
            continue
        tool = OpenApiTool(read, id_, name=names.take(portable_name(id_, "operation")), **options)
        if missing := tool.missing_credentials:
            raise InvalidArgumentError(
                f"The operation {id_!r} needs a credential: give credentials={{{missing[0]!r}: '…'}}, or headers."
            )
        tools.append(tool)
    return tools
