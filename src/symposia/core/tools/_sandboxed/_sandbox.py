"""The sandbox of functions that come as source: started at its first use, shared, and closed without being asked to.

A sandbox belongs to the event loop that started it, so that one is kept for each loop that uses it. An asynchronous
generator holds it. Python closes such a generator, and with it the sandbox, on its loop: when nothing refers to it any
more, and at the end of `asyncio.run`. Rejected: to close the sandbox after each call, as its start takes longer than
most calls; a finalizer, which cannot await; and a task that waits for the end, of which asyncio complains where a
program leaves its loop without cancelling it. Where the program is killed, the sandbox ends with the pipe to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Self

from symposia.core._cancellation_token import uninterrupted
from symposia.core._component import shared_in_load
from symposia.core.argument_checks import check_backend, check_instance, check_path
from symposia.core.code_executor import (
    Sandbox,
    SandboxBackend,
    SandboxPackages,
    SandboxPolicy,
    SandboxResult,
    default_backend,
    sandbox_answers,
)
from symposia.core.exceptions import ArgumentTypeError, SandboxDiedError

_IMPORTED_AHEAD: Final = ("ast", "asyncio", "datetime", "decimal", "inspect", "json", "traceback", "typing", "uuid")
"""What the program inside imports, and most functions of JSON. It halves the time of a call."""


class FunctionSandbox:
    """Runs functions that components have as source, such as those of a `FunctionTool` from JSON.

    The sandbox starts with the first call, and again after it has ended. Calls run one after another. It is closed when
    the event loop ends, when the components that use it are gone, or by `close`.

    Args:
        backend: Makes the sandbox; by default, the first kind that starts on this machine.
        policy: What the functions may use. By default, the usual limits.
        packages: Packages that the functions may import beside those that every sandbox has, such as ``html2text`` or
            ``html2text==2025.4``. They are installed on the host when the sandbox starts for the first time.
        wheels: A folder of the host that is searched for them, instead of the package registry.

    Raises:
        ArgumentTypeError: `backend` makes no sandboxes, or another argument is of another type.
        InvalidArgumentError: One of `packages` is not the name of a package, or `wheels` is given without them.
        SandboxUnavailableError: There are `packages`, and the backend installs none.
    """

    def __init__(
        self,
        backend: SandboxBackend | None = None,
        *,
        policy: SandboxPolicy | None = None,
        packages: Sequence[str] = (),
        wheels: Path | str | None = None,
    ) -> None:
        if backend is not None:
            check_backend("FunctionSandbox", backend)
        check_instance("policy", "FunctionSandbox", policy, SandboxPolicy, "SandboxPolicy(time_limit=10)")
        check_path("wheels", "FunctionSandbox", wheels)
        self._packages = SandboxPackages.given(packages, wheels)
        self._backend = backend
        if backend is not None and self._packages is not None:
            self._backend = backend.with_packages(self._packages)
        self._policy = policy or SandboxPolicy(artifacts=0, imported_ahead=_IMPORTED_AHEAD)
        self._places: dict[asyncio.AbstractEventLoop, _Place] = {}

    @property
    def policy(self) -> SandboxPolicy:
        """What the functions may use."""
        return self._policy

    async def run(self, program: str) -> SandboxResult:
        """Run a program of Python.

        Raises:
            SandboxUnavailableError: No sandbox starts.
            SandboxDiedError: The sandbox ended in the middle. The next call gets a new one.
        """
        place = self._place()
        # The sandbox itself runs one block after another too. The lock keeps a call that waits from being hurt by the
        # one before it, which may end the sandbox.
        async with place.turn:
            sandbox = await self._ready(place)
            try:
                result = await sandbox.run(program, "python")
            except SandboxDiedError:
                await place.close()
                raise
            if result.status == "disk_full":
                await place.close()
            return result

    async def close(self) -> None:
        """End the sandbox of this event loop. The next call starts another."""
        place = self._place()
        async with place.turn:
            await place.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _place(self) -> _Place:
        loop = asyncio.get_running_loop()
        for ended in [other for other in self._places if other.is_closed()]:
            del self._places[ended]
        if loop not in self._places:
            self._places[loop] = _Place()
        return self._places[loop]

    async def _ready(self, place: _Place) -> Sandbox:
        """The sandbox, new where the last one has ended."""
        if place.sandbox is not None and not await sandbox_answers(place.sandbox):
            await place.close()
        if place.sandbox is not None:
            return place.sandbox
        if self._backend is None:
            backend = await asyncio.to_thread(default_backend)
            self._backend = backend if self._packages is None else backend.with_packages(self._packages)
        sandbox = await self._backend.create(self._policy)
        await place.keep(sandbox)
        return sandbox


class _Place:
    """What belongs to one event loop: the sandbox, and the turn of its callers."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.sandbox: Sandbox | None = None
        self._keeper: AsyncGenerator[Sandbox] | None = None

    async def keep(self, sandbox: Sandbox) -> None:
        self._keeper = _kept_open(sandbox)
        self.sandbox = await anext(self._keeper)

    async def close(self) -> None:
        keeper, self._keeper, self.sandbox = self._keeper, None, None
        if keeper is not None:
            await uninterrupted(keeper.aclose())


async def _kept_open(sandbox: Sandbox) -> AsyncGenerator[Sandbox]:
    try:
        yield sandbox
    finally:
        await uninterrupted(sandbox.close())


_chosen: Final[ContextVar[FunctionSandbox | None]] = ContextVar("symposia_component_sandbox", default=None)


@contextmanager
def run_component_code_in(sandbox: FunctionSandbox) -> Generator[None]:
    """Choose where the code of components runs that are loaded inside a ``with`` block.

    Otherwise, each call of `load_component` has a sandbox of its own for what it loads. Code that `trust_code=True`
    lets run in this process is not concerned.

    Args:
        sandbox: Runs the code of all of them.

    Raises:
        ArgumentTypeError: `sandbox` is not a `FunctionSandbox`.
    """
    if not isinstance(sandbox, FunctionSandbox):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise ArgumentTypeError(
            f"sandbox of run_component_code_in is {sandbox!r}: give a FunctionSandbox, such as FunctionSandbox()."
        )
    token = _chosen.set(sandbox)
    try:
        yield
    finally:
        _chosen.reset(token)


def component_sandbox() -> FunctionSandbox:
    """Where the code of the component that is being loaded runs."""
    return _chosen.get() or shared_in_load(FunctionSandbox)
