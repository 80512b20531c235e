"""The page on AutoGen 0.2 names what of it is not here, and what surprises."""

import re
from pathlib import PurePosixPath

from tests.support.autogen_names import NAMES, has_module
from tests.support.pages import DOCS, ROOT

PAGE = (DOCS / "from-autogen-0.2.md").read_text()


def is_named(module: str) -> bool:
    """Whether the page names a module, or a package that it is in."""
    paths = PurePosixPath(module.replace(".", "/"))
    packages = [path for path in (paths, *paths.parents) if len(path.parts) > 1]
    return any(f"`{'.'.join(path.parts)}`" in PAGE or f"`{path.name}`" in PAGE for path in packages)


def test_the_page_names_every_module_that_is_missing() -> None:
    modules = {module for module, _, _ in NAMES if module.startswith("autogen.") and not has_module(module)}
    assert not [module for module in sorted(modules) if not is_named(module)]


def test_each_surprise_on_the_page_has_a_test_that_is_named_after_it() -> None:
    on_the_page = set(re.findall(r"^\| T(\d\d) \|", PAGE, re.MULTILINE))
    sources = [path.read_text() for path in (ROOT / "tests" / "v02").rglob("*.py")]
    assert on_the_page == {number for source in sources for number in re.findall(r"def test_t(\d\d)_", source)}
