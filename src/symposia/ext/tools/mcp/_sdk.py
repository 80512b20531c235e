"""The MCP SDK in its versions 1 and 2: everything in which they differ, but for HTTP (see `_sdk_http`).

The rest of this package works on the protocol's own JSON, whose names both versions read and write: their classes
differ in the spelling of every field.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, Protocol, TypeAlias, cast

from pydantic import BaseModel, JsonValue

from symposia import __version__
from symposia.core.exceptions import MissingExtraError, ToolArgumentsError
from symposia.ext.tools.mcp._message_size import SmallMessages
from symposia.ext.tools.mcp._served_questions import Elicit
from symposia.ext.tools.mcp._server_schemas import find_mismatch

try:
    import anyio
    from mcp import ClientSession, types
    from mcp.client.stdio import get_default_environment
    from mcp.shared import exceptions
    from mcp.shared.message import SessionMessage
except ModuleNotFoundError as error:
    raise MissingExtraError("MCP tools", "mcp") from error

# It logs the end of a connection with a traceback, which Python shows where a program has set up no logging.
logging.getLogger("mcp").addHandler(logging.NullHandler())

# Any, in this module: a type checker sees one of the two versions, and would refuse the names of the other one.

Json: TypeAlias = dict[str, JsonValue]
OnProgress: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
Stream: TypeAlias = Any

IS_FIRST: Final = version("mcp").startswith("1.")
MOST_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The most bytes of one message of a server. A picture of a screen has up to some 5 MiB in base64. A server that sends
more would otherwise fill the memory: the SDK itself has no limit for standard output."""

CONNECTION_CLOSED: Final = -32000
UNREADABLE: Final = -32700
"""An answer that cannot be read, or was not. The SDK uses it too. Source: JSON-RPC 2.0, section 5.1."""
SESSION_TERMINATED: Final = "Session terminated"
"""The SDK's text for a session that a server no longer knows. It has refused the request, and not carried it out."""

_PAGES: Final = 100
"""The most pages of a list. A server could name a next page for ever."""
_CANCEL_SECONDS: Final = 1.0

_types: Any = types

ProtocolError: type[Exception] = getattr(exceptions, "McpError" if IS_FIRST else "MCPError")
default_environment = get_default_environment


class RequestRefused(Exception):  # noqa: N818 - an answer to the server, and not an error of this program
    """A request of the server is not granted; the text is the reason that it is told."""


class ServerRequests(Protocol):
    """Answers the requests that a server makes."""

    @property
    def offered(self) -> frozenset[str]:
        """Those that are answered: ``sampling``, ``elicitation``, ``roots``. The server is told at the start."""
        ...

    async def answer(self, request: str, params: Json) -> Json:
        """Answer a request.

        Raises:
            RequestRefused: It is not granted.
        """
        ...


def wire(model: object) -> Json:
    """An object of the SDK in the JSON of the protocol."""
    return cast("BaseModel", model).model_dump(mode="json", by_alias=True, exclude_none=True)


def from_wire(class_name: str, values: Mapping[str, JsonValue]) -> Any:
    """An object of a class of the SDK, from the protocol's JSON."""
    return getattr(_types, class_name).model_validate(dict(values))


def read_message(line: str) -> SessionMessage:
    """A message of a server.

    Raises:
        ValueError: It is none.
    """
    if IS_FIRST:
        return SessionMessage(_types.JSONRPCMessage.model_validate_json(line))
    return SessionMessage(import_module("mcp_types").jsonrpc_message_adapter.validate_json(line, by_name=False))


def message_body(message: Any) -> dict[str, Any]:
    """The fields of a message of a stream, unread; none of the errors that a stream may hold instead."""
    if isinstance(message, Exception):
        return {}
    return dict(message.message.root if IS_FIRST else message.message)


def failed_answer(request_id: object, text: str) -> SessionMessage:
    """The answer to a request that was none which can be read."""
    error = {"code": UNREADABLE, "message": text}
    return read_message(json.dumps({"jsonrpc": "2.0", "id": request_id, "error": error}))


