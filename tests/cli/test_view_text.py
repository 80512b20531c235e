"""What reaches the terminal, and what does not."""

import pytest

from symposia.cli._view import LineBuffer, OutputLine
from symposia.ext.ui import Segment, last_lines, seconds, segments


def test_prose_and_code_are_told_apart() -> None:
    assert list(segments("Look:\n```python\nx = 1\n\ny = 2\n```\nDone.")) == [
        Segment("Look:"),
        Segment("x = 1\n\ny = 2", "python"),
        Segment("Done."),
    ]


def test_a_block_that_is_still_being_written_is_code_already() -> None:
    assert list(segments("```python\nx = 1")) == [Segment("x = 1", "python")]


@pytest.mark.parametrize(
    ("elapsed", "text"), [(0.04, "0.0 s"), (4.25, "4.2 s"), (59.9, "59.9 s"), (65, "1 min 05 s"), (3605, "60 min 05 s")]
)
def test_times_read_well(elapsed: float, text: str) -> None:
    assert seconds(elapsed) == text


def test_the_end_of_a_long_block_keeps_its_fence() -> None:
    text = "Look:\n```python\n" + "".join(f"x = {number}\n" for number in range(50))
    assert last_lines(text, 2) == "```python\nx = 48\nx = 49"


def test_the_end_of_long_prose_has_no_fence() -> None:
    text = "```python\nx = 1\n```\n" + "a\nb\nc"
    assert last_lines(text, 2) == "b\nc"


def test_pieces_of_output_are_put_together_to_lines() -> None:
    buffer = LineBuffer()
    assert buffer.add("stdout", "one\ntw") == [OutputLine("one", "stdout")]
    assert buffer.add("stderr", "err\n") == [OutputLine("err", "stderr")]
    assert buffer.add("stdout", "o\nthree") == [OutputLine("two", "stdout")]
    assert buffer.rest() == [OutputLine("three", "stdout")]


def test_a_flood_of_output_is_cut_and_counted_and_the_next_program_begins_anew() -> None:
    buffer = LineBuffer(limit=2)
    assert [line.text for line in buffer.add("stdout", "1\n2\n3\n4\n")] == ["1", "2"]
    (note,) = buffer.rest()
    assert "2 more lines" in note.text
    assert [line.text for line in buffer.add("stdout", "again\n")] == ["again"]


def test_an_endless_line_is_cut() -> None:
    (line,) = LineBuffer().add("stdout", "x" * 100_000 + "\n")
    assert len(line.text) == 2_000
