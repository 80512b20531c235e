"""Profiles of OpenAI's models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from symposia.ext.models._profiles import ModelProfile, shipped_catalog

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Api = Literal["chat", "responses"]
"""Chat Completions, or the Responses API."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIProfile(ModelProfile):
    """The facts about a model of OpenAI, or of a vendor that uses its format.

    Attributes:
        effort: The reasoning effort when none is asked for; None for models that do not reason. While a model reasons
            it refuses the sampling parameters, and a reasoning model calls ``max_tokens`` ``max_completion_tokens``.
        tools_effort: The only reasoning effort at which the model takes tools in Chat Completions, if there is such a
            rule.
        api: The API that does all that the model can. ``responses`` for models that Chat Completions do not serve, or
            serve without tools.
    """

    effort: Effort | None = None
    tools_effort: Effort | None = None
    api: Api = "chat"


CATALOG: Final = shipped_catalog("openai", "OpenAI", OpenAIProfile)
