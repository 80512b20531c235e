"""Anthropic Messages, as Amazon Bedrock speaks it: the model is in the path, and a stream has binary events."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from symposia.testing.model_server import _anthropic, _event_frames
from symposia.testing.model_server._answers import Reply
from symposia.testing.model_server._conversation import Conversation

NAME = "anthropic-bedrock"
PATH = re.compile(r"/model/(?P<model>.+)/(?P<method>invoke|invoke-with-response-stream)")
STREAM_TYPE = _event_frames.STREAM_TYPE

SAMPLING_VERSION = "bedrock-2023-05-31"


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    return _anthropic.conversation({**fields, "stream": fields["method"] != "invoke"})


def complaint(fields: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Why Bedrock would refuse this request, if it would."""
    if "authorization" not in headers:
        return "Missing Authentication Token"
    return cloud_complaint(fields, headers, SAMPLING_VERSION) or (
        "stream: Extra inputs are not permitted" if "stream" in fields else None
    )


def cloud_complaint(fields: Mapping[str, Any], headers: Mapping[str, str], sampling_version: str) -> str | None:
    """Why a cloud would refuse this request, whose version is in its body."""
    version = fields.get("anthropic_version")
    if version is None:
        return "anthropic_version: Field required"
    given = _anthropic.SAMPLING_VERSION if version == sampling_version else version
    return _anthropic.complaint(fields, {**headers, "anthropic-version": given})


def error(status: int, message: str) -> object:
    """The body of an error."""
    del status
    return {"message": message}


whole = _anthropic.whole


def events(reply: Reply, fields: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams."""
    for event in _anthropic.events(reply, fields):
        yield chunk(event.strip().rpartition(b"data: ")[2])


def chunk(data: bytes) -> bytes:
    """An event of the Messages API as it stands in the stream."""
    return _event_frames.frame(json.dumps({"bytes": b64encode(data).decode(), "p": "abcdef"}).encode(), "chunk")
