"""A real Jupyter server on loopback, in a child process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from symposia.ext.code_executors.docker_jupyter import JupyterConnectionInfo

TOKEN = "the-token-of-the-tests"
START_SECONDS = 60.0
HARMLESS = ("HOME", "PATH", "LANG")


@contextmanager
def jupyter_server(folder: Path) -> Generator[JupyterConnectionInfo]:
    """Serve from a folder, without limits on the rate of output."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter_server", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={folder}"),
            *("--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=0", "--AsyncKernelManager.shutdown_wait_time=0.2"),
            *("--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=0", "--ServerApp.terminals_enabled=False"),
        ],
        cwd=folder,
        env={**{name: value for name in HARMLESS if (value := os.environ.get(name))}, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_listens(port)
        yield JupyterConnectionInfo(host="127.0.0.1", use_https=False, port=port, token=TOKEN)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
