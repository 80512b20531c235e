"""Scopes: the path on which an effect happens, such as ``team:research/turn:4/agent:writer/tool:search.0``.

A scope names a place in a program, not a moment in time. Its parts are the same each time the program runs:
names, the number of a turn, the place of a tool call in the model's answer. Two branches that run at the same time are
in different scopes, so neither's effects depend on the order in which the other's come.

Scopes are tracked only below `handle_effects`, or below a message from a process where they are. Elsewhere entering one
costs a lookup of a context variable.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from symposia.core._contexts import iterate_with

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """A path of segments, the outermost first. Written as text, ``/`` stands between them.

    Attributes:
        segments: Each is a kind and a name, such as ``agent:writer``; any text that is not empty.
    """

    segments: tuple[str, ...] = ()

    def child(self, segment: str) -> Scope:
        """The scope below this one.

        Raises:
            ValueError: `segment` is empty.
        """
        if not segment:
            raise ValueError("A segment of a scope must not be empty.")
        return Scope((*self.segments, segment))

    def contains(self, other: Scope) -> bool:
        """Whether `other` is this scope or lies below it."""
        return other.segments[: len(self.segments)] == self.segments

    def __str__(self) -> str:
        return "/".join(segment.replace("%", "%25").replace("/", "%2F") for segment in self.segments)

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read a scope from the text that `str` gives."""
        if not text:
            return cls()
        return cls(tuple(part.replace("%2F", "/").replace("%25", "%") for part in text.split("/")))


class ScopeFrame:
    """A scope that is entered at present, and how often each segment was entered below it.

    The counters make the second entry of a segment another scope (``agent:writer#2``). They are kept per segment, so
    that an entry's number does not depend on what branches of other names do. A ``#`` in a name is doubled, so that the
    team ``x#2`` is not the second run of the team ``x``: before a number stands an odd number of them.

    Attributes:
        scope: The scope.
    """

    __slots__ = ("__weakref__", "_entries", "_requests", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._entries: dict[str, int] | None = None
        self._requests: dict[str, int] | None = None

    def enter(self, segment: str) -> ScopeFrame:
        """The frame of a segment below this one."""
        # Made when needed: most frames are leaves, and one is made for each turn, agent and tool call.
        entries = self._entries = self._entries or {}
        segment = segment.replace("#", "##")
        number = entries[segment] = entries.get(segment, 0) + 1
        return ScopeFrame(self.scope.child(segment if number == 1 else f"{segment}#{number}"))

    def count(self, digest: str) -> int:
        """How many equal requests came before in this scope."""
        requests = self._requests = self._requests or {}
        number = requests.get(digest, 0)
        requests[digest] = number + 1
        return number


current_frame: ContextVar[ScopeFrame | None] = ContextVar("symposia_effect_scope", default=None)


def current_scope() -> Scope:
    """The scope entered here; the empty scope where none is tracked."""
    frame = current_frame.get()
    return Scope() if frame is None else frame.scope


class enter_scope:  # noqa: N801 - a context manager, used like a function
    """Enter a scope below the current one: ``with enter_scope("agent:writer"):``.

    A segment that is entered again below the same scope gets a number in order of arrival: ``agent:writer#2``. Do not
    hold it open over a ``yield``: an async generator shares its consumer's context. Use `iterate_in_scope` there.
    """

    __slots__ = ("_segment", "_token")

    # A class with slots and not `contextlib.contextmanager`, whose generator costs four times as much at each agent,
    # turn and tool call of programs without handlers.
    def __init__(self, segment: str) -> None:
        self._segment = segment
        self._token: Token[ScopeFrame | None] | None = None

    def __enter__(self) -> None:
        frame = current_frame.get()
        if frame is not None:
            self._token = current_frame.set(frame.enter(self._segment))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            current_frame.reset(self._token)


class continue_scope(AbstractContextManager[None]):  # noqa: N801 - a context manager, used like a function
    """Go on in a scope of another process, which came with a message. An empty scope is not tracked.

    For runtimes that carry messages between processes: the sender's `current_scope` travels in the envelope as text.
    """

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._token: Token[ScopeFrame | None] | None = None

    def __enter__(self) -> None:
        self._token = current_frame.set(ScopeFrame(self._scope) if self._scope.segments else None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            current_frame.reset(self._token)


class RecurringScope:
    """A segment that one object enters again and again: below the same scope it keeps its number.

    For what numbers its own parts over its whole life, as a team does its turns. If each run of a team had a number
    too, a process that resumes the team would not find what was recorded in the second run: it begins to count anew.

    Args:
        segment: As for `enter_scope`.
    """

    __slots__ = ("_scopes", "_segment")

    def __init__(self, segment: str) -> None:
        self._segment = segment
        # One for each frame, and not that of the last frame alone: a program may use a team here and there in turn.
        # Weak, since a nested team is entered in a frame of its own in each turn of the team around it.
        self._scopes: WeakKeyDictionary[ScopeFrame, Scope] = WeakKeyDictionary()

    def enter(self) -> AbstractContextManager[None]:
        """A context in which the scope is entered."""
        frame = current_frame.get()
        if frame is None:
            return _NOTHING
        scope = self._scopes.get(frame)
        if scope is None:
            scope = self._scopes[frame] = frame.enter(self._segment).scope
        return continue_scope(scope)

    def forget(self) -> None:
        """Be another one from now on: the object has gone back to where it was before."""
        self._scopes.clear()


_NOTHING: Final = nullcontext()


def iterate_in_scope(segment: str, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same items, each computed inside the scope `segment` below the current one.

    Closing the returned generator closes `items`.
    """
    frame = current_frame.get()
    return items if frame is None else iterate_with(current_frame, frame.enter(segment), items)
