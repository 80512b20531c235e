"""The address of the Docker engine: found in ``DOCKER_HOST``, else the default socket; and why none answers there."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Final, cast
from urllib.parse import urlsplit

from symposia.core import uninterrupted
from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors.docker._engine import EngineClient

ANY_VERSION: Final = "1.41"  # a client of a stated version sends no request until it is used
ANSWER_SECONDS: Final = 60.0  # the SDK's own default
VERSION_SECONDS: Final = 20.0  # for the first request; the SDK's minute is long where no packet comes back
PROBE_SECONDS: Final = 5.0
SOCKET_SCHEME: Final = "http+docker://"  # the SDK's, for an engine at a socket of this machine
DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 2375, "https": 2376}
PING: Final = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
NOT_ANSWERING: Final = (
    "No Docker engine answers ({detail}). Install Docker (Debian, Ubuntu: apt install docker.io) and start it "
    "(systemctl start docker), or point DOCKER_HOST at one that runs."
)
NOT_REACHED: Final = (
    "No Docker engine answers at {address} ({detail}). Start it there with this address, check that no firewall is "
    "between, or point DOCKER_HOST at another one."
)
NOT_ALLOWED: Final = (
    "The Docker engine's socket {path} may not be used by this user. Add the user to the group docker "
    "(sudo usermod -aG docker $USER, then log in again)."
)
NOT_AN_ADDRESS: Final = (
    "DOCKER_HOST is {host!r}, which is no address of a Docker engine ({detail}). Set it to one, such as "
    "unix:///var/run/docker.sock, or unset it."
)
NO_ADDRESS_OF_TLS: Final = (
    "DOCKER_TLS_VERIFY is set, and DOCKER_HOST is not. Set it to the engine's address, such as "
    "tcp://build.example.com:2376, or unset DOCKER_TLS_VERIFY for the engine of this machine."
)
NO_CERTIFICATES: Final = (
    "The Docker engine at {address} is used with TLS, and {folder} has no usable certificates ({detail}). Put the "
    "engine's ca.pem and your cert.pem and key.pem there, or set DOCKER_CERT_PATH to their folder."
)
NOT_TRUSTED: Final = (
    "The Docker engine at {address} and this machine do not agree on TLS ({detail}). In {folder}, ca.pem has to be the "
    "authority of the engine's certificate, whose names include the host in DOCKER_HOST; cert.pem and key.pem have to "
    "be of a client that the engine accepts."
)
NO_SSH: Final = (
    "The Docker engine at {address} is reached by the command ssh, which is not there. Install it (Debian, Ubuntu: apt "
    "install openssh-client)."
)
NOT_BY_SSH: Final = (
    "No Docker engine answers at {address} ({detail}). Make this command show the engine's version without a question, "
    "by a key that needs no password or an agent, and with Docker installed there: ssh {destination} docker version"
)


async def connect_engine() -> EngineClient:
    """Connect to the engine.

    Raises:
        MissingExtraError: The ``docker`` SDK is not installed.
        SandboxUnavailableError: No engine answers, or it cannot be used; the text says what to do.
    """
    connecting = asyncio.ensure_future(asyncio.to_thread(_connect))
    try:
        return await uninterrupted(connecting)
    except asyncio.CancelledError:  # the thread goes on all the same, and its client would stay open
        if connecting.exception() is None:
            connecting.result().close()
        raise


def socket_path(client: EngineClient) -> str | None:
    """The path of the engine's socket on this machine; None where it is reached in another way."""
    return getattr(client.adapters.get(SOCKET_SCHEME), "socket_path", None)


def ssh_opener(client: EngineClient) -> Callable[[], socket.socket] | None:
    """What opens a connection to an engine behind SSH; None where it is reached in another way."""
    return getattr(client.adapters.get(SOCKET_SCHEME), "open_socket", None)


def is_remote(client: EngineClient) -> bool:
    """Whether the engine is taken to be on another machine, with files of its own.

    That is each one with an address in a network, also in that of loopback: a tunnel may be behind it.
    """
    return socket_path(client) is None


def tls_context(client: EngineClient) -> ssl.SSLContext:
    """The client's settings of TLS, which are those of ``requests``, for a connection of one's own. Reads files."""
    context = ssl.create_default_context(cafile=client.verify if isinstance(client.verify, str) else None)
    if not client.verify:  # DOCKER_CERT_PATH without DOCKER_TLS_VERIFY: the user wants no check of the engine
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client.cert is not None:
        context.load_cert_chain(*client.cert)
    return context


def _connect() -> EngineClient:
    try:
        docker = importlib.import_module("docker")
    except ImportError:
        raise MissingExtraError("The Docker sandbox", "docker") from None
    host = os.environ.get("DOCKER_HOST", "")
    return _connect_by_ssh(docker, host) if host.startswith("ssh://") else _connect_by_socket(docker)


def _connect_by_socket(docker: ModuleType) -> EngineClient:
    unconnected = _client(docker, ANY_VERSION, timeout=VERSION_SECONDS)
    try:
        _try_socket(unconnected)
        return _client(docker, _api_version(unconnected))
    except (docker.errors.DockerException, OSError, ValueError) as error:
        # Only now: a connection that ends before TLS has begun would be an error in the engine's log each time.
        if is_remote(unconnected):
            _connection(unconnected).close()
        if unconnected.base_url.startswith("https://"):
            _try_tls(unconnected)
        raise SandboxUnavailableError(NOT_ANSWERING.format(detail=error)) from error
    finally:
        unconnected.close()


