"""Clients of models: one package a vendor, one that replays a script, and what a client of your own is made of."""

from symposia.ext.models._client import StreamOptions, VendorClient
from symposia.ext.models._profiles import ModelCatalog, ModelProfile
from symposia.ext.models._service import Service
from symposia.ext.models._transport import EventDecoder, EventStream, Response, SdkTransport, Transport
from symposia.ext.models._wire_format import Body, ChatRequest, ReportedError, StreamAssembly, WireFormat

__all__ = [
    "Body",
    "ChatRequest",
    "EventDecoder",
    "EventStream",
    "ModelCatalog",
    "ModelProfile",
    "ReportedError",
    "Response",
    "SdkTransport",
    "Service",
    "StreamAssembly",
    "StreamOptions",
    "Transport",
    "VendorClient",
    "WireFormat",
]
