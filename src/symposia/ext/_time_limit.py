"""A limit of time with an error of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


@asynccontextmanager
async def time_limit(seconds: float, error: Exception) -> AsyncGenerator[None]:
    """Cancel the block after `seconds`, and raise `error`. A `TimeoutError` of the block itself is raised as it is."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as cause:
        if not limit.expired():
            raise
        raise error from cause
