"""A hosted sandbox, such as E2B: a service that runs code elsewhere, as one more kind of sandbox.

The service here is scripted, and runs nothing. With a real one, only the addresses and the fields are other ones.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout, web

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    CodeBlock,
    OutputListener,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxUnavailableError
from symposia.ext.code_executors import SandboxCodeExecutor

REQUESTS: list[str] = []


class HostedSandbox(Sandbox):
    """One sandbox of the service."""

    def __init__(self, service: ClientSession, sandbox: str, policy: SandboxPolicy) -> None:
        self._service = service
        self._address = f"/sandboxes/{sandbox}"
        self._policy = policy

    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        # A cancelled request has to end the code: here, the service does it when the connection ends.
        seconds = timeout or self._policy.time_limit
        request = {"code": code, "language": language, "seconds": seconds}
        limit = ClientTimeout(total=seconds + 2)
        async with self._service.post(f"{self._address}/run", json=request, timeout=limit) as answer:
            if answer.status != 200:
                raise SandboxDiedError(f"The service ended the sandbox: {await answer.text()}")
            ran = await answer.json()
        if on_output:
            on_output("stdout", ran["stdout"])
        status = "ok" if ran["exit_code"] == 0 else "error"
        return SandboxResult(status=status, exit_code=ran["exit_code"], stdout=ran["stdout"], stderr=ran["stderr"])

    async def put(self, path: str, data: bytes) -> None:
        async with self._service.put(f"{self._address}/files/{quote(path)}", data=data) as answer:
            answer.raise_for_status()

    async def get(self, path: str) -> bytes:
        async with self._service.get(f"{self._address}/files/{quote(path)}") as answer:
            if answer.status == 404:
                raise FileNotFoundError(path)
            return await answer.read()

    async def reset(self) -> None:
        async with self._service.post(f"{self._address}/reset") as answer:
            answer.raise_for_status()

    async def close(self) -> None:
        if not self._service.closed:
            async with self._service.delete(self._address):
                await self._service.close()


class HostedBackend(SandboxBackend):
    name = "hosted"

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def unavailable_reason(self) -> str | None:
        async with ClientSession(self._url, headers=self._headers) as service, service.get("/account") as answer:
            return None if answer.status == 200 else f"The service refuses the key: {await answer.text()}"

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        if mounts:
            raise InvalidArgumentError("A hosted sandbox cannot see files of this machine. Put them into the work_dir.")
        service = ClientSession(self._url, headers=self._headers)
        limits = {"memory_bytes": policy.memory_bytes, "cpus": policy.cpus, "network": False}
        async with service.post("/sandboxes", json=limits) as answer:
            if answer.status == 201:
                return HostedSandbox(service, (await answer.json())["id"], policy)
            reason = await answer.text()
        await service.close()
        raise SandboxUnavailableError(f"The service makes no sandbox: {reason}")


async def scripted_service(request: web.Request) -> web.Response:
    """Answer like a service in which the program prints 42."""
    REQUESTS.append(f"{request.method} {request.path}")
    match request.method, request.path.split("/")[-1]:
        case "POST", "sandboxes":
            return web.json_response({"id": "7"}, status=201)
        case "POST", "run":
            return web.json_response({"stdout": "42\n", "stderr": "", "exit_code": 0})
        case "GET", name if name != "account":
            return web.Response(status=404)
        case _:
            return web.Response()


async def main() -> None:
    service = web.AppRunner(web.Application())
    service.app.router.add_route("*", "/{path:.*}", scripted_service)
    await service.setup()
    await web.TCPSite(service, "127.0.0.1", 0).start()
    host, port = service.addresses[0]

    backend = HostedBackend(f"http://{host}:{port}", key="the-key")
    async with SandboxCodeExecutor(backend) as executor:
        result = await executor.execute_code_blocks([CodeBlock("print(6 * 7)", "python")], CancellationToken())
    await service.cleanup()
    print(result.output, end="")
    print(REQUESTS[0], REQUESTS[-1], sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
