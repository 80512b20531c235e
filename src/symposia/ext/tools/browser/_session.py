"""The browser of one user: opened at the first use, opened anew when it has ended, and closed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core import uninterrupted
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.browser._browser import BrowserOptions, OpenBrowser, open_browser
from symposia.ext.tools.browser._controller import PlaywrightController

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

BLANK: Final = "about:blank"


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
        """The controller of the open browser."""
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
        if self._has_ended:
            await self.close()
        if self._browser is None:
            await self._open()
        self._pages = [page for page in self._pages if not page.is_closed()]
        if self._pages:
            return self._pages[-1]
        page = await self._new_page()
        address = self._url or self._start_page
        self._url = None
        if not blank and address != BLANK:
            await self.controller.visit_page(page, address)
        return page

    async def _open(self) -> None:
        if self._given_context is None:
            self._browser = await open_browser(self._options, self._playwright)
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
        page.on("crash", self._note_crash)
        self._pages.append(page)
        await self.controller.on_new_page(page)
        return page

    def follow(self, page: playwright_api.Page) -> None:
        """Act in a page that an action has opened. The one before comes back when it is closed."""
        page.on("crash", self._note_crash)
        self._pages.append(page)

    async def leave_page(self) -> bool:
        """Close the page if there is another one before it; whether there was."""
        if len(self._pages) < 2:  # noqa: PLR2004 - this one and another
            return False
        await self._pages.pop().close()
        return True

    async def drop_page(self) -> None:
        """Close the page, which does not answer. The next call opens an empty one."""
        if self._pages:
            page = self._pages.pop()
            self._url = BLANK
            # Without waiting for the handlers of the page, which do not answer either.
            with suppress(playwright_api.Error):
                await page.close(run_before_unload=False)

    async def close_other_pages(self) -> None:
        """Close what pages have opened by themselves. The other pages of a given context are the program's."""
        if self._browser is None or self._given_context is not None:
            return
        for page in self._browser.context.pages:
            if page not in self._pages:
                with suppress(playwright_api.Error):  # it has closed itself meanwhile
                    await page.close()

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
                    with suppress(playwright_api.Error):
                        await page.close()
        finally:
            await browser.close()

    def _note_end(self, _: object) -> None:
        self._has_ended = self._browser is not None
        self._url = self._pages[-1].url if self._pages else self._url

    def _note_crash(self, page: playwright_api.Page) -> None:
        if page in self._pages:
            self._pages.remove(page)
        self._url = BLANK  # not the page that crashed, which would crash again
