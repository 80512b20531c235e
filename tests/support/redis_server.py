"""A Redis server of the test's own, on a port that is free."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server")


@contextmanager
def running_redis(kept_in: Path | None = None, port: int | None = None) -> Generator[int]:
    """Start a server, and yield its port. It is ended by its id.

    Args:
        kept_in: The folder in which it keeps what it was given; by default, it keeps nothing on the disk.
        port: Its port; by default, a free one.
    """
    if PROGRAM is None:
        pytest.skip("redis-server is not installed (Debian and Ubuntu: apt install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen: int = port or free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            PROGRAM,
            "--port",
            str(chosen),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no" if kept_in is None else "yes",
            "--appendfsync",
            "always",
            "--databases",
            "64",
        ]
        process = subprocess.Popen([*command, "--dir", str(kept_in or folder)], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            else:
                raise RuntimeError("redis-server ended instead of starting")
            yield chosen
        finally:
            process.terminate()
            process.communicate(timeout=30)
