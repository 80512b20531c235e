from __future__ import annotations

from symposia.core.models import RequestUsage


class UsageMeter:
    """Adds up the tokens of a client's requests."""

    def __init__(self) -> None:
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def add(self, usage: RequestUsage) -> None:
        self._usage = RequestUsage(
            prompt_tokens=self._usage.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self._usage.completion_tokens + usage.completion_tokens,
        )

    def read(self) -> RequestUsage:
        """The sum so far, as a copy that the caller may change."""
        return RequestUsage(prompt_tokens=self._usage.prompt_tokens, completion_tokens=self._usage.completion_tokens)
