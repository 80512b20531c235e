"""The service that a client calls, and the texts of its errors: the failure, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from pydantic_core import from_json

from symposia.core.exceptions import ModelError, ModelResponseError
from symposia.ext.models._bounded_bodies import OversizedBodyError, TooManyValuesError, body_problem
from symposia.ext.models._context_overflow import RequestSize, describe_overflow, reported_overflow
from symposia.ext.models._credentials import TokenError
from symposia.ext.models._http_clients import REFUSED_REDIRECT
from symposia.ext.models._limit_headers import retry_delay, seconds_in
from symposia.ext.models._reported_errors import (
    ReportedError,
    describe_problem,
    filtered_categories,
    reported_codes,
    reported_retry_delay,
    reported_words,
)
from symposia.ext.models._transport import Response

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SERVER_ERRORS: Final = 500
TOO_MANY: Final = 429
START: Final = 500
"""Bytes of a response that an error keeps."""
QUOTED: Final = 200
"""Characters of a response that an error's text quotes."""
MOST_WORDS: Final = 4096
"""Characters of the vendor's words in an error's text."""

_SPENT: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "exceeded_current_quota_error"}
)
"""Codes of errors, with the status 429, after which waiting does not help: those of OpenAI, and of Moonshot."""
_QUOTA: Final = ("refused the request because the quota is used up", "Check the account's plan and billing.")

_TOO_LONG: Final = frozenset({400, 413, 422, 500})
"""Statuses with which services refuse a request that is too long. Some servers take it for an error of their own."""

_PASSING: Final = frozenset(
    {"overloaded_error", "rate_limit_error", "api_error", "timeout_error", "server_error", "rate_limit_exceeded"}
    | {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "DEADLINE_EXCEEDED"}
    | {"throttlingException", "serviceUnavailableException", "internalServerException"}
    | {"modelStreamErrorException", "modelTimeoutException"}
)
"""Types of errors after which trying again may help, in a response that began as a success: of Anthropic and OpenAI,
of Google, and of Bedrock."""

SDK_SCHEME: Final = "sdk"
"""The scheme of addresses that an SDK looks up itself and does not tell: ``sdk:litellm/groq``."""

