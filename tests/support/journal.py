"""An in-memory journal of effects: it records them as JSON, and answers them from the record when a program runs again.

It is what `symposia.core.effects` has to carry, in as few lines as that takes. `Journal.crash_at` ends the program at
one of its writes, as a killed process would.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from pydantic import JsonValue

from symposia.core.effects import (
    Effect,
    EffectRequest,
    decode_error,
    encode_error,
    find_effect_kind,
)

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class Crash(BaseException):
    """The process was killed."""


@dataclass(frozen=True)
class Record:
    """One line of the journal."""

    what: Literal["begun", "result", "error"]
    effect: str  # the effect's id
    scope: str
    kind: str
    value: str  # JSON: the request, the result or the error


@dataclass
class Journal:
    """An effect handler that records.

    Attributes:
        records: Everything recorded so far, the oldest first.
        crash_at: The number of records after which the process ends; None: never.
        performed: The effects that were really performed since the journal was made, as ``scope kind``.
    """

    records: list[Record] = field(default_factory=list[Record])
    crash_at: int | None = None
    performed: list[str] = field(default_factory=list[str])

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        for record in self.records:
            if record.effect == effect.id and record.what == "result":
                return effect.kind.decode_result(json.loads(record.value))
            if record.effect == effect.id and record.what == "error":
                raise decode_error(json.loads(record.value))
        request = effect.kind.encode_request(effect.request)
        kind = find_effect_kind(effect.kind.name)
        assert kind.encode_request(kind.decode_request(request)) == request
        self._write("begun", effect, request)
        self.performed.append(f"{effect.scope} {effect.kind.name}")
        try:
            result = await proceed()
        except Exception as error:
            self._write("error", effect, encode_error(error))
            raise
        self._write("result", effect, effect.kind.encode_result(result))
        return result

    def _write(
        self, what: Literal["begun", "result", "error"], effect: Effect[Request, Result], value: JsonValue
    ) -> None:
        if self.crash_at is not None and len(self.records) >= self.crash_at:
            raise Crash
        self.records.append(Record(what, effect.id, str(effect.scope), effect.kind.name, json.dumps(value)))
