"""Servers on standard input and output that run in a sandbox."""

import asyncio
from pathlib import Path

import pytest
from tests.support.web_server import Web, serving
from tests.support.wheels import use_cache_of_its_own, write_wheel
from tests.support.working_sandbox import sandbox_of_kind, working_sandbox

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ToolServiceError
from symposia.ext.code_executors import make_sandbox_python
from symposia.ext.tools.mcp import McpWorkbench, ServerSandbox, StdioServerParams

FOLDER = Path(__file__).parents[3] / "support"
PROGRAM = "/data/mcp_broken_server.py"


def confined(how: str = "fine", *, kind: str, network: NetworkPolicy | None = None) -> StdioServerParams:
    mount = SandboxMount(source=FOLDER / "mcp_broken_server.py", target=PROGRAM)
    sandbox = ServerSandbox(kind=kind, policy=SandboxPolicy(network=network), mounts=(mount,))
    return StdioServerParams(
        command="python", args=[PROGRAM, how], env={"KEY": "given"}, read_timeout_seconds=60, sandbox=sandbox
    )


async def evaluated(workbench: McpWorkbench, code: str) -> str:
    return (await workbench.call_tool("weigh", {"code": code})).to_text()


@pytest.mark.parametrize("kind", ["docker", "bubblewrap", "namespaces"])
async def test_a_server_in_a_sandbox_answers_and_sees_nothing_of_the_machine(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sandbox_of_kind(kind)
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    params = confined(kind=kind)
    assert StdioServerParams.model_validate_json(params.model_dump_json()) == params
    async with McpWorkbench(params) as workbench:
        results = await asyncio.gather(*(evaluated(workbench, str(number)) for number in range(50)))
        assert results == [str(number) for number in range(50)]
        seen = "__import__('os').environ.get('SECRET_OF_THE_HOST'), __import__('os').environ['KEY']"
        assert await evaluated(workbench, seen) == "(None, 'given')"
        assert await evaluated(workbench, f"__import__('os').path.exists({str(tmp_path)!r})") == "False"
        died = await workbench.call_tool("weigh", {"code": "__import__('os')._exit(3)"})
        assert "Its process ended with exit status 3." in died.to_text()
        assert await evaluated(workbench, "1 + 1") == "2"  # by a new one


async def test_a_server_in_a_sandbox_reaches_the_hosts_of_its_policy_alone() -> None:
    kind = (await working_sandbox()).name
    web = Web()
    async with serving(web.answer) as port:
        rule = NetworkRule(host="allowed.test", ports=(port,), private=True, address="127.0.0.1")
        async with McpWorkbench(confined(kind=kind, network=NetworkPolicy(allow=[rule]))) as workbench:
            code = "__import__('urllib.request').request.urlopen('http://{}:{}/').status"
            assert await evaluated(workbench, code.format("allowed.test", port)) == "200"
            refused = await workbench.call_tool("weigh", {"code": code.format("other.test", port)})
            assert "403" in refused.to_text()


async def test_the_packages_of_a_server_are_installed_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sandbox_of_kind("namespaces")
    pinned = (await make_sandbox_python()).environment
    assert pinned is not None
    await asyncio.to_thread(use_cache_of_its_own, tmp_path / "cache", pinned, monkeypatch)
    source = (FOLDER / "mcp_broken_server.py").read_text()
    await asyncio.to_thread(write_wheel, tmp_path, "weigher", "1.5", {"weigher.py": source})
    sandbox = ServerSandbox(kind="namespaces", packages=("weigher",), wheels=tmp_path)
    params = StdioServerParams(command="python", args=["-m", "weigher", "fine"], sandbox=sandbox)
    async with McpWorkbench(params.model_copy(update={"read_timeout_seconds": 60})) as workbench:
        installed = "__import__('importlib.metadata').metadata.version('weigher')"
        assert await evaluated(workbench, installed) == "'1.5'"
    missing = sandbox.model_copy(update={"packages": ("no-such-package",)})
    with pytest.raises(ToolServiceError, match=r"did not start: .*no-such-package"):
        await McpWorkbench(params.model_copy(update={"sandbox": missing})).start()


async def test_a_server_that_does_not_start_in_its_sandbox_says_why() -> None:
    kind = (await working_sandbox()).name
    missing = confined(kind=kind).model_copy(update={"command": "no-such-program"})
    with pytest.raises(ToolServiceError, match=r"'no-such-program', in the sandbox"):
        await McpWorkbench(missing).start()
    with pytest.raises(ToolServiceError, match="no API key is set"):
        await McpWorkbench(confined("exits", kind=kind)).start()
    with pytest.raises(ToolServiceError, match="There is no sandbox 'nowhere'"):
        await McpWorkbench(confined(kind="nowhere")).start()


async def test_a_server_that_needs_too_much_memory_is_ended() -> None:
    kind = (await working_sandbox()).name
    async with McpWorkbench(confined(kind=kind)) as workbench:
        result = await workbench.call_tool("weigh", {"code": "len(bytearray(2**30))"})
        assert result.is_error
        assert "out of memory" in result.to_text() or "MemoryError" in result.to_text()
