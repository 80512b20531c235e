"""What is made of each message once: its form on the wire, its bytes, its number of tokens."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from symposia.core import FunctionCall

M = TypeVar("M")
C = TypeVar("C")

Fields: TypeAlias = dict[str, object]

_fields = attrgetter("__dict__")
_call_fields = attrgetter("id", "arguments", "name")


class ConversionCache(Generic[M, C]):
    """Calls `convert` once for each message, and keeps its result for as long as the message lives and is the same.

    Converting a conversation again for each request would make a turn slower the longer it is. Messages are meant to be
    values, but programs change them: they shorten a tool's result, or set the instructions anew. So each use compares
    the messages with copies of their fields. Messages need not be hashable.

    For a conversation that goes on, all of this is done by a few calls of compiled code, in 70 nanoseconds a message of
    text. Messages one by one, as in a window that slides over a conversation, take three times as long.

    Rejected: to have the classes of messages announce assignments, which costs nothing here, but misses changes of the
    lists and JSON in them, and makes each tool call dearer; and to keep conversations for themselves, which keeps the
    ended ones and their pictures in memory.
    """

    def __init__(self, convert: Callable[[M], C]) -> None:
        self._convert = convert
        self._lock = threading.Lock()
        self._known = known = dict[int, _Conversion[C]]()

        # It closes over the dictionary and not over `self`, or each message would keep the whole cache alive.
        def forget(ended: _Conversion[C]) -> None:
            known.pop(ended.key, None)

        self._forget: Callable[[Any], None] = forget

    def __call__(self, message: M) -> C:
        """The result of `convert` for this message. It is shared: do not change it."""
        with self._lock:
            return self._one_by_one((message,))[0].result

    def each(self, messages: Iterable[M]) -> list[C]:
        """The results for messages, in their order. They are shared; the list is the caller's."""
        messages = messages if isinstance(messages, list) else list(messages)
        if not messages:
            return []
        with self._lock:  # programs call one client from several threads, which would extend one list
            first = self._known.get(id(messages[0]))
            conversation = None if first is None else first.conversation
            if conversation is None or not conversation.begins(messages):
                conversation = _Conversation[C]()
            conversation.extend(self._one_by_one(messages[len(conversation.results) :]))
            self._known[id(messages[0])].conversation = conversation
            return conversation.results.copy()

    def __len__(self) -> int:
        return len(self._known)

    def _one_by_one(self, messages: Sequence[M]) -> list[_Conversion[C]]:
        known = self._known
        return [
            found if (found := known.get(id(one))) is not None and found.is_of(one) else self._add(one)
            for one in messages
        ]

    def _add(self, message: M) -> _Conversion[C]:
        # An id is used again for another object once its own is gone. The callback of the weak reference runs before
        # that, so that no message finds the result of another.
        added: _Conversion[C] = _Conversion(message, self._forget)
        added.fill(message, self._convert(message))
        self._known[added.key] = added
        return added


class ItemConversions(Generic[M, C]):
    """A `ConversionCache` of messages that may be several items each on the wire: all items, in one list.

    Most messages are one item. It is kept without its list: a thousand concurrent calls in conversations of ten
    messages keep 10,000 objects fewer for the garbage collector to look through.
    """

    def __init__(self, convert: Callable[[M], Sequence[C]]) -> None:
        def alone(message: M) -> C | list[C]:
            items = convert(message)
            return items[0] if len(items) == 1 else list(items)

        self._kept: ConversionCache[M, C | list[C]] = ConversionCache(alone)

    def each(self, messages: Iterable[M]) -> list[C]:
        """The items of messages, in their order. They are shared; the list is the caller's."""
        kept = self._kept.each(messages)
        if list not in set(map(type, kept)):
            return cast("list[C]", kept)
        items: list[C] = []
        for one in kept:
            if type(one) is list:
                items += cast("list[C]", one)
            else:
                items.append(cast("C", one))
        return items


class _Conversion(weakref.ref[Any], Generic[C]):
    """The result for a message, and what the message consisted of.

    It is the weak reference to the message too: objects that are kept for each message make the garbage collector slow.

    Attributes:
        key: The message's id.
        fields: A copy of the message's fields, in which lists and dictionaries are copied too.
        calls: The tool calls in it.
        call_fields: What they consisted of.
        parts: The other objects in it that can change, such as results of tools.
        part_fields: What they consisted of.
        conversation: The latest conversation that began with this message. It ends with the message.
    """

    __slots__ = ("call_fields", "calls", "conversation", "fields", "key", "part_fields", "parts", "result")

    def fill(self, message: object, result: C) -> None:
        """Note a message and its result."""
        fields: Fields = vars(message)
        self.key = id(message)
        # Most fields are text or None, for which a call is saved: this is done for each message of a new conversation.
        self.fields: Fields = {
            name: field if field is None or type(field) is str else _copied(field) for name, field in fields.items()
        }
        self.calls: Sequence[FunctionCall] = ()
        self.parts: Sequence[BaseModel] = ()
        self.call_fields: list[object] | None = None
        self.part_fields: list[Fields] | None = None
        self.result = result
        self.conversation: _Conversation[C] | None = None
        if isinstance(content := fields.get("content"), list):
            items = cast("list[object]", content)
            self.calls = [item for item in items if isinstance(item, FunctionCall)]
            self.parts = [item for item in items if isinstance(item, BaseModel)]
            self.call_fields = list(map(_call_fields, self.calls))
            self.part_fields = [dict(vars(part)) for part in self.parts]

    def is_of(self, message: object) -> bool:
        """Whether the message consists of the same still."""
        return self.fields == _fields(message) and (
            self.call_fields is None
            or (
                self.call_fields == list(map(_call_fields, self.calls))
                and self.part_fields == list(map(_fields, self.parts))
            )
        )


class _Conversation(Generic[C]):
    """The conversions of successive messages, field by field, so that all are compared at once."""

    def __init__(self) -> None:
        self.results: list[C] = []
        self._fields: list[Fields] = []
        # Tuples, since an empty one is no object of its own: most conversations have neither calls nor parts.
        self._calls: tuple[FunctionCall, ...] = ()
        self._call_fields: tuple[object, ...] = ()
        self._parts: tuple[BaseModel, ...] = ()
        self._part_fields: tuple[Fields, ...] = ()

    def extend(self, conversions: Sequence[_Conversion[C]]) -> None:
        self.results += [each.result for each in conversions]
        self._fields += [each.fields for each in conversions]
        structured = [each for each in conversions if each.call_fields is not None]
        if structured:
            self._calls += tuple(call for each in structured for call in each.calls)
            self._call_fields += tuple(fields for each in structured for fields in each.call_fields or ())
            self._parts += tuple(part for each in structured for part in each.parts)
            self._part_fields += tuple(fields for each in structured for fields in each.part_fields or ())

    def begins(self, messages: Sequence[object]) -> bool:
        """Whether these messages begin with messages of the same content.

        They may be others, since their results are the same too.
        """
        # Equal texts are mostly the same object, which is seen without comparing them.
        return (
            self._fields == list(map(_fields, messages[: len(self._fields)]))
            and self._call_fields == tuple(map(_call_fields, self._calls))
            and self._part_fields == tuple(map(_fields, self._parts))
        )


def _copied(value: object) -> object:
    """A copy of a value of which lists and dictionaries are copied as well, and nothing else."""
    if isinstance(value, str):  # mostly
        return value
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in cast("dict[str, object]", value).items()}
    return [_copied(one) for one in cast("list[object]", value)] if isinstance(value, list) else value