def write_message(message: SessionMessage) -> str:
    """A message to a server, as one line without its end."""
    unset = {"exclude_none": True} if IS_FIRST else {"exclude_unset": True}
    return cast("Any", message.message).model_dump_json(by_alias=True, **unset)


def is_lost(error: Exception) -> bool:
    """Whether the error of a request means that its session is over."""
    if isinstance(error, (anyio.ClosedResourceError, anyio.BrokenResourceError)):
        return True
    return error_code(error) == CONNECTION_CLOSED or was_refused(error)


def was_refused(error: BaseException | None) -> bool:
    """Whether the session was over before the request, so that the request was not carried out."""
    return isinstance(error, ProtocolError) and str(error) == SESSION_TERMINATED


def error_code(error: Exception) -> int | None:
    """The code of an error that a server answered with; None if it is another error."""
    return cast("Any", error).error.code if isinstance(error, ProtocolError) else None


class _Session(ClientSession):
    """A session that checks structured results in limited time; see `_server_schemas`."""

    def __init__(self, *streams: Stream, **options: Any) -> None:
        super().__init__(*streams, **options)
        self._declared: dict[str, JsonValue] = {}

    async def list_tools(self, *given: Any, **options: Any) -> Any:
        """As the SDK. Keeps what the tools declare of their results."""
        listed = await super().list_tools(*given, **options)
        self._declared |= {tool.name: wire(tool).get("outputSchema") for tool in listed.tools}
        return listed

    async def validate_tool_result(self, name: str, result: Any) -> None:
        """Check a result, instead of the SDK.

        Raises:
            RuntimeError: It is not as its tool declares.
        """
        if name not in self._declared:
            await list_all(self, "tools")
        schema = self._declared.get(name)
        if schema is None:
            return
        field = "structuredContent" if IS_FIRST else "structured_content"
        if field not in result.model_fields_set:
            raise RuntimeError(f"Tool {name} has an output schema but did not return structured content")
        fault = await find_mismatch(getattr(result, field), schema)
        if fault is not None:
            raise RuntimeError(f"Invalid structured content returned by tool {name}: {fault}.")

    _validate_tool_result = validate_tool_result  # its name in version 1


def client_session(
    read: Stream,
    write: Stream,
    requests: ServerRequests | None = None,
    on_notification: Callable[[str], None] | None = None,
    sampling_callback: Any = None,
) -> ClientSession:
    """A session, to be entered.

    Args:
        read: The messages of the server.
        write: The messages to it.
        requests: Answers its requests.
        on_notification: Called with the method of each notification.
        sampling_callback: A function of the SDK's own type, in place of that of `requests`.
    """
    offered: frozenset[str] = frozenset() if requests is None else requests.offered

    def callback(request: str, answer_type: Any) -> Any:
        async def answer(_context: object, params: object = None) -> Any:
            assert requests is not None  # noqa: S101 - nothing is offered otherwise
            try:
                values = await requests.answer(request, {} if params is None else wire(params))
            except RequestRefused as refused:
                return _types.ErrorData(code=-1, message=str(refused))
            return answer_type.model_validate(values)

        return answer if request in offered else None

    async def on_message(message: object) -> None:
        if on_notification is not None:
            on_notification(str(getattr(getattr(message, "root", message), "method", "")))

    return _Session(
        SmallMessages(read, message_body, failed_answer),
        write,
        sampling_callback=sampling_callback or callback("sampling", _types.CreateMessageResult),
        elicitation_callback=callback("elicitation", _types.ElicitResult),
        list_roots_callback=callback("roots", _types.ListRootsResult),
        message_handler=on_message,
        client_info=_types.Implementation(name="symposia", version=__version__),
    )


