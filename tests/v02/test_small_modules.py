"""The errors and the colours."""

import pytest

from symposia.core.exceptions import SymposiaError
from symposia.v02 import exception_utils
from symposia.v02.exception_utils import AgentNameConflict, NoEligibleSpeaker
from symposia.v02.formatting_utils import colored


@pytest.mark.parametrize("name", exception_utils.__all__)
def test_each_error_has_a_text_of_its_own_and_is_one_of_symposia(name: str) -> None:
    error = getattr(exception_utils, name)
    assert str(error())
    assert str(error("mine")) == "mine"
    assert isinstance(error(), SymposiaError)


def test_errors_keep_their_message() -> None:
    assert NoEligibleSpeaker("nobody").message == "nobody"
    assert AgentNameConflict("a", "b").args == ("a", "b")


def test_text_is_in_colours_on_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "ANSI_COLORS_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    assert colored("text", "green") == "text"
    assert colored("text", "green", force_color=True) == "\x1b[32mtext\x1b[0m"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert colored(3, "light_blue", "on_red", ["bold", "strike"]) == "\x1b[1m\x1b[9m\x1b[41m\x1b[94m3\x1b[0m"
    assert colored("text", "green", no_color=True) == "text"
    monkeypatch.setenv("NO_COLOR", "1")
    assert colored("text", "green") == "text"


def test_an_unknown_colour_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no colour 'pink'. Use one of: black, red"):
        colored("text", "pink", force_color=True)
