"""A client of a Jupyter server or kernel gateway: its REST interface, and the WebSocket of a kernel.

Everything that a server sends is hostile, as code in a kernel can write whatever the server does. Messages are capped,
and a field of another type than the protocol's counts as missing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast, runtime_checkable
from urllib.parse import quote

from symposia._lazy import lazy_module
from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import SandboxDiedError, SandboxServiceError
from symposia.ext.code_executors._kernels._cell import (
    CUT,
    ENDED,
    FILE_SUFFIXES,
    CellOutput,
    KernelMessage,
    RunningCell,
    execute_request,
    is_text,
)
from symposia.ext.code_executors._kernels._executor import largest_message
from symposia.ext.code_executors._services import ServiceClient, mapping

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy_module("aiohttp")

CLOSE_SECONDS: Final = 0.5
QUICK_ACKNOWLEDGEMENT: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
GONE_STATES: Final = frozenset({"restarting", "autorestarting", "dead"})
"""The states by which a server tells that a kernel has died."""


@dataclass
class JupyterConnectionInfo:
    """The address of a Jupyter server.

    Attributes:
        host: A name or an address.
        use_https: Whether it speaks HTTPS.
        port: None: the one of the protocol.
        token: The server's, sent with each request. None: it asks for none.
    """

    host: str
    use_https: bool
    port: int | None = None
    token: str | None = field(default=None, repr=False)


@runtime_checkable
class JupyterConnectable(Protocol):
    """Something that has the address of a Jupyter server."""

    @property
    def connection_info(self) -> JupyterConnectionInfo:
        """The address."""
        ...


@dataclass
class DataItem:
    """What a cell has shown, other than text.

    Attributes:
        mime_type: Its media type.
        data: Its content, in base64 unless the type is a text's.
    """

    mime_type: str
    data: str


@dataclass
class ExecutionResult:
    """What a cell did.

    Attributes:
        is_ok: Whether it ended by itself and without an error.
        output: What it printed.
        data_items: What it has shown.
    """

    is_ok: bool
    output: str
    data_items: list[DataItem]


class JupyterClient:
    """Starts, lists and ends the kernels of a Jupyter server.

    Args:
        connection_info: Where the server is.

    Raises:
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(self, connection_info: JupyterConnectionInfo) -> None:
        protocol = "https" if connection_info.use_https else "http"
        port = "" if connection_info.port is None else f":{connection_info.port}"
        self._service = ServiceClient(
            "The Jupyter server",
            f"{protocol}://{connection_info.host}{port}",
            feature=type(self).__name__,
            extra="docker-jupyter",
        )
        self._headers = {} if not connection_info.token else {"Authorization": f"token {connection_info.token}"}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()

    async def list_kernel_specs(self) -> dict[str, Any]:  # Any: JSON
        """The specifications of kernels, as the server answers.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        return cast("dict[str, Any]", await self._ask("GET", "/api/kernelspecs"))

    async def list_kernels(self) -> list[dict[str, Any]]:  # Any: JSON
        """The running kernels, as the server answers.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        return cast("list[dict[str, Any]]", await self._ask("GET", "/api/kernels"))

    async def start_kernel(self, kernel_spec_name: str) -> str:
        """Start a kernel, and return its id.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        answer = cast("dict[str, Any]", await self._ask("POST", "/api/kernels", {"name": kernel_spec_name}))
        return str(answer["id"])

    async def delete_kernel(self, kernel_id: str) -> None:
        """End a kernel.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        await self._ask("DELETE", _path(kernel_id))

    async def restart_kernel(self, kernel_id: str) -> None:
        """Replace the process of a kernel: its variables are gone.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        await self._ask("POST", f"{_path(kernel_id)}/restart")

    async def interrupt_kernel(self, kernel_id: str) -> None:
        """Interrupt the cell that runs, as Ctrl-C does.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        await self._ask("POST", f"{_path(kernel_id)}/interrupt")

    async def get_kernel_client(self, kernel_id: str, *, policy: SandboxPolicy | None = None) -> JupyterKernelClient:
        """Connect to a kernel.

        Args:
            kernel_id: As `start_kernel` returned it.
            policy: The caps on messages and on output.

        Raises:
            SandboxServiceError: The server refuses, or does not answer.
        """
        policy = policy or SandboxPolicy()
        address = f"{self._service.url}{_path(kernel_id)}/channels"
        session = await self._service.session()
        try:
            websocket = await session.ws_connect(
                address,
                headers=self._headers,
                max_msg_size=largest_message(policy),
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),  # pyright: ignore[reportCallIssue] - made by attrs
            )
        except (aiohttp.ClientError, OSError) as error:
            raise SandboxServiceError(
                f"{address} opens no channel to the kernel: {error}. Check that a Jupyter "
                "server is there, and its token."
            ) from error
        return JupyterKernelClient(websocket, policy=policy)

    async def close(self) -> None:
        """Close the connections. Closing twice is harmless, and a later request opens them again."""
        await self._service.close()

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        try:
            return await self._service.request_json(method, path, headers=self._headers, body=body)
        except TimeoutError as error:
            raise SandboxServiceError(
                f"The Jupyter server at {self._service.url} did not answer in time. Check that "
                "it runs, and its address."
            ) from error


