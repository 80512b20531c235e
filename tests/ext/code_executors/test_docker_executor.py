"""The Docker executor against a real engine."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import pytest
from tests.contracts.code_executor_contract import WAIT, Heard, python, run, shell
from tests.contracts.sandboxed_executor_contract import SandboxedExecutorContract
from tests.support.docker_engine import IMAGE, Engine
from tests.support.sandboxes import require

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import SandboxOptions
from symposia.ext.code_executors.docker import DockerBackend, DockerCommandLineCodeExecutor


@pytest.fixture(autouse=True, scope="module")
def _docker_works() -> None:
    require(DockerBackend())


class TestDockerCommandLineCodeExecutor(SandboxedExecutorContract):
    def create(self, **options: Unpack[SandboxOptions]) -> DockerCommandLineCodeExecutor:
        return DockerCommandLineCodeExecutor(**options)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


async def test_it_runs_the_stock_image_that_programs_name(tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor("python:3.11-slim", work_dir=tmp_path) as executor:
        result = await run(executor, python("import pandas, sys; print(sys.version_info[:2])"))
    assert result.output == "(3, 11)\n"


OWN_IMAGE = f"""
FROM {IMAGE}
RUN mkdir -p -m 0700 /closed && mkdir -p /opt/own/bin && ln -s "$(command -v python3)" /opt/own/bin/python3
ENV PATH=/work:/opt/own/bin:/bin
USER 1234
WORKDIR /srv
"""


async def test_s16_an_image_of_ones_own_runs_python_and_no_program_of_the_work_folder(
    tmp_path: Path, engine: Engine
) -> None:
    tag = f"symposia-test-own:{tmp_path.name}"
    await asyncio.to_thread(engine.build, OWN_IMAGE, tag)
    try:
        async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(tag, work_dir=tmp_path) as executor:
            result = await run(executor, python("import sys; print(sys.executable); import json"))
            assert result.output == "/opt/own/bin/python3\n"
            trap = "for name in ls python3 sh; do printf '#!/bin/sh\\necho trapped' > $name; chmod +x $name; done"
            assert (await run(executor, shell(trap))).exit_code == 0
            result = await run(executor, shell("ls / > /dev/null; python3 -c 'print(1)'; command -v ls; echo $PATH"))
            assert "trapped" not in result.output
            assert "/work" not in result.output
            assert (await run(executor, python("print('python still runs')"))).output == "python still runs\n"
        (tmp_path / "table.csv").write_text("1")
        (tmp_path / "table.csv").chmod(0o644)
        mount = SandboxMount(source=tmp_path / "table.csv", target="/closed/table.csv")
        with pytest.raises(InvalidArgumentError, match=r"'/data/table\.csv'"):
            await DockerBackend(tag).create(SandboxPolicy(), mounts=[mount])
    finally:
        await asyncio.to_thread(engine.remove_image, tag)


async def test_mounted_data_leaves_no_volume_behind(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file, with: marks").write_text("seen")
    (tmp_path / "data" / "more").mkdir()
    name = f"symposia-test-{tmp_path.name}"
    executor = DockerCommandLineCodeExecutor(container_name=name, bind_dir=tmp_path / "data")
    async with asyncio.timeout(WAIT), executor:
        listed = await run(executor, shell("cat /data/data/file*; ls /data/data"))
        assert listed.output == "seenfile, with: marks\nmore\n"
        [volume] = (await asyncio.to_thread(engine.inspect, name))["Mounts"]
    await asyncio.to_thread(engine.wait_until_volume_is_gone, volume["Name"])


async def test_f57_its_defaults_are_the_policys(tmp_path: Path, engine: Engine) -> None:
    policy, name = SandboxPolicy(), f"symposia-test-{tmp_path.name}"
    async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(container_name=name, work_dir=tmp_path):
        container = await asyncio.to_thread(engine.inspect, name)
    host = container["HostConfig"]
    user, group = map(int, container["Config"]["User"].split(":"))
    assert user == group > 1_900_000_000
    assert (host["NetworkMode"], host["IpcMode"], host["CapDrop"]) == ("none", "none", ["ALL"])
    assert (host["Privileged"], host["ReadonlyRootfs"]) == (False, True)
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert (host["Memory"], host["MemorySwap"]) == (policy.memory_bytes, policy.memory_bytes)
    assert host["NanoCpus"] == policy.cpus * 1_000_000_000
    assert policy.processes <= host["PidsLimit"] <= policy.processes + 2
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["nofile"] == policy.open_files
    assert f"size={policy.work_bytes}" in host["Tmpfs"]["/work"]
    assert f"nr_inodes={policy.work_inodes}" in host["Tmpfs"]["/work"]
    assert (host["Binds"], host.get("Mounts", []), host["LogConfig"]["Type"]) == (None, [], "none")
    assert host["AutoRemove"] is True


async def test_f57_stopping_leaves_no_container_and_takes_no_ten_seconds(tmp_path: Path, engine: Engine) -> None:
    name = f"symposia-test-{tmp_path.name}"
    executor = DockerCommandLineCodeExecutor(container_name=name, work_dir=tmp_path)
    async with asyncio.timeout(WAIT):
        await executor.start()
    async with asyncio.timeout(5):
        await executor.stop()
    assert await asyncio.to_thread(engine.is_there, name) is False


@pytest.mark.parametrize("end", ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "raise RuntimeError"])
async def test_f56_the_container_is_gone_soon_after_its_program(tmp_path: Path, engine: Engine, end: str) -> None:
    name = f"symposia-test-{tmp_path.name}"
    program = tmp_path / "program.py"
    program.write_text(PROGRAM_THAT_DIES.format(name=name, folder=str(tmp_path / "work"), end=end))
    async with asyncio.timeout(WAIT):
        await engine.run_program(program)
        async with asyncio.timeout(2):
            await asyncio.to_thread(engine.wait_until_gone, name)


async def test_a_sandbox_that_ends_in_the_middle_of_a_block_is_told_and_replaced(
    tmp_path: Path, engine: Engine
) -> None:
    name, heard = f"symposia-test-{tmp_path.name}", Heard()
    executor = DockerCommandLineCodeExecutor(container_name=name, work_dir=tmp_path, on_output=heard)
    async with asyncio.timeout(WAIT), executor:
        await run(executor, shell("echo kept > file.txt"))
        running = asyncio.ensure_future(run(executor, python("print('running')\nwhile True: pass")))
        await heard.something.wait()
        await asyncio.to_thread(engine.remove, name)
        result = await running
        assert [block.status for block in result.blocks] == ["crashed"]
        assert result.exit_code == 137
        assert result.output.startswith("running\nThe sandbox ended")
        assert (await run(executor, shell("cat file.txt"))).output == "kept\n"


async def test_a_sandbox_that_ended_between_blocks_is_replaced_without_losing_one(
    tmp_path: Path, engine: Engine
) -> None:
    name = f"symposia-test-{tmp_path.name}"
    async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(container_name=name, work_dir=tmp_path) as executor:
        await run(executor, shell("echo kept > file.txt"))
        await asyncio.to_thread(engine.remove, name)
        result = await run(executor, shell("cat file.txt"))
        assert result.output == "kept\n"
        [note] = result.blocks[0].notes
        assert note.startswith("The sandbox had ended")
        assert (await run(executor, shell("cat file.txt"))).blocks[0].notes == ()


async def test_what_a_dead_program_left_is_removed_by_the_next_one(tmp_path: Path, engine: Engine) -> None:
    left = await asyncio.to_thread(engine.create_left_over)
    others = [
        await asyncio.to_thread(engine.create_of_a_live_program),
        await asyncio.to_thread(engine.create_of_another_machine),
    ]
    try:
        async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(work_dir=tmp_path):
            assert await asyncio.to_thread(engine.is_there, left) is False
            for other in others:
                assert await asyncio.to_thread(engine.is_there, other) is True
    finally:
        for other in others:
            await asyncio.to_thread(engine.remove, other)


PROGRAM_THAT_DIES = """
import asyncio
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock
from symposia.ext.code_executors import SandboxOptions
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor

