"""Google's models, through the endpoint that uses OpenAI's format."""

from __future__ import annotations

from symposia.ext.models._profiles import shipped_catalog
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor

VENDOR = compatible_vendor(
    name="google",
    title="Google",
    provider="gcp.gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai/",
    key="GEMINI_API_KEY",
    models="gemini-",
    default_model="gemini-2.5-flash",
    profiles=shipped_catalog("google", "Google", OpenAIProfile),
)
