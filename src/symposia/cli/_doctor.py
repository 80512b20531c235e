"""`symposia doctor`: checks the sandboxes, the models' keys and the versions. It never shows a key."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import typer

from symposia import __version__
from symposia._extras import install_command
from symposia.cli._exit import Status, stopped_by_interrupt
from symposia.cli._findings import Finding, show_section, vendor_findings
from symposia.ext.code_executors import AUTO, check_sandbox, sandbox_kinds
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

PACKAGES = ("pydantic", "typer", "rich", "openai", "anthropic", "docker")


def show_findings(sandbox: str = AUTO) -> None:
    """Run all checks, and show the findings.

    Args:
        sandbox: The name of the sandbox to check; ``auto`` for all that isolate code.

    Raises:
        typer.Exit: No sandbox works, or the checks were interrupted.
    """
    with stopped_by_interrupt(lambda: "Interrupted."):
        sandboxes = asyncio.run(_sandboxes(sandbox))
    show_section("Sandboxes", sandboxes)
    show_section("Models", vendor_findings())
    show_section("Versions", _versions())
    if not any(finding.good for finding in sandboxes):
        raise typer.Exit(Status.NO_SANDBOX)


async def _sandboxes(name: str) -> list[Finding]:
    kinds = [
        kind
        for kind in await asyncio.to_thread(sandbox_kinds)
        if (kind.isolated if name == AUTO else kind.name == name)
    ]
    backends = [kind.make() for kind in kinds]
    checks = await asyncio.gather(*map(check_sandbox, backends))
    found = [
        Finding(kind.name, check.works, "\n".join((check.detail, *check.weaknesses)))
        for kind, check in zip(kinds, checks, strict=True)
    ]
    for backend, check in zip(backends, checks, strict=True):
        if isinstance(backend, DockerBackend) and (address := os.environ.get("DOCKER_HOST")):
            found.append(Finding("Docker engine", None, f"DOCKER_HOST chooses the one at {address}"))
        if isinstance(backend, DockerBackend) and check.works:
            found.append(await _gvisor(backend))
        if isinstance(backend, NamespaceBackend) and check.works:
            found.append(await _forks(backend))
    return found


async def _gvisor(backend: DockerBackend) -> Finding:
    if await backend.runtime():
        return Finding("gVisor", None, "installed as the engine's runtime runsc: Docker sandboxes run in it")
    return Finding(
        "gVisor", None, "not installed. With it (runsc install), Docker sandboxes have a kernel of their own"
    )


async def _forks(backend: NamespaceBackend) -> Finding:
    problem = await backend.fork_problem()
    if problem is None:
        return Finding("forked sandboxes", None, "work: sandboxes on namespaces share the memory of their libraries")
    return Finding(
        "forked sandboxes", None, f"do not work, so each sandbox on namespaces imports its libraries: {problem}"
    )


def _versions() -> Iterator[Finding]:
    yield Finding("symposia", None, __version__)
    yield Finding("Python", None, f"{platform.python_version()} ({sys.executable})")
    yield Finding("Linux" if sys.platform == "linux" else sys.platform, None, platform.release())
    for package in PACKAGES:
        try:
            yield Finding(package, None, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, f"not installed: {install_command(package)}")
