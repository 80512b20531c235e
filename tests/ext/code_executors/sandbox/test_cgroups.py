"""Control groups on machines of other kinds, as /proc and a folder of files."""

from pathlib import Path

import pytest

from symposia.ext.code_executors._sandbox._launcher._cgroups import (
    Groups,
    Hierarchy,
    Limits,
    make_groups,
    parse_hierarchies,
)

LIMITS = Limits(memory_bytes=1000, cpus=0.5, processes=7)
ALL = frozenset({"memory", "pids", "cpu"})


def test_version_2_alone_is_found() -> None:
    mounts = "29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    [found] = parse_hierarchies(mounts, "0::/user.slice/user-1000.slice/session-3.scope")
    assert found == Hierarchy(
        2, "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope", frozenset({""})
    )


def test_each_hierarchy_of_version_1_is_found_with_the_place_in_it() -> None:
    mounts = """\
30 29 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 29 0:29 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
33 29 0:30 / / rw,relatime - ext4 /dev/sda rw"""
    groups = "3:memory:/some/place\n2:cpu,cpuacct:/\n1:freezer:/"
    assert list(parse_hierarchies(mounts, groups)) == [
        Hierarchy(1, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/some/place", frozenset({"memory"})),
        Hierarchy(1, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", frozenset({"cpu"})),
    ]


def test_in_a_container_the_place_is_told_from_the_hosts_root() -> None:
    mounts = "30 29 0:27 /docker/abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory"
    [found] = parse_hierarchies(mounts, "3:memory:/docker/abc/below")
    assert found.own == "/sys/fs/cgroup/memory/below"


def may_be_joined(path: str, _mode: int) -> bool:
    """Stands in for the kernel, which makes this file in each group."""
    return path.endswith("/cgroup.procs")


def delegating(root: Path) -> Hierarchy:
    """A session below a slice that hands memory down; the session itself cannot, as it has processes."""
    own = root / "slice" / "session"
    own.mkdir(parents=True)
    (root / "slice" / "cgroup.subtree_control").write_text("memory pids")
    (own / "cgroup.subtree_control").mkdir()  # so that writing it fails, as the kernel lets it
    return Hierarchy(2, str(root), str(own), frozenset({""}))


def test_a_group_of_version_2_is_made_beside_a_caller_that_cannot_divide_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", may_be_joined)
    groups = make_groups(LIMITS, [delegating(tmp_path)])
    [folder] = map(Path, groups.folders)
    assert folder.parent == tmp_path / "slice"
    assert groups.limited == ALL
    assert groups.memory_counter == f"{folder}/memory.events"
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "memory.max": "1000",
        "memory.swap.max": "0",
        "pids.max": "7",
        "cpu.max": "50000 100000",
    }


def test_groups_of_version_1_are_made_below_the_callers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", may_be_joined)
    places = [Hierarchy(1, str(tmp_path / name), str(tmp_path / name / "own"), frozenset({name})) for name in ALL]
    for place in places:
        Path(place.own).mkdir(parents=True)
    groups = make_groups(LIMITS, places)
    assert groups.limited == ALL
    written = {file.name: file.read_text() for folder in groups.folders for file in Path(folder).iterdir()}
    assert written["memory.limit_in_bytes"] == "1000"
    assert written["pids.max"] == "7"
    assert written["cpu.cfs_quota_us"] == "50000"


def test_where_no_group_can_be_made_nothing_is_limited_and_nothing_fails(tmp_path: Path) -> None:
    places = [Hierarchy(version, str(tmp_path), str(tmp_path / "missing"), ALL) for version in (1, 2)]
    assert make_groups(LIMITS, places) == Groups(processors=1)
