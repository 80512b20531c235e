"""Tools made of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, Field
from pydantic.errors import PydanticUserError

from symposia.core._cancellation_token import CancellationToken, cancelled_by
from symposia.core._component import require_trusted_code
from symposia.core._worker_threads import call_function
from symposia.core.argument_checks import check_flag, check_list, check_text
from symposia.core.code_executor import Import
from symposia.core.effects import Idempotency
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools._base_tool import BaseTool
from symposia.core.tools._parameters_schema import check_parameters
from symposia.core.tools._signature import AnyFunction, read_signature
from symposia.core.tools._tool import ToolTraits

if TYPE_CHECKING:
    from symposia.core.tools._function_source import FunctionSource


class FunctionToolConfig(BaseModel, defer_build=True):
    """A saved `FunctionTool`: its function as text.

    Attributes:
        source_code: The definition of the function.
        name: The name of the tool for the model.
        description: The description of the tool for the model.
        global_imports: The imports that the source needs.
        has_cancellation_support: Whether the function takes the cancellation token.
        strict: Whether the vendor must hold the model to the schema.
        idempotency: Whether calling it again does harm. Left out where it is not known, as AutoGen has no such field.
        transparent: Whether effect handlers see what it does instead of its calls. Left out where they do not.
    """

    source_code: str
    name: str
    description: str
    global_imports: Sequence[Import] = ()
    has_cancellation_support: bool = False
    strict: bool = False
    idempotency: Idempotency = Field(default="unknown", exclude_if=lambda value: value == "unknown")
    transparent: bool = Field(default=False, exclude_if=lambda value: not value)


class FunctionTool(BaseTool[BaseModel, Any]):
    """A tool made of a function.

    An ``async def`` is awaited; a plain ``def`` runs in a worker thread, with the caller's context variables. Every
    parameter needs a type: the arguments are converted to these types, pydantic models and dataclasses included.
    ``Annotated[int, "what it is"]`` and ``Annotated[int, Field(…)]`` describe a parameter. One that is named
    ``cancellation_token`` gets the token of the call and is not shown to the model.

    Saved as a component, the function is its source, with the imports of what it uses of its module. Loading it again
    runs that source, which needs trust: ``FunctionTool.load_component(model, trust_code=True)``.

    Cancelling the token ends the call with `asyncio.CancelledError`. An ``async def`` is cancelled. A thread cannot be:
    a plain ``def`` runs on in its thread, and its result is dropped, unless it checks its ``cancellation_token``.

    Args:
        func: The function, or any other callable.
        description: The description of the tool for the model.
        name: The name by which the model calls it; by default, the function's own name.
        global_imports: Imports that the saved source needs, beyond those that can be derived.
        strict: Whether the vendor must hold the model to the schema. No parameter may have a default then.
        idempotency: Whether calling the function again with the same arguments does harm; see `Idempotency`.
        transparent: Whether what the function does are model calls, tool calls and the like themselves, as with a
            function that runs a team. Effect handlers then see those instead of the call.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: The function's signature cannot be a tool's, or `strict` and a parameter has a default.
    """

    component_config_schema = FunctionToolConfig

    def __init__(
        self,
        func: AnyFunction,
        description: str,
        name: str | None = None,
        global_imports: Sequence[Import] = (),
        strict: bool = False,
        *,
        idempotency: Idempotency = "unknown",
        transparent: bool = False,
    ) -> None:
        owner = "FunctionTool"
        check_text("description", owner, description)
        if name is not None:
            check_text("name", owner, name)
        if global_imports:
            check_list("The global_imports of FunctionTool", global_imports)
        check_flag("strict", owner, strict)
        self._func = func
        self.traits = ToolTraits(idempotency=idempotency, transparent=transparent)
        self._global_imports = global_imports
        self._source: FunctionSource | None = None
        self._signature = read_signature(func, name)
        name = self._signature.name
        if name == "<lambda>":
            raise InvalidArgumentError("A lambda has no name that a model could call: give the tool a `name`.")
        super().__init__(self._signature.args_type, self._signature.return_type, name, description, strict)
        self._refuse_types_without_schema()

    def _refuse_types_without_schema(self) -> None:
        try:
            check_parameters(self._args_type, strict=self._strict)
        except PydanticUserError as error:
            raise InvalidArgumentError(
                f"Tool '{self.name}' has a parameter of a type that JSON cannot give: {error}"
            ) from error

    def _to_config(self) -> FunctionToolConfig:
        from symposia.core.tools._function_source import read_source  # noqa: PLC0415 - few programs save a tool

        source = self._source or read_source(self._func, self.name, self._global_imports)
        return FunctionToolConfig(
            source_code=source.code,
            name=self.name,
            description=self.description,
            global_imports=source.imports,
            has_cancellation_support=self._signature.takes_token,
            strict=self._strict,
            idempotency=self.traits.idempotency,
            transparent=self.traits.transparent,
        )

    @classmethod
    def _from_config(cls, config: FunctionToolConfig) -> Self:
        from symposia.core.tools._function_source import FunctionSource, make_function  # noqa: PLC0415 - only loading needs it

        require_trusted_code(f"The tool {config.name!r}")
        source = FunctionSource(code=config.source_code, imports=tuple(config.global_imports))
        function = make_function(source, config.name)
        tool = cls(
            function,
            config.description,
            config.name,
            config.global_imports,
            config.strict,
            idempotency=config.idempotency,
            transparent=config.transparent,
        )
        tool._source = source
        return tool

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the function.

        Raises:
            asyncio.CancelledError: The token was cancelled.
        """
        positional, keywords = self._signature.bind(args, cancellation_token)
        with cancelled_by(cancellation_token):
            return await call_function(self._func, *positional, **keywords)
