"""Why a page was not loaded, or an element not used, in words that a model can act on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.browser._page import first_line

if TYPE_CHECKING:
    from playwright import async_api as playwright_api
else:
    playwright_api = lazy_module("playwright.async_api")

ACTION_SECONDS: Final = 5.0
"""How long an element is waited for that is covered, moves or is not yet enabled."""
_REASONS: Final = (
    ("ERR_TOO_MANY_REDIRECTS", "it redirects without end"),
    ("ERR_UNSAFE_REDIRECT", "it redirects to an address that is none of the web"),
    ("ERR_INVALID_REDIRECT", "it redirects to an address that is none of the web"),
    ("ERR_CERT_", "its certificate is not valid"),
    ("ERR_SSL_", "it does not speak TLS as it should"),
    ("ERR_EMPTY_RESPONSE", "the server closed the connection without an answer"),
    ("ERR_CONNECTION_", "the connection was lost"),
    ("ERR_INVALID_HTTP_RESPONSE", "the server does not speak HTTP"),
    ("ERR_HTTP_RESPONSE_CODE_FAILURE", "the server answered with an error, and without a page"),
    ("ERR_RESPONSE_HEADERS_TOO_BIG", "the head of the answer is too large"),
    ("interrupted by another navigation", "it goes on to another address at once"),
    ("crashed", "the page crashed"),
)


@contextmanager
def explained(what: str) -> Generator[None]:
    """Raise Playwright's errors in the block as one that begins with `what` could not be done, and says why.

    Raises:
        ToolServiceError: The block did not do it.
    """
    try:
        yield
    except TimeoutError:
        raise ToolServiceError(f"{what}: there was no answer within {ACTION_SECONDS:g} seconds.") from None
    except playwright_api.TimeoutError as error:
        raise ToolServiceError(f"{what}: {_obstacle(error)}.") from None
    except playwright_api.Error as error:
        text = str(error)
        if "cannot be filled" in text or "Element is not an <input>" in text:
            raise ToolServiceError(f"{what}: it is no field for text. Click it instead.") from None
        raise ToolServiceError(f"{what}: {first_line(error)}") from error


def _obstacle(error: Exception) -> str:
    """Why an action was not done in time, from the log in Playwright's error."""
    text = str(error)
    if "intercepts pointer events" in text:
        return "another element covers it"
    for sign in ("not visible", "not enabled", "not editable", "not stable"):
        if sign in text:
            return f"it is {sign}" if sign != "not stable" else "it moves"
    if "did not find some options" in text:
        return "the list has no such option. Take one of its options as they are shown"
    return f"it was not done within {ACTION_SECONDS:g} seconds"


def reason(error: Exception) -> str:
    """Why a page was not loaded, as the end of a sentence."""
    text = str(error)
    return next((known for sign, known in _REASONS if sign in text), first_line(error).rstrip("."))
