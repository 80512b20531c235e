"""Sandboxes that work on this machine. Where one does not, its test is skipped, or fails if they are required."""

import os
from typing import NoReturn

import pytest

from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors import choose_backend, sandbox_backends, set_up_backend
from symposia.presets.coding import LocalBackend


async def working_sandbox() -> SandboxBackend:
    """The lightest that works, ready to use."""
    try:
        backend = await choose_backend(sandbox_backends()[::-1])
        await set_up_backend(backend)
    except SandboxUnavailableError as error:
        _do_without(str(error))
    return backend


async def sandbox_of_kind(kind: str) -> SandboxBackend:
    """The one of this name, or the machine itself for ``local``."""
    if kind == "local":
        return LocalBackend()
    backend = next(each for each in sandbox_backends() if each.name == kind)
    if reason := await backend.unavailable_reason():
        _do_without(f"{kind}: {reason}")
    return backend


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
