"""The tools that read pages and search, against a scripted site."""

import asyncio
import gzip
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted_site import Answer, ScriptedSite

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ToolServiceError
from symposia.core.tools import BaseTool
from symposia.ext.tools.web import (
    BraveSearchEngine,
    SearchEngine,
    SearchHit,
    SearxngSearchEngine,
    WebFetchTool,
    WebSearchTool,
    download,
    page_text,
)

HTML = """<!doctype html><html><head><title> The
 page </title><style>p {}</style><script>var x = "<p>no</p>"</script></head><body>
<nav><a href="#top">Top</a><a href="../other?a=1">An <b>other</b> page</a><a href="javascript:x()">Run</a></nav>
<h2>Head</h2><p>One&nbsp;&amp; two<br>three<p>Four<ul><li>a<li>b</ul>
<table><tr><th>k<td>v</table><pre>  x
   y</pre><img src=x alt="A chart"><noscript>No</noscript></body></html>"""
TEXT = """Top[An other page](http://h/other?a=1)Run

## Head

One & two
three

Four

- a
- b

| k | v

x
y

[image: A chart]"""


def reader(**options: Any) -> WebFetchTool:
    given: dict[str, Any] = {"private": True} | options
    return WebFetchTool(**given)


async def read(tool: BaseTool[Any, Any], **arguments: Any) -> str:
    return tool.return_value_as_string(await tool.run_json(arguments, CancellationToken()))


def html(body: str) -> Answer:
    return Answer(body, media_type="text/html; charset=utf-8")


def test_html_becomes_text_with_links() -> None:
    title, text = page_text(HTML, "http://h/a/b")
    assert title == "The page"
    assert text.replace("\u00a0", " ") == TEXT


PIECES = [
    *'<>/a="&#;! -p\n', "<base href=", "<a href=", "</a>", "<h6>", "<td>", "<li>", "<pre>", "<title>", "<body>", "<!--",
    "http://h/", "../", "//[", "x" * 300, "é", "&ngE;", "&#x41;",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.integers(1, 200))
def test_any_text_is_taken_for_html(text: str, times: int) -> None:
    title, read = page_text(text * times, "http://h/")
    assert len(title) + len(read) <= 3 * len(text) * times + 1_000_000


def test_links_do_not_make_a_page_much_longer() -> None:
    base = f"http://h/{'x' * 1_900}/"
    links = "<a href=b>c</a>" * 20_000
    _, text = page_text(f"<base href='{base}'>{links}", "http://h/")
    assert text.startswith(f"[c]({base}b)[c]({base}b)")
    assert text.endswith("ccc")
    assert len(text) < 3 * len(links) + 1_000_000


def test_addresses_of_thousands_of_characters_are_left_out() -> None:
    long = "x" * 100_000
    assert page_text(f"<base href='http://i/{long}/'><a href=b>c</a>", "http://h/")[1] == "[c](http://h/b)"
    assert page_text(f"<a href={long}>c</a>", "http://h/")[1] == "c"


def test_the_first_base_of_a_page_is_the_one_of_its_links() -> None:
    page = "<base target=x><base href=/a/><base href=/b/><a href=c>d</a>"
    assert page_text(page, "http://h/")[1] == "[d](http://h/a/c)"
    assert page_text("<base href='http://['><a href=c>d</a>", "http://h/")[1] == "[d](http://h/c)"


async def test_a_page_is_read_as_text(site: ScriptedSite) -> None:
    site.pages["/a"] = html("<title>T</title><p>Grüße <a href=b>b</a>")
    assert await read(reader(), url=f" {site.url}/a ") == f"URL: {site.url}/a\nTitle: T\n\nGrüße [b]({site.url}/b)"


def test_hostile_html_is_read_in_time_that_grows_with_its_size() -> None:
    """Each of these took time that grows with the square of the size: minutes for a page of some megabytes."""
    pages = {
        "<p>AT&amp;T<!--": "AT&T", "<a href=x>t": "", "<svg>": "", "</p><svg>": "", "<![CDATA[": "", "<select>a": "",
        "<base href=aaa/>": "",
    }  # fmt: skip
    for piece, start in pages.items():
        many = piece * 20_000
        assert page_text(many + "</p>" * 20_000, "http://h/")[1].startswith(start)
    assert page_text("<p>a</p>AT&amp;T", "http://h/")[1] == "a\n\nAT&T"


