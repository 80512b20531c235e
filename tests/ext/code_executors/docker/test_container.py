from pathlib import Path

import pytest

from symposia.core.code_executor import MIB, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._sandbox._mounts import Bind, data_bind
from symposia.ext.code_executors.docker._container import USER_ID, container_config


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
    host = container_config(image="image", command=["run"], policy=policy, binds=[], labels={})["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        32 * MIB,
        32 * MIB,
        500_000_000,
        15,
    )
    assert {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in host["Ulimits"]} == {
        "core": (0, 0),
        "msgqueue": (0, 0),
        "nofile": (17, 17),
        "fsize": (3 * MIB, 3 * MIB),
    }
    assert f"size={2 * MIB},nr_inodes=23" in host["Tmpfs"]["/work"]
    assert f"size={3 * MIB}" in host["Tmpfs"]["/tmp"]
    assert f"size={3 * MIB}" in host["Tmpfs"]["/dev/shm"]


def test_what_is_mounted_cannot_be_written() -> None:
    bind = Bind("/host/data", "/data/data")
    config = container_config(image="image", command=["run"], policy=SandboxPolicy(), binds=[bind], labels={})
    [asked] = config["HostConfig"]["Mounts"]
    assert (asked["Source"], asked["Target"], asked["ReadOnly"]) == ("/host/data", "/data/data", True)


@pytest.mark.parametrize(("mode", "is_folder"), [(0o640, False), (0o700, True), (0o744, True)])
def test_a_private_file_is_refused_before_the_code_runs(tmp_path: Path, mode: int, is_folder: bool) -> None:
    source = tmp_path / "private"
    source.mkdir() if is_folder else source.touch()
    source.chmod(mode)
    if source.stat().st_uid == USER_ID:
        pytest.skip("the container's user is this one")
    with pytest.raises(InvalidArgumentError, match=r"private cannot be read by the sandbox's user.*chmod -R o\+rX"):
        data_bind(SandboxMount(source=source, target="/data/private"), reader=USER_ID)


def test_a_file_for_all_is_mounted_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").touch(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    bind = data_bind(SandboxMount(source=tmp_path / "link", target="/data/link"), reader=USER_ID)
    assert bind == Bind(str((tmp_path / "real").resolve()), "/data/link")


def test_the_container_ends_with_its_client() -> None:
    config = container_config(image="image", command=["run"], policy=SandboxPolicy(), binds=[], labels={"a": "b"})
    assert (config["OpenStdin"], config["StdinOnce"], config["AttachStdin"]) == (True, True, True)
    assert config["HostConfig"]["AutoRemove"] is True
    assert config["Labels"] == {"a": "b"}
