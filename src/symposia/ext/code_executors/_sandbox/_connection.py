"""The host's side of a sandbox: `Sandbox` over a `Transport`, the same for every backend.

Everything that comes in is checked, everything that is kept has a cap, and every wait has an end: the server ends a
block at its limit, and where it has not said so two seconds later, the sandbox is killed from outside.

The server ends blocks rather than the host, as long as it can: it knows when every process is dead, it keeps the
partial output and the files, and the sandbox stays usable. The host's deadline is for a server that hangs or was taken
over, and costs the sandbox. Cancelling takes the same two steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Self

from symposia.core import uninterrupted
from symposia.core.code_executor import ConnectionListener, OutputListener, Sandbox, SandboxPolicy, SandboxResult
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxError, SandboxUnavailableError
from symposia.ext.code_executors._sandbox._conversation import (
    CollectedFile,
    ConnectionClosed,
    ConnectionData,
    ConnectionEnded,
    ConnectionMade,
    ConnectionReply,
    ConnectionWindow,
    Conversation,
    Done,
    Ended,
    Output,
    OutputCut,
    Ready,
    Refused,
    Skipped,
    Started,
    VariablesChange,
)
from symposia.ext.code_executors._sandbox._inside._frames import FrameError
from symposia.ext.code_executors._sandbox._program import ServerSettings, open_request
from symposia.ext.code_executors._sandbox._proxy._network import SandboxNetwork
from symposia.ext.code_executors._sandbox._results import ResultInProgress, network_notes
from symposia.ext.code_executors._sandbox._transport import Transport

GRACE_SECONDS = 2.0  # a server on a busy machine takes some ten milliseconds to kill a block
START_SECONDS = 30.0  # a container on a busy machine takes seconds
FILE_SECONDS = 30.0
MEMORY_IS_COUNTED = (
    "No memory cgroup can be made here, so the memory limit is held by counting, 50 times a second. Code that takes "
    "memory faster can pass it for a moment. Run as root or in a systemd unit with Delegate=yes, or use docker."
)
NO_LANDLOCK = (
    "The kernel has no Landlock (Linux 5.13 and later, with landlock in its lsm= list), so files are kept apart by "
    "mounts and modes alone."
)
UNREADABLE = (
    "What is mounted at {target} cannot be read in the sandbox, whose user may not enter a folder on the way there, or "
    "not read the data itself. Give it another place, such as '/data/{name}'."
)
_LANGUAGES = ("python", "sh")


class SandboxConnection(Sandbox):
    """A sandbox behind a transport, made by `open`. Requests of several tasks run one after another."""

    def __init__(self, conversation: Conversation, policy: SandboxPolicy, ready: Ready) -> None:
        self._conversation = conversation
        self._policy = policy
        self._ready = ready
        self._network = None if policy.network is None else SandboxNetwork(policy.network, conversation.send)
        self._untold: list[VariablesChange] = []  # of blocks that were cancelled, and so have no result
        self._turn = asyncio.Lock()  # replies carry no number: they belong to the request that was sent last

    @classmethod
    async def open(cls, transport: Transport, policy: SandboxPolicy, settings: ServerSettings) -> Self:
        """Open the conversation with a server that was just started.

        Raises:
            SandboxUnavailableError: The server did not start; the text has its error output. The transport is closed.
            InvalidArgumentError: Data is mounted where code cannot reach it. The transport is closed.
        """
        conversation = Conversation(transport, max(policy.work_bytes, policy.tmp_bytes, policy.artifact_bytes))
        try:
            async with asyncio.timeout(START_SECONDS):
                await conversation.send(open_request(policy, settings), settings.seccomp)
                reply, _ = await conversation.receive()
        except (SandboxDiedError, TimeoutError) as error:
            await conversation.kill("it did not start")
            reason = transport.error_output() or str(error) or f"no answer within {START_SECONDS:g} s"
            raise SandboxUnavailableError(f"The sandbox did not start: {reason}") from error
        except BaseException:
            await conversation.kill("its start was cancelled")
            raise
        if not isinstance(reply, Ready):
            raise await conversation.died(f"it greeted with {reply.kind!r}")
        if reply.unreadable:
            await conversation.kill("its data cannot be read")
            raise InvalidArgumentError(
                UNREADABLE.format(target=reply.unreadable, name=PurePosixPath(reply.unreadable).name)
            )
        return cls(conversation, policy, reply)

    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        """Run one block; see `Sandbox.run`.

        Raises:
            SandboxDiedError: The sandbox itself ended.
            InvalidArgumentError: The language is not known, or the timeout is not positive.
        """
        if language not in _LANGUAGES:
            raise InvalidArgumentError(f"A sandbox runs 'python' or 'sh', not {language!r}.")
        limit = self._policy.time_limit if timeout is None else timeout
        if not limit > 0:
            raise InvalidArgumentError(f"The timeout of a block must be more than 0 seconds, not {limit}.")
        header: dict[str, object] = {"kind": "run", "language": language, "time_limit": limit}
        source = code.encode("utf-8", "surrogatepass")
        async with self._turn:
            if self._network is not None:
                return await self._run_with_network(self._network, header, source, limit, on_output)
            return await self._run(header, source, limit, on_output)

    def observe_connections(self, listener: ConnectionListener) -> None:
        """Report the connections of blocks; see `Sandbox.observe_connections`."""
        if self._network is not None:
            self._network.observe(listener)

    def weaknesses(self) -> Sequence[str]:
        """What the kernel lacks here; see `Sandbox.weaknesses`."""
        missing = {MEMORY_IS_COUNTED: self._ready.memory_enforced, NO_LANDLOCK: self._ready.landlock > 0}
        return [text for text, there in missing.items() if not there]

    async def put(self, path: str, data: bytes) -> None:
        """Write a file; see `Sandbox.put`."""
        if len(data) > self._policy.work_bytes:
            raise SandboxError(f"{path} ({len(data)} bytes) does not fit into the sandbox's work folder.")
        await self._request({"kind": "put", "path": _relative(path)}, data)

    async def get(self, path: str) -> bytes:
        """Read a file; see `Sandbox.get`."""
        return await self._request({"kind": "get", "path": _relative(path)})

    async def reset(self) -> None:
        """Kill what still runs and empty the sandbox; see `Sandbox.reset`."""
        await self._request({"kind": "reset"})
        self._untold = []

    async def close(self) -> None:
        """End the sandbox and the block that runs; see `Sandbox.close`."""
        await self._conversation.close()

    async def _run_with_network(
        self,
        network: SandboxNetwork,
        header: dict[str, object],
        code: bytes,
        limit: float,
        listener: OutputListener | None,
    ) -> SandboxResult:
        network.begin_block()
        try:
            result = await self._run(header, code, limit, listener)
        except BaseException as error:  # a cancellation too, which a listener's error must not take the place of
            try:
                await network.end_block()
            except Exception as failure:  # noqa: BLE001 - whatever a listener raises
                error.add_note(f"A listener of connections failed as well: {failure!r}")
            raise
        attempts = await network.end_block()
        return replace(result, connections=attempts, notes=(*result.notes, *network_notes(attempts)))

    async def _run(
        self, header: dict[str, object], code: bytes, limit: float, listener: OutputListener | None
    ) -> SandboxResult:
        result = ResultInProgress(self._policy, listener)
        deadline = asyncio.timeout(FILE_SECONDS)
        has_begun = False
        try:
            async with deadline:
                await self._conversation.send(header, code)
                await self._expect_start()
                has_begun = True
                deadline.reschedule(asyncio.get_running_loop().time() + limit + GRACE_SECONDS)
                end = await self._watch(result)
        except SandboxDiedError as died:
            result.add_to(died)
            raise
        except FrameError as error:
            died = await self._conversation.died(str(error))
            result.add_to(died)
            raise died from error
        # A deadline, a cancellation, a listener that fails: the block ends in any case, before anything is passed on. A
        # caller that continues while the block still runs would find its files changing.
        except BaseException as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                if not has_begun:
                    raise await self._conversation.died(
                        f"it did not begin a block within {FILE_SECONDS:g} s"
                    ) from error
                await self._conversation.kill("it had to be killed from outside, as a block did not end at its limit")
                return result.timed_out(limit)
            await uninterrupted(self._end_block())
            raise
        untold, self._untold = self._untold, []
        return result.ended(end.model_copy(update={"variables": [*untold, *end.variables]}))

    async def _expect_start(self) -> None:
        reply, _ = await self._conversation.receive()
        if not isinstance(reply, Started):
            raise FrameError(f"it answered a run with {reply.kind!r}")

    async def _watch(self, result: ResultInProgress) -> Ended:
        """Receive the replies of a running block up to the last."""
        while True:
            reply, data = await self._conversation.receive()
            match reply:
                case Output(stream=stream):
                    result.add_output(stream, data)
                case OutputCut(stream=stream, bytes=count):
                    result.add_cut(stream, count)
                case CollectedFile(path=path):
                    await asyncio.to_thread(result.add_artifact, path, data)  # computes a digest
                case Skipped(path=path, reason=reason):
                    result.add_skipped(path, reason)
                case Ended():
                    return reply
                case ConnectionMade() | ConnectionData() | ConnectionWindow() | ConnectionEnded() | ConnectionClosed():
                    self._carry(reply, data)
                case _:
                    raise FrameError(f"it answered a run with {reply.kind!r}")

    def _carry(self, reply: ConnectionReply, data: bytes) -> None:
        if self._network is None:
            raise FrameError("it made a connection without a network")
        match reply:
            case ConnectionMade(connection=number):
                self._network.connect(number)
            case ConnectionData(connection=number):
                self._network.feed(number, data)
            case ConnectionWindow(connection=number, bytes=count):
                self._network.grant(number, count)
            case ConnectionEnded(connection=number):
                self._network.feed_end(number)
            case ConnectionClosed(connection=number):
                self._network.close(number)

    async def _end_block(self) -> None:
        """Cancel the running block, and wait until the server has killed it."""
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._conversation.send({"kind": "cancel"})
                end = await self._skip_to(Ended)
        except TimeoutError:
            await self._conversation.kill("it did not end a cancelled block")
            return
        except SandboxDiedError:
            return  # and so has the block
        if isinstance(end, Ended) and {"lost_before", "lost"} & set(end.variables):
            self._untold = ["lost_before"]

    async def _request(self, header: dict[str, object], data: bytes = b"") -> bytes:
        async with self._turn:
            try:
                async with asyncio.timeout(FILE_SECONDS):
                    await self._conversation.send(header, data)
                    reply, answer = await self._conversation.receive()
            except TimeoutError as error:
                raise await self._conversation.died(f"it did not answer within {FILE_SECONDS:g} s") from error
            except asyncio.CancelledError:
                await uninterrupted(self._settle_request())
                raise
        if isinstance(reply, Refused):
            raise _refusal(reply, header)
        if not isinstance(reply, Done):
            raise await self._conversation.died(f"it answered a {header['kind']} with {reply.kind!r}")
        return answer

    async def _settle_request(self) -> None:
        """Discard the reply to a cancelled request, so that the next request does not receive it."""
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._skip_to(Done, Refused)
        except TimeoutError:
            await self._conversation.kill("it did not answer a cancelled request")
        except SandboxDiedError:
            return

    async def _skip_to(self, *kinds: type[Ended | Done | Refused]) -> Ended | Done | Refused:
        while not isinstance(reply := (await self._conversation.receive()).reply, kinds):
            pass
        return reply


def _relative(path: str) -> str:
    """Normalise a path below the work folder.

    Raises:
        InvalidArgumentError: It leaves the work folder, or names no file.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
        raise InvalidArgumentError(f"{path!r} is not a path inside the work folder: give a relative one without '..'.")
    return str(pure)


def _refusal(refused: Refused, header: dict[str, object]) -> Exception:
    text = f"{header.get('path', header['kind'])}: {refused.text}"
    return FileNotFoundError(text) if refused.error == "not_found" else SandboxError(text)
