"""The `symposia` command in the test's own process."""

import asyncio

from typer.testing import CliRunner, Result

from symposia.cli._app import app


async def symposia(*arguments: str, typed: str | None = None) -> Result:
    """Call the command as a user does, in a thread of its own, since it brings its own event loop."""
    async with asyncio.timeout(60):
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed)
