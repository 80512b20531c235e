from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from symposia.core._cancellation_token import CancellationToken
from symposia.core.exceptions import InvalidArgumentError

from ._base import BaseTool
from ._signature import read_signature


class FunctionTool(BaseTool[BaseModel, Any]):
    """A tool made of a function.

    An ``async def`` is awaited; a plain ``def`` runs in a worker thread, with the caller's context variables. Every
    parameter needs a type: what the model sends is turned into it, so that the function gets what it asks for, pydantic
    models and dataclasses included. ``Annotated[int, "what it is"]`` and ``Annotated[int, Field(…)]`` describe a
    parameter. One that is named ``cancellation_token`` gets the token of the call and is not shown to the model.

    Cancelling the token ends the call with `asyncio.CancelledError`. An ``async def`` is cancelled. A thread cannot be:
    a plain ``def`` runs on with nobody waiting, unless it looks at its ``cancellation_token``.

    Args:
        func: The function, or any other callable.
        description: What the model is told of it.
        name: What the model calls it by; the function's own name by default.
        global_imports: What the function's source needs imported when it is written down as text.
        strict: Whether the vendor must hold the model to the schema. No parameter may have a default then.

    Raises:
        InvalidArgumentError: The function's signature cannot be a tool's, or `strict` and a parameter has a default.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        description: str,
        name: str | None = None,
        global_imports: Sequence[object] = (),
        strict: bool = False,
    ) -> None:
        self._func = func
        self._global_imports = global_imports
        self._signature = read_signature(func)
        name = name or self._signature.name
        if name == "<lambda>":
            raise InvalidArgumentError("A lambda has no name that a model could call: give the tool a `name`.")
        super().__init__(self._signature.args_type, self._signature.return_type, name, description, strict)
        self._refuse_types_without_schema()

    def _refuse_types_without_schema(self) -> None:
        try:
            _ = self.schema
        except PydanticUserError as error:
            raise InvalidArgumentError(
                f"Tool '{self.name}' has a parameter of a type that JSON cannot give: {error}"
            ) from error

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the function.

        Raises:
            asyncio.CancelledError: The token was cancelled.
        """
        positional, keywords = self._signature.bind(args, cancellation_token)
        if self._signature.is_async:
            work = self._func(*positional, **keywords)
        else:
            work = asyncio.to_thread(self._func, *positional, **keywords)
        task = asyncio.ensure_future(work)
        cancellation_token.link_future(task)
        result = await task
        return await result if inspect.isawaitable(result) else result
