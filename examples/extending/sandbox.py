"""A sandbox of one's own: it runs code where the best sandbox of this machine does, and keeps an audit of every block.

Registered by its name, it is what `symposia run --sandbox audited`, `symposia doctor` and every executor can use.
"""

import asyncio
import hashlib
from collections.abc import Sequence

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    CodeBlock,
    ConnectionListener,
    OutputListener,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
)
from symposia.ext.code_executors import (
    AutoBackend,
    SandboxCodeExecutor,
    SandboxKind,
    register_sandbox,
    sandbox_kind,
)

AUDIT: list[str] = []


class AuditedSandbox(Sandbox):
    """Passes everything on to another sandbox, and notes what ran."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        result = await self._inner.run(code, language, timeout=timeout, on_output=on_output)
        digest = hashlib.sha256(code.encode()).hexdigest()[:12]
        AUDIT.append(f"{language} {digest}: {result.status}, exit code {result.exit_code}")
        return result

    def observe_connections(self, listener: ConnectionListener) -> None:
        self._inner.observe_connections(listener)

    async def put(self, path: str, data: bytes) -> None:
        await self._inner.put(path, data)

    async def get(self, path: str) -> bytes:
        return await self._inner.get(path)

    async def reset(self) -> None:
        await self._inner.reset()

    async def close(self) -> None:
        await self._inner.close()


class AuditedBackend(SandboxBackend):
    name = "audited"

    def __init__(self) -> None:
        self._inner = AutoBackend()

    async def unavailable_reason(self) -> str | None:
        return await self._inner.unavailable_reason()

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        return AuditedSandbox(await self._inner.create(policy, mounts=mounts))


# As an entry point of the group "symposia.sandboxes", a package's kind is there without being imported first.
register_sandbox(SandboxKind(name="audited", requires="any other sandbox", make=AuditedBackend))


async def main() -> None:
    async with SandboxCodeExecutor(sandbox_kind("audited").make()) as executor:
        blocks = [CodeBlock("print(6 * 7)", "python"), CodeBlock("exit 3", "sh")]
        result = await executor.execute_code_blocks(blocks, CancellationToken())
    print(result.output, end="")
    print(*AUDIT, sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
