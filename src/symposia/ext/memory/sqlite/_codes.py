"""Vectors as they are stored: exact enough to rank by, and as codes of a few bits that are searched first.

A code is the signs of the vector after a random rotation. The share of bits in which two codes differ estimates the
angle of the vectors (Charikar, 2002). The rotation is a Walsh-Hadamard transform after random changes of signs, which
takes n log n steps: without it, the many zeros of a sparse vector would make equal bits.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")

MIN_BITS: Final = 512
"""Of a code: 64 bytes, so that those of 100,000 entries are 6.4 MB, which are read in about 8 ms."""


MAX_DIMENSIONS: Final = 8_192
"""Of vectors: ``sqlite-vec`` takes no longer codes."""


def unit_vectors(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of the length 1; those of the length 0 stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def codes_of(units: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The codes of vectors, as rows of bytes."""
    size = _padded(units.shape[1])
    padded = np.zeros((len(units), size), dtype=np.float32)
    padded[:, : units.shape[1]] = units
    rotated = [_transform(padded * _signs(number, size)) for number in range(_rounds(size))]
    return np.packbits(np.concatenate(rotated, axis=1) > 0, axis=1)


def bits_of_code(dimensions: int) -> int:
    """The bits of a code of vectors with so many dimensions."""
    size = _padded(dimensions)
    return size * _rounds(size)


def _padded(dimensions: int) -> int:
    return max(8, 1 << (dimensions - 1).bit_length())


def _rounds(size: int) -> int:
    return max(1, MIN_BITS // size)


def _signs(number: int, size: int) -> NDArray[np.float32]:
    """Random signs that are the same for ever, which those of a library's generators are not promised to be."""
    digest = hashlib.shake_256(f"symposia memory codes {number}".encode()).digest(size // 8)
    return np.unpackbits(np.frombuffer(digest, dtype=np.uint8)).astype(np.float32) * 2 - 1


def _transform(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The Walsh-Hadamard transform of each row, whose length is a power of two."""
    count, size = rows.shape
    width = 1
    while width < size:
        pairs = rows.reshape(count, size // (2 * width), 2, width)
        left, right = pairs[:, :, 0], pairs[:, :, 1]
        rows = np.stack([left + right, left - right], axis=2).reshape(count, size)
        width *= 2
    return rows
