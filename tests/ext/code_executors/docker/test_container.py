from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox._mounts import Bind
from symposia.ext.code_executors.docker._container import container_config


def test_every_limit_of_the_policy_is_asked_for() -> None:
    policy = SandboxPolicy(
        memory_bytes=11, cpus=0.5, processes=13, open_files=17, work_bytes=19, work_inodes=23, tmp_bytes=29
    )
    host = container_config(image="image", command=["run"], policy=policy, binds=[], labels={})["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (11, 11, 500_000_000, 15)
    assert {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in host["Ulimits"]} == {
        "core": (0, 0),
        "msgqueue": (0, 0),
        "nofile": (17, 17),
        "fsize": (29, 29),
    }
    assert "size=19,nr_inodes=23" in host["Tmpfs"]["/work"]
    assert "size=29" in host["Tmpfs"]["/tmp"]
    assert "size=29" in host["Tmpfs"]["/dev/shm"]


def test_what_is_mounted_cannot_be_written() -> None:
    bind = Bind("/host/data", "/data/data")
    config = container_config(image="image", command=["run"], policy=SandboxPolicy(), binds=[bind], labels={})
    [asked] = config["HostConfig"]["Mounts"]
    assert (asked["Source"], asked["Target"], asked["ReadOnly"]) == ("/host/data", "/data/data", True)


def test_the_container_ends_with_its_client() -> None:
    config = container_config(image="image", command=["run"], policy=SandboxPolicy(), binds=[], labels={"a": "b"})
    assert (config["OpenStdin"], config["StdinOnce"], config["AttachStdin"]) == (True, True, True)
    assert config["HostConfig"]["AutoRemove"] is True
    assert config["Labels"] == {"a": "b"}
