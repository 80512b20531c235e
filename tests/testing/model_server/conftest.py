"""The SDKs are loaded when this is imported, since tests fail where an event loop is blocked."""

from tests.support.model_clients import load_sdks

load_sdks()
