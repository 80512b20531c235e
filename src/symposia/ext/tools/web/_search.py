"""The tool that searches the web, and the search engines that it may ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

from pydantic import BaseModel, Field, JsonValue, SecretStr
from pydantic_core import from_json
from typing_extensions import override

from symposia.core import CancellationToken, Component, cancelled_by
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import ToolServiceError
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.tools._exchange import Call, ExchangeLimits, Reply, exchange, require_httpx
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten
from symposia.ext.tools.web._page_text import page_text


class SearchHit(BaseModel, defer_build=True):
    """A page that a search found.

    Attributes:
        title: Its title.
        url: Its address.
        snippet: What it says about the query, as plain text; empty if the engine gives none.
    """

    title: str
    url: str
    snippet: str = ""


class SearchEngine(Component, ABC):
    """Finds pages: implement `search`.

    An engine of the user's own, such as an index of the company's documents or a list in a test, needs nothing else.
    It is saved as JSON with the tool if its constructor takes what JSON can hold.
    """

    component_type = "search_engine"

    @abstractmethod
    async def search(self, query: str, limit: int) -> Sequence[SearchHit]:
        """Find pages, the best first.

        Args:
            query: The words of the model.
            limit: How many pages are wanted.

        Raises:
            ToolServiceError: The engine refuses, or cannot be reached.
        """


class WebSearchArgs(BaseModel, defer_build=True):
    """The argument of `WebSearchTool`."""

    query: str = Field(description="What to search for", min_length=1)


class SearchHits(BaseModel, defer_build=True):
    """The result of `WebSearchTool`.

    Attributes:
        hits: The pages, the best first.
    """

    hits: list[SearchHit]


class WebSearchTool(BaseTool[WebSearchArgs, SearchHits]):
    """A tool that searches the web.

    Args:
        engine: What is asked.
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        max_results: How many pages the model reads of.
        max_chars: Characters of the result that the model reads.

    Raises:
        ArgumentTypeError: `engine` is no `SearchEngine`.
        InvalidArgumentError: `max_chars` allows nothing.
    """

    traits = ToolTraits("idempotent")

    def __init__(
        self,
        engine: SearchEngine,
        name: str = "web_search",
        description: str = "Search the web. The result is a list of pages with their addresses.",
        *,
        max_results: int = 8,
        max_chars: int = MAX_CHARS,
    ) -> None:
        check_instance("engine", "WebSearchTool", engine, SearchEngine, "SearxngSearchEngine('http://localhost:8080')")
        check_max_chars(f"the WebSearchTool {name!r}", max_chars)
        super().__init__(WebSearchArgs, SearchHits, name, description)
        self._engine = engine
        self._max_results = max_results
        self._max_chars = max_chars

    @override
    async def run(self, args: WebSearchArgs, cancellation_token: CancellationToken) -> SearchHits:
        """Search.

        Raises:
            ToolServiceError: The engine refuses, or cannot be reached.
            asyncio.CancelledError: The token was cancelled.
        """
        with cancelled_by(cancellation_token):
            hits = await self._engine.search(args.query, self._max_results)
        return SearchHits(hits=list(hits)[: self._max_results])

    @override
    def return_value_as_string(self, value: object) -> str:
        """The pages as a numbered list."""
        if not isinstance(value, SearchHits):
            return super().return_value_as_string(value)
        items = [f"{number}. {hit.title}\n{hit.url}\n{hit.snippet}".strip() for number, hit in enumerate(value.hits, 1)]
        return shorten("\n\n".join(items) or "Nothing was found.", self._max_chars)


class SearxngSearchEngine(SearchEngine):
    """A server of SearXNG, which asks many engines and needs no key. Its settings have to allow the format ``json``.

    Source: https://docs.searxng.org/dev/search_api.html.

    Args:
        url: The address of the server, such as ``http://localhost:8080``.
        language: The language of the pages, such as ``en``; that of the server's settings, by default.
        timeout: Seconds to wait for an answer.

    Raises:
        MissingExtraError: ``httpx2`` is not installed.
    """

    def __init__(self, url: str, *, language: str | None = None, timeout: float = 15.0) -> None:
        require_httpx("SearxngSearchEngine", "web-tools")
        self._url = url.rstrip("/")
        self._language = language
        self._limits = ExchangeLimits(timeout=timeout)

    @override
    async def search(self, query: str, limit: int) -> Sequence[SearchHit]:
        """Ask the server. See `SearchEngine.search`."""
        wanted = {"q": query, "format": "json", **({"language": self._language} if self._language else {})}
        call = Call(method="GET", url=f"{self._url}/search?{urlencode(wanted)}", headers={})
        return _hits(await exchange(call, self._limits), ["results"], "content")[:limit]


class BraveSearchEngine(SearchEngine):
    """The search engine of Brave, with a key.

    Source: https://api-dashboard.search.brave.com/app/documentation/web-search/get-started.

    Args:
        api_key: The key, which is not saved.
        country: The country of the pages, in two letters.
        timeout: Seconds to wait for an answer.
        base_url: The address of the service.

    Raises:
        MissingExtraError: ``httpx2`` is not installed.
    """

    def __init__(
        self,
        api_key: str | SecretStr,
        *,
        country: str | None = None,
        timeout: float = 15.0,
        base_url: str = "https://api.search.brave.com/res/v1",
    ) -> None:
        require_httpx("BraveSearchEngine", "web-tools")
        self._key = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key)
        self._country = country
        self._url = base_url.rstrip("/")
        self._limits = ExchangeLimits(timeout=timeout)

    @override
    async def search(self, query: str, limit: int) -> Sequence[SearchHit]:
        """Ask the service. See `SearchEngine.search`."""
        wanted = {"q": query, "count": str(min(limit, 20)), **({"country": self._country} if self._country else {})}
        headers = {"X-Subscription-Token": self._key.get_secret_value(), "Accept": "application/json"}
        call = Call(method="GET", url=f"{self._url}/web/search?{urlencode(wanted)}", headers=headers)
        return _hits(await exchange(call, self._limits), ["web", "results"], "description")[:limit]


def _hits(reply: Reply, place: Sequence[str], snippet: str) -> list[SearchHit]:
    """The pages in the JSON of an engine.

    Raises:
        ToolServiceError: The engine refuses, or answers with something else.
    """
    reply.require_success()
    try:
        part: JsonValue = from_json(reply.text)
    except ValueError as error:
        raise ToolServiceError(
            f"{reply.source} answered with something other than JSON. Is it a search engine?"
        ) from error
    for step in place:
        part = part.get(step, []) if isinstance(part, dict) else []
    found = cast("list[Mapping[str, JsonValue]]", part if isinstance(part, list) else [])
    return [
        SearchHit(
            title=_plain(each.get("title"), reply.url),
            url=str(each["url"]),
            snippet=_plain(each.get(snippet), reply.url),
        )
        for each in found
        if isinstance(each, dict) and each.get("url")
    ]


def _plain(text: JsonValue, url: str) -> str:
    """A text that may have marks of HTML in it, without them."""
    return " ".join(page_text(str(text or ""), url)[1].split())
