"""Sandboxes that work on this machine. Where one does not, its test is skipped, or fails if they are required."""

import asyncio
import os
from typing import NoReturn

import pytest

from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors import choose_backend, sandbox_backends, sandbox_kind


async def working_sandbox() -> SandboxBackend:
    """The lightest that works, ready to use."""
    try:
        backends = await asyncio.to_thread(sandbox_backends)
        backend = await choose_backend(backends[::-1])
        await backend.set_up()
    except SandboxUnavailableError as error:
        _do_without(str(error))
    return backend


async def sandbox_of_kind(kind: str) -> SandboxBackend:
    """The one of this name, or the machine itself for ``local``."""
    backend = await asyncio.to_thread(lambda: sandbox_kind(kind).make())
    if reason := await backend.unavailable_reason():
        _do_without(f"{kind}: {reason}")
    return backend


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
