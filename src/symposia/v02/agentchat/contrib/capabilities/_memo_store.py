"""Memos: texts that are found by the likeness of what they answer, in a file."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from symposia.ext.memory.embedders import HashingEmbedder
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream

FILE: Final = "memos.jsonl"
FILE_OF_AUTOGEN: Final = "uid_text_dict.pkl"

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Makes a vector of length 1 of each text."""

_logger = logging.getLogger(__name__)


class Memo(NamedTuple):
    """What is kept.

    Attributes:
        input_text: What it answers.
        output_text: The answer.
    """

    input_text: str
    output_text: str


class MemoStore:
    """Keeps memos in a folder, one line of JSON each.

    The distance of two texts is the square of that of their vectors: 0 for equal ones, 2 for those that have nothing in
    common.

    Args:
        verbosity: 1 prints what is kept and found.
        reset: Whether to begin without memos.
        path_to_db_dir: The folder.
        embed: Makes the vectors; by default of the letters of the texts, without a model.
    """

    def __init__(
        self,
        verbosity: int | None = 0,
        reset: bool | None = False,
        path_to_db_dir: str | None = "./tmp/teachable_agent_db",
        *,
        embed: Embed | None = None,
    ) -> None:
        self.verbosity = verbosity or 0
        self.path_to_db_dir = path_to_db_dir or "./tmp/teachable_agent_db"
        self._embed = embed or HashingEmbedder().hash_texts
        self._lock = threading.Lock()
        self._memos: list[Memo] = []
        self._vectors: list[Sequence[float]] = []
        if reset:
            self.reset_db()
        self._load()

    @property
    def last_memo_id(self) -> int:
        """How many memos there are."""
        return len(self._memos)

    def add_input_output_pair(self, input_text: str, output_text: str) -> None:
        """Keep a memo."""
        memo = Memo(input_text, output_text)
        [vector] = self._embed([input_text])
        with self._lock:
            self._memos.append(memo)
            self._vectors.append(vector)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(memo._asdict(), ensure_ascii=False) + "\n")
        self._tell(f"Kept the memo {len(self._memos)}: {input_text!r} is answered by {output_text!r}.")

    def get_related_memos(self, query_text: str, n_results: int, threshold: float) -> list[tuple[str, str, float]]:
        """The nearest memos below a distance, the nearest first, as ``(input, output, distance)``."""
        if not self._memos:
            return []
        [query] = self._embed([query_text])
        with self._lock:
            measured = [
                (memo.input_text, memo.output_text, _distance(query, vector))
                for memo, vector in zip(self._memos, self._vectors, strict=True)
            ]
        found = [each for each in sorted(measured, key=lambda each: each[2]) if each[2] < threshold][:n_results]
        for memo in found:
            self._tell(f"Found the memo {memo[0]!r} at the distance {memo[2]:.2f}: {memo[1]!r}.")
        return found

    def get_nearest_memo(self, query_text: str) -> tuple[str, str, float]:
        """The nearest memo, as ``(input, output, distance)``.

        Raises:
            LookupError: There is none.
        """
        found = self.get_related_memos(query_text, 1, float("inf"))
        if not found:
            raise LookupError("There are no memos. Add one with add_input_output_pair.")
        return found[0]

    def list_memos(self) -> None:
        """Print all memos."""
        for number, memo in enumerate(self._memos, start=1):
            IOStream.get_default().print(f"{number}: {memo.input_text!r} is answered by {memo.output_text!r}")

    def reset_db(self) -> None:
        """Forget all memos."""
        with self._lock:
            self._memos, self._vectors = [], []
            self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return Path(self.path_to_db_dir).expanduser() / FILE

    def _load(self) -> None:
        if not self._path.is_file():
            if self._path.with_name(FILE_OF_AUTOGEN).exists():
                _logger.warning("The memos of AutoGen in %s are not read: teach the agent again.", self.path_to_db_dir)
            return
        lines = self._path.read_text(encoding="utf-8").splitlines()
        self._memos = [Memo(**json.loads(line)) for line in lines]
        self._vectors = list(self._embed([memo.input_text for memo in self._memos]))

    def _tell(self, text: str) -> None:
        if self.verbosity >= 1:
            IOStream.get_default().print(colored(text, "light_yellow"))


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    return 2 - 2 * sum(a * b for a, b in zip(one, other, strict=True))
