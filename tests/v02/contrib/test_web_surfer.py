"""Browsers of pages as Markdown, and an agent of AutoGen 0.2 that uses one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted_site import Answer, ScriptedSite
from tests.support.v02_agents import speaker
from tests.support.web_server import serving
from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.ext.documents import DocumentError
from symposia.ext.tools.web import SearchEngine, SearchHit
from symposia.testing.model_server import MockModelServer, Reply, ToolCall
from symposia.v02.agentchat.contrib.web_surfer import WebSurferAgent
from symposia.v02.browser_utils import (
    AbstractMarkdownSearch,
    BingMarkdownSearch,
    EngineMarkdownSearch,
    FileConversionException,
    MarkdownConverter,
    RequestsMarkdownBrowser,
    UnsupportedFormatException,
)

HOME = "<title>Home</title><h1>Hi</h1><p>one two three four five six seven eight nine ten eleven</p><a href='/b'>b</a>"


@pytest.fixture
async def site() -> AsyncIterator[ScriptedSite]:
    pages = {
        "/": Answer(HOME, media_type="text/html"),
        "/b": Answer("A needle, and\nmore of it.", media_type="text/plain"),
        "/a.zip": Answer(b"PK\0", media_type="application/zip"),
        "/d.pdf": Answer("no PDF", media_type="application/pdf"),
    }
    made = ScriptedSite(pages=dict(pages))
    async with serving(made.serve) as made.port:
        yield made


class Results(AbstractMarkdownSearch):
    @override
    def search(self, query: str) -> str:
        return f"results for {query}"


async def browsing(steps: Callable[[], None]) -> None:
    await asyncio.to_thread(steps)


# Browsers -------------------------------------------------------------------------------------------------------------


async def test_a_page_is_shown_in_parts(site: ScriptedSite) -> None:
    def steps() -> None:
        browser = RequestsMarkdownBrowser(viewport_size=20, private=True)
        assert (browser.address, browser.viewport) == ("about:blank", "")
        assert browser.visit_page(f"{site.url}/") == "# Hi\n\none two three four"
        assert (browser.page_title, len(browser.viewport_pages)) == ("Home", 3)
        browser.page_down()
        assert browser.viewport == " five six seven eight"
        for _ in range(9):
            browser.page_down()
        assert browser.viewport.endswith(f"[b]({site.url}/b)")
        browser.page_up()
        assert browser.viewport_current_page == 1
        assert browser.visit_page("/b").startswith("A needle")
        assert [address for address, _ in browser.history] == ["about:blank", f"{site.url}/", f"{site.url}/b"]
        assert "".join(browser.page_content[a:b] for a, b in browser.viewport_pages) == browser.page_content

    await browsing(steps)


async def test_texts_are_found_on_a_page(site: ScriptedSite) -> None:
    def steps() -> None:
        browser = RequestsMarkdownBrowser(f"{site.url}/", viewport_size=20, private=True)
        assert browser.find_on_page("SEVEN eight") == " five six seven eight"
        assert browser.find_next() == " five six seven eight"
        assert browser.find_on_page("n*ne") == f" nine ten eleven\n\n[b]({site.url}/b)"
        assert browser.find_on_page("hi") == "# Hi\n\none two three four"
        assert browser.find_on_page("twelve") is None
        assert browser.find_on_page(" * ") is None

    await browsing(steps)


async def test_what_cannot_be_read_is_shown_as_an_error(site: ScriptedSite, tmp_path: Path) -> None:
    def steps() -> None:
        browser = RequestsMarkdownBrowser(private=True)
        for path, said in [("none", "HTTP 404"), ("a.zip", "which is no text"), ("d.pdf", "is no")]:
            assert said in browser.visit_page(f"{site.url}/{path}")
            assert browser.page_title == "Error"
        assert "has to begin with http" in browser.visit_page("file:///etc/passwd")
        assert "127.0.0.1" in RequestsMarkdownBrowser().visit_page(site.url)

    await browsing(steps)
    assert len(site.sent) == 3


async def test_other_files_are_saved_and_replace_none(site: ScriptedSite, tmp_path: Path) -> None:
    def steps() -> None:
        browser = RequestsMarkdownBrowser(downloads_folder=str(tmp_path / "new"), private=True)
        assert f"Saved file to '{tmp_path / 'new' / 'a.zip'}'" in browser.visit_page(f"{site.url}/a.zip")
        assert f"Saved file to '{tmp_path / 'new' / 'a_1.zip'}'" in browser.visit_page(f"{site.url}/a.zip")
        assert (tmp_path / "new" / "a_1.zip").read_bytes() == b"PK\0"

    await browsing(steps)


def test_a_program_opens_local_files(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(HOME)
    (tmp_path / "b.md").write_text("# B")
    browser = RequestsMarkdownBrowser()
    assert browser.open_local_file(str(tmp_path / "a.html")).startswith("# Hi")
    assert (browser.page_title, browser.address) == ("Home", (tmp_path / "a.html").as_uri())
    assert browser.open_local_file(str(tmp_path / "b.md")) == "# B"
    with pytest.raises(OSError, match="none"):
        browser.open_local_file(str(tmp_path / "none"))
    (tmp_path / "c.pdf").write_text("no PDF")
    with pytest.raises(DocumentError, match=r"c\.pdf"):
        browser.open_local_file(str(tmp_path / "c.pdf"))


def test_searches_are_of_an_engine() -> None:
    browser = RequestsMarkdownBrowser(search_engine=Results())
    assert browser.visit_page("bing: cats") == "results for cats"
    assert (browser.address, browser.page_title) == ("search: cats", "cats - Search")
    assert "give the browser a search_engine" in RequestsMarkdownBrowser().visit_page("search: cats")
    with pytest.raises(NotImplementedError, match="ended in August 2025"):
        BingMarkdownSearch()
    with pytest.raises(InvalidArgumentError, match="viewport_size is 0"):
        RequestsMarkdownBrowser(viewport_size=0)


def test_an_engine_of_symposia_searches() -> None:
    class Engine(SearchEngine):
        @override
        async def search(self, query: str, limit: int) -> Sequence[SearchHit]:
            if query == "fail":
                raise ToolServiceError("No connection.")
            return [SearchHit(title="Cats", url="http://cats.test", snippet="About cats")] if query == "cats" else []

    search = EngineMarkdownSearch(Engine())
    assert search.search("cats") == "## Results for 'cats'\n\n1. [Cats](http://cats.test)\nAbout cats"
    assert search.search("dogs").endswith("There are none.")
    assert search.search("fail") == "The search failed: No connection."


# Conversion -----------------------------------------------------------------------------------------------------------


async def test_files_and_pages_become_markdown(site: ScriptedSite, tmp_path: Path) -> None:
    def steps() -> None:
        (tmp_path / "a b.html").write_text(HOME)
        converter = MarkdownConverter(private=True)
        for source in (str(tmp_path / "a b.html"), (tmp_path / "a b.html").as_uri(), f"{site.url}/"):
            found = converter.convert(source)
            assert (found.title, found.text_content[:4]) == ("Home", "# Hi")
        assert converter.convert(f"{site.url}/b").text_content.startswith("A needle")
        with pytest.raises(FileConversionException, match=r"d\.pdf"):
            converter.convert(f"{site.url}/d.pdf")
        with pytest.raises(UnsupportedFormatException, match=r"a\.zip is no text"):
            converter.convert(f"{site.url}/a.zip")
        with pytest.raises(ToolServiceError, match=r"127\.0\.0\.1"):
            MarkdownConverter().convert(site.url)

    await browsing(steps)


# The agent ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


def surfer(server: MockModelServer, **options: Any) -> WebSurferAgent:
    config = {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url, "cache_seed": None}
    browser = RequestsMarkdownBrowser(viewport_size=20, search_engine=Results(), private=True)
    return WebSurferAgent("web", llm_config=config, browser=browser, human_input_mode="NEVER", **options)


def calling(name: str, **arguments: Any) -> Reply:
    return Reply(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


async def test_a_reply_is_what_the_browser_shows(server: MockModelServer, site: ScriptedSite) -> None:
    def steps() -> None:
        agent, user = surfer(server), speaker("user")

        def asked(*answers: Reply) -> object:
            server.script(*answers)
            chat = user.initiate_chat(agent, message="Go on", max_turns=1, silent=True, clear_history=False)
            return chat.chat_history[-1]["content"]

        head = (
            f"Address: {site.url}/\nTitle: Home\nViewport position: Showing page {{}} of 3.\n=======================\n"
        )
        assert asked(calling("visit_page", url=f"{site.url}/")) == head.format(1) + "# Hi\n\none two three four"
        assert asked(calling("page_down")) == head.format(2) + " five six seven eight"
        assert (
            asked(calling("find_on_page_ctrl_f", search_string="ten"))
            == head.format(3) + f" nine ten eleven\n\n[b]({site.url}/b)"
        )
        assert str(asked(calling("find_on_page_ctrl_f", search_string="zzz"))).endswith(
            "'zzz' was not found on this page."
        )
        assert asked(calling("page_up")) == head.format(2) + " five six seven eight"
        assert str(asked(calling("informational_web_search", query="q"))).endswith("results for q")
        assert asked(Reply(text="I have read it.")) == "I have read it."
        agent.reset()
        assert agent.browser.address == "about:blank"

    await browsing(steps)
    second = server.requests[1].body
    assert (
        second["messages"][-2]["content"]
        == f"Your browser is currently open to the page 'Home' at the address '{site.url}/'."
    )
    assert {tool["function"]["name"] for tool in second["tools"]} >= {"visit_page", "summarize_page", "find_next"}


async def test_whole_pages_are_read_by_a_model(server: MockModelServer, site: ScriptedSite) -> None:
    server.script(
        calling("read_page_and_answer", question="What is there?", url=f"{site.url}/b"), Reply(text="A needle.")
    )
    agent = await asyncio.to_thread(surfer, server)
    chat = await speaker("user").a_initiate_chat(agent, message="Read", max_turns=1, silent=True)
    assert chat.summary.endswith("=======================\nA needle.")
    question = server.requests[1].body["messages"][-1]["content"]
    assert question.startswith("What is there?\n")
    assert "A needle, and\nmore of it." in question


async def test_an_agent_without_a_reader_has_no_functions_that_read(server: MockModelServer) -> None:
    server.script(Reply(text="Hello."))
    agent = await asyncio.to_thread(lambda: surfer(server, summarizer_llm_config=False))
    await speaker("user").a_initiate_chat(agent, message="Hi", max_turns=1, silent=True)
    names = {tool["function"]["name"] for tool in server.requests[0].body["tools"]}
    assert not names & {"summarize_page", "read_page_and_answer"}


def test_options_of_a_browser_that_nothing_reads_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="browser_config has bing_api_key, which nothing reads"):
        agent = WebSurferAgent("web", browser_config={"bing_api_key": "k", "viewport_size": 9})
    assert isinstance(agent.browser, RequestsMarkdownBrowser)
    assert agent.browser.viewport_size == 9
