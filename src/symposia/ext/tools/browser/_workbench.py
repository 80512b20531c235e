"""A browser as a workbench: the actions in a page as tools, with what the page then shows as their results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.core import CancellationToken, Image, cancelled_by
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, ToolServiceError
from symposia.core.text_limits import beginning_of
from symposia.core.tools import (
    ImageResultContent,
    TextResultContent,
    ToolResult,
    ToolSchema,
    ToolTraits,
    Workbench,
    failed_result,
)
from symposia.ext.tools.browser._actions import Action, BrowserActions
from symposia.ext.tools.browser._browser import NOT_STARTED, BrowserOptions, require_playwright
from symposia.ext.tools.browser._controller import PlaywrightController
from symposia.ext.tools.browser._marks import add_marks
from symposia.ext.tools.browser._page import InteractiveRegion, first_line, take_picture
from symposia.ext.tools.browser._page_text import elements_as_text, heading
from symposia.ext.tools.browser._proxy import check_private_hosts, full_address, web_host
from symposia.ext.tools.browser._session import BLANK, BrowserSession

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

_ENDED: Final = "The browser has ended. The next call starts another one, at the same address."
_DOWNLOAD_SECONDS: Final = 10.0

ResultContent: TypeAlias = TextResultContent | ImageResultContent


class BrowserWorkbenchState(BaseModel, defer_build=True):
    """A saved `BrowserWorkbench`: the address of its page, which is visited again. Cookies are not saved."""

    url: str | None = None


class BrowserWorkbench(Workbench):
    """A browser for any agent: visiting pages, clicking, writing, scrolling, reading and downloading.

    The browser is started by the first call. A result has what was done, the title and the address of the page, its
    elements with their numbers, and a screenshot that carries the same numbers. One action is done after another.

    A page that does not answer in time is closed, and a browser that has ended is started anew; the model reads both.
    A call that is cancelled closes the browser. The browser makes its connections through a proxy of this process,
    which refuses private addresses, also for redirects and for the parts of a page.

    Args:
        start_page: The address that is visited first, unless the first call is a visit.
        downloads_folder: Where files are saved, under names that are free; None refuses downloads.
        private_hosts: Hosts with private addresses that may be visited, as ``host`` or ``host:port``; ``*`` for all.
        search_url: The address of a search, with ``{query}`` in it.
        timeout: The seconds that one action may take. Starting the browser is not counted.
        max_characters: How many characters of text a model reads of one result.
        screenshots: Whether results have pictures. Models without vision work by the list of elements.
        screenshot_size: The width and the height of the pictures; by default those of the page.
        screenshot_folder: Where the screenshots without marks are kept; None keeps none.
        headless: Whether the browser has no window.
        browser_channel: A browser that Playwright knows by name, such as ``chrome``.
        browser_data_dir: The folder of the browser's profile; a new profile each time by default.
        executable_path: The browser's program; Playwright's Chromium by default, else one on the PATH.
        viewport_width: The width of the page in pixels.
        viewport_height: Its height.
        to_resize_viewport: Whether pages are given that size.
        animate_actions: Whether a cursor moves to the elements, for people who watch.
        playwright: Playwright's driver, if the program has started it.
        context: A context of Playwright's, if the program has made it. Its connections are its own: only the addresses
            that are visited by tools are checked.

    Raises:
        InvalidArgumentError: A number is not positive, `search_url` has no place for the query, `start_page` is no
            address, or a private host is none.
        MissingExtraError: Playwright is not installed.
    """

    NOT_STARTED: ClassVar[str] = NOT_STARTED
    """The beginning of the text of a result that says that there is no browser, which no model can change."""
    SEARCH_URL: ClassVar[str] = "https://www.bing.com/search?q={query}"

    is_static = True
    component_transient = frozenset({"playwright", "context"})

    def __init__(
        self,
        *,
        start_page: str = BLANK,
        downloads_folder: str | None = None,
        private_hosts: Sequence[str] = (),
        search_url: str = SEARCH_URL,
        timeout: float = 30.0,
        max_characters: int = 20_000,
        screenshots: bool = True,
        screenshot_size: tuple[int, int] | None = None,
        screenshot_folder: str | None = None,
        headless: bool = True,
        browser_channel: str | None = None,
        browser_data_dir: str | None = None,
        executable_path: str | None = None,
        viewport_width: int = 1440,
        viewport_height: int = 900,
        to_resize_viewport: bool = True,
        animate_actions: bool = False,
        playwright: playwright_api.Playwright | None = None,
        context: playwright_api.BrowserContext | None = None,
    ) -> None:
        _check(search_url, timeout=timeout, max_characters=max_characters)
        check_private_hosts("BrowserWorkbench", private_hosts)
        require_playwright()
        self._timeout = timeout
        self._max_characters = max_characters
        self._screenshots = screenshots
        self._screenshot_size = screenshot_size
        self._screenshot_folder = None if screenshot_folder is None else Path(screenshot_folder)
        size, keeps_files = (viewport_width, viewport_height), downloads_folder is not None
        controller = partial(
            PlaywrightController, downloads_folder, animate_actions, *size, to_resize_viewport=to_resize_viewport,
            private_hosts=private_hosts, load_timeout=timeout / 2,
        )  # fmt: skip
        controller()  # checks the numbers
        options = BrowserOptions(
            headless, browser_channel, browser_data_dir, executable_path, tuple(private_hosts), keeps_files, size
        )
        self._session = BrowserSession(
            options, lambda browser: controller(browser=browser), _first_address(start_page), playwright, context
        )
        self._actions = BrowserActions(
            self._session, search_url=search_url, timeout=timeout, max_characters=max_characters
        ).by_name()
        self._busy = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether a browser runs."""
        return self._session.is_open

    # The contract of workbenches

    async def list_tools(self) -> list[ToolSchema]:
        """The actions. Do not change the schemas."""
        return [action.tool.schema for action in self._actions.values()]

    def known_tools(self) -> Sequence[ToolSchema]:
        """The actions, as `list_tools`."""
        return [action.tool.schema for action in self._actions.values()]

    def tool_traits(self, name: str) -> ToolTraits:
        """The traits of the tool `name`."""
        return self._actions[name].tool.traits if name in self._actions else ToolTraits()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Do an action, and show the page. See `Workbench.call_tool`.

        Raises:
            MissingExtraError: Playwright or Pillow is not installed.
            asyncio.CancelledError: The call was cancelled. The browser is closed.
        """
        action = self._actions.get(name)
        if action is None:
            return failed_result(name, ToolServiceError(f"Tool {name} not found."))
        with cancelled_by(cancellation_token):
            async with self._busy:
                try:
                    return await self._call_in_time(name, action, arguments or {}, call_id)
                except asyncio.CancelledError:
                    # A run that is cancelled may never be continued, and nothing else would end the browser then.
                    await self._session.close()
                    raise

    async def _call_in_time(
        self, name: str, action: Action, arguments: Mapping[str, object], call_id: str | None
    ) -> ToolResult:
        try:
            await self._session.open()
        except ToolServiceError as error:
            return failed_result(name, error)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._call(name, action, arguments, call_id)
        except TimeoutError:
            rest = "The one before it" if await self._session.drop_page() else "An empty one"
            await self._session.check()
            return failed_result(
                name,
                ToolServiceError(
                    f"The page did not answer within {self._timeout:g} seconds, and was closed. {rest} is open."
                ),
            )

    async def _call(
        self, name: str, action: Action, arguments: Mapping[str, object], call_id: str | None
    ) -> ToolResult:
        failure: Exception | None = None
        text = ""
        try:
            text = str(await action.tool.run_json(arguments, CancellationToken(), call_id))
            if not action.shows_page:
                return ToolResult(name=name, result=[TextResultContent(content=text)])
        except (MissingExtraError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - any error becomes a result for the model
            failure = error
        try:
            return await self._shown(name, text, failure)
        except Exception as error:
            if isinstance(error, (MissingExtraError, TimeoutError)):
                raise
            await self._session.check()
            return failed_result(name, self._explained(failure or error))

    async def _shown(self, name: str, text: str, failure: Exception | None) -> ToolResult:
        """The result with the page. A model that reads of a failure needs the page too, to do something else."""
        if not self._session.is_open:  # there is no page to show
            raise ToolServiceError(_ENDED)
        page, controller = await self._session.page(blank=True), self._session.controller
        await self._session.close_other_pages()
        reports = self._session.take_news()
        reports += await controller.downloads.reports(min(_DOWNLOAD_SECONDS, self._timeout / 3))
        outcome = text if failure is None else str(self._explained(failure))
        view = await controller.get_view(page)
        headed = heading([outcome, *reports], view, page.url)
        listed = self._cut(elements_as_text(view["marks"], view["viewport"]["height"]))
        seen = self._cut(view["text"])
        texts = [headed, listed and f"Elements:\n{listed}", seen and f"Text in view:\n{seen}"]
        content: list[ResultContent] = [TextResultContent(content=text) for text in texts if text]
        if self._screenshots and page.url != BLANK:
            content.append(await self._picture(page, view["marks"]))
        return ToolResult(name=name, result=content, is_error=failure is not None)

    async def _picture(self, page: playwright_api.Page, regions: Mapping[str, InteractiveRegion]) -> ResultContent:
        try:
            screenshot = await take_picture(page)
        except ToolServiceError as error:  # the rest of the page can be used without
            return TextResultContent(content=str(error))
        if self._screenshot_folder is not None:
            await asyncio.to_thread(_keep, self._screenshot_folder, screenshot)
        marked = await asyncio.to_thread(add_marks, screenshot, regions, self._screenshot_size)
        return ImageResultContent(content=Image(marked.png))

    def _explained(self, error: Exception) -> Exception:
        if not self._session.is_open:
            return ToolServiceError(_ENDED)
        return ToolServiceError(first_line(error)) if isinstance(error, playwright_api.Error) else error

    def _cut(self, text: str) -> str:
        # The elements and the text in view are in one result.
        return beginning_of(text, self._max_characters // 2, "\n… ({left} more characters)")

    async def start(self) -> None:
        """Do nothing: the first call starts the browser."""

    async def stop(self) -> None:
        """Close the browser, also if the caller is cancelled meanwhile."""
        await self._session.close()

    async def reset(self) -> None:
        """Close the browser, and forget its page."""
        await self._session.close()
        self._session.url = None

    async def save_state(self) -> Mapping[str, Any]:
        """The address of the page."""
        return BrowserWorkbenchState(url=self._session.url).model_dump()

    async def load_state(self, state: Mapping[str, object]) -> None:
        """Close the browser; the next call visits the saved address.

        Raises:
            pydantic.ValidationError: It is no state of a browser.
        """
        saved = BrowserWorkbenchState.model_validate(state)
        await self._session.close()
        self._session.url = saved.url


def _first_address(start_page: str) -> str:
    """The address of the first page.

    Raises:
        InvalidArgumentError: It is none that can be visited.
    """
    if start_page == BLANK:
        return BLANK
    address = full_address(start_page)
    try:
        web_host(address)
    except ToolServiceError as error:
        raise InvalidArgumentError(f"start_page of BrowserWorkbench: {error}") from None
    return address


def _check(search_url: str, **numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:
            raise InvalidArgumentError(f"{name} of BrowserWorkbench has to be above 0, not {number!r}.")
    if "{query}" not in search_url:
        raise InvalidArgumentError(
            f"search_url has to have {{query}} where the query is, as in {BrowserWorkbench.SEARCH_URL!r}."
        )


def _keep(folder: Path, screenshot: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"screenshot_{time.time_ns()}.png").write_bytes(screenshot)