async def call_tool(
    session: ClientSession, name: str, arguments: Mapping[str, object], on_progress: OnProgress | None = None
) -> Any:
    """Call a tool.

    Returns:
        The SDK's ``CallToolResult``.

    Raises:
        ToolArgumentsError: The arguments are no JSON.
        RuntimeError: The result has another structure than the tool declares.
    """
    try:  # here, where it is one call's failure: what cannot be written ends the session
        json.dumps(dict(arguments), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise ToolArgumentsError(f"The arguments of the tool '{name}' are no JSON: {error}") from error
    return await _cancellable(
        session, lambda: session.call_tool(name, dict(arguments), progress_callback=cast("Any", on_progress))
    )


async def get_prompt(session: ClientSession, name: str, arguments: Mapping[str, object] | None) -> Any:
    """Make the messages of a prompt. Returns the SDK's ``GetPromptResult``."""
    given: Any = None if arguments is None else dict(arguments)
    return await _cancellable(session, lambda: session.get_prompt(name, given))


async def read_resource(session: ClientSession, uri: str) -> Any:
    """Read a resource. Returns the SDK's ``ReadResourceResult``."""
    where: Any = import_module("pydantic").AnyUrl(uri) if IS_FIRST else uri
    return await _cancellable(session, lambda: session.read_resource(where))


async def list_all(session: ClientSession, kind: str) -> Any:
    """List tools, prompts, resources or resource templates.

    Args:
        session: The session.
        kind: The name of the list, as it stands in the names of the SDK's methods.

    Returns:
        The SDK's result, with the items of all pages.
    """
    field = {"resource_templates": "resourceTemplates"}.get(kind, kind) if IS_FIRST else kind
    cursor_field = "nextCursor" if IS_FIRST else "next_cursor"
    method = getattr(session, f"list_{kind}")
    result = await method()
    cursor = getattr(result, cursor_field)
    for _ in range(_PAGES):
        if not cursor:
            break
        page = await method(params=_types.PaginatedRequestParams(cursor=cursor))
        getattr(result, field).extend(getattr(page, field))
        cursor = getattr(page, cursor_field)
    setattr(result, cursor_field, None)
    return result


async def _cancellable(session: Any, send: Callable[[], Awaitable[Any]]) -> Any:
    """Send a request, and tell the server if it is cancelled. Version 2 does so itself."""
    if not IS_FIRST:
        return await send()
    request_id = session._request_id  # noqa: SLF001 - the id of the next request, which is sent without a pause
    try:
        return await send()
    except asyncio.CancelledError:
        params = _types.CancelledNotificationParams(requestId=request_id, reason="cancelled by the caller")
        notification = _types.ClientNotification(_types.CancelledNotification(params=params))
        with anyio.move_on_after(_CANCEL_SECONDS, shield=True), suppress(anyio.ClosedResourceError):
            await session.send_notification(notification)
        raise


def tool_server(
    name: str,
    list_tools: Callable[[], Awaitable[list[Json]]],
    call_tool: Callable[[str, Json, Elicit | None], Awaitable[Json]],
) -> Any:
    """A server of the SDK with tools alone.

    Args:
        name: Its name.
        list_tools: The tools, in the protocol's JSON.
        call_tool: The result of a call, in the protocol's JSON. It is given what asks the client's user; None if the
            client answers no questions.
    """

    async def listed(*_request: object) -> Any:
        return _types.ListToolsResult.model_validate({"tools": await list_tools()})

    async def called(context: Any, params: Any) -> Any:
        result = await call_tool(params.name, params.arguments or {}, _elicitation(context))
        return _types.CallToolResult.model_validate(result)

    server: Any = import_module("mcp.server.lowlevel").Server
    if not IS_FIRST:
        return server(name, version=__version__, on_list_tools=listed, on_call_tool=called)

    async def answer(request: Any) -> Any:
        is_call = isinstance(request, _types.CallToolRequest)
        return _types.ServerResult(await called(first.request_context, request.params) if is_call else await listed())

    first = server(name, version=__version__)
    first.request_handlers = {**first.request_handlers, _types.CallToolRequest: answer, _types.ListToolsRequest: answer}
    return first


def _elicitation(context: Any) -> Elicit | None:
    """What asks the client of a request to ask its user; None if it does not."""
    session = context.session
    able = session.client_params.capabilities if IS_FIRST else session.client_capabilities
    if able is None or able.elicitation is None:
        return None

    async def elicit(message: str, schema: Mapping[str, JsonValue]) -> Json:
        return wire(await session.elicit(message, dict(schema), context.request_id))

    return elicit


def too_long() -> str:
    """The error for a message above the limit."""
    return f"the server sent more than {MOST_MESSAGE_BYTES >> 20} MiB in one message, which were not read"