def die(stream, text):
    {end}

async def main():
    executor = DockerCommandLineCodeExecutor(container_name={name!r}, work_dir={folder!r}, on_output=die)
    loop = CodeBlock(code="print('running', flush=True)\\nwhile True: pass", language="python")
    await executor.execute_code_blocks([loop], CancellationToken())

asyncio.run(main())
"""


def test_a_container_never_stays_behind() -> None:
    with pytest.raises(InvalidArgumentError, match="auto_remove=False would leave a container behind"):
        DockerCommandLineCodeExecutor(auto_remove=False)
    with pytest.raises(InvalidArgumentError, match="stop_container=False would leave a container behind"):
        DockerCommandLineCodeExecutor(stop_container=False)


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ({"bind": "/data/etc", "mode": "rw"}, "only reads files of the host: say {'bind': '/data/etc', 'mode': 'ro'}"),
        ({"bind": "/etc", "mode": "ro"}, "/etc has the accounts and host names of the sandbox"),
    ],
)
def test_a_volume_that_opens_the_host_or_hides_the_sandbox_is_refused(volume: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        DockerCommandLineCodeExecutor(extra_volumes={"/srv": volume})
    assert said in str(caught.value)


async def test_volumes_are_seen_read_only_where_the_program_wants_them(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "file.txt").write_text("seen")
    places = {"volume": "/data/volume", "volume/file.txt": "/workspace/file.txt", "volume/.": "/mnt/volume"}
    volumes = {f"{tmp_path}/{source}": {"bind": place, "mode": "ro"} for source, place in places.items()}
    code = "cat /data/volume/file.txt /workspace/file.txt /mnt/volume/file.txt; touch /mnt/volume/x || echo no"
    async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(extra_volumes=volumes) as executor:
        result = await run(executor, shell(code))
    assert result.blocks[0].stdout == "seenseenseenno\n"


async def test_extra_hosts_say_where_allowed_names_lead() -> None:
    async with await asyncio.start_server(_greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        rule = NetworkRule(host="*.test", ports=(port,), private=True)
        policy = SandboxPolicy(network=NetworkPolicy(allow=[rule]), imported_ahead=())
        hosts = {"Tables.test": "127.0.0.1", "other.example": "192.0.2.7"}
        code = f"""
