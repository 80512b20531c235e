"""Meta's models, through the endpoint that uses OpenAI's format."""

from __future__ import annotations

from symposia.ext.models._profiles import shipped_catalog
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor

VENDOR = compatible_vendor(
    name="meta",
    title="Meta",
    base_url="https://api.llama.com/compat/v1/",
    key="LLAMA_API_KEY",
    models="Llama-",
    default_model="Llama-4-Maverick",
    profiles=shipped_catalog("meta", "Meta", OpenAIProfile),
)
