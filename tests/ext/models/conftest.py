from collections.abc import AsyncIterator

import pytest
from tests.support.model_clients import load_sdks

from symposia.testing.model_server import MockModelServer

load_sdks()


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server