class JupyterKernelClient:
    """A connection to a kernel. `JupyterClient.get_kernel_client` makes one.

    Args:
        websocket: The connection to the kernel's channels.
        policy: The caps on output.
    """

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, *, policy: SandboxPolicy | None = None) -> None:
        self._websocket = websocket
        self._policy = policy or SandboxPolicy()
        self._session_id = uuid.uuid4().hex
        self._is_leaving = False

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open, and the kernel not about to end."""
        return not self._websocket.closed and not self._is_leaving

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.stop()

    async def wait_for_ready(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the kernel answers. Return False if it does not within `timeout_seconds`, or ends."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._request("kernel_info_request", {})
                while True:
                    message = await self._receive()
                    if message.get("msg_type") == "kernel_info_reply":
                        return True
        except (TimeoutError, SandboxDiedError):
            return False

    async def execute(self, code: str, timeout_seconds: float | None = None) -> ExecutionResult:
        """Run a cell. One that does not end within `timeout_seconds` runs on, and the result says that it timed out."""
        output = CellOutput(self._policy, lambda _stream, _text: None)
        is_ok = False
        try:
            async with asyncio.timeout(timeout_seconds):
                async for message in self.messages(code):
                    output.add(message)
            is_ok = not output.failed
            ending = ""
        except TimeoutError:
            ending = "\nTimeout"
        except SandboxDiedError as error:
            ending = f"\n{error}"
        return ExecutionResult(is_ok, output.text() + ending, [_data_item(kind, data) for kind, data in output.files])

    async def messages(self, code: str) -> AsyncGenerator[KernelMessage, None]:
        """Run a cell, and yield what it says until it has ended.

        Raises:
            SandboxDiedError: The kernel, or the connection to it, ended.
        """
        cell = RunningCell(await self._request("execute_request", execute_request(code)))
        while not cell.has_ended:
            message = await self._receive()
            kind, content = str(message.get("msg_type")), mapping(message.get("content"))
            if kind == CUT.kind:
                yield CUT  # the connection is closed: the next message is an error
                continue
            if kind == "status" and content.get("execution_state") in GONE_STATES:
                raise SandboxDiedError(ENDED)
            output = cell.take(str(mapping(message.get("parent_header")).get("msg_id")), kind, content)
            self._is_leaving = self._is_leaving or cell.ends_kernel
            if output is not None:
                yield output

    async def stop(self) -> None:
        """Close the connection. The kernel runs on."""
        await self._websocket.close()

    async def _request(self, kind: str, content: Mapping[str, object]) -> str:
        request = uuid.uuid4().hex
        header = {
            "msg_id": request,
            "msg_type": kind,
            "username": "symposia",
            "session": self._session_id,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        try:
            await self._websocket.send_json(message)
        except (aiohttp.ClientError, OSError) as error:
            raise SandboxDiedError(ENDED) from error
        return request

    def _acknowledge_at_once(self) -> None:
        """Let the kernel acknowledge what comes next without a delay, where the system can.

        A Jupyter server sends the messages of a cell as small packets on a connection with Nagle's algorithm, each of
        which waits for the acknowledgement of the one before. Linux delays those by 40 ms, which is most of the time of
        a small cell. The option holds for a moment only (tcp(7)).
        """
        connection = self._websocket.get_extra_info("socket")
        if connection is not None and QUICK_ACKNOWLEDGEMENT is not None:
            connection.setsockopt(socket.IPPROTO_TCP, QUICK_ACKNOWLEDGEMENT, 1)

    async def _receive(self) -> dict[str, object]:
        """Receive the next message, with its type. One that is too large is `CUT`, and ends the connection."""
        while True:
            self._acknowledge_at_once()
            frame = await self._websocket.receive()
            if frame.type is aiohttp.WSMsgType.TEXT:
                with suppress(ValueError, RecursionError):
                    message = mapping(json.loads(frame.data))
                    kind = mapping(message.get("header")).get("msg_type")
                    return {**message, "msg_type": kind}
            elif self._websocket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG and not self._is_leaving:
                self._is_leaving = True
                return {"msg_type": CUT.kind}
            elif frame.type is not aiohttp.WSMsgType.BINARY:
                raise SandboxDiedError(ENDED)


def _path(kernel_id: str) -> str:
    return f"/api/kernels/{quote(kernel_id, safe='')}"


def _data_item(suffix: str, data: bytes) -> DataItem:
    kind = next(kind for kind, each in FILE_SUFFIXES.items() if each == suffix)
    return DataItem(kind, data.decode("utf-8", "replace") if is_text(kind) else base64.b64encode(data).decode())
