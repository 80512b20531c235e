"""Texts that are too long to be shown whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.text_limits import beginning_of, ends_of


@given(text=st.text(max_size=30), most=st.integers(0, 30))
def test_a_text_that_fits_stays_and_a_longer_one_loses_as_many_characters_as_the_note_says(
    text: str, most: int
) -> None:
    for cut in (beginning_of, ends_of):
        shown = cut(text, most, "<{left}>")
        if len(text) <= most:
            assert shown == text
        else:
            left = len(text) - (most if cut is beginning_of else most // 2 * 2)
            assert len(shown) == len(text) - left + len(f"<{left}>")
            assert shown.startswith(text[: most // 2])


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (beginning_of("a" * 5_003, 3), "aaa…"),
        (beginning_of("a" * 5_003, 3, " [{left} more, {x}]"), "aaa [5,000 more, {x}]"),
        (ends_of("abcdefg", 5), "ab … fg"),
        (ends_of("abc", 1), " … "),
    ],
)
def test_the_note_stands_where_characters_are_missing(shown: str, expected: str) -> None:
    assert shown == expected
