"""Profiles of Google's models, in Google's own format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from symposia.ext.models._profiles import ModelProfile, shipped_catalog


@dataclass(frozen=True, kw_only=True, slots=True)
class GeminiProfile(ModelProfile):
    """The facts about one of Google's models.

    Attributes:
        schema_with_tools: It keeps to a schema in requests that have tools, where models before Gemini 3 refuse both.
        signed_calls: It refuses a conversation whose tool calls lack the signatures of the thinking before them.
    """

    schema_with_tools: bool = True
    signed_calls: bool = False


CATALOG: Final = shipped_catalog("gemini", "Google", GeminiProfile)
