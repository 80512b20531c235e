"""A Jupyter server on this machine."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import warnings
import weakref
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from symposia.core.exceptions import SandboxUnavailableError
from symposia.v02.coding.jupyter.base import GeneratedToken, JupyterConnectionInfo

__all__ = ["LocalJupyterServer"]

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
HARMLESS: Final = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TMPDIR", "TZ")
UNSAFE: Final = (
    "LocalJupyterServer runs code on this machine with your user's rights. Use DockerJupyterServer for code that you "
    "have not written."
)


class LocalJupyterServer:
    """A Jupyter server on this machine, without any isolation; it warns of that. It starts with its object.

    Code gets none of your environment variables beside a few harmless ones.

    Args:
        ip: The address at which it listens.
        port: None: a free one.
        token: The token of the server; made up by default.
        log_file: What the server says is added to this file.
        log_level: How much it says: ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR``.

    Raises:
        ImportError: ``jupyter_server`` is not installed.
        SandboxUnavailableError: It does not start; the log says why.
    """

    GenerateToken = GeneratedToken

    def __init__(
        self,
        ip: str = "127.0.0.1",
        port: int | None = None,
        token: str | GeneratedToken | None = None,
        log_file: Path | str = "jupyter_gateway.log",
        log_level: str = "INFO",
    ) -> None:
        if find_spec("jupyter_server") is None:
            raise ImportError("LocalJupyterServer needs jupyter_server: pip install jupyter_server")
        warnings.warn(UNSAFE, UserWarning, stacklevel=2)
        self._info = JupyterConnectionInfo(
            host=ip,
            use_https=False,
            port=_free_port(ip) if port is None else port,
            token=token if isinstance(token, str) else secrets.token_hex(32),
        )
        with Path(log_file).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of this module
                _command(self._info, log_level),
                env={name: os.environ[name] for name in HARMLESS if name in os.environ}
                | {"JUPYTER_TOKEN": self._info.token or ""},  # and not among the arguments, which every user sees
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._end = weakref.finalize(self, _end, self._process)
        self._wait(Path(log_file))

    @property
    def connection_info(self) -> JupyterConnectionInfo:
        """The address of the server."""
        return self._info

    def stop(self) -> None:
        """End the server and its kernels. Stopping twice is harmless."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self, log_file: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self._info):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SandboxUnavailableError(f"The Jupyter server does not start. {log_file.absolute()} says why.")
            time.sleep(0.05)


def _command(info: JupyterConnectionInfo, log_level: str) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"),
        *(f"--ServerApp.ip={info.host}", f"--ServerApp.port={info.port}", "--ServerApp.port_retries=0"),
        *("--ServerApp.terminals_enabled=False", f"--Application.log_level={log_level}"),
    ]


def _free_port(ip: str) -> int:
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


def _listens(info: JupyterConnectionInfo) -> bool:
    try:
        socket.create_connection((info.host, info.port or 0), 1).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