import urllib.request
for host in ("tables.test", "other.example"):
    try:
        print(urllib.request.urlopen(f"http://{{host}}:{port}/").read())
    except OSError as error:
        print(error)
"""
        async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(extra_hosts=hosts, policy=policy) as executor:
            result = await run(executor, python(code))
    refused = "HTTP Error 403: Forbidden by the network policy of the sandbox"
    assert result.output.splitlines() == ["b'hello'", refused]


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
    await writer.drain()
    writer.close()


async def test_extra_hosts_have_no_effect_without_a_network() -> None:
    async with asyncio.timeout(WAIT), DockerCommandLineCodeExecutor(extra_hosts={"a.test": "host-gateway"}) as executor:
        assert (await run(executor, python("print(1)"))).output == "1\n"


@pytest.mark.parametrize("hosts", [{"tables.test": "example.com"}, {"a b": "192.0.2.7"}, {"a": 7}])
def test_extra_hosts_that_are_no_names_with_addresses_are_refused(hosts: dict[str, str]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"give a dict, such as \{'tables\.test'"):
        DockerCommandLineCodeExecutor(extra_hosts=hosts)


def test_devices_need_a_word_of_their_own() -> None:
    with pytest.raises(InvalidArgumentError, match="unsafe_devices=True"):
        DockerCommandLineCodeExecutor(device_requests=[{"Count": -1}])
    DockerCommandLineCodeExecutor(device_requests=[{"Count": -1}], unsafe_devices=True)
