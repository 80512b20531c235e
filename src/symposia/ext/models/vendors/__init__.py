"""The registry of model vendors, and what a client for a new vendor is made of.

`find_vendor` reads ``vendor/model``, and `register_vendor` adds a vendor. Where a service uses OpenAI's format,
`symposia.ext.models.openai.compatible_vendor` makes the entry. For any other, a client is a `VendorClient` with a
`WireFormat` and a `Transport` of its own.
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.models._client import TokenCounter, VendorClient
from symposia.ext.models._http_transport import HttpTransport
from symposia.ext.models._names import default_vendor, find_vendor
from symposia.ext.models._profile_data import FactSource, forget_model_profiles, use_model_profiles
from symposia.ext.models._profiles import ModelCatalog, ModelFacts, ModelProfile, UnknownModelWarning
from symposia.ext.models._registry import (
    ModelVendor,
    VendorSetting,
    model_profile_problems,
    model_vendors,
    register_vendor,
    unregister_vendor,
)
from symposia.ext.models._reported_errors import ReportedError
from symposia.ext.models._sdk_transport import SdkTransport
from symposia.ext.models._service import Service
from symposia.ext.models._stream_decoders import EventDecoder
from symposia.ext.models._transport import EventStream, Response, Transport
from symposia.ext.models._wire_format import Body, ChatRequest, StreamAssembly, WireFormat

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "Body",
    "ChatRequest",
    "EventDecoder",
    "EventStream",
    "FactSource",
    "HttpTransport",
    "ModelCatalog",
    "ModelFacts",
    "ModelProfile",
    "ModelVendor",
    "ReportedError",
    "Response",
    "SdkTransport",
    "Service",
    "StreamAssembly",
    "TokenCounter",
    "Transport",
    "UnknownModelWarning",
    "VendorClient",
    "VendorSetting",
    "WireFormat",
    "default_vendor",
    "find_vendor",
    "forget_model_profiles",
    "model_profile_problems",
    "model_vendors",
    "register_vendor",
    "unregister_vendor",
    "use_model_profiles",
]
