"""A server in a sandbox, whose messages go through the sandbox's proxy to this program.

A block of Python inside connects to the proxy, and starts the server with the connection as its standard input and
output. So all that is needed of a sandbox is what each kind of it promises: to run a block, and to connect to the hosts
that its policy names. A second channel into the sandbox was rejected: each kind would have to carry it.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from symposia.core.code_executor import (
    NetworkPolicy,
    NetworkRule,
    Sandbox,
    SandboxBackend,
    SandboxPackages,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.exceptions import SandboxError, ToolServiceError
from symposia.ext.code_executors import AUTO, AutoBackend, sandbox_kind
from symposia.ext.tools.mcp._lines import ServerOutput, message_streams
from symposia.ext.tools.mcp._params import ServerSandbox, StdioServerParams, where

_HOST: Final = "symposia-mcp.invalid"
"""A name that leads nowhere else (RFC 2606)."""
_LONGEST_IDLE: Final = 24 * 3600.0
"""The most that a `NetworkPolicy` allows. A session that was idle for longer is replaced by the next call."""
_MOST_BYTES: Final = 2**53
_GREETING_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 2.0
"""Seconds that a server has to end after its input is closed."""

_BLOCK: Final = """
import os, socket, subprocess, sys
from urllib.parse import urlsplit

command, environment, folder, port, secret = {arguments!r}
proxy = urlsplit(os.environ["HTTPS_PROXY"])
end = socket.create_connection((proxy.hostname, proxy.port))
end.sendall(f"CONNECT {host}:{{port}} HTTP/1.1\\r\\nHost: {host}:{{port}}\\r\\n\\r\\n".encode())
head = b""
while not head.endswith(b"\\r\\n\\r\\n"):
    byte = end.recv(1)
    if not byte:
        sys.exit("the proxy of the sandbox closed the connection")
    head += byte
if head.split()[1] != b"200":
    sys.exit(f"the proxy of the sandbox answered {{head!r}}")
end.sendall(secret.encode() + b"\\n")
if command[0] in ("python", "python3"):
    command[0] = sys.executable  # the one that has the packages
try:
    status = subprocess.call(command, stdin=end, stdout=end, env=os.environ | environment, cwd=folder)
except OSError as error:
    sys.exit(f"{{error}}, in the sandbox")
sys.exit(status if status >= 0 else 128 - status)
"""


@asynccontextmanager
async def sandboxed_streams(
    params: StdioServerParams, sandbox: ServerSandbox, output: ServerOutput
) -> AsyncGenerator[tuple[Any, Any]]:
    """Start a server in a sandbox; as long as this is open, messages pass.

    Raises:
        ToolServiceError: The sandbox or the server cannot be started.
    """
    async with _listener() as (port, secret, connected):
        try:
            backend = await asyncio.to_thread(_backend, sandbox)
            box = await backend.create(_policy(sandbox.policy, port), mounts=sandbox.mounts)
        except SandboxError as error:
            raise ToolServiceError(f"The sandbox of the MCP server '{where(params)}' did not start: {error}") from error
        running = asyncio.create_task(_run(box, params, port, secret, output))
        try:
            await asyncio.wait([running, connected], return_when=asyncio.FIRST_COMPLETED)
            if not connected.done():
                output.ending = lambda: _ending(running)
                raise ToolServiceError(f"The MCP server '{where(params)}' did not start. {output.describe()}")
            reader, writer = connected.result()
            output.ending = lambda: _ending(running)

            async def stop() -> None:
                with suppress(OSError):  # it has ended
                    writer.write_eof()
                await asyncio.wait([running], timeout=_GRACE_SECONDS)

            async with message_streams(params, reader, writer, output, stop) as streams:
                yield streams
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await box.close()


def _backend(sandbox: ServerSandbox) -> SandboxBackend:
    backend = AutoBackend() if sandbox.kind == AUTO else sandbox_kind(sandbox.kind).make()
    packages = SandboxPackages.given(sandbox.packages, sandbox.wheels)
    return backend if packages is None else backend.with_packages(packages)


def _policy(policy: SandboxPolicy, port: int) -> SandboxPolicy:
    """The policy for a block that is the whole life of a server, with the way to this program."""
    back = NetworkRule(host=_HOST, ports=(port,), private=True, address="127.0.0.1")
    network = policy.network
    if network is None:
        network = NetworkPolicy(allow=[back], connections=1, block_bytes=_MOST_BYTES, idle_timeout=_LONGEST_IDLE)
    else:
        network = replace(network, allow=[*network.allow, back], idle_timeout=_LONGEST_IDLE)
    return replace(
        policy,
        network=network,
        stateful=False,
        time_limit=math.inf,
        artifacts=0,
        output_limit_bytes=_MOST_BYTES,
        imported_ahead=(),
    )


async def _run(box: Sandbox, params: StdioServerParams, port: int, secret: str, output: ServerOutput) -> SandboxResult:
    arguments = (
        [params.command, *params.args],
        params.env or {},
        None if params.cwd is None else str(params.cwd),
        port,
        secret,
    )
    source = _BLOCK.format(arguments=arguments, host=_HOST)
    return await box.run(source, "python", on_output=lambda _stream, text: output.add_error(text))


def _ending(running: asyncio.Task[SandboxResult]) -> str:
    if not running.done() or running.cancelled():
        return ""
    if (error := running.exception()) is not None:
        return str(error)
    result = running.result()
    if result.status in {"ok", "error"}:
        return f"Its process ended with exit status {result.exit_code}."
    return f"The sandbox ended it: {result.status.replace('_', ' ')}."


_Connected = asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@asynccontextmanager
async def _listener() -> AsyncGenerator[tuple[int, str, _Connected]]:
    """The port of this program's end, the secret by which the right connection is known, and that connection.

    It listens as long as the sandbox lives, and closes all other connections: the policy of the sandbox has a rule for
    the port, which another program could take otherwise.
    """
    secret = secrets.token_hex(32)
    connected: _Connected = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = b""
        with suppress(TimeoutError, OSError, ValueError):
            async with asyncio.timeout(_GREETING_SECONDS):
                greeting = await reader.readline()
        if not connected.done() and secrets.compare_digest(greeting, f"{secret}\n".encode()):
            connected.set_result((reader, writer))
        else:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], secret, connected
    finally:
        server.close()
        if connected.done():
            connected.result()[1].transport.abort()
        else:
            connected.cancel()
