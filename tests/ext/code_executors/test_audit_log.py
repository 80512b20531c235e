"""The audit log of executors, and what of a network the parts around a sandbox know: notes, JSON, identities, pools."""

import asyncio
import hashlib
import json
import os
import resource
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.sandbox_network import RAW
from tests.support.sandboxes import require
from tests.support.web_server import Web, serving, web_server

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CommandLineCodeResult,
    NetworkPolicy,
    NetworkRule,
    SandboxPolicy,
)
from symposia.core.exceptions import ComponentError, InvalidArgumentError, SandboxError
from symposia.ext.code_executors import SandboxPool
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.jupyter import JupyterCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.code_executors.namespaces import NamespaceBackend, NamespaceCommandLineCodeExecutor

NETWORK = SandboxPolicy(network=NetworkPolicy(allow=["example.org"]))


@pytest.fixture(autouse=True, scope="module")
def _sandbox_works() -> None:
    require(NamespaceBackend())


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with asyncio.timeout(60), web_server() as web:
        yield web


async def run(executor: CodeExecutor, code: str, language: str = "python") -> BlockResult:
    result = await executor.execute_code_blocks([CodeBlock(code=code, language=language)], CancellationToken())
    assert isinstance(result, CommandLineCodeResult)
    return result.blocks[0]


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_every_run_is_a_line(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    policy = SandboxPolicy(time_limit=1)
    async with NamespaceCommandLineCodeExecutor(policy=policy, audit_log=log, init_command="true") as executor:
        await run(executor, "print('a secret')")
        await run(executor, "exit 3", "sh")
        await run(executor, "while True: pass")
    init, first, second, third = await asyncio.to_thread(lines, log)
    assert (init["language"], init["code_sha256"]) == ("sh", hashlib.sha256(b"true").hexdigest())
    assert first["code_sha256"] == hashlib.sha256(b"print('a secret')").hexdigest()
    assert (first["event"], first["language"], first["code_bytes"], first["connections"]) == ("run", "python", 17, 0)
    assert (first["executor"], first["sandbox"]) == ("NamespaceCommandLineCodeExecutor", "namespaces")
    assert [(line["status"], line["exit_code"], line["ended_by"]) for line in (first, second, third)] == [
        ("ok", 0, ""),
        ("error", 3, ""),
        ("timeout", 124, "the time limit of 1 s"),
    ]
    assert third["seconds"] >= 1
    assert first["time"].endswith("+00:00")
    assert "secret" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_every_connection_is_a_line_without_what_was_said(tmp_path: Path, web: Web) -> None:
    log = tmp_path / "audit.jsonl"
    policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{web.port}", "localhost:*"]))
    code = f"""{RAW}
import urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{"http": os.environ["HTTP_PROXY"]}}))
os.environ.pop("no_proxy"), os.environ.pop("NO_PROXY")
headers = {{"Authorization": "Bearer hunter2"}}
opener.open(urllib.request.Request("http://127.0.0.1:{web.port}/path?token=hunter2", headers=headers)).read()
for host in ("localhost", "example.org", "not a host"): connect(host, {web.port})
"""
    async with NamespaceCommandLineCodeExecutor(policy=policy, audit_log=log) as executor:
        result = await run(executor, code)
    assert result.status == "ok", result.output
    done, *connections = await asyncio.to_thread(lines, log)
    assert (done["event"], done["connections"]) == ("run", 4)
    assert {(line["event"], line["run"]) for line in connections} == {("connection", done["run"])}
    assert [(line["host"], line["port"], line["outcome"]) for line in connections] == [
        ("127.0.0.1", web.port, "connected"),
        ("localhost", web.port, "refused"),
        ("example.org", web.port, "refused"),
        ("", 0, "refused"),
    ]
    assert connections[0]["address"] == "127.0.0.1"
    assert connections[0]["bytes_sent"] == len(web.heads[0])
    assert b"hunter2" in web.heads[0]
    assert not {"hunter2", "path", "Bearer"} & set(log.read_text().replace('"', " ").split())
    assert "hunter2" not in log.read_text()
    assert [attempt.outcome for attempt in result.connections] == [line["outcome"] for line in connections]
    assert result.notes[1] == f"network: example.org:{web.port} refused: not on the allow-list"


async def test_a_cancelled_block_is_recorded_with_its_connections(tmp_path: Path) -> None:
    log, began = tmp_path / "audit.jsonl", asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        began.set()
        await reader.read()

    async with asyncio.timeout(60), serving(wait) as port:
        policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{port}"]))
        async with NamespaceCommandLineCodeExecutor(policy=policy, audit_log=log) as executor:
            code = f"{RAW}tunnel = connect('127.0.0.1', {port})\nimport time; time.sleep(60)"
            block = asyncio.create_task(run(executor, code))
            await began.wait()
            block.cancel()
            with pytest.raises(asyncio.CancelledError):
                await block
    done, connection = await asyncio.to_thread(lines, log)
    assert (done["status"], done["exit_code"]) == ("cancelled", None)
    assert (connection["outcome"], connection["port"]) == ("connected", port)


async def test_two_executors_share_a_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"

    async def use(number: int) -> None:
        async with LocalCommandLineCodeExecutor(audit_log=log) as executor:
            for block in range(10):
                await run(executor, f": {number} {block}", "sh")

    with pytest.warns(UserWarning, match="LocalCommandLineCodeExecutor|machine"):
        await asyncio.gather(*(use(number) for number in range(3)))
    digests = {line["code_sha256"] for line in await asyncio.to_thread(lines, log)}
    assert digests == {hashlib.sha256(f": {a} {b}".encode()).hexdigest() for a in range(3) for b in range(10)}


@pytest.mark.parametrize("kind", ["folder", "link", "missing folder", "fifo"])
async def test_code_does_not_run_where_it_cannot_be_recorded(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "audit.jsonl"
    if kind == "folder":
        log.mkdir()
    elif kind == "link":
        log.symlink_to(tmp_path / "other")
    elif kind == "fifo":
        os.mkfifo(log)
    else:
        log = tmp_path / "missing" / "audit.jsonl"
    executor = NamespaceCommandLineCodeExecutor(work_dir=tmp_path / "work", audit_log=log)
    with pytest.raises(SandboxError, match=r"audit log .* cannot be written"):
        await run(executor, "open('ran', 'w')")
    await executor.stop()
    assert not (tmp_path / "work" / "ran").exists()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("path", ["audit.jsonl", "logs/audit.jsonl", "../link/audit.jsonl"])
async def test_a_log_is_not_where_code_writes_files(tmp_path: Path, path: str) -> None:
    work_dir = tmp_path / "work"
    (tmp_path / "link").symlink_to(work_dir)
    executor = NamespaceCommandLineCodeExecutor(work_dir=work_dir, audit_log=work_dir / path)
    with pytest.raises(InvalidArgumentError, match=r"audit_log is .* below the work folder .* give a file elsewhere"):
        await run(executor, "open('ran', 'w')")
    await executor.stop()
    assert not (work_dir / "ran").exists()


async def test_a_line_that_cannot_be_written_is_an_error_of_the_call(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "audit.jsonl"
    log.parent.mkdir()

    def replace_by_folder() -> None:
        log.unlink()
        log.mkdir()

    async def replace(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(replace_by_folder)

    async with asyncio.timeout(60), serving(replace) as port:
        policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{port}"]))
        async with NamespaceCommandLineCodeExecutor(policy=policy, audit_log=log) as executor:
            with pytest.raises(SandboxError, match=r"audit log .* cannot be written"):
                await run(executor, f"{RAW}print(connect('127.0.0.1', {port})[0].recv(1))")


async def test_a_line_that_does_not_fit_on_the_disk_takes_no_other_with_it(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with NamespaceCommandLineCodeExecutor(audit_log=log) as executor:
        await run(executor, "1")
        first = await asyncio.to_thread(lines, log)
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 50, unlimited[1]))  # as a disk that is full
        try:
            with pytest.raises(SandboxError, match=r"audit log .* cannot be written .* make room"):
                await run(executor, "2")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        await run(executor, "3")
    both = await asyncio.to_thread(lines, log)
    assert both[:1] == first
    assert both[1]["code_sha256"] == hashlib.sha256(b"3").hexdigest()


def test_a_network_in_json_needs_the_programs_consent(tmp_path: Path) -> None:
    executor = NamespaceCommandLineCodeExecutor(policy=NETWORK)
    saved = json.loads(executor.dump_component().model_dump_json())
    with pytest.raises(ComponentError, match=r"has network: .* trust_code=True"):
        CodeExecutor.load_component(saved)
    loaded = CodeExecutor.load_component(saved, trust_code=True)
    assert isinstance(loaded, NamespaceCommandLineCodeExecutor)
    assert loaded.policy == NETWORK
    saved["config"]["policy"]["network"] = None
    CodeExecutor.load_component(saved)
    saved["config"]["audit_log"] = str(tmp_path / "audit")
    with pytest.raises(ComponentError, match=r"has audit_log"):
        CodeExecutor.load_component(saved)


@pytest.mark.parametrize("kind", [NamespaceCommandLineCodeExecutor, LocalCommandLineCodeExecutor, JupyterCodeExecutor])
@pytest.mark.filterwarnings("ignore:(Local|Jupyter)Co:UserWarning")
def test_an_audit_log_in_json_needs_the_programs_consent(
    kind: type[NamespaceCommandLineCodeExecutor | LocalCommandLineCodeExecutor | JupyterCodeExecutor], tmp_path: Path
) -> None:
    saved = json.loads(kind(audit_log=tmp_path / "audit.jsonl").dump_component().model_dump_json())
    with pytest.raises(ComponentError, match=r"(has audit_log: |without a sandbox).* trust_code=True"):
        CodeExecutor.load_component(saved)
    assert isinstance(CodeExecutor.load_component(saved, trust_code=True), kind)


def test_a_network_in_the_json_of_a_tool_needs_it_too() -> None:
    from symposia.ext.tools.code_execution import PythonCodeExecutionTool  # noqa: PLC0415 - for this test

    saved = PythonCodeExecutionTool(NamespaceCommandLineCodeExecutor(policy=NETWORK)).dump_component()
    with pytest.raises(ComponentError, match="has network"):
        PythonCodeExecutionTool.load_component(saved)


def test_a_run_with_a_network_is_not_repeated_without_asking() -> None:
    assert NamespaceCommandLineCodeExecutor().idempotency == "idempotent"
    assert NamespaceCommandLineCodeExecutor(policy=NETWORK).idempotency == "unknown"


def test_the_hosts_are_part_of_what_decides_a_result() -> None:
    policies = [
        SandboxPolicy(),
        NETWORK,
        SandboxPolicy(network=NetworkPolicy(allow=["example.org:443"])),
        SandboxPolicy(network=NetworkPolicy(allow=[NetworkRule(host="example.org", private=True)])),
    ]
    identities = {json.dumps(NamespaceCommandLineCodeExecutor(policy=policy).effect_identity()) for policy in policies}
    assert len(identities) == len(policies)


async def test_a_pool_keeps_sandboxes_with_other_hosts_apart(web: Web) -> None:
    allowed = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{web.port}"]))
    code = f"{RAW}print(connect('127.0.0.1', {web.port})[1][:12])"
    async with SandboxPool(NamespaceBackend(base_python()), size=2) as pool:
        pool.prepare(NETWORK)
        for policy, answer in ((allowed, "200"), (NETWORK, "403"), (allowed, "200")):
            sandbox = await pool.create(policy)
            assert (await sandbox.run(code, "python")).stdout == f"HTTP/1.1 {answer}\n"
            await sandbox.close()
