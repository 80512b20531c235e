"""What a page shows: the results of the script that reads it, checked."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

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
_SECONDS: Final = 30.0
_TRIES: Final = 3
_LARGEST_COORDINATE: Final = 1e7
T = TypeVar("T")
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
        rects: Where it is; several for a link that is broken into lines.
    """

    tag_name: Annotated[str, Field(max_length=60)]
    role: Annotated[str, Field(max_length=60)]
    aria_name: Annotated[str, Field(max_length=2 * NAME_LENGTH)]
    v_scrollable: bool
    value: Annotated[str, Field(max_length=2 * NAME_LENGTH)]
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
        ToolServiceError: The page does not answer in time, goes on and on, or has changed what scripts return.
    """
    script = await asyncio.to_thread(_script)
    for last in (False,) * (_TRIES - 1) + (True,):
        try:
            value = await asyncio.wait_for(page.evaluate(script, [operation, given]), _SECONDS)
            return _adapter(kind).validate_python(value)
        except TimeoutError:
            raise ToolServiceError(f"The page did not answer within {_SECONDS:.0f} seconds.") from None
        except ValidationError:
            raise ToolServiceError("The page cannot be read: it has changed the functions by which it is.") from None
        except playwright_api.Error as error:
            if last or "context was destroyed" not in str(error).lower():
                raise ToolServiceError(f"The page cannot be read: {first_line(error)}") from error
            await page.wait_for_load_state("domcontentloaded", timeout=_SECONDS * 1000)
    raise AssertionError("unreachable")  # the last try returns or raises


def first_line(error: Exception) -> str:
    """The first line of one of Playwright's errors, without the name of the method that raised it."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    method, _, rest = line.partition(": ")
    return (rest if rest and "." in method and " " not in method else line)[:300]
