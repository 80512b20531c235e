"""A Jupyter kernel as a process of this machine, and the conversation with it.

The kernel listens on Unix sockets in a folder that only its user can enter. The usual TCP ports on loopback are open to
every user of the machine, and are chosen before the kernel binds them, so that another program may take them between.

The process is started here and not by a ``KernelManager``: that one starts it on the event loop, writes files there,
and ends the kernel alone instead of its process group.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from symposia.core import uninterrupted
from symposia.core.exceptions import MissingExtraError, SandboxDiedError, SandboxUnavailableError
from symposia.ext._temporary_folders import owned_prefix, remove_left_over_folders_once
from symposia.ext._variables import harmless_environment
from symposia.ext.code_executors._kernels._cell import CUT, ENDED, KernelMessage, RunningCell, execute_request
from symposia.ext.code_executors.jupyter._channels import Event, KernelChannels

START_SECONDS: Final = 60.0
"""Most take less than one; the first start of a kernel compiles its modules."""
NO_KERNEL: Final = (
    "There is no Jupyter kernel named {name!r}. `jupyter kernelspec list` shows those that are installed; the package "
    "ipykernel brings python3."
)
DID_NOT_START: Final = "The Jupyter kernel {name!r} did not start. It said: {said}"
SAID: Final = "said"
"""The file with what the kernel's process itself has printed: why it does not start."""
SAID_BYTES: Final = 4096
SUBSCRIPTION_SECONDS: Final = 0.2
DEATH_SECONDS: Final = 0.2
"""Between the end of a kernel's connection and the news that the kernel itself has ended, if it has."""


class KernelSpecification(NamedTuple):
    """How a kernel is started.

    Attributes:
        command: The program and its arguments.
        environment: All of its environment.
        language: What its cells are written in.
        interrupted_by_message: Whether a message interrupts it, and not a signal.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    language: str
    interrupted_by_message: bool


class KernelProcess:
    """A `Kernel` that is a process of this machine. `start` makes one."""

    def __init__(
        self,
        specification: KernelSpecification,
        folder: Path,
        process: asyncio.subprocess.Process,
        channels: KernelChannels,
    ) -> None:
        self._specification = specification
        self._folder = folder
        self._process = process
        self._channels = channels
        self._died = asyncio.ensure_future(process.wait())
        self._is_leaving = False
        self._closed = False

    @classmethod
    async def start(cls, name: str, largest_message: int) -> Self:
        """Start a kernel, and wait until it answers.

        Args:
            name: Of its specification.
            largest_message: Bytes of output that are received at once, at most.

        Raises:
            SandboxUnavailableError: There is none of this name, or it does not start.
            MissingExtraError: ``jupyter_client`` is not installed.
        """
        await asyncio.to_thread(remove_left_over_folders_once)
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=owned_prefix("kernel")))
        try:
            specification = await asyncio.to_thread(_read_specification, name, folder)
            channels = await uninterrupted(asyncio.to_thread(_make_channels, folder, largest_message))
            process = await _launch(specification, folder)
        except BaseException:
            await uninterrupted(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            raise
        kernel = cls(specification, folder, process, channels)
        try:
            await kernel._wait_until_ready(name)
        except BaseException:
            await uninterrupted(kernel.close())
            raise
        return kernel

    @property
    def language(self) -> str:
        """What its cells are written in; see `Kernel.language`."""
        return self._specification.language

    async def execute(self, code: str) -> AsyncGenerator[KernelMessage, None]:
        """Run a cell; see `Kernel.execute`."""
        cell = RunningCell(await self._channels.send("execute_request", execute_request(code)))
        was_cut = False
        while not cell.has_ended:
            event = await self._receive()
            if event.source == "cut":
                await self._raise_if_dead()
                was_cut = True
                cell.lose_output()
                yield CUT
                continue
            output = cell.take(event.request, event.kind, event.content)
            self._is_leaving = cell.ends_kernel
            if output is not None:
                yield output
        # The output is connected to anew. The next cell would lose what it prints until then, and never be seen idle.
        # A kernel that still has gigabytes to send may not get there; the executor waits for a while, and replaces it.
        while was_cut and not await self._answers():
            pass

    async def is_alive(self) -> bool:
        """Whether the process runs; see `Kernel.is_alive`."""
        return not self._is_leaving and not self._died.done()

    async def interrupt(self) -> None:
        """Interrupt the cell; see `Kernel.interrupt`."""
        if self._specification.interrupted_by_message:
            await self._channels.send("interrupt_request", {}, "control")
            return
        # The group, as a terminal does: what the cell started has to end, too.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)

    async def close(self) -> None:
        """Kill the kernel's process group; see `Kernel.close`."""
        if self._closed:
            return
        self._closed = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._died
        await self._channels.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _wait_until_ready(self, name: str) -> None:
        self._channels.open(self._died)
        try:
            async with asyncio.timeout(START_SECONDS):
                # The subscription to the output takes effect some time after the connection, and what was published
                # before is lost. So it is asked until an answer has come on both channels.
                while not await self._answers():
                    pass
        except (SandboxDiedError, TimeoutError) as error:
            said = await asyncio.to_thread(_end_of, self._folder / SAID)
            raise SandboxUnavailableError(DID_NOT_START.format(name=name, said=said)) from error

    async def _answers(self) -> bool:
        request = await self._channels.send("kernel_info_request", {})
        while (event := await self._receive()).source != "reply" or event.request != request:
            pass
        with suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIPTION_SECONDS):
                while (event := await self._receive()).source != "output" or event.request != request:
                    pass
                return True
        return False

    async def _raise_if_dead(self) -> None:
        await asyncio.wait([self._died], timeout=DEATH_SECONDS)
        if self._died.done():
            raise SandboxDiedError(ENDED)

    async def _receive(self) -> Event:
        event = await self._channels.receive()
        if event.source == "died":
            raise SandboxDiedError(ENDED)
        return event


