"""Google's models, through the endpoint that uses OpenAI's format."""

from __future__ import annotations

from symposia.core.models import ModelFamily
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor

VENDOR = compatible_vendor(
    name="google",
    title="Google",
    provider="gcp.gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai/",
    key="GEMINI_API_KEY",
    models="gemini-",
    default_model="gemini-2.5-flash",
    profiles={
        "gemini-3": OpenAIProfile(family="gemini-3", context=1_048_576, max_output=65_536),
        "gemini-2.5-pro": OpenAIProfile(family=ModelFamily.GEMINI_2_5_PRO, context=1_048_576, max_output=65_536),
        "gemini-2.5-flash": OpenAIProfile(family=ModelFamily.GEMINI_2_5_FLASH, context=1_048_576, max_output=65_536),
        "gemini-2.0-flash": OpenAIProfile(family=ModelFamily.GEMINI_2_0_FLASH, context=1_048_576, max_output=8_192),
        "gemini-1.5-pro": OpenAIProfile(family=ModelFamily.GEMINI_1_5_PRO, context=2_097_152, max_output=8_192),
        "gemini-1.5-flash": OpenAIProfile(family=ModelFamily.GEMINI_1_5_FLASH, context=1_048_576, max_output=8_192),
    },
)
