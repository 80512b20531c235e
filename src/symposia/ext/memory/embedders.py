"""Embedders: texts as vectors, of which those of similar texts are close to each other."""

from __future__ import annotations

import reprlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeAlias
from zlib import crc32

from symposia._lazy import lazy_module
from symposia.core import ComponentBase, call_function, run_in_worker_thread
from symposia.core.argument_checks import check_text
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")

__all__ = ["Embedder", "FunctionEmbedder", "HashingEmbedder", "SentenceTransformerEmbedder"]

Vectors: TypeAlias = Sequence[Sequence[float]]


class Embedder(ComponentBase, ABC):
    """Makes vectors of texts.

    A store remembers the `name` of the embedder of its vectors, and refuses another one, whose vectors would not be
    comparable.
    """

    component_type = "embedder"

    @property
    @abstractmethod
    def name(self) -> str:
        """What decides the vectors, such as the name and version of the model."""

    @abstractmethod
    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Make a vector of each text, in their order, all of the same length."""


def vector_rows(vectors: object, count: int, embedder: str) -> NDArray[np.float32]:
    """What an embedder returned, as rows.

    Args:
        vectors: What it returned.
        count: Of how many texts.
        embedder: Its name.

    Raises:
        InvalidArgumentError: They are not as many vectors, all of the same length, of finite numbers, whose squares
            have a finite sum.
    """
    rows: NDArray[np.float32] = np.empty(0, dtype=np.float32)
    with np.errstate(over="ignore"), suppress(TypeError, ValueError):  # a number that is too large becomes infinite
        rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or len(rows) != count or not rows.shape[1] or not _are_finite(rows):  # noqa: PLR2004 - rows
        raise InvalidArgumentError(
            f"The embedder {embedder!r} returned {reprlib.repr(vectors)} for {count} texts: it has to return as many "
            "vectors, all of the same length, of finite numbers, whose squares have a finite sum."
        )
    return rows


def _are_finite(rows: NDArray[np.float32]) -> bool:
    """Whether vectors can be compared: the similarity to one whose length overflows would be 0, or no number."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(np.square(rows).sum(axis=1)).all())


class FunctionEmbedder(Embedder):
    """Calls a function of the program, such as the client of a vendor.

    Args:
        function: Is given a list of texts, and returns as many vectors. A plain function is called in a worker thread.
        name: The name of the model, and its version. Change it when the function's vectors change.
    """

    def __init__(
        self, function: Callable[[Sequence[str]], Vectors] | Callable[[Sequence[str]], Awaitable[Vectors]], name: str
    ) -> None:
        check_text("The name", type(self).__name__, name)
        self._function = function
        self._name = name

    @property
    def name(self) -> str:
        """The name that was given."""
        return self._name

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        return await call_function(self._function, list(texts))


class SentenceTransformerEmbedder(Embedder):
    """Runs a model of the library ``sentence-transformers`` on this machine.

    The library downloads a model that the machine does not have.

    Args:
        model_name: The name of the model, or its folder.

    Raises:
        MissingExtraError: With the first texts: the library is not installed.
    """

    def __init__(self, model_name: str = "sentence-transformers/all-mpnet-base-v2") -> None:
        check_text("The model_name", type(self).__name__, model_name)
        self._model_name = model_name

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._model_name

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        return await run_in_worker_thread(_encode, self._model_name, list(texts))


@lru_cache(maxsize=4)
def _sentence_model(name: str) -> Callable[[list[str]], Vectors]:
    try:
        library = import_module("sentence_transformers")  # apart from `all`, so that type checkers do not find it
    except ImportError as error:
        raise MissingExtraError("SentenceTransformerEmbedder", "sentence-transformers") from error
    encode: Callable[[list[str]], Vectors] = library.SentenceTransformer(name).encode
    return encode


def _encode(name: str, texts: list[str]) -> Vectors:
    return _sentence_model(name)(texts)


SIZES: Final = (3, 4)
"""Lengths of the n-grams, in characters, with the spaces around each word: those of fastText's subwords are 3 to 6."""


class HashingEmbedder(Embedder):
    """Counts n-grams of characters by their hashes. It needs no model, no service and no key.

    The similarity is that of spelling: it finds words that are inflected or misspelled, and knows nothing of what they
    mean. "car" and "vehicle" are not similar.

    The method is feature hashing (Weinberger et al., 2009): each n-gram adds 1 or -1 to one dimension. The counts are
    replaced by their square roots, so that one frequent word does not decide, and the vector has the length 1.

    Args:
        dimensions: The length of the vectors, a power of two.

    Raises:
        InvalidArgumentError: It is no power of two, or below 8.
    """

    def __init__(self, dimensions: int = 512) -> None:
        if dimensions < 8 or dimensions & (dimensions - 1):  # noqa: PLR2004 - said in the docstring
            raise InvalidArgumentError(
                f"The dimensions of a HashingEmbedder are {dimensions!r}: give a power of two of at least 8, such as "
                "512."
            )
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        """The name of the method and its parameters."""
        return f"hashed-ngrams-{self._dimensions}-v1"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        return await run_in_worker_thread(self.hash_texts, texts)

    def hash_texts(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of texts. It computes: call it in a thread where there are many.

        Raises:
            MissingExtraError: ``numpy`` is not installed.
        """
        try:
            return [self._hash(text) for text in texts]
        except ImportError as error:
            raise MissingExtraError("HashingEmbedder", "sqlite-memory") from error

    def _hash(self, text: str) -> list[float]:
        hashes = np.fromiter(_ngram_hashes(text), dtype=np.uint32)
        signs = np.where(hashes >> np.uint32(31), 1.0, -1.0)  # a bit that the dimension does not use
        counts = np.bincount(hashes & np.uint32(self._dimensions - 1), signs, self._dimensions)
        vector = np.sign(counts) * np.sqrt(np.abs(counts))
        length = float(np.linalg.norm(vector))
        return (vector / length if length else vector).tolist()


def _ngram_hashes(text: str) -> Iterator[int]:
    """CRC-32 of each n-gram: Python's own `hash` differs in each process."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    padded = f" {folded} ".encode("utf-32-le")
    for size in SIZES:
        for start in range(0, len(padded) - 4 * size + 1, 4):
            yield crc32(padded[start : start + 4 * size])
