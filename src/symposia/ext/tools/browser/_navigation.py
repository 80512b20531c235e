"""Going from page to page: loading, which may end in a download, a refusal, or never."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError
from symposia.ext._shown_addresses import shown_address
from symposia.ext.tools.browser._downloads import Downloads
from symposia.ext.tools.browser._failures import ACTION_SECONDS, reason
from symposia.ext.tools.browser._page import first_line, stop_loading
from symposia.ext.tools.browser._proxy import FilteringProxy, HostRules

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

_LOAD_SECONDS: Final = 3.0
_BLANK: Final = "about:blank"
_TRIES_TO_LEAVE: Final = 5
_DOWNLOAD: Final = """() => {
    const link = Object.assign(document.createElement("a"), {href: location.href, download: ""});
    document.documentElement.append(link);
    link.click();
}"""
_DOWNLOADS: Final = ("Download is starting", "ERR_ABORTED")


class Navigation:
    """Goes to pages.

    Args:
        rules: The hosts that may be visited.
        proxy: Makes the connections of the browser; None if they are its own.
        downloads: Takes the files.
        load_timeout: The seconds after which a page that has not loaded is given up.
    """

    def __init__(
        self, rules: HostRules, proxy: FilteringProxy | None, downloads: Downloads, load_timeout: float
    ) -> None:
        self._rules = rules
        self._proxy = proxy
        self._downloads = downloads
        self._load_timeout = load_timeout

    async def visit(self, page: playwright_api.Page, url: str) -> tuple[bool, bool]:
        """Go to an address. A file is downloaded.

        A page that has begun to show itself when the time is over is left as far as it has come.

        Returns:
            Whether another page is shown now, and whether no download has begun.

        Raises:
            ToolServiceError: The address may not be visited, does not answer in time, or cannot be shown.
        """
        await self._rules.check(url)
        downloads, refusals = self._downloads.started, 0 if self._proxy is None else self._proxy.refusals
        shown = _Navigations(page)
        try:
            response = await page.goto(url, wait_until="domcontentloaded", timeout=self._load_timeout * 1000)
        except playwright_api.TimeoutError:
            if not shown.any:
                await _leave(page)
                raise ToolServiceError(
                    f"{shown_address(url)} was not loaded: the server did not answer within {self._load_timeout:g} "
                    "seconds."
                ) from None
            await stop_loading(page)  # one that never ends grows as long as it is open
            return True, True
        except playwright_api.Error as error:
            # The event of the download may come after the error that says that this is no page.
            if any(sign in str(error) for sign in _DOWNLOADS) and await self._downloads.wait_for(downloads + 1):
                return False, False
            await _leave(page)  # Chromium's own page about the error, which offers to load it again
            # Not for every error: Chromium asks for addresses of its own in the background, which are refused too.
            if self._proxy is not None and "ERR_TUNNEL" in str(error) and self._proxy.refusals > refusals:
                raise ToolServiceError(f"{shown_address(url)} was not loaded: {self._proxy.last_refusal}") from None
            raise ToolServiceError(f"{shown_address(url)} was not loaded: {reason(error)}.") from error
        finally:
            shown.stop()
        await self._refuse_answer_of_proxy(page, url, response)
        is_page = await self.settle(page)
        return is_page, is_page

    async def _refuse_answer_of_proxy(
        self, page: playwright_api.Page, url: str, response: playwright_api.Response | None
    ) -> None:
        """Raise if the answer is the proxy's, which a redirect led to a refused address or to none."""
        if response is None or self._proxy is None:
            return
        if response.headers.get(self._proxy.MARK_HEADER) == self._proxy.mark:
            reason = await response.text()
            await _leave(page)
            raise ToolServiceError(f"{shown_address(url)} was not loaded: {reason}")

    async def back(self, page: playwright_api.Page) -> None:
        """Go back to the page before.

        Raises:
            ToolServiceError: There is none, or it does not load.
        """
        before = page.url
        try:
            response = await page.go_back(wait_until="domcontentloaded", timeout=self._load_timeout * 1000)
        except playwright_api.Error as error:
            raise ToolServiceError(f"The page before was not loaded: {reason(error)}.") from error
        if response is None and page.url == before:
            raise ToolServiceError("There is no page before this one.")
        await self.settle(page)

    async def settle(self, page: playwright_api.Page) -> bool:
        """Wait a while for pictures and frames. A page that never ends loading is used as it is.

        Returns:
            Whether it is a page. A PDF, of which Chromium shows nothing here, is downloaded and left.
        """
        with suppress(playwright_api.Error):
            await page.wait_for_load_state("domcontentloaded", timeout=self._load_timeout * 1000)
            await page.wait_for_load_state("load", timeout=_LOAD_SECONDS * 1000)
            if await page.evaluate("document.contentType") == "application/pdf":
                downloads = self._downloads.started
                await page.evaluate(_DOWNLOAD)
                await self._downloads.wait_for(downloads + 1)
                if await page.go_back() is None:
                    await _leave(page)
                return False
        return True


class _Navigations:
    """Whether a page has begun to show another document."""

    def __init__(self, page: playwright_api.Page) -> None:
        self.any = False
        self._page = page
        page.on("framenavigated", self._note)

    def _note(self, frame: playwright_api.Frame) -> None:
        self.any = self.any or frame == self._page.main_frame

    def stop(self) -> None:
        """Watch no longer."""
        self._page.remove_listener("framenavigated", self._note)


async def _leave(page: playwright_api.Page) -> None:
    """Show nothing, which also ends what is being loaded."""
    # Chromium's page about an error comes a moment after the error, and may end this navigation, or end after it.
    for last in (False,) * (_TRIES_TO_LEAVE - 1) + (True,):
        try:
            await page.goto(_BLANK, timeout=ACTION_SECONDS * 1000)
        except playwright_api.Error as error:
            if "crashed" in str(error):
                return  # it shows nothing
            if last or "interrupted by another navigation" not in str(error):
                raise ToolServiceError(f"The page does not answer: {first_line(error)}") from error
            with suppress(playwright_api.Error):
                await page.wait_for_load_state("load", timeout=_LOAD_SECONDS * 1000)
        if page.url == _BLANK:
            return
