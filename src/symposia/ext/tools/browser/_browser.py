"""Starting a browser and closing it, whatever happens between."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core import uninterrupted
from symposia.core.exceptions import MissingExtraError, SymposiaError, ToolServiceError
from symposia.ext._temporary_folders import remove_left_over_folders_once, temporary_folder
from symposia.ext.tools.browser._page import first_line
from symposia.ext.tools.browser._proxy import FilteringProxy, HostRules

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

_log: Final = logging.getLogger(__name__)
NOT_STARTED: Final = "The browser did not start."
_START_SECONDS: Final = 60.0
_CLOSE_SECONDS: Final = 10.0
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ARGUMENTS: Final = (
    # WebRTC sends UDP past the proxy otherwise. The first is for Chromium, the second for its headless shell, and each
    # takes no notice of the other's.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",  # which is UDP too
)


class BrowserOptions(NamedTuple):
    """How a browser is started.

    Attributes:
        headless: Whether it has no window.
        channel: A browser that Playwright knows by name, such as ``chrome`` or ``msedge``; None for Chromium.
        data_dir: The folder of the browser's profile, which keeps cookies from one start to the next; None for a new
            profile each time.
        executable_path: The program; None for Playwright's own Chromium, else one on the PATH.
        private_hosts: Hosts with private addresses that may be visited.
        accept_downloads: Whether files may be downloaded.
        size: The width and the height of the page, in pixels.
    """

    headless: bool
    channel: str | None
    data_dir: str | None
    executable_path: str | None
    private_hosts: Sequence[str]
    accept_downloads: bool
    size: tuple[int, int]


class OpenBrowser:
    """A browser that runs, with one context of pages. Made by `open_browser`.

    Attributes:
        context: The context of its pages.
        proxy: The proxy that it connects through; None if the context was given by the program.
        download_folder: Where unfinished downloads are; None if it is not known.
    """

    def __init__(
        self,
        context: playwright_api.BrowserContext,
        proxy: FilteringProxy | None = None,
        download_folder: Path | None = None,
        resources: AsyncExitStack | None = None,
    ) -> None:
        self.context = context
        self.proxy = proxy
        self.download_folder = download_folder
        self._resources = resources

    async def close(self) -> None:
        """End the browser and its driver, also if the caller is cancelled meanwhile. A given context is left open."""
        if self._resources is not None:
            await uninterrupted(self._resources.aclose())


def require_playwright() -> None:
    """Check that Playwright is installed, without importing it, which takes a third of a second.

    Raises:
        MissingExtraError: It is not.
    """
    if "playwright" not in sys.modules and find_spec("playwright") is None:
        raise MissingExtraError("A browser", "web-surfer")


async def open_browser(options: BrowserOptions, playwright: playwright_api.Playwright | None = None) -> OpenBrowser:
    """Start a browser.

    Args:
        options: How.
        playwright: Playwright's driver, which stays the program's; one is started by default.

    Raises:
        ToolServiceError: The browser did not start.
    """
    await asyncio.to_thread(import_module, "playwright.async_api")
    resources = AsyncExitStack()
    try:
        # Not cancelled in the middle: a driver whose start was cancelled has no handle by which it could be ended. The
        # start itself is limited in time.
        return await uninterrupted(_start(options, playwright, resources))
    except BaseException as error:
        await uninterrupted(resources.aclose())
        if isinstance(error, Exception) and not isinstance(error, SymposiaError):
            raise ToolServiceError(f"{NOT_STARTED} {_start_hint(error)}") from error
        raise


async def _start(
    options: BrowserOptions, playwright: playwright_api.Playwright | None, resources: AsyncExitStack
) -> OpenBrowser:
    proxy = FilteringProxy(HostRules(options.private_hosts))
    address = await proxy.start()
    resources.push_async_callback(proxy.close)
    if playwright is None:
        playwright = await playwright_api.async_playwright().start()
        resources.push_async_callback(_closed_in_time, playwright.stop)
    await asyncio.to_thread(remove_left_over_folders_once)
    folder = await resources.enter_async_context(temporary_folder("browser"))
    launching: dict[str, Any] = {  # Any: the arguments of a function of Playwright's
        "headless": options.headless,
        "channel": options.channel,
        "args": list(_ARGUMENTS),
        "chromium_sandbox": _may_sandbox(),
        "downloads_path": str(folder),
        "timeout": _START_SECONDS * 1000,
        "proxy": {"server": address, "bypass": "<-loopback>"},  # this bypass means: not even loopback goes past it
        "handle_sigint": False,  # Ctrl-C is the program's, which closes the browser
    }
    if options.channel is None:
        launching["executable_path"] = await asyncio.to_thread(_program, options, playwright)
    size = {"width": options.size[0], "height": options.size[1]}
    paging: dict[str, Any] = {"viewport": size, "accept_downloads": options.accept_downloads}
    if options.data_dir is not None:
        context = await playwright.chromium.launch_persistent_context(options.data_dir, **launching, **paging)
    else:
        browser = await playwright.chromium.launch(**launching)
        resources.push_async_callback(_closed_in_time, browser.close)
        context = await browser.new_context(**paging)
    resources.push_async_callback(_closed_in_time, context.close)
    return OpenBrowser(context, proxy, folder, resources)


async def _closed_in_time(close: Callable[[], Awaitable[None]]) -> None:
    """Close a part of the browser. One that has died, or hangs, must not keep the others open.

    The last part is the driver, whose end ends the browser too.
    """
    try:
        await asyncio.wait_for(close(), _CLOSE_SECONDS)
    except Exception as error:  # noqa: BLE001 - Playwright raises a bare one if its driver has died
        _log.debug("A part of the browser did not close: %s", error)


def _program(options: BrowserOptions, playwright: playwright_api.Playwright) -> str:
    if options.executable_path is not None:
        return options.executable_path
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return found
    raise ToolServiceError(
        f"{NOT_STARTED} No browser was found. Install one by 'playwright install chromium', or on Debian by "
        "'apt-get install chromium', or give executable_path."
    )


def _may_sandbox() -> bool:
    """Whether Chromium confines its own processes. It refuses to do so for root."""
    return not (hasattr(os, "geteuid") and os.geteuid() == 0)


def _start_hint(error: Exception) -> str:
    text = str(error)
    if "No usable sandbox" in text or ("sandbox" in text and "namespace" in text):
        return (
            "Chromium may not make its sandbox here: allow user namespaces (in Docker, with "
            "--security-opt seccomp=chrome.json), or install the package chromium-sandbox."
        )
    return first_line(error)
