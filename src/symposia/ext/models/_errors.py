"""What went wrong at a vendor, as one kind of error that says what to do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from symposia.core.exceptions import ModelError

SERVER_ERRORS: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendor:
    """How to speak of a vendor to the user.

    Attributes:
        name: As the vendor writes it.
        provider: As OpenTelemetry's conventions for generative AI write it.
        key: The environment variable that holds its API key.
        errors: What its SDK raises, and lets through from the network, when a request fails.
    """

    name: str
    provider: str
    key: str
    errors: tuple[type[Exception], ...]

    @contextmanager
    def explaining_errors(self, model: str) -> Generator[None]:
        """Turn the SDK's errors into `ModelError`, chained."""
        try:
            yield
        except self.errors as error:
            raise self._explain(model, error) from error

    def _explain(self, model: str, error: Exception) -> ModelError:
        status: object = getattr(error, "status_code", None)
        said = str(getattr(error, "api_message", None) or error).rstrip(".")
        if isinstance(status, int):
            reason, advice = f"status {status}", self._advice(model, status)
        else:
            reason, advice = type(error).__name__, _NETWORK_ADVICE
        return ModelError(f"{self.name} did not answer for model {model!r} ({reason}): {said}. {advice}")

    def _advice(self, model: str, status: int) -> str:
        match status:
            case 400 | 413 | 422:
                return "The request itself was refused; trying it again cannot help."
            case 401:
                return f"Check the API key: the api_key option, or the environment variable {self.key}."
            case 402 | 403:
                return f"This API key may not use {model!r}; check the account's permissions and billing."
            case 404:
                return f"Check the model's name, {model!r}, and base_url."
            case 429:
                return (
                    "The rate limit or the quota is used up; wait, raise max_retries, or send fewer requests at once."
                )
            case _ if status >= SERVER_ERRORS:
                return "The vendor's servers failed or are overloaded; try again later, or raise max_retries."
            case _:
                return "See the vendor's documentation of this status."


_NETWORK_ADVICE: Final = "The connection failed or took too long; check the network, base_url and timeout."
