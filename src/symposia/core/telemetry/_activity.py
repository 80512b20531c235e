"""Activities: work with a span when tracing is enabled, and without cost when it is not.

A span is current only while code of the activity runs. A generator that kept it current across its ``yield`` would
make it the parent of whatever its consumer does meanwhile, and could not take it back from another context.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias, TypeVar

from symposia._lazy import lazy_module
from symposia.core.telemetry._providers import current_tracer
from symposia.core.telemetry.conventions import ERROR_TYPE

if TYPE_CHECKING:
    from opentelemetry import context as otel_context
    from opentelemetry import trace as otel
else:
    otel_context = lazy_module("opentelemetry.context")
    otel = lazy_module("opentelemetry.trace")

T = TypeVar("T")
Kind: TypeAlias = Literal["CLIENT", "CONSUMER", "INTERNAL", "PRODUCER"]
"""The kind of a span: a name of OpenTelemetry's ``SpanKind``, which is imported only when tracing is enabled."""
AttributeValue: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
"""The values of attributes that every release of OpenTelemetry takes."""
Attributes: TypeAlias = Mapping[str, AttributeValue | None]


class Activity:
    """A no-op activity, and the base class of traced activities. It is a context manager."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the activity, with the error that ended it, if any."""

    def current(self) -> AbstractContextManager[object]:
        """A context in which started activities become children of this one."""
        return _NOTHING

    def within(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The same stream, whose items are made inside the activity and consumed outside it."""
        return stream

    def note(self, attributes: Callable[[], Attributes]) -> None:
        """Add attributes that are not None. `attributes` is called only if tracing is enabled."""


class TracedActivity(Activity):
    """An activity with a span.

    Args:
        span: The span, which has begun.
    """

    __slots__ = ("span",)

    def __init__(self, span: otel.Span) -> None:
        self.span = span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the span; if by an error, with its class as ``error.type``."""
        if error is not None and not isinstance(error, GeneratorExit):
            self._fail(error)
        self.span.end()

    def current(self) -> AbstractContextManager[object]:
        """See `Activity.current`."""
        from opentelemetry import trace  # noqa: PLC0415 - imported already where tracing is enabled

        return trace.use_span(self.span, record_exception=False, set_status_on_exception=False)

    async def within(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """See `Activity.within`."""
        async with aclosing(stream):
            while True:
                with self.current():
                    item = await anext(stream, _END)
                if item is _END:
                    return
                yield item  # type: ignore[misc]  # not the mark of the end, of which there is one

    def note(self, attributes: Callable[[], Attributes]) -> None:
        """See `Activity.note`."""
        if self.span.is_recording():
            self.span.set_attributes(without_none(attributes()))

    def _fail(self, error: BaseException) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - imported already where tracing is enabled

        self.span.set_attribute(ERROR_TYPE, type(error).__qualname__)
        self.span.set_status(StatusCode.ERROR, str(error))
        self.span.record_exception(error)


UNTRACED: Final = Activity()
"""The no-op activity."""


def begin_if_traced(name: str, kind: Kind, attributes: Callable[[], Attributes]) -> Activity:
    """Begin an activity, with a span if tracing is enabled; else `attributes` is not called. See `begin`."""
    tracer = current_tracer()
    return UNTRACED if tracer is None else begin(tracer, name, kind, attributes())


def begin(
    tracer: otel.Tracer, name: str, kind: Kind, attributes: Attributes, parent: otel_context.Context | None = None
) -> TracedActivity:
    """Begin an activity with a span.

    Args:
        tracer: What makes the span.
        name: Its name.
        kind: What sort of work it is.
        attributes: The attributes at the start; those that are None are left out.
        parent: The parent span, if it is not the current one.
    """
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - imported already where tracing is enabled

    return TracedActivity(tracer.start_span(name, parent, kind=SpanKind[kind], attributes=without_none(attributes)))


def without_none(attributes: Attributes) -> dict[str, AttributeValue]:
    """The attributes that are known."""
    return {name: value for name, value in attributes.items() if value is not None}


_END: Final = object()
_NOTHING: Final = nullcontext()
