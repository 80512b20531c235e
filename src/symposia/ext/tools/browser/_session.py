"""The browser of one user: opened at the first use, opened anew when it has ended, and closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core import cancel_and_wait, uninterrupted
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.browser._browser import BrowserOptions, OpenBrowser, open_browser
from symposia.ext.tools.browser._controller import PlaywrightController

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

_log: Final = logging.getLogger(__name__)
BLANK: Final = "about:blank"
_NO_PLACE: Final = "http://symposia.invalid"
_CLOSE_SECONDS: Final = 5.0
_MOST_NEWS: Final = 5  # a page can open dialogs without end
_MOST_OTHERS: Final = 3  # one of which a click may have opened, to be acted in


class BrowserSession:
    """A browser with the page that is acted in, which is the newest one that an action has opened.

    Args:
        options: How the browser is started.
        make_controller: Makes the controller of an open browser.
        start_page: The address that is visited first.
        playwright: A driver that the program has started, and stops.
        context: A context that the program has made, and closes. No browser is started then.
    """

    def __init__(
        self,
        options: BrowserOptions,
        make_controller: Callable[[OpenBrowser], PlaywrightController],
        start_page: str,
        playwright: playwright_api.Playwright | None = None,
        context: playwright_api.BrowserContext | None = None,
    ) -> None:
        self._options = options
        self._make_controller = make_controller
        self._start_page = start_page
        self._playwright = playwright
        self._given_context = context
        self._browser: OpenBrowser | None = None
        self._controller: PlaywrightController | None = None
        self._pages: list[playwright_api.Page] = []
        self._doing: set[asyncio.Task[bool]] = set()
        self._news: list[str] = []
        self._has_ended = False
        self._url: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a browser runs."""
        return self._browser is not None and not self._has_ended

    @property
    def url(self) -> str | None:
        """The address of the page; while none is open, the one that is visited when it is opened."""
        return self._pages[-1].url if self._pages and not self._has_ended else self._url

    @url.setter
    def url(self, address: str | None) -> None:
        self._url = address

    @property
    def controller(self) -> PlaywrightController:
        """The controller of the open browser.

        Raises:
            ToolServiceError: The browser is closed.
        """
        if self._controller is None:
            raise ToolServiceError("The browser is closed.")
        return self._controller

    async def page(self, *, blank: bool = False) -> playwright_api.Page:
        """The page that is acted in. One is opened if there is none.

        Args:
            blank: Whether a new page stays empty, since another address will be visited at once.

        Raises:
            ToolServiceError: The browser did not start, or the first page cannot be visited. The page is empty then.
        """
        await self.open()
        self._pages = [page for page in self._pages if not page.is_closed()]
        if self._pages:
            return self._pages[-1]
        page = await self._new_page()
        address = self._url or self._start_page
        self._url = None
        if not blank and address != BLANK:
            await self.controller.visit_page(page, address)
        return page

    async def open(self) -> None:
        """Start a browser unless one runs. This is limited in time.

        Raises:
            ToolServiceError: The browser did not start.
        """
        if self._has_ended:
            await self.close()
        if self._browser is not None:
            return
        if self._given_context is None:
            self._browser = await open_browser(self._options, self._playwright)
            self._browser.context.on("page", self._close_surplus)
        else:
            self._browser = OpenBrowser(self._given_context)
        self._has_ended = False
        self._browser.context.on("close", self._note_end)
        self._controller = self._make_controller(self._browser)

    async def _new_page(self) -> playwright_api.Page:
        assert self._browser is not None  # noqa: S101 - for the type checker: `page` has opened it
        try:
            page = await self._browser.context.new_page()
        except playwright_api.Error:
            self._has_ended = True  # the next call starts another browser
            raise
        self._watch(page)
        self._pages.append(page)
        await self.controller.on_new_page(page)
        return page

    def follow(self, page: playwright_api.Page) -> None:
        """Act in a page that an action has opened. The one before comes back when it is closed."""
        self._watch(page)
        self._pages.append(page)

    def take_news(self) -> list[str]:
        """What has happened in pages since the last call, one sentence each."""
        news, self._news = self._news, []
        return news

    async def leave_page(self) -> bool:
        """Close the page if there is another one before it; whether there was."""
        if len(self._pages) < 2:  # noqa: PLR2004 - this one and another
            return False
        await self._pages.pop().close()
        return True

    async def drop_page(self) -> bool:
        """Close the page, which does not answer. The next call opens an empty one, or is about the one before it.

        Returns:
            Whether there is one before it.
        """
        if self._pages:
            page = self._pages.pop()
            self._url = BLANK
            if not await _done_in_time(page.close()):  # as one that goes from page to page without end
                await self.close()
                self._url = BLANK
        return bool(self._pages)

    async def check(self) -> None:
        """Find out whether the browser still answers. Of one that hangs, or whose driver has died, no event tells."""
        if not self.is_open or self._browser is None:
            return
        try:
            await asyncio.wait_for(self._browser.context.cookies(_NO_PLACE), _CLOSE_SECONDS)
        except Exception:  # noqa: BLE001 - Playwright raises a bare one if its driver has died
            self._note_end()

    async def close_other_pages(self) -> None:
        """Close what pages have opened by themselves. The other pages of a given context are the program's."""
        if self._browser is None or self._given_context is not None:
            return
        for page in self._browser.context.pages:
            if page not in self._pages:
                self._do_soon(page.close())
        if self._doing:
            await asyncio.wait(self._doing, timeout=_CLOSE_SECONDS)

    def _close_surplus(self, page: playwright_api.Page) -> None:
        """Close one more page that pages have opened by themselves: between two actions they can open thousands."""
        if self._browser is not None and len(self._browser.context.pages) > len(self._pages) + _MOST_OTHERS:
            self._do_soon(page.close())

    def _do_soon(self, action: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_done_in_time(action))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def close(self) -> None:
        """Close the browser. The next call opens another one, at the address of the page."""
        browser, controller = self._browser, self._controller
        if browser is None:
            return
        self._url = self.url
        pages, self._pages = self._pages, []
        self._browser = self._controller = None
        self._has_ended = False
        await uninterrupted(self._close(browser, controller, pages))

    async def _close(
        self, browser: OpenBrowser, controller: PlaywrightController | None, pages: list[playwright_api.Page]
    ) -> None:
        try:
            if controller is not None:
                await controller.downloads.close()
            if self._given_context is not None:
                for page in pages:
                    await _done_in_time(page.close())
        finally:
            await browser.close()
            await cancel_and_wait(*self._doing)

    def _note_end(self, _: object = None) -> None:
        self._has_ended = self._browser is not None
        self._url = self._pages[-1].url if self._pages else self._url

    def _note_crash(self, page: playwright_api.Page) -> None:
        if page in self._pages:
            self._pages.remove(page)
        self._url = BLANK  # not the page that crashed, which would crash again
        self._tell("The page crashed, and was closed.")

    def _watch(self, page: playwright_api.Page) -> None:
        page.on("crash", self._note_crash)
        if self._given_context is None:  # else the program may answer dialogs
            page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: playwright_api.Dialog) -> None:
        """Answer a dialog as Playwright does where nobody listens, and keep what it says."""
        if dialog.type == "beforeunload":  # whether the page may be left, which nothing may hinder
            self._do_soon(dialog.accept())
            return
        self._tell(f"The page opened a dialog ({dialog.type}), which was dismissed: {dialog.message[:500]!r}")
        self._do_soon(dialog.dismiss())

    def _tell(self, sentence: str) -> None:
        if len(self._news) < _MOST_NEWS:
            self._news.append(sentence)


async def _done_in_time(action: Awaitable[None]) -> bool:
    """Do something with a page, which may have gone meanwhile; whether it did not take too long."""
    try:
        await asyncio.wait_for(action, _CLOSE_SECONDS)
    except TimeoutError:
        return False
    except Exception as error:  # noqa: BLE001 - Playwright raises a bare one if its driver has died
        _log.debug("A page had gone: %s", error)
    return True
