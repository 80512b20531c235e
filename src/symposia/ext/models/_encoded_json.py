"""Requests as the bytes of their JSON, in which the bytes of each message are made once.

A conversation is sent again with each request, and all but its end is the same. Encoding a thousand messages takes half
a millisecond or more; to join their bytes, a twentieth of that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from symposia.core.json_values import encodable

LONGEST_KEPT: Final = 64 * 1024
"""Bytes of an object that are kept, at most. Pictures are longer, and are not held in memory once more."""

_dumps: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""As the vendors' SDKs write JSON."""


class EncodedObject(dict[str, object]):
    """A JSON object that is sent again and again, such as a message. It is not to be changed."""

    __slots__ = ("_encoded",)

    _encoded: bytes

    @property
    def encoded(self) -> bytes:
        """The bytes of its JSON."""
        try:
            return self._encoded
        except AttributeError:
            # Not by `encode_json`: to look for objects in it that are encoded already takes longer than to encode them,
            # and pictures, which do not, are not kept.
            encoded = encode_object(self)
        if len(encoded) <= LONGEST_KEPT:
            self._encoded = encoded
        return encoded


class EncodedItems(list[bytes]):
    """A list in a request whose items are the bytes of their JSON: messages that nothing reads before they are sent.

    The garbage collector passes over bytes. It looks through each `EncodedObject`, and 1,000 conversations of ten
    messages at once bring about one more of its full collections, which takes a third of the time of all requests.
    """

    __slots__ = ()

    def decoded(self) -> list[object]:
        """The items as JSON values."""
        return list(map(from_json, self))


def encode_json(request: Mapping[str, object]) -> bytes:
    """An object as the bytes of its JSON; lists of `EncodedItems`, and with an `EncodedObject`, stand at the end.

    Half of a surrogate pair becomes U+FFFD. ``json`` would escape it, and a server refuse the escape.

    Raises:
        TypeError: A value cannot be written as JSON.
        ValueError: A number is infinite or none, or the value contains itself.
    """
    lists = {
        name: items
        for name, value in request.items()
        if isinstance(value, list) and (items := _encoded_list(cast("list[object]", value))) is not None
    }
    if not lists:
        return encode_object(request)
    others = {name: value for name, value in request.items() if name not in lists}
    parts = [encode_object(others)[:-1] if others else b"{"]
    for name, items in lists.items():
        parts += (b"," if len(parts) > 1 or others else b"", _encoded(name), b":[", items, b"]")
    return b"".join((*parts, b"}"))  # one copy of a long conversation; `%` takes ten times as long


def encode_object(value: Mapping[str, object]) -> bytes:
    """An object as the bytes of its JSON, as `encode_json` writes it, where no part of it is encoded already.

    Raises:
        TypeError: A value cannot be written as JSON.
        ValueError: A number is infinite or none, or the value contains itself.
    """
    # Most messages consist of texts, which pydantic writes alike in a fifth of the time. Of other values it takes some
    # that are no JSON, such as NaN and bytes.
    for one in value.values():
        if type(one) is not str:
            return _encoded(value)
    try:
        return to_json(dict(value))
    except PydanticSerializationError:  # a surrogate
        return _encoded(value)


def replace_surrogates(value: object) -> object:
    """A JSON value with U+FFFD for each half of a surrogate pair, which UTF-8 cannot encode."""
    match value:
        case str():
            return encodable(value)
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            return {replace_surrogates(name): replace_surrogates(each) for name, each in fields.items()}
        case list() | tuple():
            return [replace_surrogates(each) for each in cast("Sequence[object]", value)]
        case _:
            return value


def _encoded_list(items: list[object]) -> bytes | None:
    """The items of a list of bytes, or of one that begins or ends with an `EncodedObject`; None for any other list."""
    if isinstance(items, EncodedItems):
        return b",".join(cast("list[bytes]", items))
    if not items or not (isinstance(items[0], EncodedObject) or isinstance(items[-1], EncodedObject)):
        return None
    # No call for those that are encoded: nearly all.
    return b",".join([getattr(item, "_encoded", None) or _encoded_item(item) for item in items])


def _encoded_item(item: object) -> bytes:
    return item.encoded if isinstance(item, EncodedObject) else _encoded(item)


def _encoded(value: object) -> bytes:
    try:
        return _dumps(value).encode()
    except UnicodeEncodeError:  # cleaned only now, so that the other requests pay nothing for it
        return _dumps(replace_surrogates(value)).encode()
