"""The page on differences and the tests that are named after faults say the same."""

import re
from pathlib import Path

from tests.support.pages import DOCS, ROOT

PAGE = DOCS / "differences.md"
TEST = re.compile(r"def test((?:_f\d\d)+)_")
ROW = re.compile(r"^\| (F\d+(?:, F\d+)*) \|", re.MULTILINE)
NUMBER = re.compile(r"\d+")


def numbers(matches: list[str]) -> set[int]:
    return {int(number) for match in matches for number in NUMBER.findall(match)}


def on_the_page() -> set[int]:
    return numbers(ROW.findall(PAGE.read_text()))


def having_tests() -> set[int]:
    sources: list[Path] = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    return numbers([match for path in sources for match in TEST.findall(path.read_text())])


def test_every_fault_on_the_page_has_a_test_that_is_named_after_it() -> None:
    assert on_the_page() - having_tests() == set()


def test_every_fault_that_has_a_test_is_on_the_page() -> None:
    assert having_tests() - on_the_page() == set()
