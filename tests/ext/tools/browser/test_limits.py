"""What needs no browser: options, the names and sizes of files, and which addresses may be visited."""

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.web_site import web_site

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, ToolServiceError
from symposia.core.models import ModelInfo
from symposia.ext.agents.web_surfer import MultimodalWebSurfer
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.browser import BrowserWorkbench, PlaywrightController
from symposia.ext.tools.browser._downloads import Downloads, safe_name
from symposia.ext.tools.browser._proxy import FilteringProxy, HostRules

INFO = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)
MODEL = ReplayChatCompletionClient([], model_info=INFO)


def test_every_action_has_a_description_and_says_whether_it_can_be_repeated() -> None:
    browser = BrowserWorkbench()
    tools = browser.known_tools()
    assert all(tool.get("description") for tool in tools)
    repeatable = {tool["name"] for tool in tools if browser.tool_traits(tool["name"]).idempotency == "idempotent"}
    assert repeatable == {"look", "visit_url", "web_search", "hover", "sleep", "read_page"}


def test_a_workbench_is_saved_as_its_options() -> None:
    saved = BrowserWorkbench(start_page="https://example.org", private_hosts=["localhost:8000"]).dump_component()
    loaded = BrowserWorkbench.load_component(saved)
    assert loaded.dump_component() == saved
    assert saved.config["private_hosts"] == ["localhost:8000"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"timeout": 0}, "timeout of BrowserWorkbench has to be above 0"),
        ({"max_characters": -1}, "max_characters of BrowserWorkbench has to be above 0"),
        ({"search_url": "https://x.org"}, "search_url has to have {query}"),
        ({"start_page": "file:///x"}, "start_page of BrowserWorkbench: 'file:///x' is no address of the web"),
        ({"private_hosts": "wiki.local"}, "private_hosts of BrowserWorkbench has 'wiki.local': give a list"),
        ({"private_hosts": ["http://wiki.local"]}, "has 'http://wiki.local': give a host, such as 'wiki.local'"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        BrowserWorkbench(**options)  # type: ignore[arg-type]  # options of several types
    assert told in str(refused.value)


def test_a_controller_of_no_size_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="viewport_width of PlaywrightController"):
        PlaywrightController(viewport_width=0)


@pytest.mark.parametrize(
    "make", [BrowserWorkbench, lambda: MultimodalWebSurfer("surfer", MODEL)], ids=["bench", "agent"]
)
def test_a_missing_extra_is_told_when_it_is_made(monkeypatch: pytest.MonkeyPatch, make: Callable[[], object]) -> None:
    def nothing(name: str) -> None:
        assert name == "playwright"

    monkeypatch.delitem(sys.modules, "playwright", raising=False)
    monkeypatch.setattr("symposia.ext.tools.browser._browser.find_spec", nothing)
    with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[web-surfer\]'"):
        make()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", "is no address of the web"),
        ("javascript:alert(1)", "is no address of the web"),
        ("data:text/html,x", "is no address of the web"),
        ("blob:http://example.org/1", "is no address of the web"),
        ("view-source:http://example.org/", "is no address of the web"),
        ("chrome://crash", "is no address of the web"),
        ("http://[::1]:80/", "private address"),
        ("http://0.0.0.0/", "private address"),
        ("http://10.1.2.3/", "private address"),
        ("http://2130706433/", "private address"),
        ("http://LOCALHOST:1/", "private address"),
        ("http://user:word@127.0.0.1:1/", "private address"),
        ("http://[::ffff:169.254.169.254]/", "private address"),
        ("http://no-such-host.invalid/", "There is no address for the host"),
        ("http://[broken", "is no address of a page"),
        ("http://example.org:99999/", "is no address of a page"),
    ],
    ids=lambda value: value.partition(" ")[0],
)
async def test_an_address_that_may_not_be_visited_is_refused(url: str, error: str) -> None:
    with pytest.raises(ToolServiceError, match=error):
        await HostRules(["127.0.0.1:2"]).check(url)


class Download:
    """The parts of Playwright's downloads that are used. One without a file never ends."""

    suggested_filename = "a.bin"

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.cancelled = False
        self.deleted = False

    async def path(self) -> Path:
        if self.file is None:
            await asyncio.Event().wait()
        assert self.file is not None
        return self.file

    async def cancel(self) -> None:
        self.cancelled = True

    async def delete(self) -> None:
        self.deleted = True


async def test_a_file_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    unfinished, kept = tmp_path / "unfinished", tmp_path / "kept"
    unfinished.mkdir()
    (unfinished / "part").write_bytes(b"\0" * 101)
    downloads, download = Downloads(kept, unfinished, most_bytes=100), Download()
    downloads.accept(download)  # type: ignore[arg-type]  # the parts of a download that are used
    assert await downloads.reports(10) == ["The file 'a.bin' was not downloaded: it is larger than 100 bytes."]
    assert download.cancelled
    assert not kept.exists()


async def test_a_download_that_goes_on_is_given_up_on_closing(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path)
    downloads.accept(Download())  # type: ignore[arg-type]  # the parts of a download that are used
    assert await downloads.reports(0) == ["A file is still being downloaded."]
    await downloads.close()
    assert await downloads.reports(0) == []


async def test_ten_files_of_one_action_are_kept_and_the_browsers_own_are_deleted(tmp_path: Path) -> None:
    source, kept = tmp_path / "source", tmp_path / "kept"
    source.write_bytes(b"x")
    downloads, files = Downloads(kept), [Download(source) for _ in range(12)]
    for download in files:
        downloads.accept(download)  # type: ignore[arg-type]  # the parts of a download that are used
    reports = await downloads.reports(10)
    assert len(reports) == 11
    assert reports[-1] == "2 more files were not downloaded: at most 10 are at a time."
    assert len(list(kept.iterdir())) == sum(download.deleted for download in files) == 10
    downloads.accept(Download(source))  # type: ignore[arg-type]  # the parts of a download that are used
    assert len(await downloads.reports(10)) == 1  # the next action


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


async def test_one_connection_to_the_proxy_carries_one_request() -> None:
    async with web_site({"/": "home"}) as site:
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
