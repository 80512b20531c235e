"""The image of a Jupyter server: that of the sandboxes, and the server's packages on top."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Final, cast

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment import (
    environment_key,
    ignore_progress,
    install_pinned_packages,
    one_set_up_at_a_time,
)
from symposia.ext.code_executors.docker._address import connect_engine
from symposia.ext.code_executors.docker._engine import EngineClient, ask
from symposia.ext.code_executors.docker._image import (
    BASE_IMAGE,
    ENVIRONMENT,
    RECIPE_OF_LAYER,
    build_layer,
    has_image,
    make_image,
)
from symposia.ext.code_executors.docker._service import ServiceProgram

JUPYTER_PACKAGES: Final = (
    files(__name__.rpartition(".")[0]).joinpath("jupyter-packages.txt").read_text(encoding="utf-8")
)
# The limits of the rate of output are the executors' own: the server's would drop output and let the cell run on.
SERVER: Final = (
    f"{ENVIRONMENT}/bin/python",
    "-m",
    "jupyter_server",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port={port}",
    "--ServerApp.port_retries=0",
    "--ServerApp.terminals_enabled=False",
    "--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=0",
    "--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=0",
    "--AsyncKernelManager.shutdown_wait_time=0.2",
    "--log-level=WARN",
)


async def jupyter_program(image: str | None, port: int) -> ServiceProgram:
    """Describe the program of a Jupyter server. The first one on a machine makes the image.

    Args:
        image: An image of the user's, whose own command is the program. None: the image with Jupyter.
        port: Where the server listens.

    Raises:
        SandboxUnavailableError: The engine cannot be used, or the image cannot be had.
    """
    client = await connect_engine()
    try:
        if image is None:
            name, python = await _make_jupyter_image(client), f"{ENVIRONMENT}/bin/python"
            command: Sequence[str] = [part.format(port=port) for part in SERVER]
        else:
            name, python = await make_image(client, image), "python3"
            command = await _command_of(client, name)
    finally:
        await asyncio.to_thread(client.close)
    return ServiceProgram(image=name, command=command, port=port, python=python)


async def _make_jupyter_image(client: EngineClient) -> str:
    base = await make_image(client, BASE_IMAGE)
    name = f"symposia-jupyter:{environment_key(base, RECIPE_OF_LAYER, JUPYTER_PACKAGES)}"
    async with one_set_up_at_a_time():
        if not await has_image(client, name):
            fetch = partial(install_pinned_packages, packages=JUPYTER_PACKAGES)
            await build_layer(client, base, name, RECIPE_OF_LAYER, fetch, "a Jupyter server", ignore_progress)
    return name


async def _command_of(client: EngineClient, image: str) -> list[str]:
    """The command of an image, which a container without one of its own would run."""
    config = cast("Mapping[str, object]", (await ask(client.inspect_image, image)).get("Config") or {})
    parts = [*cast("Sequence[str]", config.get("Entrypoint") or ()), *cast("Sequence[str]", config.get("Cmd") or ())]
    if not parts:
        raise SandboxUnavailableError(f"The image {image} has no command. Give one whose command is a Jupyter server.")
    return parts
