"""Finding the Docker engine that the ``docker`` command would use, or saying what stands in the way."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
from typing import Any, Final, cast

from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors.docker._engine import EngineClient

ANY_VERSION: Final = "1.41"  # a client of a stated version sends no request until it is used
PROBE_SECONDS: Final = 5.0
NOT_ANSWERING: Final = (
    "No Docker engine answers ({detail}). Install Docker (Debian, Ubuntu: apt install docker.io) and start it "
    "(systemctl start docker), or point DOCKER_HOST at one that runs."
)
NOT_ALLOWED: Final = (
    "The Docker engine's socket {path} may not be used by this user. Add the user to the group docker "
    "(sudo usermod -aG docker $USER, then log in again)."
)
NOT_ATTACHABLE: Final = (
    "The Docker engine at {address} is reached through TLS or SSH, which the sandbox's attach stream cannot pass. "
    "Use an engine on this machine or one at a tcp:// address."
)


async def connect_engine() -> EngineClient:
    """Connect to the engine.

    Raises:
        MissingExtraError: The ``docker`` SDK is not installed.
        SandboxUnavailableError: No engine answers, or it cannot be used; the text says what to do.
    """
    return await asyncio.to_thread(_connect)


def _connect() -> EngineClient:
    try:
        docker = importlib.import_module("docker")
    except ImportError:
        raise MissingExtraError("The Docker sandbox", "docker") from None
    try:
        _try_address(docker)
        client = cast("EngineClient", docker.from_env().api)
        client.version()
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxUnavailableError(NOT_ANSWERING.format(detail=error)) from error
    return client


def _try_address(docker: Any) -> None:  # the SDK has no types
    """Look at where the engine should be before the SDK does: its own errors hide the reason in their text.

    Raises:
        SandboxUnavailableError: No engine answers, or it cannot be used from here.
    """
    host = os.environ.get("DOCKER_HOST", "")
    if host.startswith("ssh://") or os.environ.get("DOCKER_TLS_VERIFY"):
        raise SandboxUnavailableError(NOT_ATTACHABLE.format(address=host))
    unconnected = docker.from_env(version=ANY_VERSION).api
    address = str(unconnected.base_url)
    path = getattr(unconnected.adapters.get("http+docker://"), "socket_path", None)
    unconnected.close()
    if address.startswith(("https://", "http+docker://ssh")):
        raise SandboxUnavailableError(NOT_ATTACHABLE.format(address=address))
    if path is None:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(path)
        except PermissionError as error:
            raise SandboxUnavailableError(NOT_ALLOWED.format(path=path)) from error
        except OSError as error:
            detail = f"{path}: {error.strerror or error}"
            raise SandboxUnavailableError(NOT_ANSWERING.format(detail=detail)) from error
