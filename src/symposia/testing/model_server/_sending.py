"""Sending an answer of the script in a wire format, with its delays, and with the faults that it asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

from symposia.testing.model_server._answers import Answer, Failure, Raw, Reply, Reset
from symposia.testing.model_server._http import HttpResponse, UnsendableError
from symposia.testing.model_server._wire_format import MISREADINGS, Fields, WireFormat


async def send_answer(
    answer: Answer,
    wire: WireFormat,
    fields: Fields,
    response: HttpResponse,
    *,
    streams: bool,
    refuse: Callable[[float], None],
) -> None:
    """Send an answer.

    Args:
        answer: The answer.
        wire: The format.
        fields: The fields of the request.
        response: The way to the client.
        streams: Whether the request asks for a stream.
        refuse: Has the server refuse connections for some seconds.

    Raises:
        UnsendableError: Neither HTTP nor the format has such an answer. Nothing has been sent.
    """
    if answer.delay:
        await asyncio.sleep(answer.delay)
    match answer:
        case Reply():
            await _reply(answer, wire, fields, response, streams=streams)
        case Failure():
            await response.whole(answer.status, wire.error(answer.status, answer.message), answer.all_headers)
        case Raw():
            kind = {} if answer.content_type is None else {"content-type": answer.content_type}
            await response.raw(answer.status, answer.body, {**kind, **answer.headers}, cut=answer.cut)
        case Reset():
            if answer.refuse_for:
                refuse(answer.refuse_for)
            response.reset()


async def _reply(reply: Reply, wire: WireFormat, fields: Fields, response: HttpResponse, *, streams: bool) -> None:
    try:
        pieces = list(wire.events(reply, fields)) if streams else [json.dumps(wire.whole(reply, fields)).encode()]
    except MISREADINGS as error:
        raise UnsendableError(f"the format {wire.NAME!r} has no such answer: {error}") from error
    if streams:
        await _stream(reply, pieces, wire.STREAM_TYPE, response)
    else:
        await _send_whole(reply, pieces[0], response)


async def _stream(reply: Reply, pieces: Sequence[bytes], content_type: str, response: HttpResponse) -> None:
    if reply.damage == "empty_body":
        await response.raw(200, b"", {"content-type": content_type})
        return
    content_type = "text/plain" if reply.damage == "wrong_content_type" else content_type
    for number, piece in enumerate(pieces):
        if reply.piece_delay and number:
            await asyncio.sleep(reply.piece_delay)
        if reply.hold and reply.hold.after == number:
            await reply.hold.wait()
        if reply.cut_after == number:
            response.cut()
            return
        if reply.damage == "malformed_json" and number == 1:
            await response.piece(_malformed(piece), content_type)
        else:
            await response.piece(piece, content_type)
    await response.end()


def _malformed(piece: bytes) -> bytes:
    """A piece of a stream without the end of its JSON, and with the line breaks that end it."""
    text = piece.rstrip(b"\n")
    return text[:-2] + piece[len(text) :]


async def _send_whole(reply: Reply, body: bytes, response: HttpResponse) -> None:
    if reply.hold:
        await reply.hold.wait()
    kind = "text/plain" if reply.damage == "wrong_content_type" else "application/json"
    if reply.damage == "malformed_json" or reply.cut_after is not None:
        body = body[: len(body) // 2]
    elif reply.damage == "empty_body":
        body = b""
    await response.raw(200, body, {"content-type": kind}, cut=reply.cut_after is not None)
