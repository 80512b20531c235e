from collections.abc import AsyncIterator

import pytest
from tests.support.team_members import RUNTIMES

from symposia.core import AgentRuntime


@pytest.fixture(params=RUNTIMES)
async def runtime(request: pytest.FixtureRequest) -> AsyncIterator[AgentRuntime | None]:
    """Where a team lives; None for its own runtime."""
    async with RUNTIMES[request.param]() as runtime:
        yield runtime
