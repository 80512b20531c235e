"""The state of limits in Redis, for several processes and machines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final

from symposia._lazy import is_installed, lazy_module
from symposia.core import Component, run_in_worker_thread, uninterrupted
from symposia.core.exceptions import MissingExtraError
from symposia.ext.models.rate_limit._meters import INSTANT, Load, Rates

if TYPE_CHECKING:
    from redis import asyncio as aioredis
else:
    aioredis = lazy_module("redis.asyncio")

# `LocalMeters` in Lua, which the server runs as one step. The clock is the server's, since those of machines differ.
# What is kept is forgotten when it has come to nothing, so that names that are no longer used leave nothing behind.
_CLOCK: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local limits = {'requests', 'tokens', 'input_tokens', 'output_tokens'}
local kept = redis.call('HMGET', KEYS[1], 'paused', unpack(limits))
local paused, paid = tonumber(kept[1]) or 0, {}
for n = 1, #limits do paid[n] = tonumber(kept[n + 1]) or 0 end
local function keep()
    local fields = {'paused', string.format('%.6f', paused)}
    for n, limit in ipairs(limits) do
        table.insert(fields, limit)
        table.insert(fields, string.format('%.6f', paid[n]))
    end
    redis.call('HSET', KEYS[1], unpack(fields))
    redis.call('PEXPIRE', KEYS[1], math.ceil((math.max(paused, now, unpack(paid)) - now) * 1000) + 60000)
end
"""
_TAKE: Final = f"""{_CLOCK}
local wait = paused - now
for n = 1, #limits do wait = math.max(wait, paid[n] - tonumber(ARGV[n + #limits]) - now) end
if wait > {INSTANT:f} then return string.format('%.6f', wait) end
for n = 1, #limits do paid[n] = math.max(now, paid[n]) + tonumber(ARGV[n]) end
keep()
return '0'
"""
_CORRECT: Final = f"""{_CLOCK}
for n = 1, #limits do paid[n] = paid[n] + tonumber(ARGV[n]) end
keep()
"""
_PAUSE: Final = f"""{_CLOCK}
paused = math.max(paused, now + tonumber(ARGV[1]))
paid[1] = math.max(paid[1], paused)
keep()
"""


class RedisMeters(Component):
    """Keeps the state of rate limits in a Redis server, so that several processes and machines share them.

    Args:
        host: The server's name.
        port: Its port.
        db: The number of the database.
        username: The name to log in with.
        password: The password, which is not saved.
        ssl: Whether the connection is encrypted.
        prefix: What the keys of the server begin with.
        socket_timeout: Seconds to wait for an answer of the server. All requests of a name wait meanwhile.

    Raises:
        MissingExtraError: The library ``redis`` is not installed.
    """

    component_type = "rate_meters"
    component_secrets: ClassVar[frozenset[str]] = frozenset({"password"})

    def __init__(
        self,
        host: str = "localhost",
        port: int = 6379,
        *,
        db: int = 0,
        username: str | None = None,
        password: str | None = None,
        ssl: bool = False,
        prefix: str = "symposia:rate:",
        socket_timeout: float | None = 5,
    ) -> None:
        if not is_installed("redis"):
            raise MissingExtraError(type(self).__name__, "redis")
        self.address = f"{host}:{port}/{db}/{prefix}"
        self._prefix = prefix
        self._options: dict[str, Any] = {  # Any: each is of its parameter's type
            "host": host,
            "port": port,
            "db": db,
            "username": username,
            "password": password,
            "ssl": ssl,
            "socket_timeout": socket_timeout,
            "socket_connect_timeout": socket_timeout,
        }
        self._connections: dict[asyncio.AbstractEventLoop, aioredis.Redis] = {}

    def named(self, name: str) -> _NamedMeters:
        """The meters of a name."""
        return _NamedMeters(self, f"{self._prefix}{name}")

    async def run(self, script: str, key: str, *arguments: float) -> str:
        """Run a script on the server.

        Raises:
            ConnectionError: The server cannot be reached, or refuses.
        """
        loop = asyncio.get_running_loop()  # a connection belongs to the loop that uses it
        connection = self._connections.get(loop)
        if connection is None:  # made in a thread: the library reads files for it
            for closed in [known for known in list(self._connections) if known.is_closed()]:
                self._connections.pop(closed, None)
            connection = self._connections.setdefault(loop, await run_in_worker_thread(self._connect))
        numbers = [f"{each:.6f}" for each in arguments]
        try:
            return str(await connection.register_script(script)(keys=[key], args=numbers))
        except aioredis.RedisError as error:
            raise ConnectionError(
                f"The rate limits in Redis at {self.address} cannot be used: {error}. Check that "
                "the server runs, and its host and port."
            ) from error

    def _connect(self) -> aioredis.Redis:
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - an optional dependency
        from redis.backoff import NoBackoff  # noqa: PLC0415 - likewise
        from redis.exceptions import ConnectionError as RedisConnectionError  # noqa: PLC0415 - likewise

        # A connection that was lost is made again, once and at once. The library's own three attempts take seconds, in
        # which all requests wait; a `RetryingClient` around this one decides for how long.
        retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        return aioredis.Redis(**self._options, decode_responses=True, retry=retry)

    async def close(self) -> None:
        """Close the connection of this event loop."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.aclose()


class _NamedMeters:
    """The meters of one name; see `Meters`."""

    def __init__(self, server: RedisMeters, key: str) -> None:
        self._server = server
        self._key = key

    async def take(self, rates: Rates, load: Load) -> float:
        """See `Meters.take`."""
        waits: list[float] = []

        async def take() -> None:
            waits.append(float(await self._server.run(_TAKE, self._key, *rates.seconds(load), *rates.early)))

        try:
            # To the end, also if the caller is cancelled: else it would be unknown whether the server has taken it.
            await uninterrupted(take())
        except asyncio.CancelledError:
            if waits == [0]:
                await self.correct(rates, Load().minus(load))
            raise
        return waits[0]

    async def correct(self, rates: Rates, load: Load) -> None:
        """See `Meters.correct`."""
        await uninterrupted(self._server.run(_CORRECT, self._key, *rates.seconds(load)))

    async def pause(self, seconds: float) -> None:
        """See `Meters.pause`."""
        await self._server.run(_PAUSE, self._key, seconds)
