"""Which sandboxes a test may count on."""

import asyncio
import os
from functools import cache

import pytest

from symposia.core.code_executor import SandboxBackend

REQUIRED = os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1"


def require(backend: SandboxBackend) -> None:
    """Skip the test where `backend` cannot work on this machine, or fail it where every sandbox has to be there."""
    reason = _reason(type(backend))
    if reason is None:
        return
    if REQUIRED:
        pytest.fail(f"{backend.name} has to work here (SYMPOSIA_REQUIRE_SANDBOXES=1): {reason}")
    pytest.skip(f"{backend.name}: {reason}")


@cache
def _reason(kind: type[SandboxBackend]) -> str | None:
    return asyncio.run(kind().unavailable_reason())
