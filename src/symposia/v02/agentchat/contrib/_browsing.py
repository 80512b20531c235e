"""The functions by which a model uses a browser of pages as Markdown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeAlias

from symposia.v02._plain import call_in_thread
from symposia.v02.browser_utils import AbstractMarkdownBrowser

RULE: Final = "======================="
MOST_READ: Final = 200_000
"""Characters of a page about which a model is asked: some 50,000 tokens."""

Ask: TypeAlias = Callable[[str, str], Awaitable[str]]
"""Asks a model about a text: the text, and the question."""
Function: TypeAlias = Callable[..., Awaitable[str]]

SUMMARY: Final = "What does the page say? Write a summary of a few paragraphs."


def shown(browser: AbstractMarkdownBrowser, text: str | None = None) -> str:
    """What a model is shown of a browser: where it is, and the viewport or another text."""
    lines = [f"Address: {browser.address}"]
    if title := getattr(browser, "page_title", None):
        lines.append(f"Title: {title}")
    pages, current = getattr(browser, "viewport_pages", [None]), getattr(browser, "viewport_current_page", 0)
    lines += [f"Viewport position: Showing page {current + 1} of {len(pages)}.", RULE]
    return "\n".join([*lines, browser.viewport if text is None else text])


def browsing_functions(browser: AbstractMarkdownBrowser) -> dict[str, tuple[Function, str]]:
    """For each name a function and its description. A plain chat calls them too."""

    async def visit(address: str) -> str:
        await call_in_thread(browser.visit_page, address)
        return shown(browser)

    async def informational_web_search(query: Annotated[str, "What to search for"]) -> str:
        return await visit(f"search: {query}")

    async def navigational_web_search(query: Annotated[str, "The name of what to open"]) -> str:
        return await visit(f"search: {query}")

    async def visit_page(url: Annotated[str, "The address, which may be relative to that of the page"]) -> str:
        return await visit(url)

    async def download_file(url: Annotated[str, "The address, which may be relative to that of the page"]) -> str:
        return await visit(url)

    async def page_up() -> str:
        browser.page_up()
        return shown(browser)

    async def page_down() -> str:
        browser.page_down()
        return shown(browser)

    async def find_on_page_ctrl_f(
        search_string: Annotated[str, "The text, in which * stands for anything in a line"],
    ) -> str:
        found = await call_in_thread(browser.find_on_page, search_string)
        return shown(browser, found or f"The search string '{search_string}' was not found on this page.")

    async def find_next() -> str:
        return shown(
            browser, await call_in_thread(browser.find_next) or "The search string was not found on this page."
        )

    return {
        "informational_web_search": (informational_web_search, "Search the web, and read the results."),
        "navigational_web_search": (navigational_web_search, "Search the web for a site or a page that is known."),
        "visit_page": (visit_page, "Open a page, and read its beginning."),
        "download_file": (download_file, "Download a file. Its text is shown, or where it was saved."),
        "page_up": (page_up, "Read the part of the page before the one that is shown."),
        "page_down": (page_down, "Read the next part of the page."),
        "find_on_page_ctrl_f": (find_on_page_ctrl_f, "Find a text on the page, and read the part with it."),
        "find_next": (find_next, "Find the text that was looked for once more, further down."),
    }


def reading_functions(browser: AbstractMarkdownBrowser, ask: Ask) -> dict[str, tuple[Function, str]]:
    """As `browsing_functions`, those that ask a model about a whole page."""

    async def read(question: str, url: str | None) -> str:
        if url:
            await call_in_thread(browser.visit_page, url)
        page = browser.page_content
        note = "" if len(page) <= MOST_READ else f"\n\n[The page is longer: {MOST_READ} characters of it were read.]"
        return shown(browser, await ask(page[:MOST_READ], question) + note)

    async def read_page_and_answer(
        question: Annotated[str, "The question"],
        url: Annotated[str | None, "The address of another page than that which is open"] = None,
    ) -> str:
        return await read(question, url)

    async def summarize_page(
        url: Annotated[str | None, "The address of another page than that which is open"] = None,
    ) -> str:
        return await read(SUMMARY, url)

    return {
        "read_page_and_answer": (read_page_and_answer, "Read all of a page for the answer to a question."),
        "summarize_page": (summarize_page, "Read all of a page for a summary."),
    }