def _connect_by_ssh(docker: ModuleType, host: str) -> EngineClient:
    if shutil.which("ssh") is None:
        raise SandboxUnavailableError(NO_SSH.format(address=host))
    try:
        # Imported here, as it extends what the SDK is built on, which is installed with it.
        adapter = importlib.import_module("symposia.ext.code_executors.docker._ssh").SSHAdapter(host)
    except ValueError as error:
        raise SandboxUnavailableError(NOT_AN_ADDRESS.format(host=host, detail=error)) from error

    def client(version: str) -> EngineClient:
        made = docker.APIClient(base_url="unix:///by-ssh", version=version)  # a path that the adapter never looks at
        made.mount(SOCKET_SCHEME, adapter)
        return cast("EngineClient", made)

    try:
        # Not closed: it would close the adapter, whose connection is used further.
        return client(_api_version(client(ANY_VERSION)))
    except (docker.errors.DockerException, OSError, ValueError) as error:
        detail = adapter.error_output() or error
        destination = " ".join(each for each in adapter.destination if each != "--")
        adapter.close()
        raise SandboxUnavailableError(
            NOT_BY_SSH.format(address=host, detail=detail, destination=destination)
        ) from error


def _api_version(client: EngineClient) -> str:
    """Ask for the newest version of the API that the engine has.

    Raises:
        ValueError: The answer is no JSON, or not an engine's.
    """
    try:
        return str(client.version(api_version=False)["ApiVersion"])
    except (LookupError, TypeError) as error:
        raise ValueError("the server there is not one") from error


def _client(docker: ModuleType, version: str, timeout: float = ANSWER_SECONDS) -> EngineClient:
    """A client of a version of the API. It sends nothing until it is used.

    Raises:
        SandboxUnavailableError: There is no such address, or no certificate.
    """
    host = os.environ.get("DOCKER_HOST", "")
    if not host and os.environ.get("DOCKER_TLS_VERIFY"):  # for which the SDK takes the socket of this machine
        raise SandboxUnavailableError(NO_ADDRESS_OF_TLS)
    try:
        client = cast("EngineClient", docker.from_env(version=version, timeout=timeout).api)
    except docker.errors.TLSParameterError as error:
        text = NO_CERTIFICATES.format(address=host or "its socket", folder=_certificates(), detail=_reason(error))
        raise SandboxUnavailableError(text) from error
    except (docker.errors.DockerException, ValueError) as error:  # ValueError: of the standard library's URL parser
        raise SandboxUnavailableError(NOT_AN_ADDRESS.format(host=host, detail=error)) from error
    except OSError as error:  # the SDK finds no file, or may not read it
        text = NO_CERTIFICATES.format(address=host or "its socket", folder=_certificates(), detail=error)
        raise SandboxUnavailableError(text) from error
    # Else REQUESTS_CA_BUNDLE, where it is set, would be used instead of the engine's own authority; and HTTP_PROXY for
    # the SDK's requests, though not for streams.
    client.trust_env = False
    return client


def _try_socket(client: EngineClient) -> None:
    """Connect to a socket of this machine ahead of the SDK, whose errors hide the reason in their text.

    Raises:
        SandboxUnavailableError: Nothing listens there, or it may not be used.
    """
    path = socket_path(client)
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


def _connection(client: EngineClient) -> socket.socket:
    try:
        address = urlsplit(client.base_url)
        port = address.port or DEFAULT_PORTS[address.scheme]
    except ValueError as error:  # the SDK has let the port pass
        host = os.environ.get("DOCKER_HOST", "")
        raise SandboxUnavailableError(NOT_AN_ADDRESS.format(host=host, detail=error)) from error
    try:
        return socket.create_connection((address.hostname or "", port), PROBE_SECONDS)
    except OSError as error:
        text = NOT_REACHED.format(address=given_address(client), detail=error.strerror or error)
        raise SandboxUnavailableError(text) from error


def _try_tls(client: EngineClient) -> None:
    """Find the reason of a failure in TLS itself, as the SDK's error only mentions it.

    Raises:
        SandboxUnavailableError: The two sides do not agree.
    """
    said = {"address": given_address(client), "folder": _certificates()}
    try:
        context = tls_context(client)
    except OSError as error:
        raise SandboxUnavailableError(NO_CERTIFICATES.format(**said, detail=error)) from error
    try:
        with context.wrap_socket(_connection(client), server_hostname=urlsplit(client.base_url).hostname) as probe:
            probe.sendall(PING)
            if probe.recv(1):  # a client that is not accepted learns of it with the first answer, since TLS 1.3
                return
            raise ConnectionAbortedError("the engine closes the connection")
    except OSError as error:
        detail = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error
        raise SandboxUnavailableError(NOT_TRUSTED.format(**said, detail=detail)) from error


def _reason(error: Exception) -> str:
    """What the SDK says of the settings of TLS, without the page to which its second sentence points."""
    return str(error).split(". ", 1)[0].rstrip(".")


def given_address(client: EngineClient) -> str:
    """The engine's address as the user gave it."""
    return os.environ.get("DOCKER_HOST") or client.base_url


def _certificates() -> Path:
    """The folder of the certificates, as the SDK finds it."""
    return Path(os.environ.get("DOCKER_CERT_PATH") or "~/.docker").expanduser()
