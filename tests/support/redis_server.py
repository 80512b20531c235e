"""A Redis server of the test's own, on a port that is free."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import pytest

PROGRAM = shutil.which("redis-server")


@contextmanager
def running_redis() -> Generator[int]:
    """Start a server that keeps nothing on the disk, and yield its port. It is ended by its id."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed (Debian and Ubuntu: apt install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            PROGRAM,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--databases",
            "64",
        ]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            else:
                raise RuntimeError("redis-server ended instead of starting")
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=30)
