"""The conversation with one server: frames sent, and replies received that are checked against strict schemas.

The server shares its sandbox with hostile code, so none of its replies is trusted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from symposia.core import uninterrupted
from symposia.core.exceptions import SandboxDiedError
from symposia.ext.code_executors._sandbox._inside._frames import Frame, FrameDecoder, FrameError, pack_frame, pack_start
from symposia.ext.code_executors._sandbox._launcher import MEMORY_RAN_OUT
from symposia.ext.code_executors._sandbox._transport import Transport

_MOST_CHANGES = 8
_SLICE = 256 * 1024
"""Bytes that are sent at once. The event loop handles them in a tenth of a millisecond."""
_REPLIES_IN_A_ROW = 64
_Number = Annotated[int, Field(ge=1, le=2**53)]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Ready(_Reply):
    """The server is confined and takes requests.

    Attributes:
        landlock: The version of Landlock that confines it as well; 0 where the kernel has none.
        memory_enforced: Whether the kernel holds the memory limit, rather than the server.
        unreadable: The place of mounted data that the sandbox's user cannot read; empty where it can read all.
    """

    kind: Literal["ready"]
    landlock: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    memory_enforced: bool = False
    unreadable: str = ""


class Started(_Reply):
    """The block begins: the server has finished what it did before, such as importing a library."""

    kind: Literal["started"]


class Output(_Reply):
    """The frame's data is output of the running block."""

    kind: Literal["output"]
    stream: Literal["stdout", "stderr"]


class OutputCut(_Reply):
    """So many bytes of output are left out here, of the middle of what the block printed."""

    kind: Literal["cut"]
    stream: Literal["stdout", "stderr"]
    bytes: Annotated[int, Field(ge=1, le=2**53)]


class CollectedFile(_Reply):
    """The frame's data is a file that the block made or changed."""

    kind: Literal["artifact"]
    path: Annotated[str, Field(min_length=1, max_length=4096)]


class Skipped(_Reply):
    """A path that the block made or changed and that is not sent."""

    kind: Literal["skipped"]
    path: Annotated[str, Field(min_length=1, max_length=4096)]
    reason: Annotated[str, Field(max_length=200)]


VariablesChange = Literal["lost_before", "rolled_back", "lost"]
"""What has become of the variables of a stateful sandbox: lost before the block, as before the block, lost after it."""


class Ended(_Reply):
    """The block has ended. Nothing of it runs any more, and its files have been sent."""

    kind: Literal["ended"]
    status: Literal["ok", "error", "timeout", "out_of_memory", "output_limit", "disk_full", "crashed", "cancelled"]
    exit_code: Annotated[int, Field(ge=0, le=255)]
    wall_seconds: _Seconds
    cpu_seconds: _Seconds
    peak_memory_bytes: Annotated[int, Field(ge=0)]
    variables: Annotated[list[VariablesChange], Field(max_length=_MOST_CHANGES)] = []


class Done(_Reply):
    """A request other than a run succeeded; for ``get`` the frame's data is the file."""

    kind: Literal["done"]


class Refused(_Reply):
    """A request other than a run failed."""

    kind: Literal["refused"]
    error: Literal["not_found", "no_space", "invalid", "too_large"]
    text: Annotated[str, Field(max_length=1000)]


class ConnectionMade(_Reply):
    """The block has connected to the relay."""

    kind: Literal["connect"]
    connection: _Number


class ConnectionData(_Reply):
    """The frame's data is what the block sent on a connection."""

    kind: Literal["data"]
    connection: _Number


class ConnectionWindow(_Reply):
    """The block has read so many bytes of a connection, and takes as many more."""

    kind: Literal["window"]
    connection: _Number
    bytes: Annotated[int, Field(ge=1, le=2**30)]


class ConnectionEnded(_Reply):
    """The block sends no more on a connection."""

    kind: Literal["end"]
    connection: _Number


class ConnectionClosed(_Reply):
    """A connection is gone."""

    kind: Literal["close"]
    connection: _Number