async def _launch(specification: KernelSpecification, folder: Path) -> asyncio.subprocess.Process:
    said = await asyncio.to_thread((folder / SAID).open, "wb")
    with said:
        return await asyncio.create_subprocess_exec(
            *specification.command,
            env=specification.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _read_specification(name: str, folder: Path) -> KernelSpecification:
    """Read how the kernel is started. Reads files."""
    try:
        found = importlib.import_module("jupyter_client.kernelspec")
    except ImportError:
        raise MissingExtraError("JupyterCodeExecutor", "jupyter") from None
    try:
        specification = found.KernelSpecManager().get_kernel_spec(name)
    except found.NoSuchKernel:
        raise SandboxUnavailableError(NO_KERNEL.format(name=name)) from None
    values = {"connection_file": str(folder / "connection.json"), "resource_dir": specification.resource_dir}
    command = [argument.format(**values) for argument in specification.argv]
    if command[0] in {"python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}"}:
        command[0] = sys.executable  # as Jupyter does: the first on PATH may be another one, without ipykernel
    # A kernel of Python ends by itself when the process of this number has.
    parent = {"JPY_PARENT_PID": str(os.getpid())}
    return KernelSpecification(
        command=command,
        environment={**harmless_environment(), **specification.env, **parent},
        language=str(specification.language).lower(),
        interrupted_by_message=specification.interrupt_mode == "message",
    )


def _make_channels(folder: Path, largest_message: int) -> KernelChannels:
    """Make the connection to a new kernel, and write it down for the kernel."""
    channels = KernelChannels(folder, largest_message)
    (folder / "connection.json").write_text(json.dumps(channels.connection), encoding="utf-8")
    return channels


def _end_of(file: Path) -> str:
    return file.read_bytes()[-SAID_BYTES:].decode(errors="replace").strip() or "nothing"
