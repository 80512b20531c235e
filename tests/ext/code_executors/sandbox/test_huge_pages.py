"""The memory that the server shares with its interpreters, in huge pages where the kernel has them."""

import mmap
import platform
from pathlib import Path

from symposia.ext.code_executors._sandbox._inside._huge_pages import collapse, private_areas

HUGE_PAGE = 2 * 1024 * 1024


def huge_kilobytes() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))


def test_memory_keeps_its_contents_in_huge_pages() -> None:
    with mmap.mmap(-1, 8 * HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = b"content!" * HUGE_PAGE
        before = huge_kilobytes()
        for area in private_areas():
            collapse(area)
        assert memory[:] == b"content!" * HUGE_PAGE
        if tuple(map(int, platform.release().split(".")[:2])) >= (6, 1) and platform.machine() == "x86_64":
            assert huge_kilobytes() > before


def test_areas_are_whole_huge_pages_that_no_file_is_behind() -> None:
    with mmap.mmap(-1, 20 * HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        areas = private_areas()
        assert memory is not None
    assert sum(area.size for area in areas) >= 19 * HUGE_PAGE
    assert all(area.start % HUGE_PAGE == 0 and area.size % HUGE_PAGE == 0 and area.size > 0 for area in areas)
    assert max(area.size for area in areas) <= 8 * HUGE_PAGE
