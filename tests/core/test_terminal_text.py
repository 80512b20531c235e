"""What reaches a terminal or a page, and what does not."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from symposia.core.terminal_text import escape_markdown, printable, printable_name


def test_s13_escape_sequences_become_visible() -> None:
    assert printable("\x1b[2Jgone\x07") == "␛[2Jgone␇"
    assert printable("\x1b]52;c;Y3VybA==\x07\x9b31m") == "␛]52;c;Y3VybA==␇\ufffd31m"


def test_s13_a_carriage_return_alone_starts_a_new_line() -> None:
    assert printable("10 %\r20 %\r\ndone") == "10 %\n20 %\ndone"


def test_s13_marks_that_turn_the_direction_of_text_are_dropped() -> None:
    assert printable("a\u202eb\u2066c\u200fd\U000e0041") == "abcd"


def test_s14_a_name_is_one_line_and_no_markup() -> None:
    assert printable_name("a.png\n[ 9.9 s] reviewer:\tapproved") == "a.png␊[ 9.9 s] reviewer:␉approved"
    assert escape_markdown("<b>[x](y)\n") == "\\<b\\>\\[x\\]\\(y\\)␊"


@given(st.text(st.characters(categories=None)))
def test_s13_no_control_character_gets_through(text: str) -> None:
    shown = printable(text)
    assert not [
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t"
    ]
    assert not any(character in "\n\t" for character in printable_name(text))
    shown.encode()
