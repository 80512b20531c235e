"""The Docker engine of this machine, reached as one on another machine: through TLS with certificates, or SSH."""

import asyncio
import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Final, Protocol, Self

import pytest
from tests.contracts.sandbox_contract import marked
from tests.support.docker_engine import CHUNK, ENGINE_SOCKET
from tests.support.sandboxes import REQUIRED

AUTHORITY: Final = "ca.pem"
KEY_USAGE: Final = "keyUsage=critical,keyCertSign,cRLSign"


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificates(folder: Path, *, names: str = "IP:127.0.0.1") -> Path:
    """Make a folder for ``DOCKER_CERT_PATH``, with the engine's own certificate in it, too. Blocks."""
    folder.mkdir()
    of_new_key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")

    def name(file: str) -> str:
        return str(folder / file)

    authority = ("-keyout", name("ca-key.pem"), "-out", name(AUTHORITY), "-subj", "/CN=authority", "-addext", KEY_USAGE)
    _openssl("req", "-x509", *of_new_key, *authority)
    for file, extension in (("cert", "extendedKeyUsage=clientAuth"), ("server-cert", f"subjectAltName={names}")):
        key = file.replace("cert", "key")
        made = ("-keyout", name(f"{key}.pem"), "-out", name(f"{file}.pem"), "-subj", f"/CN={file}")
        signed = ("-CA", name(AUTHORITY), "-CAkey", name("ca-key.pem"), "-addext", extension)
        _openssl("req", "-x509", *of_new_key, *made, *signed, "-addext", "basicConstraints=critical,CA:FALSE")
    return folder


class RemoteEngine(Protocol):
    """One of the two."""

    @property
    def address(self) -> str: ...
    def choose(self, monkeypatch: pytest.MonkeyPatch) -> None: ...
    def cut(self) -> None: ...


class EngineBehindTLS:
    """A relay to the engine's socket, at a port of loopback, for clients with a certificate of the authority.

    Args:
        certificates: Of `make_certificates`.
    """

    def __init__(self, certificates: Path) -> None:
        self._certificates = certificates
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / AUTHORITY))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(certificates / "server-cert.pem", certificates / "server-key.pem")
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.streams = 0
        """How many requests for a stream came."""

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def choose(self, monkeypatch: pytest.MonkeyPatch, certificates: Path | None = None) -> None:
        """Set the variables by which a user chooses this engine, with other certificates where they are given."""
        monkeypatch.setenv("DOCKER_HOST", self.address)
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates or self._certificates))

    def cut(self) -> None:
        """Cut every connection, as a network that fails does."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._relays)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(ENGINE_SOCKET)
        both = {writer, engine_writer}
        self._writers |= both
        relays = {
            asyncio.ensure_future(self._copy(reader, engine_writer)),
            asyncio.ensure_future(self._copy(engine_reader, writer)),
        }
        self._relays |= relays
        # TLS has no end of one direction alone: the end of one is the end of both.
        await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
        for each in both:
            each.close()
        await asyncio.wait(relays)
        self._relays -= relays
        self._writers -= both

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                self.streams += data.startswith(b"POST ") and b"\r\nUpgrade: tcp\r\n" in data
                writer.write(data)
                await writer.drain()
        except OSError:  # one of the two has gone
            return


SSHD: Final = "/usr/sbin/sshd"
START_SECONDS: Final = 10.0
SERVER_CONFIG: Final = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH={path}
"""
CLIENT_CONFIG: Final = """
Host *
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
"""


class EngineBehindSSH:
    """An SSH server of the test's own, at a port of loopback, for one key. Its methods block.

    A test cannot choose another ``~/.ssh/config``, so an ``ssh`` ahead on the path adds the configuration.

    Args:
        folder: An empty one, for keys and configuration.
        path: The path of programs on the server.
    """

    def __init__(self, folder: Path, path: str | None = None) -> None:
        self._folder = folder
        self._path = path or os.environ["PATH"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])

    @property
    def address(self) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self._port}"

    def choose(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the variables by which a user chooses this engine."""
        monkeypatch.setenv("DOCKER_HOST", self.address)
        monkeypatch.setenv("PATH", f"{self._folder / 'bin'}:{os.environ['PATH']}")

    def cut(self) -> None:
        """Cut every connection, as a network that fails does."""
        for process in self.connections():
            os.kill(process, signal.SIGKILL)

    def connections(self) -> list[int]:
        """The processes of ``ssh`` that are connected to it."""
        return marked(f"{self._folder}/ssh_config")

    def forget_host(self) -> None:
        """As if the user had never connected to it."""
        (self._folder / "known_hosts").write_text("")

    def refuse_key(self) -> None:
        """As if the user's key was not allowed."""
        (self._folder / "authorized_keys").write_text("")

    def __enter__(self) -> Self:
        if not Path(SSHD).exists() and not REQUIRED:
            pytest.skip(f"{SSHD} is not there: apt install openssh-server")
        for key in ("host_key", "user_key"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / key)]
            subprocess.run(made, check=True, capture_output=True)
        host_key = (self._folder / "host_key.pub").read_text()
        (self._folder / "authorized_keys").write_text((self._folder / "user_key.pub").read_text())
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {host_key}")
        settings = {"folder": self._folder, "port": self._port, "path": self._path}
        (self._folder / "sshd_config").write_text(SERVER_CONFIG.format(**settings))
        (self._folder / "ssh_config").write_text(CLIENT_CONFIG.format(**settings))
        command = self._folder / "bin" / "ssh"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self._folder}/ssh_config "$@"\n')
        command.chmod(0o755)
        Path("/run/sshd").mkdir(exist_ok=True)  # where the server confines itself before a user is known
        log = (self._folder / "log").open("wb")
        with log:
            self._server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self._folder / "sshd_config")], stderr=log)
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), START_SECONDS).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        self.__exit__()
        raise TimeoutError(f"sshd does not start: {(self._folder / 'log').read_text()}")
