"""Pages that do not load, and places that may not be visited: one clear error each."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.browsers import browsing, error_of, needs_browser, text_of
from tests.support.web_server import serving
from tests.support.web_site import Site, answered, redirected, web_site

from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.browser import BrowserWorkbench
from symposia.ext.tools.browser._downloads import Downloads, safe_name
from symposia.ext.tools.browser._proxy import FilteringProxy, HostRules

pytestmark = [needs_browser, pytest.mark.timeout(300)]

PAGES = {
    "/": "<title>Home</title>home",
    "/loop": redirected("/loop"),
    "/metadata": redirected("http://169.254.169.254/latest/meta-data"),
    "/other": redirected("http://localhost:8099/"),
    "/local": redirected("file:///etc/passwd"),
    "/file": answered(b"\0" * 1000, "application/octet-stream", 'Content-Disposition: attachment; filename="x.bin"'),
    "/noise": b"\0\1\2 this is not HTTP \r\n\r\n",
    "/closes": b"",
    "/endless": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999999\r\n\r\n<title>Part</title>part",
    "/stuck": "<title>Stuck</title><script>while (true) {}</script>",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[Site, None]:
    async with web_site(PAGES) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(site: Site) -> AsyncGenerator[BrowserWorkbench, None]:
    async with browsing(private_hosts=[site.host], timeout=20) as browser:
        yield browser


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/loop", "it redirects without end."),
        ("/metadata", "169.254.169.254:80 is a private address (169.254.169.254), which this browser may not visit."),
        ("/other", "localhost:8099 is a private address (127.0.0.1), which this browser may not visit."),
        ("/local", "it redirects to an address that is none of the web."),
        ("/closes", "the server closed the connection without an answer."),
        ("/noise", "the server closed the connection without an answer."),
    ],
    ids=lambda value: value.partition(" ")[0],
)
async def test_a_page_that_cannot_be_loaded_is_one_clear_error(
    browser: BrowserWorkbench, site: Site, path: str, error: str
) -> None:
    url = site.url(path)
    assert await error_of(browser, "visit_url", url=url) == f"{url} was not loaded: {error}"
    assert "Address: about:blank" in await text_of(browser, "look")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", "is no address of the web"),
        ("javascript:alert(1)", "There is no address|is no address"),
        ("chrome://version", "is no address of the web"),
        ("http://[::1]:80/", "private address"),
        ("http://0.0.0.0/", "private address"),
        ("http://10.1.2.3/", "private address"),
        ("http://2130706433/", "private address"),
        ("http://127.0.0.1:1/", "private address"),
        ("http://[::ffff:169.254.169.254]/", "private address"),
        ("http://no-such-host.invalid/", "There is no address for the host"),
        ("http://[broken", "is no address of a page"),
    ],
    ids=lambda value: value.partition(" ")[0],
)
async def test_an_address_that_may_not_be_visited_is_refused(browser: BrowserWorkbench, url: str, error: str) -> None:
    text = await error_of(browser, "visit_url", url=url)
    assert any(part in text for part in error.split("|")), text


@pytest.mark.asyncio(loop_scope="module")
async def test_the_parts_of_a_page_reach_no_private_address(browser: BrowserWorkbench, site: Site) -> None:
    reached: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(100))
        writer.write(answered(b"secret", "text/plain", "Access-Control-Allow-Origin: *"))

    async with serving(note) as port:
        site.answers["/parts"] = (
            f"<img src='http://127.0.0.1:{port}/'><script>const tries = [fetch('http://localhost:{port}/'),"
            f"fetch('http://[::ffff:7f00:1]:{port}/'), "
            f"new Promise((_, no) => new WebSocket('ws://127.0.0.1:{port}/').onerror = no)];"
            "Promise.allSettled(tries).then(all => document.body.innerText = all.map(one => one.status + ':' + "
            "(one.value && one.value.status)).join())</script><iframe src='http://127.0.0.1:%d/'></iframe>" % port
        )
        await text_of(browser, "visit_url", url=site.url("/parts"))
        seen = await text_of(browser, "sleep", duration=0.1)
        while "rejected" not in seen:
            seen = await text_of(browser, "sleep", duration=0.1)
        assert "fulfilled:200" not in seen
        assert reached == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_file_without_a_folder_for_it_is_not_saved(browser: BrowserWorkbench, site: Site) -> None:
    text = await text_of(browser, "visit_url", url=site.url("/file"))
    assert "The address is a file ('x.bin') and no page. It was not downloaded: this browser saves no files." in text


@pytest.mark.asyncio(loop_scope="module")
async def test_pages_that_do_not_answer_are_given_up_in_time(site: Site) -> None:
    async with browsing(private_hosts=[site.host], timeout=4) as browser:
        await text_of(browser, "visit_url", url=site.url("/"))
        never = site.url("/never")
        assert await error_of(browser, "visit_url", url=never) == (
            f"{never} was not loaded: the server did not answer within 2 seconds."
        )
        stuck = await error_of(browser, "visit_url", url=site.url("/stuck"))
        assert stuck == "The page did not answer within 4 seconds, and was closed. An empty page is open now."
        assert "Page: Home" in await text_of(browser, "visit_url", url=site.url("/"))


async def test_a_file_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    class Download:
        suggested_filename = "large.bin"
        cancelled = False

        async def path(self) -> Path:
            await asyncio.Event().wait()
            raise AssertionError

        async def cancel(self) -> None:
            self.cancelled = True

    unfinished, kept = tmp_path / "unfinished", tmp_path / "kept"
    unfinished.mkdir()
    (unfinished / "part").write_bytes(b"\0" * 101)
    downloads, download = Downloads(kept, unfinished, most_bytes=100), Download()
    downloads.accept(download)  # type: ignore[arg-type]  # the parts of a download that are used
    assert await downloads.reports(10) == ["The file 'large.bin' was not downloaded: it is larger than 100 bytes."]
    assert download.cancelled
    assert not kept.exists()


@pytest.mark.parametrize(
    ("suggested", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        (".bashrc", "bashrc"),
        ("a\0b\n.txt", "a_b_.txt"),
        ("", "download"),
        ("..", "download"),
        ("bücher.pdf", "bücher.pdf"),
        ("x" * 500 + ".pdf", "x" * 100 + ".pdf"),
    ],
    ids=["up", "backslashes", "hidden", "control", "empty", "dots", "umlaut", "long"],
)
def test_a_suggested_name_becomes_a_plain_one(suggested: str, name: str) -> None:
    assert safe_name(suggested) == name


async def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ToolServiceError, match=r"mixed\.example:80 is a private address \(10\.0\.0\.1\)"):
        await HostRules().resolve("mixed.example", 80)
    assert (await HostRules(["mixed.example:80"]).resolve("mixed.example", 80)).addresses[1] == "10.0.0.1"


@pytest.mark.asyncio(loop_scope="module")
async def test_one_connection_to_the_proxy_carries_one_request(site: Site) -> None:
    proxy = FilteringProxy(HostRules([site.host]))
    try:
        port = int((await proxy.start()).rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {site.url('/')} HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n\r\n".encode()
        writer.write(request * 2)
        answer = await reader.read()
        assert answer.count(b"HTTP/1.1 200") == 1
        assert b"Connection: close" in answer
        writer.close()
    finally:
        await proxy.close()
