"""The browser ends in every case, and comes back when it is needed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.browsers import SECONDS, browsing, error_of, eventually, needs_browser, processes_with, text_of
from tests.support.web_site import web_site

from symposia.core import CancellationToken
from symposia.ext.tools.browser import BrowserWorkbench

pytestmark = [needs_browser, pytest.mark.timeout(300)]


async def test_a_cancelled_call_closes_the_browser_and_the_next_one_opens_it_again(tmp_path: Path) -> None:
    async with (
        web_site({"/": "<title>Home</title>"}) as site,
        browsing(private_hosts=["*"], browser_data_dir=str(tmp_path)) as browser,
    ):
        await text_of(browser, "visit_url", url=site.url())
        assert processes_with(str(tmp_path))
        token = CancellationToken()
        call = asyncio.create_task(browser.call_tool("visit_url", {"url": site.url("/never")}, token))
        await eventually(lambda: "GET /never" in site.asked)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not browser.is_open
        await eventually(lambda: not processes_with(str(tmp_path)))
        assert "Page: Home" in await text_of(browser, "look")


async def test_a_browser_whose_start_is_cancelled_is_ended(tmp_path: Path) -> None:
    async with browsing(browser_data_dir=str(tmp_path)) as browser:
        call = asyncio.create_task(browser.call_tool("look"))
        await eventually(lambda: bool(processes_with(str(tmp_path))))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await eventually(lambda: not processes_with(str(tmp_path)))
        assert not browser.is_open


async def test_a_browser_that_was_killed_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    async with (
        web_site({"/": "<title>Home</title>"}) as site,
        browsing(private_hosts=["*"], browser_data_dir=str(tmp_path), timeout=60) as browser,
    ):
        await text_of(browser, "visit_url", url=site.url())
        for process in processes_with(str(tmp_path)):
            os.kill(process, signal.SIGKILL)
        await eventually(lambda: not browser.is_open)
        assert "Page: Home" in await text_of(browser, "look")


async def test_a_program_that_is_killed_leaves_no_browser(tmp_path: Path) -> None:
    program = (
        "import asyncio\nfrom symposia.ext.tools.browser import BrowserWorkbench\n"
        f"async def main():\n    await BrowserWorkbench(browser_data_dir={str(tmp_path)!r}).call_tool('look')\n"
        "    print('open', flush=True)\n    await asyncio.Event().wait()\nasyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), SECONDS) == b"open\n"
    process.kill()
    await process.wait()
    await eventually(lambda: not processes_with(str(tmp_path)))


async def test_a_browser_that_does_not_start_says_why() -> None:
    browser = BrowserWorkbench(executable_path="/nowhere/chromium")
    error = await error_of(browser, "look")
    assert error.startswith("The browser did not start.")
    assert "/nowhere/chromium" in error


async def test_closing_twice_and_before_the_start_is_harmless() -> None:
    browser = BrowserWorkbench()
    await browser.start()
    await browser.stop()
    await browser.stop()
    assert not browser.is_open
