"""Which sandboxes a test may count on."""

import asyncio
import os

import pytest

from symposia.core.code_executor import SandboxBackend

REQUIRED = os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1"
_reasons: dict[str, str | None] = {}


def require(backend: SandboxBackend) -> None:
    """Skip the test where `backend` cannot work on this machine, or fail it where every sandbox has to be there."""
    asyncio.run(require_in_loop(backend))


async def require_in_loop(backend: SandboxBackend) -> None:
    """The same in a running event loop."""
    if backend.name not in _reasons:
        _reasons[backend.name] = await backend.unavailable_reason()
    reason = _reasons[backend.name]
    if reason is not None and REQUIRED:
        pytest.fail(f"{backend.name} has to work here (SYMPOSIA_REQUIRE_SANDBOXES=1): {reason}")
    if reason is not None:
        pytest.skip(f"{backend.name}: {reason}")
