"""Anthropic's models, through the endpoint that uses OpenAI's format.

This entry is what `OpenAIChatCompletionClient` uses for them, as AutoGen's does. The vendor ``anthropic`` asks them in
their own format, which offers more of their abilities.
"""

from __future__ import annotations

from symposia.ext.models._profiles import shipped_catalog
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor

VENDOR = compatible_vendor(
    name="anthropic-openai",
    title="Anthropic",
    provider="anthropic",
    base_url="https://api.anthropic.com/v1/",
    key="ANTHROPIC_API_KEY",
    models="claude",
    default_model="claude-sonnet-5-5",
    profiles=shipped_catalog("anthropic-openai", "Anthropic", OpenAIProfile, profiles="anthropic"),
)
