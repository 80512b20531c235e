"""A handler of effects that remembers them."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from symposia.core.effects import Effect, EffectRequest

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class EffectRecorder:
    """Performs effects, and remembers them in their order.

    Attributes:
        effects: Every effect.
    """

    def __init__(self) -> None:
        self.effects: list[Effect[Any, Any]] = []  # Any: of every kind

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        self.effects.append(effect)
        return await proceed()

    @property
    def scopes(self) -> list[str]:
        """Where they happened."""
        return [str(effect.scope) for effect in self.effects]
