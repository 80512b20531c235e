from collections.abc import Iterator

import pytest
from tests.support.redis_server import running_redis
from tests.support.telemetry_fixtures import spans

__all__ = ["spans"]


@pytest.fixture(scope="package")
def redis_port() -> Iterator[int]:
    with running_redis() as port:
        yield port
