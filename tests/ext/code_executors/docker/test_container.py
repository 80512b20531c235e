import asyncio
import os
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from tests.support.sandboxes import require

from symposia.core.code_executor import MIB, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors._sandbox._mounts import Data, data_bind
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.docker._backend import chosen_runtime
from symposia.ext.code_executors.docker._container import container_config, own_user_id
from symposia.ext.code_executors.docker._data import private_mounts, shared_data
from symposia.ext.code_executors.docker._engine import EngineClient

NOT_THE_OWNER = -1


def test_every_limit_of_the_policy_is_asked_for() -> None:
    policy = SandboxPolicy(
        memory_bytes=32 * MIB,
        cpus=0.5,
        processes=13,
        open_files=17,
        work_bytes=2 * MIB,
        work_inodes=23,
        tmp_bytes=3 * MIB,
    )
    host = container_config(image="image", command=["run"], policy=policy, mounts=[], labels={})["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        32 * MIB,
        32 * MIB,
        500_000_000,
        15,
    )
    assert {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in host["Ulimits"]} == {
        "core": (0, 0),
        "msgqueue": (0, 0),
        "nofile": (64, 64),  # of the server, which lowers it to 17 for the blocks
        "fsize": (3 * MIB, 3 * MIB),
    }
    assert f"size={2 * MIB},nr_inodes=23" in host["Tmpfs"]["/work"]
    assert f"size={3 * MIB}" in host["Tmpfs"]["/tmp"]
    assert f"size={3 * MIB}" in host["Tmpfs"]["/dev/shm"]


def test_what_is_mounted_cannot_be_written_and_shares_no_inode(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("data")
    sources = [Data(str(tmp_path / name), f"/data/{name}") for name in ("folder", "file")]
    copies = tmp_path / "copies"
    copies.mkdir()
    overlay, copy = private_mounts(sources, copies)
    assert (overlay["Type"], overlay["Target"]) == ("volume", "/data/folder")
    assert f"ro,nosuid,nodev,lowerdir={tmp_path / 'folder'}:" in str(overlay)
    assert (copy["Type"], copy["Target"], copy["ReadOnly"]) == ("bind", "/data/file", True)
    assert Path(str(copy["Source"])).read_text() == "data"
    assert not Path(str(copy["Source"])).samefile(tmp_path / "file")


def test_s04_data_with_a_socket_is_refused_where_it_would_be_shared(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    data = [Data(str(tmp_path), "/data/folder")]
    [mount] = shared_data(data)
    assert (mount["Type"], mount["ReadOnly"]) == ("bind", True)
    os.mkfifo(tmp_path / "deep" / "pipe")
    with pytest.raises(InvalidArgumentError, match=r"holds a socket or a FIFO \(pipe\)"):
        shared_data(data)


def test_s12_each_container_has_a_user_of_its_own() -> None:
    users = {own_user_id() for _ in range(100)}
    assert len(users) == 100
    assert all(1_900_000_000 < user < 2**31 - 1 for user in users)
    config = container_config(image="", command=[], policy=SandboxPolicy(), mounts=[], labels={}, user=1_950_000_000)
    assert config["User"] == "1950000000:1950000000"
    assert "uid=1950000000,gid=1950000000" in config["HostConfig"]["Tmpfs"]["/work"]


@pytest.mark.parametrize(("mode", "is_folder"), [(0o640, False), (0o700, True), (0o744, True)])
def test_a_private_file_is_refused_before_the_code_runs(tmp_path: Path, mode: int, is_folder: bool) -> None:
    source = tmp_path / "private"
    source.mkdir() if is_folder else source.touch()
    source.chmod(mode)
    with pytest.raises(InvalidArgumentError, match=r"private cannot be read by the sandbox's user.*chmod -R o\+rX"):
        data_bind(SandboxMount(source=source, target="/data/private"), reader=NOT_THE_OWNER)


def test_a_file_for_all_is_mounted_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").touch(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    bind = data_bind(SandboxMount(source=tmp_path / "link", target="/data/link"), reader=NOT_THE_OWNER)
    assert bind == Data(str((tmp_path / "real").resolve()), "/data/link")


def test_the_container_ends_with_its_client() -> None:
    config = container_config(image="image", command=["run"], policy=SandboxPolicy(), mounts=[], labels={"a": "b"})
    assert (config["OpenStdin"], config["StdinOnce"], config["AttachStdin"]) == (True, True, True)
    assert config["HostConfig"]["AutoRemove"] is True
    assert config["Labels"] == {"a": "b"}


class EngineWithRuntimes:
    """The part of a client that says which runtimes the engine has."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def info(self) -> dict[str, object]:
        return {"Runtimes": {name: {"path": name} for name in self._names}}


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        (["runc", "runsc"], None, "runsc"),
        (["runc"], None, ""),
        ([], None, ""),
        (["runc", "runsc"], "runc", "runc"),
        (["kata", "runc"], "kata", "kata"),
    ],
)
async def test_gvisor_runs_the_sandboxes_where_the_engine_has_it(
    there: list[str], wanted: str | None, chosen: str
) -> None:
    assert await chosen_runtime(cast("EngineClient", EngineWithRuntimes(*there)), wanted) == chosen


async def test_a_runtime_that_the_engine_lacks_is_told_with_those_that_it_has() -> None:
    with pytest.raises(SandboxUnavailableError, match=r"no runtime 'runsc'; it has io.containerd.runc.v2, runc\."):
        await chosen_runtime(cast("EngineClient", EngineWithRuntimes("runc", "io.containerd.runc.v2")), "runsc")


def test_in_gvisor_its_own_threads_are_not_counted_against_the_code() -> None:
    policy = SandboxPolicy(processes=13)
    make = partial(container_config, image="image", command=["run"], policy=policy, mounts=[], labels={})
    assert [make(runtime=name)["HostConfig"]["PidsLimit"] for name in ("", "runc", "runsc")] == [15, 15, 512]
    assert make(runtime="runsc")["HostConfig"]["Runtime"] == "runsc"


async def test_a_sandbox_runs_in_the_runtime_that_was_asked_for() -> None:
    await asyncio.to_thread(require, DockerBackend())
    async with asyncio.timeout(60):
        sandbox = await DockerBackend(runtime="runc").create(SandboxPolicy())
        try:
            assert (await sandbox.run("print(1)", "python")).stdout == "1\n"
        finally:
            await sandbox.close()
        assert "no runtime 'none'" in str(await DockerBackend(runtime="none").unavailable_reason())
