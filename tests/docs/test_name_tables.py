"""The names in the tables of the pages about migrating are where the tables say that they are."""

import re
from collections.abc import Iterator

import pytest
from tests.support.autogen_names import NAMES, has_module, has_name
from tests.support.pages import DOCS, ROOT

OURS = {name.rpartition(".")[2] for name in (ROOT / "tests" / "public_names.txt").read_text().split()}
OF_02 = {name for module, _, name in NAMES if module.partition(".")[0] == "autogen"}
HERE_OF_02 = {name for module, _, name in NAMES if module.partition(".")[0] == "autogen" and has_name(module, name)}
MODULES_OF_02 = {module for module, _, _ in NAMES if module.startswith("autogen.")}

AG2, V02, MIGRATING = "from-ag2", "from-autogen-0.2", "migrating"
NEW_IN_AG2 = (AG2, "| AG2 | instead |")
BEHIND = (V02, "| AutoGen 0.2 | what is behind it here |")
NOT_HERE = (V02, "| AutoGen 0.2 | instead |")
IN_04 = (V02, "| AutoGen 0.2 | AutoGen 0.4 and Symposia |")
REWRITTEN = (MIGRATING, "| AutoGen 0.2 | 0.4 |")


def cells(table: tuple[str, str], column: int) -> str:
    """The code in a column of a table, without strings."""
    page, header = table
    text = (DOCS / f"{page}.md").read_text()
    rows = text[text.index(header) :].partition("\n\n")[0].splitlines()[2:]
    columns = (re.split(r"(?<!\\)\|", row)[1:-1][column] for row in rows)
    return "\n".join(re.sub(r'"[^"]*"', "", code) for cell in columns for code in re.findall(r"`([^`]+)`", cell))


def classes(text: str) -> Iterator[str]:
    yield from (word for word in re.findall(r"\b[A-Z]\w*[a-z]\w*", text) if word not in {"True", "False", "None"})


def plain(text: str) -> Iterator[str]:
    """The names that are a whole piece of code."""
    yield from re.findall(r"^@?([A-Za-z]\w*)(?:\(…\))?$", text, re.MULTILINE)


def modules(text: str) -> Iterator[str]:
    yield from re.findall(r"^autogen\.[a-z_][a-z_.0-9]*$", text, re.MULTILINE)


@pytest.mark.parametrize("table", [NEW_IN_AG2, BEHIND, NOT_HERE, IN_04, REWRITTEN])
def test_what_a_table_offers_is_here(table: tuple[str, str]) -> None:
    assert not set(classes(cells(table, 1))) - OURS


@pytest.mark.parametrize("table", [BEHIND, IN_04, REWRITTEN])
def test_what_a_table_takes_from_autogen_0_2_is_there_and_here(table: tuple[str, str]) -> None:
    text = cells(table, 0)
    assert set(classes(text))
    assert not set(classes(text)) - HERE_OF_02
    assert all(has_module(module) for module in modules(text))


def test_what_ag2_has_added_is_not_in_autogen_0_2() -> None:
    text = cells(NEW_IN_AG2, 0)
    assert not {*classes(text), *plain(text)} & OF_02
    assert not set(modules(text)) & MODULES_OF_02


def test_what_is_listed_as_missing_is_missing() -> None:
    text = cells(NOT_HERE, 0)
    packages = {
        "code_utils",
        "mdconvert",
        "autogen.browser_utils",
        "autogen.agentchat.contrib.vectordb",
    }  # of what is missing
    missing = {*classes(text), *plain(text), *modules(text)} - packages
    assert not missing & HERE_OF_02
    named = {module for module in MODULES_OF_02 if {module, module.rpartition(".")[2]} & missing}
    assert named
    assert not [module for module in named if has_module(module)]
