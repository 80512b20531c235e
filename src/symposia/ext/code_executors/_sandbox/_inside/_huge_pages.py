"""Huge pages for the memory that the server shares with the interpreters that it forks.

A fork copies the page table of what it shares and write-protects it; the end of the child gives every page back. With
numpy, pandas and matplotlib imported that is some 17,000 pages of 4 KiB, and 4 ms of each block. In pages of 2 MiB the
same memory takes a third of that time. A page that a child writes to is still copied as one of 4 KiB.

MADV_COLLAPSE (Linux 6.1, madvise(2)) makes them once the libraries are in memory. Rejected: MADV_HUGEPAGE beforehand,
which leaves it to a thread of the kernel that looks every ten seconds, where an administrator has not disabled it;
`PYTHONMALLOC=malloc` with glibc's tunable for huge pages, as every object of a block would then cost more.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import ctypes
from typing import NamedTuple

_MADV_COLLAPSE = 25
_HUGE_PAGE = 2 * 1024 * 1024  # on x86-64, and on aarch64 with pages of 4 KiB; elsewhere the kernel refuses
_MOST_AT_ONCE = 8 * _HUGE_PAGE  # a request waits meanwhile: 70 ms

_madvise = ctypes.CDLL(None).madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Area(NamedTuple):
    """A part of this process's memory: its first byte, and how many there are."""

    start: int
    size: int


def private_areas() -> list[Area]:
    """The private memory of this process that no file is behind: whole huge pages, in pieces."""
    with open("/proc/self/maps", "rb") as file:
        lines = file.read().splitlines()
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: bytes) -> list[Area]:
    bounds, rights, _, _, _, *name = line.split(maxsplit=5)
    if rights != b"rw-p" or name not in ([], [b"[heap]"]):
        return []
    start, end = (int(bound, 16) for bound in bounds.split(b"-"))
    start, end = -(-start // _HUGE_PAGE) * _HUGE_PAGE, end // _HUGE_PAGE * _HUGE_PAGE
    return [Area(piece, min(_MOST_AT_ONCE, end - piece)) for piece in range(start, end, _MOST_AT_ONCE)]


def collapse(area: Area) -> None:
    """Put an area into huge pages, as far as the kernel can: it may be too old, or have none free."""
    _madvise(area.start, area.size, _MADV_COLLAPSE)
