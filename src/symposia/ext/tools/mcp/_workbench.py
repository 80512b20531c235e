"""The tools of one server as a workbench."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, JsonValue

from symposia._lazy import lazy_module
from symposia.core import CancellationToken, cancelled_by
from symposia.core.effects import HumanFunction, HumanQuestion
from symposia.core.exceptions import ArgumentTypeError, ToolArgumentsError, ToolServiceError
from symposia.core.models import ChatCompletionClient
from symposia.core.tools import (
    StreamWorkbench,
    ToolOverride,
    ToolResult,
    ToolSchema,
    ToolTraits,
    failed_result,
)
from symposia.ext.tools._tool_names import portable_name
from symposia.ext.tools.mcp._connection import Connection
from symposia.ext.tools.mcp._listing import Listing, make_listing, override_names
from symposia.ext.tools.mcp._opening import require_sdk
from symposia.ext.tools.mcp._params import (
    McpServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
    digest,
    short_name,
    where,
)
from symposia.ext.tools.mcp._requests import send_request
from symposia.ext.tools.mcp._results import as_tool_result
from symposia.ext.tools.mcp._server_requests import ElicitationQuestion, ServerRequests
from symposia.ext.tools.mcp._session import OnProgress, Send, Setting

if TYPE_CHECKING:
    import mcp
    from mcp import types as mcp_types

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    mcp = lazy_module("mcp")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")
    mcp_types = lazy_module("mcp.types")

Object = dict[str, Any]  # Any: JSON


class McpProgress(BaseModel, defer_build=True):
    """A report of a server about a call that runs, among the items of `McpWorkbench.call_tool_stream`.

    Attributes:
        tool: The tool, by the name it was called by.
        progress: How far the call is; it grows.
        total: What `progress` is at the end; None if it is not known.
        message: What the server says about it.
    """

    type: Literal["McpProgress"] = "McpProgress"
    tool: str
    progress: float
    total: float | None = None
    message: str | None = None


class McpWorkbenchState(BaseModel, defer_build=True):
    """The state of a workbench: none. A server keeps its own."""

    type: Literal["McpWorkBenchState"] = "McpWorkBenchState"


class McpWorkbench(StreamWorkbench):
    """The tools of an MCP server, by one session for all calls.

    The server starts with the first use, or with `start`. Calls of one answer run at the same time. A server that dies
    is started again by the next call: a call during which it died is repeated if the server declares the tool to be
    read-only or idempotent, and otherwise has a result that says so. Cancelling a call tells the server.

    Where two workbenches of an agent have a tool of one name, that of this one gets `tool_prefix` before its name.
    Characters that no vendor allows in a name become underscores.

    Args:
        server_params: The server.
        tool_overrides: Other names and descriptions, by the tool's own name.
        model_client: Answers the server's requests for answers of a model (sampling). Without it there are none.
        approve_sampling: Asks a person for an approval of each such request; by default, all are granted.
        elicit: Asks a person what the server wants to know (elicitation), one `ElicitationQuestion` a field. Without
            it, the server may not ask.
        roots: The folders, or addresses, that the server is told it may use. Nothing holds it to them.
        auth: The authentication of a server at an address: an ``OAuthClientProvider`` of the SDK, or any ``Auth`` of
            its HTTP client. It is not saved.
        name: A name for the server, which becomes the prefix of tools whose names clash; by default its host or its
            program.
        show_instructions: Whether the model is shown what the server says about itself. It stands in the description of
            the first tool, so that whatever shows tools to a model shows it too.

    Raises:
        ArgumentTypeError: `server_params` are something else.
        InvalidArgumentError: Two tools are given one name.
        MissingExtraError: The extra ``mcp`` is not installed.
    """

    component_transient = frozenset({"approve_sampling", "elicit", "auth"})

    def __init__(
        self,
        server_params: McpServerParams,
        tool_overrides: Mapping[str, ToolOverride] | None = None,
        model_client: ChatCompletionClient | None = None,
        *,
        approve_sampling: HumanFunction[HumanQuestion] | None = None,
        elicit: HumanFunction[ElicitationQuestion] | None = None,
        roots: Sequence[str] | None = None,
        auth: object = None,
        name: str | None = None,
        show_instructions: bool = True,
    ) -> None:
        require_sdk("McpWorkbench")
        if not isinstance(server_params, (StdioServerParams, SseServerParams, StreamableHttpServerParams)):  # pyright: ignore[reportUnnecessaryIsInstance] - checks the caller
            raise ArgumentTypeError(
                f"server_params of McpWorkbench is {server_params!r}: give StdioServerParams(command='…'), or"
                " StreamableHttpServerParams(url='…')."
            )
        self._overrides = dict(tool_overrides or {})
        self._override_names = override_names(self._overrides)
        self._show_instructions = show_instructions
        self._name = name or short_name(server_params)
        requests = ServerRequests(where(server_params), model_client, approve_sampling, elicit, list(roots or ()))
        self._connection = Connection(
            Setting(params=server_params, auth=auth, requests=requests, on_notification=self._on_notification)
        )
        self._listing: Listing | None = None
        self._listed: Any = None  # the answer at the start of the session of the listing; None if that may have changed

    @property
    def server_params(self) -> McpServerParams:
        """The server."""
        return self._connection.params

    @property
    def initialize_result(self) -> Any:
        """The server's answer at the start, as the SDK's ``InitializeResult``; None while it is stopped."""
        return self._connection.initialized

    @property
    def instructions(self) -> str | None:
        """What the server says about the use of its tools; None while it is stopped, or if it says nothing."""
        result = self.initialize_result
        return None if result is None else result.instructions

    @property
    def tool_prefix(self) -> str:
        """What is put before the name of a tool that another workbench has too; see `Workbench.tool_prefix`."""
        return f"{portable_name(self._name)}_"

    # --- tools

    async def list_tools(self) -> list[ToolSchema]:
        """The tools of the server. A list is kept until the server says that it has changed, if it says that at all.

        Raises:
            ToolServiceError: The server did not start, or did not answer.
        """
        return (await self._list()).schemas

    async def _list(self) -> Listing:
        await self._connection.start()
        if self._listing is None or self._listed is not self.initialize_result:
            self._listed = self.initialize_result  # before the list comes: it may change again meanwhile
            tools = await self._connection.request(
                "the list of its tools", lambda session, _on_progress: sdk.list_all(session, "tools")
            )
            described = [sdk.wire(tool) for tool in tools.tools]
            instructions = self.instructions if self._show_instructions else None
            self._listing = make_listing(described, self._overrides, instructions)
        if not _says_changes(self.initialize_result):
            self._listed = None
        return self._listing

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,  # noqa: ARG002 - the protocol has ids of its own
    ) -> ToolResult:
        """Call a tool by its own or its overriding name. See `Workbench.call_tool`.

        A server that fails is an error for the model, too.

        Raises:
            SymposiaError: The server asked for an answer of a model or a person, and that failed.
            asyncio.CancelledError: The token was cancelled. The server is told.
        """
        return await self._call(name, arguments, cancellation_token, lambda _progress: None)

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,  # noqa: ARG002 - likewise
    ) -> AsyncGenerator[object, None]:
        """Call a tool, and yield the `McpProgress` that the server reports; the `ToolResult` comes last."""
        reports: asyncio.Queue[McpProgress | None] = asyncio.Queue()
        call = asyncio.create_task(self._call(name, arguments, cancellation_token, reports.put_nowait))
        call.add_done_callback(lambda _call: reports.put_nowait(None))
        try:
            while (report := await reports.get()) is not None:
                yield report
            yield await call
        finally:
            if not call.done():
                call.cancel()
                await asyncio.wait([call])

    async def _call(
        self,
        name: str,
        arguments: Mapping[str, object] | None,
        token: CancellationToken | None,
        report: Callable[[McpProgress], None],
    ) -> ToolResult:
        with cancelled_by(token):
            try:
                own = await self._own_name(name)
                result = await self._connection.request(
                    f"the tool '{own}'",
                    _sending(own, arguments or {}, lambda *progress: report(_progress(name, *progress))),
                    repeatable=self.tool_traits(name).idempotency != "unknown",
                )
            except (ToolServiceError, ToolArgumentsError) as error:
                return failed_result(name, error)
        content = sdk.wire(result)
        if any(
            block.get("type") in {"image", "resource"} for block in cast("list[Object]", content.get("content", []))
        ):
            return await asyncio.to_thread(as_tool_result, name, content)  # images of megabytes are decoded
        return as_tool_result(name, content)

    async def _own_name(self, name: str) -> str:
        if name in self._override_names:
            return self._override_names[name]
        names = (self._listing or await self._list()).names
        if name in names:
            return names[name]
        plain = name.removeprefix(self.tool_prefix)
        return names.get(plain, self._override_names.get(plain, name))  # of an unknown name the server says so

    def tool_traits(self, name: str) -> ToolTraits:
        """As the server declares it: a tool that is read-only or idempotent may be called again."""
        if self._listing is None:
            return ToolTraits()
        plain = name if name in self._listing.names else name.removeprefix(self.tool_prefix)
        return self._listing.traits.get(self._listing.names.get(plain, plain), ToolTraits())

    def effect_identity(self) -> dict[str, JsonValue]:
        """The class and the server. Its arguments, which may have keys, are in a digest."""
        return {**super().effect_identity(), "server": where(self.server_params), "digest": digest(self.server_params)}

    # --- resources and prompts

    async def list_prompts(self) -> mcp_types.ListPromptsResult:
        """The prompts of the server, as the SDK's ``ListPromptsResult``.

        Raises:
            ToolServiceError: The server failed, here and in the methods below.
        """
        return await send_request(self._connection, "list_prompts")

    async def list_resources(self) -> mcp_types.ListResourcesResult:
        """The resources of the server, as the SDK's ``ListResourcesResult``."""
        return await send_request(self._connection, "list_resources")

    async def list_resource_templates(self) -> mcp_types.ListResourceTemplatesResult:
        """The templates of resources, as the SDK's ``ListResourceTemplatesResult``."""
        return await send_request(self._connection, "list_resource_templates")

    async def read_resource(self, uri: str) -> mcp_types.ReadResourceResult:
        """Read a resource. The result is the SDK's ``ReadResourceResult``."""
        return await send_request(self._connection, "read_resource", uri)

    async def get_prompt(self, name: str, arguments: dict[str, str] | None = None) -> mcp_types.GetPromptResult:
        """Make the messages of a prompt. The result is the SDK's ``GetPromptResult``."""
        return await send_request(self._connection, "get_prompt", name, arguments)

    def _on_notification(self, method: str) -> None:
        if method == "notifications/tools/list_changed":
            self._listed = None

    # --- life cycle

    async def start(self) -> None:
        """Start the server and open the session.

        Raises:
            ToolServiceError: The server did not start.
        """
        await self._connection.start()

    async def stop(self) -> None:
        """End the session and stop the server."""
        self._listed = None
        await self._connection.close()

    async def reset(self) -> None:
        """End the session, so that the next call has a new one."""
        await self.stop()

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing but a type, as AutoGen's."""
        return McpWorkbenchState().model_dump()

    async def load_state(self, state: Mapping[str, object]) -> None:
        """Do nothing: there is no state to restore."""


def _sending(own: str, arguments: Mapping[str, object], report: Callable[..., None]) -> Send:
    def send(session: mcp.ClientSession, on_progress: OnProgress) -> Awaitable[Any]:
        async def on_report(progress: float, total: float | None, message: str | None) -> None:
            await on_progress(progress, total, message)
            report(progress, total, message)

        return sdk.call_tool(session, own, arguments, on_report)

    return send


def _progress(tool: str, progress: float, total: float | None, message: str | None) -> McpProgress:
    return McpProgress(tool=tool, progress=progress, total=total, message=message)


def _says_changes(initialized: Any) -> bool:
    """Whether a server says when its tools change."""
    capabilities = cast("Object", sdk.wire(initialized).get("capabilities") or {})
    tools: Object = capabilities.get("tools") or {}
    return bool(tools.get("listChanged"))
