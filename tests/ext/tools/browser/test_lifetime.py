"""The browser ends in every case, and comes back when it is needed."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Playwright, async_playwright
from tests.support.browsers import (
    SECONDS,
    browsing,
    descendants,
    error_of,
    eventually,
    needs_browser,
    processes_with,
    text_of,
)
from tests.support.web_site import Site, web_site

from symposia.core import CancellationToken
from symposia.ext.tools.browser import BrowserWorkbench, _browser, _session

pytestmark = [needs_browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

ENDED = "The browser has ended. The next call starts another one, at the same address."
PAGES = {
    "/": "<title>Home</title>",
    "/stuck": "<script>const r = new XMLHttpRequest(); r.open('GET', '/never', false); r.send()</script>",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[Site, None]:
    async with web_site(PAGES) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driver() -> AsyncGenerator[Playwright, None]:
    async with async_playwright() as playwright:
        yield playwright


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder with a short name: Chromium makes a socket in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


async def test_a_call_that_is_cancelled_in_any_phase_closes_the_browser(
    site: Site, driver: Playwright, tmp_path: Path
) -> None:
    profile = str(tmp_path)
    async with browsing(private_hosts=["*"], browser_data_dir=profile, playwright=driver) as browser:

        async def cancelled(url: str, reached: Callable[[], bool]) -> None:
            token = CancellationToken()
            call = asyncio.create_task(browser.call_tool("visit_url", {"url": url}, token))
            await eventually(lambda: call.done() or reached())
            token.cancel()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert not browser.is_open
            await eventually(lambda: not processes_with(profile))

        await cancelled(site.url("/"), lambda: bool(processes_with(profile)))
        await cancelled(site.url("/stuck"), lambda: "GET /never" in site.asked)
        await browser.load_state({"url": site.url()})
        assert "Page: Home" in await text_of(browser, "look")
        assert await browser.save_state() == {"url": site.url()}
        waiting = asyncio.create_task(browser.call_tool("visit_url", {"url": site.url("/never")}))
        behind = asyncio.create_task(browser.call_tool("look"))
        await asyncio.sleep(0)
        behind.cancel()
        with pytest.raises(asyncio.CancelledError):
            await behind
        assert browser.is_open  # the call before it goes on
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_a_browser_that_crashes_hangs_or_is_killed_is_replaced(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "_CLOSE_SECONDS", 2.0)
    monkeypatch.setattr(_browser, "_CLOSE_SECONDS", 2.0)
    profile, other_drivers = str(tmp_path), descendants(os.getpid(), "run-driver")
    async with browsing(private_hosts=["*"], browser_data_dir=profile, timeout=8) as browser:

        async def at_home() -> bool:
            return "Page: Home" in await text_of(browser, "look")

        await text_of(browser, "visit_url", url=site.url())
        for process in descendants(processes_with(profile)[0], "--type=renderer"):
            os.kill(process, signal.SIGKILL)
        crashed = await browser.call_tool("look")
        while "The page crashed, and was closed." not in crashed.to_text(""):
            crashed = await browser.call_tool("look")
        assert "Address: about:blank" in await text_of(browser, "look")

        await text_of(browser, "visit_url", url=site.url())
        await _send(signal.SIGSTOP, profile)
        assert "The page did not answer within 8 seconds" in await error_of(browser, "look")
        await text_of(browser, "visit_url", url=site.url())

        await _send(signal.SIGKILL, profile)
        await eventually(lambda: not browser.is_open)
        assert await at_home()

        for process in descendants(os.getpid(), "run-driver"):
            if process not in other_drivers:
                os.kill(process, signal.SIGKILL)
        await eventually(lambda: not processes_with(profile))
        assert await error_of(browser, "look") == ENDED
        assert not browser.is_open


async def _send(number: signal.Signals, profile: str) -> None:
    for process in processes_with(profile):
        os.kill(process, number)


async def test_a_program_that_is_killed_leaves_no_browser_and_the_next_one_removes_its_folder(
    tmp_path: Path, short_folder: Path
) -> None:
    program = (
        "import asyncio\nfrom symposia.ext.tools.browser import BrowserWorkbench\n"
        f"async def main():\n    browser = BrowserWorkbench(browser_data_dir={str(tmp_path)!r})\n"
        "    print((await browser.call_tool('look')).is_error, flush=True)\n"
        "    await asyncio.Event().wait()\nasyncio.run(main())"
    )
    left = list[set[str]]()
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(short_folder)}
        )
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), SECONDS) == b"False\n"
        process.kill()
        await process.wait()
        await eventually(lambda: not processes_with(str(tmp_path)))
        left.append(await asyncio.to_thread(lambda: {each.name for each in short_folder.glob("symposia-browser-*")}))
    assert len(left[0]) == len(left[1]) == 1
    assert not left[0] & left[1]


async def test_a_browser_that_does_not_start_says_why(driver: Playwright) -> None:
    browser = BrowserWorkbench(executable_path="/nowhere/chromium", playwright=driver)
    error = await error_of(browser, "look")
    assert error.startswith("The browser did not start.")
    assert "/nowhere/chromium" in error


async def test_closing_twice_and_before_the_start_is_harmless() -> None:
    browser = BrowserWorkbench()
    await browser.start()
    await browser.stop()
    await browser.stop()
    assert not browser.is_open
