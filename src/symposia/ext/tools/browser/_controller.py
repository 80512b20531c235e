"""What can be done in a page: AutoGen's `PlaywrightController`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.ext.tools.browser._browser import OpenBrowser
from symposia.ext.tools.browser._downloads import Downloads
from symposia.ext.tools.browser._failures import ACTION_SECONDS, explained
from symposia.ext.tools.browser._navigation import Navigation
from symposia.ext.tools.browser._page import (
    MARK_ATTRIBUTE,
    MOST_MARKS,
    MOST_OPTIONS,
    NAME_LENGTH,
    OPTION_LENGTH,
    InteractiveRegion,
    PageMetadata,
    PageText,
    PageView,
    VisualViewport,
    read_page,
)
from symposia.ext.tools.browser._proxy import HostRules

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

LONGEST_TEXT: Final = 1_000_000
"""The characters that are read of a page. What a model is shown is cut to much less."""
_MARKING: Final = {
    "most_marks": MOST_MARKS,
    "name_length": NAME_LENGTH,
    "most_options": MOST_OPTIONS,
    "option_length": OPTION_LENGTH,
}
_FORMATS: Final = {
    "date": "2026-11-23",
    "datetime-local": "2026-11-23T14:30",
    "month": "2026-11",
    "time": "14:30",
    "week": "2026-W48",
}
"""What fields of these types take. They stay empty when something else is written into them."""
_POPUP_SECONDS: Final = 0.5
_LONGEST_SLEEP: Final = 60.0
_CURSOR_STEPS: Final = 20


class PlaywrightController:
    """Reads a page and acts in it. Elements are named by the numbers that `get_interactive_rects` gives them.

    Args:
        downloads_folder: Where downloads are saved; None refuses them.
        animate_actions: Whether a cursor moves to the elements, for people who watch.
        viewport_width: The width of new pages, in pixels.
        viewport_height: Their height.
        _download_handler: Called with each download, which is then the program's to save.
        to_resize_viewport: Whether new pages are given that size.
        private_hosts: Hosts with private addresses that may be visited, as ``host`` or ``host:port``; ``*`` for all.
            Of a page that is given, only the addresses that are visited by `visit_page` are checked.
        browser: The browser of the pages, whose proxy then checks each connection. It knows the private hosts itself.
        load_timeout: The seconds after which a page that has not loaded is given up.

    Raises:
        InvalidArgumentError: A number is not positive.
    """

    def __init__(
        self,
        downloads_folder: str | None = None,
        animate_actions: bool = False,
        viewport_width: int = 1440,
        viewport_height: int = 900,
        _download_handler: Callable[[playwright_api.Download], None] | None = None,
        to_resize_viewport: bool = True,
        *,
        private_hosts: Sequence[str] = (),
        browser: OpenBrowser | None = None,
        load_timeout: float = 15.0,
    ) -> None:
        for name, number in (
            ("viewport_width", viewport_width),
            ("viewport_height", viewport_height),
            ("load_timeout", load_timeout),
        ):
            if not number > 0:
                raise InvalidArgumentError(f"{name} of PlaywrightController has to be above 0, not {number!r}.")
        self.animate_actions = animate_actions
        self.last_cursor_position = (0.0, 0.0)
        self._size = (viewport_width, viewport_height)
        self._resizes = to_resize_viewport
        self._download_handler = _download_handler
        self.downloads = Downloads(
            None if downloads_folder is None else Path(downloads_folder),
            None if browser is None else browser.download_folder,
        )
        proxy = None if browser is None else browser.proxy
        rules = HostRules(private_hosts) if proxy is None else proxy.rules
        self._navigation = Navigation(rules, proxy, self.downloads, load_timeout)

    async def on_new_page(self, page: playwright_api.Page) -> None:
        """Prepare a page: its size, its downloads, its limits of time."""
        page.on("download", self._download_handler or self.downloads.accept)
        page.set_default_timeout(ACTION_SECONDS * 1000)
        if self._resizes:
            await page.set_viewport_size({"width": self._size[0], "height": self._size[1]})

    # Reading

    async def get_interactive_rects(self, page: playwright_api.Page) -> dict[str, InteractiveRegion]:
        """Number the elements that can be used, in the order of the page, and say where they are.

        An element keeps its number until the next call. Elements of frames are not among them.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "marks", dict[str, InteractiveRegion], **_MARKING)

    async def get_view(self, page: playwright_api.Page) -> PageView:
        """Number the elements as `get_interactive_rects`, and read what is seen of the page.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "view", PageView, limit=LONGEST_TEXT, **_MARKING)

    async def get_visual_viewport(self, page: playwright_api.Page) -> VisualViewport:
        """The part of the page that is seen.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "viewport", VisualViewport)

    async def get_focused_rect_id(self, page: playwright_api.Page) -> str | None:
        """The number of the element that has the focus; None if none of the numbered ones has it.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "focused", str | None)

    async def get_page_metadata(self, page: playwright_api.Page) -> PageMetadata:
        """The title, the ``meta`` tags and the JSON-LD of the page.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "metadata", PageMetadata)

    async def get_webpage_text(self, page: playwright_api.Page, n_lines: int = 50) -> str:
        """The first lines of the text of the page.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        text = await read_page(page, "text", str, limit=LONGEST_TEXT)
        return "\n".join(text.splitlines()[:n_lines])

    async def get_visible_text(self, page: playwright_api.Page) -> str:
        """The text of the part of the page that is seen.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return await read_page(page, "visibleText", str, limit=LONGEST_TEXT)

    async def get_page_markdown(self, page: playwright_api.Page) -> str:
        """The page as Markdown, up to a million characters.

        Raises:
            ToolServiceError: The page cannot be read.
        """
        return (await read_page(page, "markdown", PageText, limit=LONGEST_TEXT))["text"]

    # Going to pages

    async def visit_page(self, page: playwright_api.Page, url: str) -> tuple[bool, bool]:
        """Go to an address. A file is downloaded.

        A page that has begun to show itself when the time is over is left as far as it has come.

        Returns:
            Whether another page is shown now, and whether no download has begun.

        Raises:
            ToolServiceError: The address may not be visited, does not answer in time, or cannot be shown.
        """
        return await self._navigation.visit(page, url)

    async def back(self, page: playwright_api.Page) -> None:
        """Go back to the page before.

        Raises:
            ToolServiceError: There is none, or it does not load.
        """
        await self._navigation.back(page)

    # Acting in a page

    async def click_id(self, page: playwright_api.Page, identifier: str) -> playwright_api.Page | None:
        """Click an element.

        Returns:
            The page that the click opened beside this one; None if there is none.

        Raises:
            ToolServiceError: There is no such element, or it cannot be clicked.
        """
        element = await self._element(page, identifier)
        opened: asyncio.Future[playwright_api.Page] = asyncio.get_running_loop().create_future()

        def note(popup: playwright_api.Page) -> None:
            if not opened.done():
                opened.set_result(popup)

        page.on("popup", note)
        try:
            with explained(f"The element {identifier} cannot be clicked"):
                await self._point_at(page, identifier, element)
                await element.click(timeout=ACTION_SECONDS * 1000)
            await self._navigation.settle(page)
            # The event of a new page comes after the click, and nothing tells that there will be none.
            await asyncio.wait([opened], timeout=_POPUP_SECONDS)
        finally:
            page.remove_listener("popup", note)
            opened.cancel()
        if opened.cancelled():
            return None
        await self.on_new_page(opened.result())
        if not await self._navigation.settle(opened.result()):
            await opened.result().close()
            return None
        return opened.result()

    async def fill_id(self, page: playwright_api.Page, identifier: str, value: str, press_enter: bool = True) -> None:
        """Write into a field in place of what it holds, or select an option of a list by its text.

        Raises:
            ToolServiceError: There is no such element, or nothing can be written into it.
        """
        element = await self._element(page, identifier)
        with explained(f"Nothing can be written into the element {identifier}"):
            await self._point_at(page, identifier, element)
            tag: str = await element.evaluate("element => element.tagName", timeout=ACTION_SECONDS * 1000)
            if tag == "SELECT":
                await element.select_option(label=value, timeout=ACTION_SECONDS * 1000)
                return
            if self.animate_actions:
                await element.fill("", timeout=ACTION_SECONDS * 1000)
                await element.press_sequentially(value, delay=20, timeout=_LONGEST_SLEEP * 1000)
            else:
                await element.fill(value, timeout=ACTION_SECONDS * 1000)
            kind = await element.get_attribute("type", timeout=ACTION_SECONDS * 1000) or ""
            if kind in _FORMATS and value and not await element.input_value(timeout=ACTION_SECONDS * 1000):
                raise ToolServiceError(
                    f"The element {identifier} is still empty: it is of the type {kind!r}, and takes a value such as "
                    f"{_FORMATS[kind]}."
                )
            if press_enter:
                await element.press("Enter", timeout=ACTION_SECONDS * 1000)
        await self._navigation.settle(page)

    async def hover_id(self, page: playwright_api.Page, identifier: str) -> None:
        """Move the pointer over an element.

        Raises:
            ToolServiceError: There is no such element, or it cannot be reached.
        """
        element = await self._element(page, identifier)
        with explained(f"The pointer cannot be moved over the element {identifier}"):
            await self._point_at(page, identifier, element)
            await element.hover(timeout=ACTION_SECONDS * 1000)

    async def scroll_id(self, page: playwright_api.Page, identifier: str, direction: str) -> None:
        """Scroll an element ``up`` or ``down`` by most of its height.

        Raises:
            InvalidArgumentError: `direction` is neither.
            ToolServiceError: There is no such element.
        """
        if direction not in {"up", "down"}:
            raise InvalidArgumentError(f"direction has to be 'up' or 'down', not {direction!r}.")
        await self._element(page, identifier)
        await read_page(page, "scroll", bool, mark=str(int(identifier)), direction=-1 if direction == "up" else 1)

    async def page_up(self, page: playwright_api.Page) -> None:
        """Scroll up by most of the view.

        Raises:
            ToolServiceError: The page does not answer.
        """
        await read_page(page, "scroll", bool, mark=None, direction=-1)

    async def page_down(self, page: playwright_api.Page) -> None:
        """Scroll down by most of the view.

        Raises:
            ToolServiceError: The page does not answer.
        """
        await read_page(page, "scroll", bool, mark=None, direction=1)

    async def sleep(self, page: playwright_api.Page, duration: float) -> None:  # noqa: ARG002 - AutoGen's signature
        """Wait for a number of seconds, a minute at most."""
        await asyncio.sleep(max(0.0, min(float(duration), _LONGEST_SLEEP)))

    # Showing people what is done

    async def add_cursor_box(self, page: playwright_api.Page, identifier: str) -> None:
        """Outline an element.

        Raises:
            ToolServiceError: The page does not answer.
        """
        await read_page(page, "outline", bool, mark=identifier, shown=True)

    async def remove_cursor_box(self, page: playwright_api.Page, identifier: str) -> None:
        """Remove the outline of an element, and the cursor.

        Raises:
            ToolServiceError: The page does not answer.
        """
        await read_page(page, "outline", bool, mark=identifier, shown=False)
        await read_page(page, "cursor", bool, shown=False, x=0, y=0)

    async def gradual_cursor_animation(
        self, page: playwright_api.Page, start_x: float, start_y: float, end_x: float, end_y: float
    ) -> None:
        """Move a cursor that people see from one place of the view to another.

        Raises:
            ToolServiceError: The page does not answer.
        """
        for step in range(1, _CURSOR_STEPS + 1):
            part = step / _CURSOR_STEPS
            x, y = start_x + (end_x - start_x) * part, start_y + (end_y - start_y) * part
            await read_page(page, "cursor", bool, shown=True, x=x, y=y)
            await asyncio.sleep(0.01)
        self.last_cursor_position = (end_x, end_y)

    async def _point_at(self, page: playwright_api.Page, identifier: str, element: playwright_api.Locator) -> None:
        """Scroll to the element, and move the cursor to it if actions are animated."""
        await element.scroll_into_view_if_needed(timeout=ACTION_SECONDS * 1000)
        box = await element.bounding_box(timeout=ACTION_SECONDS * 1000) if self.animate_actions else None
        if box is None:
            return
        await self.add_cursor_box(page, identifier)
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await self.gradual_cursor_animation(page, *self.last_cursor_position, *middle)
        await self.remove_cursor_box(page, identifier)

    async def _element(self, page: playwright_api.Page, identifier: str) -> playwright_api.Locator:
        if not str(identifier).isascii() or not str(identifier).isdigit():
            raise ToolServiceError(f"{identifier!r} is no number of an element.")
        # The first one: a page may copy an element with its number.
        element = page.locator(f"[{MARK_ATTRIBUTE}='{int(identifier)}']").first
        with explained("The page does not answer"):
            if await asyncio.wait_for(element.count(), ACTION_SECONDS):
                return element
        raise ToolServiceError(
            f"There is no element {identifier} on the page as it is now. Look at the page for the numbers there are."
        )