_SHOULD_RETRY: Final = {"true": True, "false": False}
"""The values of ``x-should-retry``, by which OpenAI and Anthropic overrule what a status means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A vendor's service, as errors and traces name it.

    Attributes:
        name: As the vendor writes it, or "the server at …" where the address is not the vendor's.
        provider: As OpenTelemetry's conventions for generative AI write it.
        key: The environment variable that holds its API key; None if it needs none.
        address: The URL that requests go to, as `public_address` shows it.
        login: What to do about refused credentials, where a request may have others than an API key.
    """

    name: str
    provider: str
    key: str | None
    address: str
    login: str | None = None

    @classmethod
    def at(cls, address: str, *, title: str, host: str, provider: str, key: str, login: str | None = None) -> Service:
        """The service of a vendor, or of another server that uses its format, distinguished by the host."""
        name = title if is_at(address, host) else f"the server at {address.rstrip('/') or repr(address)}"
        return cls(name=name, provider=provider, key=key, address=address, login=login)

    @property
    def _subject(self) -> str:
        return self.name[:1].upper() + self.name[1:]

    def uncounted(self, model: str) -> str:
        """The warning about an answer that came without its number of tokens."""
        return (
            f"{self._subject} sent no token counts with an answer of model {model!r}. They are estimated, here and "
            "in later answers without counts. Have the server send usage if the counts must be exact."
        )

    def failed(self, model: str, error: Exception, estimate: Callable[[], RequestSize] | None = None) -> ModelError:
        """The error of a request that the SDK gave up: a status that is an error, or a connection that failed.

        Args:
            model: The model.
            error: The SDK's error.
            estimate: Estimates the size of the request, where the vendor says that it is too long, and not by how much.
        """
        if isinstance(error, TokenError):
            return ModelError(
                f"There is no token for {self.name} and model {model!r} ({error}). Try again, or check the network.",
                is_transient=True,
            )
        status, headers = response_of(error)
        if status is None and _has_illegal_header(error):  # its text would show the header, which may be the key
            return ModelError(
                f"The request for model {model!r} cannot be sent to {self.name}: a header has a character that HTTP "
                "does not allow. Check the API key or token, and the headers that the client was given.",
                is_transient=False,
            )
        if status is None:
            is_transient = urlsplit(self.address).scheme in {"http", "https", SDK_SCHEME}
            return ModelError(self._connection_text(model, error), is_transient=is_transient)
        start = _body_of(error)
        body = _reported_body(error)
        said, codes = reported_words(body) or start or type(error).__name__, reported_codes(body)
        words = _sentence(said, START if isinstance(body, str) else MOST_WORDS)  # a text may be any page
        is_spent = not _SPENT.isdisjoint(codes)
        failure, advice = _QUOTA if is_spent else self._explain(status)
        is_too_long = False
        if status in _TOO_LONG and (size := reported_overflow(said[:MOST_WORDS], codes, body)) is not None:
            failure, is_too_long = "refused the request as too long", True
            advice = describe_overflow(size, estimate and estimate())
        if filtered := filtered_categories(body):
            words = f"{words} Its filter found: {', '.join(filtered)}."
            advice = "Change the prompt, or the filter of the deployment."
        if elsewhere := headers.get(REFUSED_REDIRECT):
            failure, words = "redirected the request to another host", _sentence(_shown_address(elsewhere))
            advice = "The key and the conversation were not sent there. Give its address if it is the right one."
        return ModelError(
            f"{self._subject} {failure} for model {model!r} (status {status}): {words} {advice}",
            status=status,
            response_start=start,
            is_transient=False if is_spent or is_too_long else _SHOULD_RETRY.get(headers.get("x-should-retry", "")),
            retry_after=_told_delay(headers, body, limited=status == TOO_MANY),
        )

    def broken(
        self,
        model: str,
        response: Response,
        problem: ValueError,
        estimate: Callable[[], RequestSize] | None = None,
    ) -> ModelError:
        """The error of a response that is no answer, or that says why there is none; see `failed`."""
        # The first bytes tell what the server is: HTML of a login page, a proxy's notice, another vendor's JSON.
        start = response.body[:START].decode(errors="replace")
        begins = f"The response begins: {start[:QUOTED]!r}" if start else "The response is empty."
        if isinstance(problem, OversizedBodyError | TooManyValuesError):
            return ModelResponseError(
                f"{self._subject} sent too large an answer of model {model!r} ({response.label}): {problem}. Limit the "
                f"length of answers, or check that {self.address} is the right address. {begins}",
                status=response.status,
                response_start=start,
            )
        if isinstance(problem, ReportedError):
            said = str(problem)
            text = f"{self._subject} reported an error for model {model!r} ({response.label}): {_sentence(said)}"
            size = reported_overflow(said[:MOST_WORDS], problem.codes, None)
            if size is not None:
                text = f"{text} {describe_overflow(size, estimate and estimate())}"
            is_transient = size is None and not _PASSING.isdisjoint(problem.codes)
            return ModelError(text, status=response.status, response_start=start, is_transient=is_transient)
        return ModelResponseError(
            f"{self._subject} sent a response for model {model!r} that is not an answer ({response.label}): "
            f"{_sentence(describe_problem(problem))} Check that {self.address} is the right address. {begins}",
            status=response.status,
            response_start=start,
        )

    def ended_early(self, model: str, response: Response, problem: ValueError) -> ModelError:
        """The error of a stream whose end marker never came."""
        if not response.body.strip() or not response.events:
            return self.broken(model, response, ValueError("it has no events of a stream"))
        return ModelResponseError(
            f"{self._subject} ended the stream of an answer of model {model!r} early ({response.label}): "
            f"{_sentence(str(problem))} Try again. In a program, what arrived is in the error's attribute `partial`.",
            status=response.status,
            response_start=response.body[:START].decode(errors="replace"),
            is_transient=True,
        )

    def broken_off(self, model: str, error: BaseException, streamed: Response | None = None) -> ModelError:
        """The error of an answer whose connection failed while it was read.

        Args:
            model: The model.
            error: The error of the connection.
            streamed: What arrived, where the answer was to be streamed.
        """
        said = _said(error)
        if "timeout" in type(error).__name__.lower():
            problem = f"{self._subject} took too long to continue an answer of model {model!r} ({said})."
        else:
            problem = f"The connection to {self.name} was lost in the middle of an answer of model {model!r} ({said})."
        if streamed is None:
            return ModelResponseError(f"{problem} Try again.", is_transient=True)
        return ModelResponseError(
            f"{problem} Try again. In a program, what arrived is in the error's attribute `partial`.",
            status=streamed.status,
            response_start=streamed.body[:START].decode(errors="replace"),
            is_transient=True,
        )

    @property
    def _path(self) -> str:
        """What an address without a path may lack. The other formats' SDKs add the version themselves."""
        lacks_path = self.provider == "openai" and not urlsplit(self.address).path.strip("/")
        return ", which may lack its path, as in http://localhost:8000/v1" if lacks_path else ""

    def _connection_text(self, model: str, error: Exception) -> str:
        name = type(error).__name__
        said = _said(error)
        # By its name, since each SDK and each HTTP client under it has a class of its own.
        if "timeout" in name.lower():
            return (
                f"{self._subject} took too long to answer for model {model!r} ({said}). Try again, or allow more time."
            )
        failure = f"The connection to {self.name} failed for model {model!r} ({said})."
        if urlsplit(self.address).scheme == SDK_SCHEME:
            return f"{failure} Check the network, and the address if the client was given one."
        # Neither SDK rejects such an address, nor says that it was the cause.
        if urlsplit(self.address).scheme not in {"http", "https"}:
            return (
                f"{failure} The address, {self.address!r}, must begin with https:// or http://: correct it, or "
                "leave it out for the vendor's own."
            )
        if urlsplit(self.address).hostname in LOOPBACK:
            return f"{failure} Check that a server runs at {self.address}, on this machine."
        return f"{failure} Check the network and the address, {self.address}."

    def _explain(self, status: int) -> tuple[str, str]:
        match status:
            case 401 if self.login is not None:
                return "refused the credentials", self.login
            case 403 if self.login is not None:
                return "refused access", self.login
            case 401:
                where = f"the environment variable {self.key}" if self.key else "the server's settings"
                return "refused the API key", f"Check the key in {where}, or the key that the client was given."
            case 402 | 403:
                return "refused access", "Check what the API key may use, and the account's permissions and billing."
            case 404:
                return (
                    "found no such model or address",
                    f"Check the model's name and the address, {self.address}{self._path}.",
                )
            case 429:
                advice = "The rate limit or the quota is used up: wait, or send fewer requests at once."
                return "refused the request because of a limit", advice
            case _ if status >= SERVER_ERRORS or status in {408, 409}:
                return "failed to answer", "The service failed or is overloaded: try again later."
            case _ if status >= 400:  # noqa: PLR2004 - HTTP's range of client errors
                return "refused the request", "Sending it again as it is does not help."
            case _:
                return "sent no answer", f"Check the address, {self.address}."


