"""The errors of models as programs for AutoGen 0.2 catch them: those of OpenAI's SDK, and `TimeoutError`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from symposia.core.exceptions import ModelError

if TYPE_CHECKING:
    import openai


def is_filtered(error: ModelError) -> bool:
    """Whether a service refuses a request for its content, as the next service would."""
    return getattr(error.__cause__, "code", None) == "content_filter"


def error_for_programs(error: ModelError, *, is_openai: bool) -> Exception:
    """The error that is raised for a model that did not answer.

    Args:
        error: What the model's client raised.
        is_openai: Whether the request was in OpenAI's format. The error is an `openai.APIError` or a `TimeoutError`
            then. One that the SDK does not notice, such as a stream that ends early, is made one here.
    """
    if not is_openai:
        return error
    cause = error.__cause__
    if cause is None or not type(cause).__module__.startswith("openai"):
        return _api_error(error)
    if type(cause).__name__ == "APITimeoutError":
        return TimeoutError(
            "The model did not answer in time. Set a longer 'timeout', in seconds, in the llm_config or the "
            "configuration list."
        )
    return cast("Exception", cause)


def _api_error(error: ModelError) -> openai.APIError:
    from openai import APIError  # noqa: PLC0415 - takes a second, and was imported for the request

    request = cast("Any", None)  # Any: the answer is read without the SDK's request
    made = APIError(str(error), request=request, body=None)
    made.partial = error.partial  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - of ModelError
    return made