async def test_the_timeout_holds_for_the_conversion_of_a_page(site: ScriptedSite) -> None:
    site.pages["/a"] = html("<p>a<td>" * 500_000)
    with pytest.raises(ToolServiceError, match=r"did not answer within 0\.3 seconds"):
        await read(reader(timeout=0.3), url=f"{site.url}/a")


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "unicode_escape", "zlib_codec"])
async def test_an_encoding_that_is_none_of_texts_is_read_as_utf_8(site: ScriptedSite, charset: str) -> None:
    site.pages["/a"] = Answer("a\\q é", media_type=f"text/plain; charset={charset}")
    assert (await read(reader(), url=f"{site.url}/a")).endswith("\na\\q é")


async def test_a_long_page_is_read_in_parts(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("0123456789")
    tool = reader(max_chars=4)
    first = await read(tool, url=f"{site.url}/a")
    assert first.endswith("0123\n[Characters 0 to 4 of 10. To read on, call again with start=4.]")
    assert (await read(tool, url=f"{site.url}/a", start=8)).endswith("\n\n89")
    assert (await read(tool, url=f"{site.url}/a", start=99)).endswith("There is no text from here on.")


async def test_texts_are_decoded_by_their_own_encoding(site: ScriptedSite) -> None:
    site.pages["/latin"] = Answer("é".encode("latin-1"), media_type="text/plain; charset=latin-1")
    site.pages["/unknown"] = Answer(b"a\xff", media_type="text/plain; charset=none-such")
    site.pages["/zip"] = Answer(gzip.compress(b"zipped"), headers={"Content-Encoding": "gzip"})
    site.pages["/json"] = Answer('{"a": 1}', media_type="application/problem+json")
    ends = {"latin": "é", "unknown": "a\ufffd", "zip": "zipped", "json": '{"a": 1}'}
    for path, end in ends.items():
        assert (await read(reader(), url=f"{site.url}/{path}")).endswith(f"\n{end}")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"\x89PNG", media_type="image/png"), "is image/png, which is no text"),
        (Answer("%PDF", media_type="application/pdf", declared=10**9, stay=True), "is application/pdf, which is no"),
        (Answer(b"a\0b", media_type="text/plain"), "answered with 3 bytes of text/plain, which are no text"),
        (Answer(b"a\0b", media_type=None), "answered with 3 bytes of an unknown type, which are no text"),
        (Answer("x" * 2000), "too large: 2000 bytes. This tool reads at most 1000 bytes"),
        (Answer(gzip.compress(b"x" * 2000), headers={"Content-Encoding": "gzip"}), "too large: more than 1000 bytes"),
        (Answer(gzip.compress(b"x"), headers={"Content-Encoding": "gzip, gzip"}), "gzip, which was not asked"),
        (Answer("x", headers={"Content-Encoding": "br"}), "answered in the encoding br, which was not asked for"),
        (Answer("xyz", headers={"Content-Encoding": "gzip"}), "broke off its answer: Error -3"),
        (Answer(gzip.compress(b"x")[:-9], headers={"Content-Encoding": "gzip"}), "answer: the compressed data ends"),
        (Answer("gone", 410), "HTTP 410 Said: gone"),
        (Answer("", 304), "answered with HTTP 304"),
        (Answer("x", declared=9), "broke off its answer"),
        (Answer("x", declared=9, stay=True), "did not answer within 0.5 seconds"),
        (Answer("", 302, headers={"Location": "/page"}), "redirects more than 2 times"),
        (Answer("", 302, headers={"Location": "ftp://127.0.0.1/x"}), "ftp"),
    ],
)  # fmt: skip
async def test_what_is_no_page_is_one_clear_error(site: ScriptedSite, answer: Answer, said: str) -> None:
    site.pages["/page"] = answer
    tool = reader(max_bytes=1000, timeout=0.5 if answer.stay else 20, max_redirects=2)
    with pytest.raises(ToolServiceError) as caught:
        await read(tool, url=f"{site.url}/page")
    assert said in str(caught.value)


async def test_what_is_received_is_limited_too(site: ScriptedSite) -> None:
    """Members without a text are bytes to read, and none of a text."""
    body = gzip.compress(b"") * 200
    site.pages["/a"] = Answer(body, headers={"Content-Encoding": "gzip"})
    assert (await read(reader(max_bytes=len(body)), url=f"{site.url}/a")).endswith("The page has no text.")
    site.pages["/a"] = Answer(
        f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
        headers={"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"},
    )
    with pytest.raises(ToolServiceError, match="too large: more than 1000 bytes"):
        await read(reader(max_bytes=1000), url=f"{site.url}/a")