ConnectionReply = ConnectionMade | ConnectionData | ConnectionWindow | ConnectionEnded | ConnectionClosed
Reply = Ready | Started | Output | OutputCut | CollectedFile | Skipped | Ended | Done | Refused | ConnectionReply
_SCHEMA: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="kind")])


def parse_reply(frame: Frame) -> Reply:
    """Parse the header of a frame.

    Raises:
        FrameError: The header breaks the protocol. The sandbox must not be used any more.
    """
    try:
        return _SCHEMA.validate_python(dict(frame.header))
    except ValidationError as error:
        raise FrameError(f"a reply breaks the protocol in {error.error_count()} places") from error


class Message(NamedTuple):
    """A checked reply, and the bytes that came with it."""

    reply: Reply
    data: bytes


class Conversation:
    """The frames between the host and one server.

    Args:
        transport: Leads to the server.
        max_data_bytes: Most bytes that one reply may carry.
    """

    def __init__(self, transport: Transport, max_data_bytes: int) -> None:
        self._transport = transport
        self._decoder = FrameDecoder(max_data_bytes)
        self._received: deque[Frame] = deque()
        self._sending = asyncio.Lock()  # one frame after the other
        self._slices: asyncio.Future[None] | None = None
        self._in_a_row = 0
        self._over: str | None = None  # the first reason stays: what follows is its consequence

    async def send(self, header: Mapping[str, object], data: bytes = b"") -> None:
        """Send one frame.

        Raises:
            SandboxDiedError: The sandbox has ended, now or before.
        """
        self._raise_if_over()
        try:
            if len(data) <= _SLICE:
                async with self._sending:
                    await self._transport.write(pack_frame(header, data))
            else:
                # Sent whole, also for a caller who is cancelled: the next frame would complete one that was cut off.
                self._slices = asyncio.ensure_future(self._send_in_slices(header, data))
                await asyncio.shield(self._slices)
        except OSError as error:
            raise await self.died("its server is gone") from error

    async def _send_in_slices(self, header: Mapping[str, object], data: bytes) -> None:
        """Send a long frame without keeping the event loop from running: eight megabytes take it some milliseconds."""
        async with self._sending:
            await self._transport.write(pack_start(header, len(data)))
            for start in range(0, len(data), _SLICE):
                await self._transport.write(data[start : start + _SLICE])

    async def receive(self) -> Message:
        """Receive the next reply.

        Raises:
            SandboxDiedError: The sandbox has ended, or broke the protocol and has been killed.
        """
        self._raise_if_over()
        try:
            while not self._received:
                received = await self._transport.read()
                if not received:
                    raise await self.died("its server is gone")
                self._received.extend(self._decoder.feed(received))
            self._in_a_row += 1
            if self._in_a_row % _REPLIES_IN_A_ROW == 0:  # very many small ones may have come at once
                await asyncio.sleep(0)
            frame = self._received.popleft()
            return Message(parse_reply(frame), frame.data)
        except FrameError as error:  # not skipped: after a broken frame, where the next one begins is a guess
            raise await self.died(str(error)) from error

    async def close(self) -> None:
        """End the sandbox in an orderly way."""
        self._over = self._over or "it was closed"
        await uninterrupted(self._transport.close())

    async def kill(self, reason: str) -> None:
        """Kill the sandbox from outside. Later requests fail with `reason`."""
        self._over = self._over or reason
        await uninterrupted(self._transport.kill())

    async def died(self, reason: str) -> SandboxDiedError:
        """Kill the sandbox, and return the error to raise."""
        await self.kill(reason)
        stderr = self._transport.error_output()
        text = f"The sandbox ended: {self._over}." + (f" It wrote: {stderr}" if stderr else "")
        error = SandboxDiedError(text)
        error.memory_ran_out = MEMORY_RAN_OUT in stderr
        return error

    def _raise_if_over(self) -> None:
        if self._over is not None:
            raise SandboxDiedError(f"The sandbox has ended: {self._over}. Make a new one.")
