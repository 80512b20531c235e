"""AutoGen's interface to one session: requests by name, whose answers are futures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from symposia.core import Component
from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.core.models import ChatCompletionClient
from symposia.ext.tools.mcp._connection import Connection
from symposia.ext.tools.mcp._opening import require_sdk
from symposia.ext.tools.mcp._params import McpServerParams, where
from symposia.ext.tools.mcp._requests import is_request_name, send_request
from symposia.ext.tools.mcp._server_requests import ServerRequests
from symposia.ext.tools.mcp._session import Setting


class McpActorArgs(TypedDict):
    """The arguments of a request.

    Attributes:
        name: The tool or the prompt.
        kargs: The arguments of a tool; ``{"arguments": …}`` of a prompt; ``{"uri": …}`` of a resource.
    """

    name: str | None
    kargs: Mapping[str, Any]  # Any: JSON


class McpSessionActor(Component[Any]):
    """One session with a server. `McpWorkbench` is the same with an interface of methods.

    Args:
        server_params: The server.
        model_client: Answers the server's requests for answers of a model.

    Raises:
        MissingExtraError: The extra ``mcp`` is not installed.
    """

    component_type = "mcp_session_actor"

    def __init__(self, server_params: McpServerParams, model_client: ChatCompletionClient | None = None) -> None:
        require_sdk("McpSessionActor")
        self.server_params = server_params
        requests = ServerRequests(where(server_params), model_client, None, None, ())
        self._connection = Connection(Setting(params=server_params, requests=requests))
        self._is_active = False
        self._requests: set[asyncio.Future[Any]] = set()

    @property
    def initialize_result(self) -> Any:
        """The SDK's ``InitializeResult``; None while there is no session."""
        return self._connection.initialized

    async def initialize(self) -> None:
        """Start the server and open the session.

        Raises:
            ToolServiceError: The server did not start.
        """
        await self._connection.start()
        self._is_active = True

    async def call(self, type: str, args: McpActorArgs | None = None) -> asyncio.Future[Any]:  # noqa: A002 - AutoGen's name
        """Send a request.

        Args:
            type: ``call_tool``, ``list_tools``, ``list_prompts``, ``get_prompt``, ``list_resources``,
                ``list_resource_templates`` or ``read_resource``.
            args: Its arguments, for those that have any.

        Returns:
            The future of the SDK's result. Cancelling it cancels the request.

        Raises:
            InvalidArgumentError: There is no such request, or an argument is missing.
            UsageError: The session is not open.
        """
        if not self._is_active:
            raise UsageError("The MCP session is not open: call initialize() first.")
        if not is_request_name(type):
            raise InvalidArgumentError(f"There is no request {type!r}. Use McpWorkbench, which has a method for each.")
        name, arguments = _name_and_arguments(type, args or {"name": None, "kargs": {}})
        task = asyncio.create_task(send_request(self._connection, type, name, arguments))
        self._requests.add(task)  # the loop itself keeps weak references only
        task.add_done_callback(self._requests.discard)
        return task

    async def close(self) -> None:
        """End the session and stop the server."""
        self._is_active = False
        await self._connection.close()


def _name_and_arguments(request: str, args: McpActorArgs) -> tuple[str, Mapping[str, Any]]:  # Any: JSON
    """What is asked for, and with which arguments.

    Raises:
        InvalidArgumentError: An argument is missing.
    """
    name, given = args.get("name"), args["kargs"]
    if request == "read_resource":
        if not given.get("uri"):
            raise InvalidArgumentError("The request 'read_resource' needs args={'name': None, 'kargs': {'uri': …}}.")
        return str(given["uri"]), {}
    if request in {"call_tool", "get_prompt"} and name is None:
        raise InvalidArgumentError(f"The request {request!r} needs a name: give args={{'name': …, 'kargs': {{…}}}}.")
    return name or "", given.get("arguments") or {} if request == "get_prompt" else given