@pytest.mark.parametrize("url", ["", "page", "file:///etc/passwd", "http://", "http://[", "ftp://h/", "http://a:b@h/"])
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ToolServiceError, match=r"no address of a page|user name or a password"):
        await read(reader(), url=url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "[::ffff:127.0.0.1]:{port}", "2130706433:{port}",
     "127.1:{port}", "0.0.0.0:{port}", "10.0.0.1", "169.254.169.254", "168.63.129.16", "[fd00::1]", "[fe80::1]"],
)  # fmt: skip
async def test_a_private_address_is_refused(site: ScriptedSite, host: str) -> None:
    with pytest.raises(ToolServiceError, match=r"this machine or of a private network|no host|cannot be reached"):
        await read(WebFetchTool(timeout=20), url=f"http://{host.format(port=site.port)}/a")
    assert site.sent == []


async def test_every_redirect_is_checked(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("", 302, headers={"Location": f"http://localhost:{site.port}/b"})
    site.pages["/b"] = Answer("secret")
    assert (await read(reader(), url=f"{site.url}/a")).endswith("secret")
    with pytest.raises(ToolServiceError, match="localhost is not among the hosts that this tool may read: 127"):
        await read(reader(hosts=["127.0.0.1"]), url=f"{site.url}/a")
    assert [sent.target for sent in site.sent] == ["/a", "/b", "/a"]
    assert site.sent[1].headers["host"] == f"localhost:{site.port}"


async def test_a_long_address_that_a_server_chose_is_cut_for_the_model(site: ScriptedSite) -> None:
    target = f"/{'long' * 5_000}"
    site.pages["/a"] = Answer("", 302, headers={"Location": target})
    site.pages[target] = Answer(f"<title>{'T' * 9_000}</title>text", media_type="text/html")
    shown = await read(reader(), url=f"{site.url}/a")
    assert shown.endswith("text")
    assert len(shown) < 5_000
    site.pages[target] = Answer("", 404)
    with pytest.raises(ToolServiceError, match=r"longlong.*… answered with HTTP 404") as caught:
        await read(reader(), url=f"{site.url}/a")
    assert len(str(caught.value)) < 1_000
    with pytest.raises(ToolServiceError, match=r"redirect to .*…, which is not followed") as caught:
        await read(reader(max_redirects=0), url=f"{site.url}/a")
    assert len(str(caught.value)) < 1_500


async def test_the_body_of_a_redirect_is_not_read(site: ScriptedSite) -> None:
    headers = {"Location": "/b", "Content-Encoding": "gzip"}
    site.pages["/a"] = Answer(b"no gzip", 302, headers=headers, declared=10**9, stay=True)
    site.pages["/b"] = Answer("text")
    assert (await read(reader(timeout=20), url=f"{site.url}/a")).endswith("text")


async def test_a_user_name_in_a_redirect_is_not_sent(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("", 302, headers={"Location": f"http://u:p@127.0.0.1:{site.port}/b"})
    site.pages["/b"] = Answer("text")
    assert (await read(reader(), url=f"{site.url}/a")).endswith("text")
    assert "authorization" not in site.sent[1].headers


async def test_a_dot_allows_every_host_below_a_name(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("text")
    for hosts in (["localhost"], [".0.1", "LocalHost."], ["LOCALHOST"]):
        assert (await read(reader(hosts=hosts), url=f"http://localhost:{site.port}/a")).endswith("text")
    with pytest.raises(ToolServiceError, match="not among the hosts"):
        await read(reader(hosts=[".host"]), url=f"http://localhost:{site.port}/a")


async def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(
    site: ScriptedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who controls a name could answer the check with a public address, and the connection with a private one."""
    site.pages["/a"] = Answer("text")
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def answer(host: str, *args: Any, **how: Any) -> Any:
        if host == "rebinding.test":
            asked.append(host)
            host = "127.0.0.1"
        return resolve(host, *args, **how)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    url = f"http://rebinding.test:{site.port}/a"
    assert (await read(reader(hosts=["rebinding.test"]), url=url)).endswith("text")
    assert asked == ["rebinding.test"]
    with pytest.raises(ToolServiceError, match=r"rebinding\.test leads to 127\.0\.0\.1"):
        await read(WebFetchTool(), url=url)
    assert len(site.sent) == 1


async def test_a_cancelled_read_closes_its_connection(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("x", declared=9, stay=True)
    token = CancellationToken()
    running = asyncio.create_task(reader(timeout=60).run_json({"url": f"{site.url}/a"}, token))
    await asyncio.wait_for(site.reached.wait(), 10)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(site.left.wait(), 10)


class Shelf(SearchEngine):
    """An engine without a network, as tests have one."""

    def __init__(self, titles: list[str]) -> None:
        self.titles = titles

    async def search(self, query: str, limit: int) -> Sequence[SearchHit]:
        return [SearchHit(title=each, url=f"http://h/{each}") for each in self.titles if query in each]


async def test_a_program_reads_a_file_of_any_type(site: ScriptedSite) -> None:
    site.pages["/a.bin"] = Answer(b"\0\xff", media_type="Application/Octet-Stream; x=1")
    site.pages["/to"] = Answer(status=302, headers={"Location": "/a.bin"})
    file = await download(f"{site.url}/to", private=True)
    assert (file.url, file.media_type, file.data) == (f"{site.url}/a.bin", "application/octet-stream", b"\0\xff")
    assert file.text == "\0\ufffd"


async def test_what_a_program_may_not_read_is_refused(site: ScriptedSite) -> None:
    site.pages["/large"] = Answer("12345")
    with pytest.raises(ToolServiceError, match=r"127\.0\.0\.1"):
        await download(site.url)
    with pytest.raises(ToolServiceError, match="HTTP 404"):
        await download(f"{site.url}/none", private=True)
    with pytest.raises(ToolServiceError, match="large"):
        await download(f"{site.url}/large", private=True, max_bytes=4)
    with pytest.raises(InvalidArgumentError, match="has to begin with http"):
        await download("file:///etc/passwd")
    with pytest.raises(InvalidArgumentError, match="max_bytes of download"):
        await download(site.url, max_bytes=0)


async def test_a_search_is_answered_by_any_engine() -> None:
    tool = WebSearchTool(Shelf(["ab", "b", "bc", "x"]), max_results=2)
    assert await read(tool, query="b") == "1. ab\nhttp://h/ab\n\n2. b\nhttp://h/b"
    assert await read(tool, query="none") == "Nothing was found."
    assert (tool.traits.idempotency, WebFetchTool.traits.idempotency) == ("idempotent", "idempotent")


async def test_searxng_and_brave_are_asked_as_they_document(site: ScriptedSite) -> None:
    results = '[{"title": "A &amp; <b>B</b>", "url": "http://a/", "%s": "x <em>y</em>"}, {"title": "no url"}, 5]'
    site.pages["/search"] = Answer(f'{{"results": {results % "content"}}}')
    site.pages["/res/web/search"] = Answer(f'{{"web": {{"results": {results % "description"}}}}}')
    engines = [
        SearxngSearchEngine(site.url, language="en"),
        BraveSearchEngine("key", country="AT", base_url=f"{site.url}/res"),
    ]
    for engine in engines:
        assert await read(WebSearchTool(engine), query="a b&c") == "1. A & B\nhttp://a/\nx y"
    searxng, brave = site.sent
    assert searxng.target == "/search?q=a+b%26c&format=json&language=en"
    assert brave.target == "/res/web/search?q=a+b%26c&count=8&country=AT"
    assert brave.headers["x-subscription-token"] == "key"
    site.pages["/search"] = Answer("<html>")
    with pytest.raises(ToolServiceError, match="something other than JSON"):
        await engines[0].search("q", 1)
    with pytest.raises(ToolServiceError, match="HTTP 404"):
        await SearxngSearchEngine(f"{site.url}/x").search("q", 1)


def test_tools_are_saved_without_keys_and_loaded() -> None:
    searching = WebSearchTool(BraveSearchEngine("secret"), max_results=3)
    assert "secret" not in searching.dump_component().model_dump_json()
    asking = WebSearchTool(SearxngSearchEngine("http://h"), max_results=3)
    fetching = WebFetchTool("read", hosts=["h"], max_chars=5, headers={"X-Key": "secret"})
    assert "secret" not in fetching.dump_component().model_dump_json()
    for tool in (asking, fetching):
        saved = tool.dump_component()
        assert BaseTool[Any, Any].load_component(saved).dump_component() == saved


def test_arguments_that_cannot_work_fail_at_construction() -> None:
    with pytest.raises(ArgumentTypeError, match="SearxngSearchEngine"):
        WebSearchTool("http://h")  # type: ignore[arg-type]
    for options in ({"timeout": 0}, {"max_bytes": 0}, {"max_redirects": -1}, {"max_chars": 0}):
        with pytest.raises(InvalidArgumentError, match="WebFetchTool 'web_fetch'"):
            reader(**options)
