"""A transport that connects to addresses that were checked, for every request and every redirect.

The check is in the part that connects, below the HTTP client: a check of the address in the URL alone was rejected,
since a name may lead elsewhere at the second question, and one of the peer after connecting since the connection
itself is an effect in the private network.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, Self, cast

import httpcore2
import httpx2
from typing_extensions import override

from symposia.core.exceptions import ToolServiceError
from symposia.ext._hosts import Resolver, UnknownNameError, canonical_host, first_connection

_resolver: Final = Resolver("tool", 16)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to hosts that are allowed, over connections to their checked addresses.

    Args:
        certificates: Of the servers that are trusted.
        private: Whether addresses of this machine and its networks may be connected to.
        hosts: The only hosts that may be connected to; None for all. A leading dot allows every host below a name.
    """

    def __init__(self, certificates: ssl.SSLContext, *, private: bool, hosts: Sequence[str] | None) -> None:
        self._hosts = hosts
        self._allowed = [f"{'.' * each.startswith('.')}{canonical_host(each.lstrip('.'))}" for each in hosts or ()]
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=certificates, max_keepalive_connections=0, network_backend=_CheckedNetwork(private=private)
        )

    @override
    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            ToolServiceError: It may not be sent, or its host has no address.
            httpcore2.NetworkError: The host cannot be reached.
            httpcore2.ProtocolError: The answer is no HTTP.
        """
        url = request.url
        if url.scheme not in {"http", "https"}:
            raise ToolServiceError(
                f"An address with the scheme {url.scheme!r} is none of a web page: it has to begin with http or https."
            )
        self._check_host(url.host, url.raw_host.decode("ascii"))
        response = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=cast("httpx2.AsyncByteStream", request.stream),
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - of its author
        )

    def _check_host(self, shown: str, host: str) -> None:
        if self._hosts is None:
            return
        name = canonical_host(host)
        if any(name == each or (each.startswith(".") and name.endswith(each)) for each in self._allowed):
            return
        raise ToolServiceError(
            f"{shown} is not among the hosts that this tool may read: {', '.join(self._hosts) or 'none'}."
        )


class _Body(httpx2.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_stream():
            yield piece

    @override
    async def aclose(self) -> None:
        await self._response.aclose()


class _CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, and connects to one of the addresses that it has checked."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._network = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            addresses, private = await _resolver.resolve(host, port)
        except UnknownNameError as error:
            raise ToolServiceError(f"There is no host {host}: {error}.") from error
        if private is not None and not self._private:
            raise ToolServiceError(
                f"{host} leads to {private.address}, an address of this machine or of a private network, which this "
                "tool may not read."
            )

        async def connect(address: str) -> httpcore2.AsyncNetworkStream:
            return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)

        return await first_connection(addresses, connect, lambda unused: unused.aclose())
