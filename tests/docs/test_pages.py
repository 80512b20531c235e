"""Every block of every page runs and prints what the page says. `tests/support/pages.py` tells how they are marked."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import DOCS, ROOT, blocks, examples, fences, formatted, is_example, pages, place, play

PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))


@PAGES
def test_the_blocks_of_the_page_run_and_print_what_it_says(page: Path, tmp_path: Path) -> None:
    for block, ran in zip(blocks(page), play(page, tmp_path), strict=False):
        where = place(page, block.line)
        assert not ran["error"], f"the block at {where} fails:\n{ran['error']}"
        assert ran["printed"] == block.output, f"the block at {where} prints something else"


@PAGES
def test_the_blocks_of_the_page_import_public_names_only(page: Path) -> None:
    for block in [each for each in blocks(page) if each.kind != "sh"]:
        for line, name in imported(ast.parse(block.code)):
            private = [part for part in name.split(".") if part.startswith("_") and not part.startswith("__")]
            assert not private, f"{place(page, block.line + line - 1)} imports {name}"


@PAGES
def test_the_examples_on_the_page_are_those_of_the_repository(page: Path) -> None:
    for line, (text, expected) in examples(page).items():
        assert text == expected, f"{place(page, line)}: `scripts/docs write` puts it in"


@PAGES
def test_the_page_begins_with_its_title(page: Path) -> None:
    assert page.read_text(encoding="utf-8").startswith(("# ", "---\n"))


def test_every_example_of_extending_is_on_its_page() -> None:
    shown = {fence.title for fence in fences(DOCS / "guide/extending.md") if is_example(fence)}
    assert shown == {str(path.relative_to(ROOT)) for path in (ROOT / "examples/extending").glob("*.py")}


def test_every_page_is_in_the_navigation() -> None:
    navigation = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(navigation) == sorted(str(page.relative_to(DOCS)) for page in pages())


def test_every_page_is_linked_from_the_first_one_and_from_the_readme() -> None:
    others = {str(page.relative_to(DOCS)) for page in pages()} - {"index.md"}
    assert others <= set(links(DOCS / "index.md"))
    assert {f"docs/{page}" for page in others} <= set(links(ROOT / "README.md"))


@PAGES
def test_the_blocks_of_the_page_are_formatted(page: Path) -> None:
    for line, (code, better) in formatted(page).items():
        assert code == better, f"{place(page, line)}: `scripts/docs write` formats it"


def links(page: Path) -> list[str]:
    """The files that a page links to, without the places in them."""
    return re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each name that is imported, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
