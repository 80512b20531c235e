"""Meta's models, through the endpoint that uses OpenAI's format."""

from __future__ import annotations

from symposia.core.models import ModelFamily
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor

VENDOR = compatible_vendor(
    name="meta",
    title="Meta",
    base_url="https://api.llama.com/compat/v1/",
    key="LLAMA_API_KEY",
    models="Llama-",
    default_model="Llama-4-Maverick",
    profiles={
        "Llama-3.3-8B": OpenAIProfile(family=ModelFamily.LLAMA_3_3_8B, context=128_000, max_output=4_096, vision=False),
        "Llama-3.3-70B": OpenAIProfile(
            family=ModelFamily.LLAMA_3_3_70B, context=128_000, max_output=4_096, vision=False
        ),
        "Llama-4-Scout": OpenAIProfile(family=ModelFamily.LLAMA_4_SCOUT, context=128_000, max_output=4_096),
        "Llama-4-Maverick": OpenAIProfile(family=ModelFamily.LLAMA_4_MAVERICK, context=128_000, max_output=4_096),
    },
)
