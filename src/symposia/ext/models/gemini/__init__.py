"""Google's models, in Google's own format."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.gemini._client import CLOUD_SWITCHES, KEY, OTHER_KEY, GeminiChatCompletionClient
from symposia.ext.models.gemini._options import CreateArguments, GeminiClientConfiguration
from symposia.ext.models.gemini._profiles import CATALOG, GeminiProfile

VENDOR: Final = ModelVendor(
    name="gemini",
    title="Google",
    models="gemini-",
    default_model="gemini-3.8-flash",
    make=GeminiChatCompletionClient,
    key=KEY,
    settings=(VendorSetting((KEY, OTHER_KEY, *CLOUD_SWITCHES), ("api_key", "vertexai")),),
    sdk="google.genai",
    extra="gemini",
    catalog=CATALOG,
    address_variable="GOOGLE_GEMINI_BASE_URL",
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "VENDOR",
    "CreateArguments",
    "GeminiChatCompletionClient",
    "GeminiClientConfiguration",
    "GeminiProfile",
]
