"""How a server is reached: its command, or its address. The names and fields are AutoGen's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from symposia.core.code_executor import SandboxMount, SandboxPolicy
from symposia.ext._shown_addresses import shown_origin
from symposia.ext.tools.mcp._server_names import command_line, program_name

START_SECONDS: Final = 30.0
"""The least time that a server has to start. ``npx`` and ``uvx`` download a server before they run it, so that the five
seconds which a call of a stdio server has by default would be too few."""

INSTALL_SECONDS: Final = 600.0
"""The same for a server whose packages are installed for a sandbox first."""


class ServerSandbox(BaseModel, defer_build=True):
    """A sandbox in which a server runs.

    The server sees the files of `mounts`, read-only, and begins in an empty folder, which ends with it. The programs
    are those that the sandbox has: Python everywhere, others by its kind.

    Attributes:
        kind: The sandbox: ``docker``, ``bubblewrap``, ``namespaces``, or the name of one that was registered; by
            default, the first that starts.
        policy: What the server may use in its whole life, but for the time, which has no limit. `network` names the
            hosts that it may connect to; by default there are none.
        mounts: Files and folders of this machine that it sees.
        packages: Python packages that it needs, such as ``mcp-server-time``. They are installed when it first starts.
        wheels: A folder that is searched for them, instead of the package registry.
    """

    kind: str = "auto"
    policy: SandboxPolicy = Field(default_factory=SandboxPolicy)
    mounts: tuple[SandboxMount, ...] = ()
    packages: tuple[str, ...] = ()
    wheels: Path | None = None


class _ServerParams(BaseModel, defer_build=True):
    """What all servers have, and a ``repr`` with neither keys nor what may be one."""

    call_timeout_seconds: float = 3600.0

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        params = cast("McpServerParams", self)
        rest = [(name, value) for name, value in super().__repr_args__() if name not in {"command", "args", "url"}]
        return [("server", where(params)), *rest]


class StdioServerParams(_ServerParams, defer_build=True):
    """A server that is a program on this machine, which reads requests from its standard input.

    Attributes:
        command: The program.
        args: Its arguments.
        env: Its environment variables, beside the few that are passed on (``PATH``, ``HOME``, …).
        cwd: The folder in which it runs.
        encoding: The encoding of its messages.
        encoding_error_handler: What is done about bytes that are not in that encoding.
        read_timeout_seconds: Seconds to wait for an answer. It starts anew with each report of progress, and stands
            still while the server waits for a model or a person.
        call_timeout_seconds: Seconds of a whole call, however much progress is reported. It stands still while a person
            is asked.
        sandbox: Where it runs; by default it is a process with all rights of this one. `command`, `env` and `cwd` are
            of the sandbox.
    """

    type: Literal["StdioServerParams"] = "StdioServerParams"
    command: str
    args: list[str] = Field(default_factory=list)
    env: dict[str, str] | None = Field(default=None, repr=False)
    cwd: str | Path | None = None
    encoding: str = "utf-8"
    encoding_error_handler: Literal["strict", "ignore", "replace"] = "strict"
    read_timeout_seconds: float = 5
    sandbox: ServerSandbox | None = None


class SseServerParams(_ServerParams, defer_build=True):
    """A server at an address that sends server-sent events, as servers did before streamable HTTP.

    Attributes:
        url: The address of the events.
        headers: Sent with every request.
        timeout: Seconds to wait for a connection.
        sse_read_timeout: Seconds to wait for an answer. It starts anew with each report of progress, and stands still
            while the server waits for a model or a person.
        call_timeout_seconds: See `StdioServerParams`.
    """

    type: Literal["SseServerParams"] = "SseServerParams"
    url: str
    headers: dict[str, Any] | None = Field(default=None, repr=False)  # Any: as in AutoGen
    timeout: float = 5
    sse_read_timeout: float = 60 * 5


class StreamableHttpServerParams(_ServerParams, defer_build=True):
    """A server at an address that speaks streamable HTTP.

    Attributes:
        url: The address.
        headers: Sent with every request.
        timeout: Seconds to wait for a connection.
        sse_read_timeout: Seconds to wait for an answer. It starts anew with each report of progress, and stands still
            while the server waits for a model or a person.
        call_timeout_seconds: See `StdioServerParams`.
        terminate_on_close: Whether the server is told when the session ends.
    """

    type: Literal["StreamableHttpServerParams"] = "StreamableHttpServerParams"
    url: str
    headers: dict[str, Any] | None = Field(default=None, repr=False)  # Any: as in AutoGen
    timeout: float = 30.0
    sse_read_timeout: float = 300.0
    terminate_on_close: bool = True


McpServerParams: TypeAlias = Annotated[
    StdioServerParams | SseServerParams | StreamableHttpServerParams, Field(discriminator="type")
]
"""Any of them, by its ``type``."""


def start_seconds(params: McpServerParams) -> float:
    """The seconds that a server has to start, or at an address to open a session."""
    if not isinstance(params, StdioServerParams):
        return max(START_SECONDS, params.timeout)
    least = INSTALL_SECONDS if params.sandbox is not None and params.sandbox.packages else START_SECONDS
    return max(least, params.read_timeout_seconds)


def answer_seconds(params: McpServerParams) -> float:
    """The seconds that a call has without progress."""
    return params.read_timeout_seconds if isinstance(params, StdioServerParams) else params.sse_read_timeout


def where(params: McpServerParams) -> str:
    """The server for errors, questions and records, without what may be a key."""
    if isinstance(params, StdioServerParams):
        return command_line(params.command, params.args)
    return shown_origin(params.url)


def digest(params: McpServerParams) -> str:
    """Tells servers apart whose `where` is the same: 12 hexadecimal digits."""
    whole = "\0".join(params.args) if isinstance(params, StdioServerParams) else params.url
    return hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:12]


def short_name(params: McpServerParams) -> str:
    """A name of the server that is known without asking it: the host, or the program that it is."""
    if isinstance(params, StdioServerParams):
        return program_name(params.command, params.args)
    return urlsplit(params.url).hostname or "server"
