from __future__ import annotations

from dataclasses import replace

from symposia.core.models import RequestUsage


class UsageMeter:
    """Adds up the tokens of a client's requests."""

    def __init__(self) -> None:
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def add(self, usage: RequestUsage) -> None:
        """Count a request."""
        self._usage += usage

    def read(self) -> RequestUsage:
        """The sum so far, as a copy that the caller may change."""
        return replace(self._usage)
