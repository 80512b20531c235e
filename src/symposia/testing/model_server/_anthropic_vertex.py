"""Anthropic Messages, as Vertex AI of Google Cloud speaks it: the model is in the path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from symposia.testing.model_server import _anthropic, _gemini
from symposia.testing.model_server._anthropic_bedrock import cloud_complaint
from symposia.testing.model_server._conversation import Conversation

NAME = "anthropic-vertex"
PATH = re.compile(
    r"/v1/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/:]+):"
    r"(?P<method>rawPredict|streamRawPredict)"
)
STREAM_TYPE = _anthropic.STREAM_TYPE

SAMPLING_VERSION = "vertex-2023-10-16"


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    return _anthropic.conversation({**fields, "stream": fields["method"] == "streamRawPredict"})


def complaint(fields: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Why Google Cloud would refuse this request, if it would."""
    if not headers.get("authorization", "").startswith("Bearer "):
        return "Request is missing required authentication credential."
    return cloud_complaint(fields, headers, SAMPLING_VERSION)


error = _gemini.error
whole = _anthropic.whole
events = _anthropic.events
