"""What a page shows: the results of the script that reads it, checked."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

MARK_ATTRIBUTE: Final = "data-symposia-mark"
MOST_MARKS: Final = 300
NAME_LENGTH: Final = 120
MOST_OPTIONS: Final = 30
"""Options of a list that are shown."""
OPTION_LENGTH: Final = 60
_SECONDS: Final = 30.0
_PICTURE_SECONDS: Final = 10.0
_LOAD_SECONDS: Final = 3.0
_DETACH_SECONDS: Final = 1.0
_TRIES: Final = 3
_NAVIGATED: Final = ("context was destroyed", "Cannot find context", "No frame", "navigated or closed")
_NOT_CHROMIUM: Final = "only available in Chromium"
_LARGEST_COORDINATE: Final = 1e8  # Chromium's pages end at 3.4e7 pixels
T = TypeVar("T")
_Send: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]  # Any: JSON of Chromium's
Pixels = Annotated[float, Field(ge=-_LARGEST_COORDINATE, le=_LARGEST_COORDINATE)]


class Rectangle(TypedDict):
    """A part of the view, in pixels from its upper left corner."""

    x: Pixels
    y: Pixels
    width: Pixels
    height: Pixels
    top: Pixels
    left: Pixels
    right: Pixels
    bottom: Pixels


class InteractiveRegion(TypedDict):
    """An element that can be clicked, filled in or scrolled.

    Attributes:
        tag_name: Its tag in lower case, with the type of a control: ``a``, ``input/text``.
        role: Its ARIA role, or nothing.
        aria_name: What it is called, for a person.
        v_scrollable: Whether it scrolls by itself.
        value: What is filled in or selected. The text of a password is not told.
        options: The first options of a list, which a screenshot does not show, and ``…`` if there are more.
        rects: Where it is; several for a link that is broken into lines.
    """

    tag_name: Annotated[str, Field(max_length=60)]
    role: Annotated[str, Field(max_length=60)]
    aria_name: Annotated[str, Field(max_length=2 * NAME_LENGTH)]
    v_scrollable: bool
    value: Annotated[str, Field(max_length=2 * NAME_LENGTH)]
    options: Annotated[list[Annotated[str, Field(max_length=2 * OPTION_LENGTH)]], Field(max_length=MOST_OPTIONS + 1)]
    rects: list[Rectangle]


class VisualViewport(TypedDict):
    """The part of a page that is seen, in pixels; see the interface of that name in the browser."""

    height: Pixels
    width: Pixels
    offsetLeft: Pixels
    offsetTop: Pixels
    pageLeft: Pixels
    pageTop: Pixels
    scale: float
    clientWidth: Pixels
    clientHeight: Pixels
    scrollWidth: Pixels
    scrollHeight: Pixels


class PageMetadata(TypedDict):
    """What a page says about itself: its title, its ``meta`` tags by name, and JSON-LD as text."""

    title: str
    meta_tags: dict[str, str]
    jsonld: list[str]


class PageView(TypedDict):
    """What is seen of a page, all read at one moment: its elements by their numbers, and the text in view.

    The status is that of the answer with the page; 0 if it came from no server.
    """

    marks: dict[str, InteractiveRegion]
    viewport: VisualViewport
    title: str
    status: int
    text: str


class PageText(TypedDict):
    """The text of a page, and whether it was longer than the limit."""

    text: str
    is_cut: bool


@cache
def _script() -> str:
    return files("symposia.ext.tools.browser").joinpath("_page.js").read_text(encoding="utf-8")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # Any: a type, of which a checker knows no name
    return TypeAdapter(kind)


async def read_page(page: playwright_api.Page, operation: str, kind: type[T] | Any, **given: object) -> T:
    """Run one operation of ``_page.js``, and check its result.

    A page that goes on to another address in the middle is read again.

    Args:
        page: The page.
        operation: A function of the script.
        kind: The type of its result.
        given: Its arguments.

    Raises:
        ToolServiceError: The page does not answer in time, goes on and on, or gives what is not asked for.
    """
    for last in (False,) * (_TRIES - 1) + (True,):
        try:
            async with asyncio.timeout(_SECONDS):
                return _adapter(kind).validate_python(await _evaluate(page, [operation, given]))
        except TimeoutError:
            raise ToolServiceError(f"The page did not answer within {_SECONDS:.0f} seconds.") from None
        except ValidationError:
            raise ToolServiceError("The page cannot be read: it gives what is not asked for.") from None
        except playwright_api.Error as error:
            if not any(sign in str(error) for sign in _NAVIGATED):
                raise ToolServiceError(f"The page cannot be read: {first_line(error)}") from error
            if last:
                raise ToolServiceError("The page cannot be read: it goes from one to another without end.") from None
        with suppress(playwright_api.Error):
            await page.wait_for_load_state("domcontentloaded", timeout=_LOAD_SECONDS * 1000)
    raise AssertionError("unreachable")  # the last try returns or raises


async def _evaluate(page: playwright_api.Page, argument: object) -> object:
    """Run ``_page.js`` in the page, in a world of its own: with the document of the page, and fresh built-in functions.

    Playwright's `evaluate` runs among the scripts of the page. Some replace built-in functions by others that differ,
    and one could make any result of any size. It is used where there is no such world, outside Chromium.
    """
    script = await asyncio.to_thread(_script)
    async with _devtools(page) as send:
        if send is None:
            return await page.evaluate(script, argument)
        tree = await send("Page.getFrameTree", {})
        frame = {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "symposia"}
        world = await send("Page.createIsolatedWorld", frame)
        call = {"functionDeclaration": script, "arguments": [{"value": argument}], "returnByValue": True, **world}
        answer = await send("Runtime.callFunctionOn", call)
    if details := answer.get("exceptionDetails"):
        raise ToolServiceError(f"The page cannot be read: {details['exception']['description'].splitlines()[0][:300]}")
    return answer["result"].get("value")


async def take_picture(page: playwright_api.Page) -> bytes:
    """A screenshot of the view as PNG, in the pixels of the page.

    Playwright's own waits for the fonts of the page, which may never come. It is used outside Chromium.

    Raises:
        ToolServiceError: The page does not answer in time.
    """
    try:
        async with asyncio.timeout(_PICTURE_SECONDS), _devtools(page) as send:
            if send is None:
                return await page.screenshot(timeout=_SECONDS * 1000, scale="css")
            sizes = await send("Page.getLayoutMetrics", {})
            view = sizes["cssVisualViewport"]
            ratio = sizes["layoutViewport"]["clientWidth"] / max(1, sizes["cssLayoutViewport"]["clientWidth"])
            clip = {
                "x": view["pageX"],
                "y": view["pageY"],
                "width": view["clientWidth"],
                "height": view["clientHeight"],
            }
            answer = await send("Page.captureScreenshot", {"clip": {**clip, "scale": 1 / (ratio or 1)}})
    except TimeoutError:
        raise ToolServiceError("The page does not answer: no picture of it can be made.") from None
    return b64decode(answer["data"])


async def stop_loading(page: playwright_api.Page) -> None:
    """End what is being loaded, and keep what has come. Nothing is done outside Chromium, or if the page is stuck."""
    with suppress(playwright_api.Error, TimeoutError):
        async with asyncio.timeout(_LOAD_SECONDS), _devtools(page) as send:
            if send is not None:
                await send("Page.stopLoading", {})


@asynccontextmanager
async def _devtools(page: playwright_api.Page) -> AsyncGenerator[_Send | None]:
    """How commands of Chromium's developer tools are sent to the page; None in another browser."""
    try:
        session = await page.context.new_cdp_session(page)
    except playwright_api.Error as error:
        if _NOT_CHROMIUM not in str(error):
            raise
        yield None
        return
    try:
        yield session.send  # pyright: ignore[reportUnknownMemberType]  # Playwright says no more than dict
    finally:
        with suppress(playwright_api.Error, TimeoutError):
            await asyncio.wait_for(session.detach(), _DETACH_SECONDS)


def first_line(error: Exception) -> str:
    """The first line of one of Playwright's errors, without the name of the method that raised it."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    method, _, rest = line.partition(": ")
    return (rest if rest and "." in method and " " not in method else line)[:300]
