"""What a sandbox promises, whichever kind of isolation it is made of.

A `SandboxBackend` (Docker, bubblewrap, namespaces) makes a `Sandbox` from a `SandboxPolicy`. A sandbox is one isolation
domain with one work folder that lasts until `reset` or `close`. Results are collected inside: the host never opens a
path that the code in the sandbox can write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from symposia.core.code_executor._network import ConnectionAttempt
from symposia.core.code_executor._packages import SandboxPackages
from symposia.core.code_executor._policy import SandboxMount, SandboxPolicy
from symposia.core.code_executor._results import OutputListener, SandboxResult
from symposia.core.exceptions import SandboxError, SandboxUnavailableError

DEFAULT_BACKEND: Final = "symposia.ext.code_executors.AutoBackend"
"""The class of `default_backend`, by name as in the JSON of a component: core imports no kind of sandbox.

An entry point was rejected: it is missing where the library is used from a checkout, and takes 10 ms to find."""

_MISSING_FILE: Final = ".symposia-missing"

Progress = Callable[[str], None]
"""Called with a line of text as each part of a long work begins."""

ConnectionListener = Callable[[ConnectionAttempt], None]
"""Called on the event loop as each connection that code tried has ended, or was refused."""


class Sandbox(Protocol):
    """One isolation domain. Requests run one after another; none may be made after `close`."""

    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        """Run one block in the work folder, in an interpreter of its own.

        Where the policy is ``stateful``, a Python block runs in the interpreter of the Python blocks before it.
        Cancelling the call kills everything that the block started before the cancellation is passed on.

        Args:
            code: The source.
            language: ``python`` or ``sh`` (aliases are resolved by the executors above).
            timeout: Seconds; the policy's ``time_limit`` when None.
            on_output: Called on the event loop with each decoded piece of output as it comes. Of a block that meets the
                limit of output, it may get the head and the tail alone.

        Raises:
            SandboxDiedError: The sandbox itself ended.
        """
        ...

    async def put(self, path: str, data: bytes) -> None:
        """Write a file into the work folder.

        Raises:
            ValueError: `path` leaves the work folder.
            SandboxError: It does not fit.
        """
        ...

    async def get(self, path: str) -> bytes:
        """Read a regular file of the work folder.

        Raises:
            FileNotFoundError: There is no such regular file.
        """
        ...

    async def reset(self) -> None:
        """Kill what still runs, and empty the work folder. Variables that live on are gone."""
        ...

    def weaknesses(self) -> Sequence[str]:
        """What this sandbox holds less firmly than it could, since the machine lacks something; each with what to do.

        Empty by default, and where nothing is lacking.
        """
        return ()

    def observe_connections(self, listener: ConnectionListener) -> None:
        """Report each connection that code tries from now on, also those of a block whose call is cancelled.

        Nothing by default, as for sandboxes without a network.
        """

    async def close(self) -> None:
        """End the sandbox and everything in it. Closing twice is harmless."""
        ...


async def sandbox_answers(sandbox: Sandbox) -> bool:
    """Whether a sandbox still answers. It is asked for a file that it does not have: a fraction of a millisecond."""
    try:
        with suppress(FileNotFoundError):
            await sandbox.get(_MISSING_FILE)
    except SandboxError:
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningSandbox:
    """A sandbox that runs now, of this process or another.

    Attributes:
        kind: The name of its backend.
        name: What the system calls it, such as the id of a container or of a process.
        owner: The number of the process that started it; None where it is not known.
        seconds: How long it runs.
        memory_bytes: What everything in it uses together; None where it cannot be told.
    """

    kind: str
    name: str
    owner: int | None
    seconds: float
    memory_bytes: int | None


class SandboxBackend(Protocol):
    """A kind of isolation: makes sandboxes. Derive from it; only `unavailable_reason` and `create` have to be written.

    Attributes:
        name: As the command line spells it: ``docker``, ``bubblewrap``, ``namespaces``.
    """

    name: str

    async def unavailable_reason(self) -> str | None:
        """Why it cannot work on this machine and what to install, in a sentence or two; None when it works.

        It makes nothing: what `set_up` makes may still be missing.
        """
        ...

    def with_packages(self, packages: SandboxPackages) -> SandboxBackend:
        """A backend like this one whose sandboxes have these packages too, in place of those of an earlier call.

        They are installed by `set_up`, or when the first sandbox is created, on the host and never inside: a sandbox
        has no network. A backend that does not override this method refuses.

        Raises:
            SandboxUnavailableError: This kind of sandbox installs no packages.
        """
        del packages
        raise SandboxUnavailableError(
            f"Sandboxes of the kind {self.name!r} install no packages. Take another kind, or one that has them already."
        )

    async def is_set_up(self) -> bool:
        """Whether `create` starts a sandbox at once, with nothing to be made first. True by default."""
        return True

    async def set_up(self, progress: Progress | None = None) -> None:
        """Make what sandboxes of this kind need, where it is not there yet. Nothing by default.

        A sandbox that was not set up does the same when the first one is created, without telling of its progress.

        Args:
            progress: Called with a line of text as each part of the work begins; never called when all is there.

        Raises:
            SandboxUnavailableError: It cannot be made; the text says what to do. Nothing half-made remains.
        """

    async def running(self) -> Sequence[RunningSandbox]:
        """The sandboxes of this kind that run on this machine, whichever process started them. None by default.

        Raises:
            SandboxUnavailableError: They cannot be asked for.
        """
        return ()

    async def clean(self) -> Sequence[str]:
        """Remove what processes that have ended left of sandboxes of this kind; return what it was.

        Nothing by default. What belongs to a process that runs, or to another machine, stays.

        Raises:
            SandboxUnavailableError: It cannot be asked for.
        """
        return ()

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a sandbox.

        A kind of sandbox that cannot give a network leaves `SandboxPolicy.network` aside: its code has none.

        Raises:
            SandboxUnavailableError: It cannot work on this machine, or not by this policy: a kind of sandbox that keeps
                no variables refuses a ``stateful`` one.
        """
        ...


def default_backend() -> SandboxBackend:
    """Make the backend that takes the first kind of sandbox that starts on this machine. Imports it, which blocks."""
    module, _, name = DEFAULT_BACKEND.rpartition(".")
    return getattr(import_module(module), name)()