def is_at(address: str, host: str) -> bool:
    """Whether an address is of a host, or of a part of its domain."""
    return f".{urlsplit(address).hostname or address}".endswith(f".{host}")


def is_address(given: str) -> bool:
    """Whether a text is the URL of a server."""
    try:
        parts = urlsplit(given)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a bracket of an IPv6 address is missing, or the port is no number
        return False


def public_address(url: str) -> str:
    """A URL without the parts that may hold secrets: user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _shown_address(location: str) -> str:
    try:
        return public_address(location)
    except ValueError:
        return repr(location[:QUOTED])


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".: ")


def _sentence(words: str, most: int = MOST_WORDS) -> str:
    if len(words) > most:
        return f"{words[:most]}… (cut after {most:,} characters)."
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _told_delay(headers: Mapping[str, str], body: object, *, limited: bool) -> float | None:
    """Seconds after which the service takes requests again, by the headers, or by the error in the body."""
    told = retry_delay(headers, limited=limited)
    return seconds_in(reported_retry_delay(body)) if told is None else told


class _ReadResponse(Protocol):
    """The response in an error of an SDK, or of httpx."""

    content: bytes
    text: str
    is_stream_consumed: bool
    headers: Mapping[str, str]


def response_of(error: Exception) -> tuple[int | None, Mapping[str, str]]:
    """The status and the headers of the response that an SDK's error is about; None and no headers without one."""
    response: _ReadResponse | None = getattr(error, "response", None)
    status: object = getattr(error, "status_code", getattr(response, "status_code", None))
    if not isinstance(status, int):
        return None, {}
    return status, {} if response is None else response.headers


def _has_illegal_header(error: BaseException | None) -> bool:
    """Whether a request failed since a header has a character that HTTP or the encoding of headers does not allow."""
    while error is not None:
        if isinstance(error, UnicodeEncodeError) or str(error).startswith("Illegal header"):  # h11's words
            return True
        error = error.__cause__
    return False


def _body_of(error: Exception) -> str:
    """The start of the body of an error's response; empty if no body was read."""
    response: _ReadResponse | None = getattr(error, "response", None)
    return response.text[:START] if response is not None and response.is_stream_consumed else ""


def _reported_body(error: Exception) -> object:
    """The error in the words of the vendor: as OpenAI's and Anthropic's SDKs parsed it, or else from the response."""
    response: _ReadResponse | None = getattr(error, "response", None)
    is_cut = body_problem(response) is not None
    if hasattr(error, "body") and not is_cut:
        return getattr(error, "body")  # noqa: B009 - only some SDKs' errors have it
    if response is None or not response.is_stream_consumed:
        return None
    try:
        return from_json(response.content, allow_partial="trailing-strings" if is_cut else False)
    except ValueError:  # a page, or nothing
        return None
