from collections.abc import AsyncIterator

import pytest
from tests.support.model_clients import load_sdks
from tests.support.model_server import ModelServer

load_sdks()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server
