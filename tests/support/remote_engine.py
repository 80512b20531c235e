"""The Docker engine of this machine, as one on another machine is reached: through TLS with client certificates."""

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Final, Self

import pytest
from tests.support.docker_engine import CHUNK, ENGINE_SOCKET

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
