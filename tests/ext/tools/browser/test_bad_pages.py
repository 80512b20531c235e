"""Pages that do not load, harm the browser, or look for what they may not reach."""

import asyncio
import socket
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from tests.support.browsers import browsing, error_of, needs_browser, text_of
from tests.support.web_server import serving
from tests.support.web_site import Site, answered, redirected, web_site

from symposia.core.tools import ImageResultContent
from symposia.ext.tools.browser import BrowserWorkbench

pytestmark = [needs_browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

PAGES = {
    "/": "<title>Home</title>home",
    "/loop": redirected("/loop"),
    "/metadata": redirected("http://169.254.169.254/latest/meta-data"),
    "/other": redirected("http://localhost:8099/"),
    "/local": redirected("file:///etc/passwd"),
    "/noise": b"\0\1\2 this is not HTTP \r\n\r\n",
    "/closes": b"",
    "/refused": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "/out-of-order": b"HTTP/1.1 500 Oops\r\nContent-Length: 7\r\nConnection: close\r\n\r\nNo luck",
    "/wrong-turn": "<a href='/out-of-order'>on</a>",
    "/drawing": answered(b'<svg xmlns="http://www.w3.org/2000/svg"><text y="20">drawn</text></svg>', "image/svg+xml"),
    "/nothing": "<script>document.documentElement.remove()</script>",
    "/shadows": "<form>asked <input name='tagName'><input name='getAttribute'><input name='childNodes'></form>",
    "/paper": answered(b"%PDF-1.4 no pages", "application/pdf"),
    "/papers": "<title>Papers</title><a href='/paper'>here</a><a href='/paper' target='_blank'>there</a>",
    "/dialogs": "<script>for (let n = 0; n < 6; n++) alert(n); document.title = 'Sure: ' + confirm('Sure?')</script>"
    "<button onclick='onbeforeunload = (event) => event.preventDefault()'>Stay</button>",
    "/popups": "<script>const all = []; for (let n = 0; n < 8; n++) all.push(open('/'));"
    "setInterval(() => document.title = 'Open: ' + all.filter(one => !one.closed).length, 20)</script>",
    "/font": "<style>@font-face {font-family: X; src: url(/never)} p {font-family: X}</style><p>text",
    "/lies": "<title>True</title><script>String.prototype.slice = () => 'x'.repeat(1e6);"
    "Array.prototype.map = () => 7</script><button>Yes</button>",
}
PARTS = """<img src="http://127.0.0.1:{tcp}/"><iframe src="http://127.0.0.1:{tcp}/"></iframe><script>
const gathered = new Promise(done => {{
  const peer = new RTCPeerConnection({{iceServers: [{{urls: "stun:127.0.0.1:{udp}"}},
    {{urls: "turn:127.0.0.1:{tcp}?transport=tcp", username: "a", credential: "b"}}]}});
  peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done("gathered");
  peer.createDataChannel("x"); peer.createOffer().then(offer => peer.setLocalDescription(offer)) }});
const tries = [fetch("http://localhost:{tcp}/"), fetch("http://[::ffff:7f00:1]:{tcp}/"),
  new Promise((_, no) => new WebSocket("ws://127.0.0.1:{tcp}/").onerror = no), new WebTransport("https://127.0.0.1:{udp}/").ready,
  navigator.serviceWorker.register("/worker.js", {{scope: "/worker/"}}).then(worker => new Promise((_, no) =>
    worker.installing.onstatechange = (event) => event.target.state !== "installing" && no())), gathered];
Promise.allSettled(tries).then(all => document.body.innerText = all.map(one => one.status + ":" + one.value).join())
</script>"""
WORKER = "oninstall = (event) => event.waitUntil(fetch('http://127.0.0.1:{tcp}/'))"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[Site, None]:
    async with web_site(PAGES) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(site: Site) -> AsyncGenerator[BrowserWorkbench, None]:
    async with browsing(private_hosts=[site.host], timeout=20) as browser:
        yield browser


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/loop", "it redirects without end."),
        ("/metadata", "169.254.169.254:80 is a private address (169.254.169.254), which this browser may not visit."),
        ("/other", "localhost:8099 is a private address (127.0.0.1), which this browser may not visit."),
        ("/local", "it redirects to an address that is none of the web."),
        ("/closes", "the server closed the connection without an answer."),
        ("/refused", "the server answered with an error, and without a page."),
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


async def test_a_page_about_an_error_is_told_as_one_and_shown(browser: BrowserWorkbench, site: Site) -> None:
    told = "Status: HTTP 500. The page is about an error of the server or of the address."
    for tool, given in (("visit_url", {"url": site.url("/out-of-order")}), ("click", {"target_id": 1})):
        seen = await text_of(browser, tool, **given)
        assert told in seen
        assert "No luck" in seen
        assert told not in await text_of(browser, "visit_url", url=site.url("/wrong-turn"))


async def test_documents_of_unusual_forms_are_read(browser: BrowserWorkbench, site: Site) -> None:
    assert "drawn" in await text_of(browser, "visit_url", url=site.url("/drawing"))
    assert "Address: " in await text_of(browser, "visit_url", url=site.url("/nothing"))
    seen = await text_of(browser, "visit_url", url=site.url("/shadows"))
    assert "asked" in seen
    assert "[3] input/text" in seen
    assert "asked" in await text_of(browser, "read_page")


async def test_an_error_shows_an_address_without_what_may_be_a_key(browser: BrowserWorkbench, site: Site) -> None:
    url = site.url("/loop")
    error = await error_of(browser, "visit_url", url=f"{url.replace('://', '://me:SECRET@')}?key=SECRET#SECRET")
    assert error == f"{url} was not loaded: it redirects without end."


async def test_a_pdf_is_a_file_and_not_an_empty_page(browser: BrowserWorkbench, site: Site) -> None:
    told = "The address is a file ('paper.pdf') and no page. It was not downloaded: this browser saves no files."
    assert told in await text_of(browser, "visit_url", url=site.url("/paper"))
    await text_of(browser, "visit_url", url=site.url("/papers"))
    for link in (1, 2):
        text = await text_of(browser, "click", target_id=link)
        assert told in text
        assert "Page: Papers" in text


async def test_no_part_of_a_page_reaches_a_private_address(browser: BrowserWorkbench, site: Site) -> None:
    reached: list[bytes] = []

    class Datagrams(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            reached.append(data)

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(100))
        writer.write(answered(b"secret", "text/plain", "Access-Control-Allow-Origin: *"))

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", 0))
    async with serving(note) as tcp:
        udp = transport.get_extra_info("sockname")[1]
        site.answers["/parts"] = PARTS.format(tcp=tcp, udp=udp)
        site.answers["/worker.js"] = answered(WORKER.format(tcp=tcp).encode(), "text/javascript")
        seen = await text_of(browser, "visit_url", url=site.url("/parts"))
        while "gathered" not in seen:
            seen = await text_of(browser, "sleep", duration=0.1)
        transport.close()
    assert seen.count("rejected:undefined") == 5
    assert reached == []


async def test_a_name_that_leads_elsewhere_at_the_second_question_reaches_nothing(
    browser: BrowserWorkbench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve, answers = socket.getaddrinfo, iter(["93.184.216.34", "127.0.0.1"])

    def rebind(host: str, *others: object, **named: object) -> list[tuple[object, ...]]:
        address = next(answers) if host == "rebound.example" else host
        return resolve(address, *others, **named)  # type: ignore[call-overload,arg-type,return-value]  # as it was called

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    error = await error_of(browser, "visit_url", url=f"http://rebound.example:{site.port}/")
    assert error.endswith("is a private address (127.0.0.1), which this browser may not visit.")
    assert list(answers) == []


async def test_dialogs_are_told_and_hinder_nothing(browser: BrowserWorkbench, site: Site) -> None:
    seen = await text_of(browser, "visit_url", url=site.url("/dialogs"))
    assert "Page: Sure: false" in seen
    assert seen.count("The page opened a dialog (alert), which was dismissed: '") == 5  # of 7 dialogs
    await text_of(browser, "click", target_id=1)
    assert "Page: Home" in await text_of(browser, "visit_url", url=site.url("/"))


async def test_pages_that_a_page_opens_by_itself_are_closed(browser: BrowserWorkbench, site: Site) -> None:
    seen = await text_of(browser, "visit_url", url=site.url("/popups"))
    while "Page: Open: 0" not in seen:
        seen = await text_of(browser, "look")


async def test_a_picture_does_not_wait_for_fonts(browser: BrowserWorkbench, site: Site) -> None:
    result = await browser.call_tool("visit_url", {"url": site.url("/font")})
    assert isinstance(result.result[-1], ImageResultContent)


async def test_functions_that_a_page_replaces_do_not_change_what_is_read(browser: BrowserWorkbench, site: Site) -> None:
    seen = await text_of(browser, "visit_url", url=site.url("/lies"))
    assert "Page: True" in seen
    assert "[1] button/submit 'Yes'" in seen
