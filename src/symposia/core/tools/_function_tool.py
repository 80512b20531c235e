"""Tools made of functions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self, cast

from pydantic import BaseModel, Field
from pydantic.errors import PydanticUserError

from symposia.core._cancellation_token import CancellationToken, cancelled_by
from symposia.core._component import code_is_trusted, require_trusted_code
from symposia.core._worker_threads import call_function
from symposia.core.argument_checks import check_flag, check_list, check_text
from symposia.core.code_executor import Import
from symposia.core.effects import Idempotency
from symposia.core.exceptions import InvalidArgumentError, ToolFunctionError
from symposia.core.tools._base_tool import BaseTool
from symposia.core.tools._parameters_schema import check_parameters
from symposia.core.tools._signature import AnyFunction, read_signature
from symposia.core.tools._tool import ToolSchema, ToolTraits

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

    Saved as a component, the function is its source, with the imports of what it uses of its module. Loaded again, that
    source runs in a sandbox, which starts at the first use; see `run_component_code_in`. After
    ``FunctionTool.load_component(model, trust_code=True)`` it runs in this process.

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

        if not code_is_trusted() and cls is FunctionTool:
            return cast("Self", SandboxedFunctionTool(config))
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


class SandboxedFunctionTool(FunctionTool):
    """A `FunctionTool` from JSON: its function is described and called in a sandbox.

    The sandbox says at the first use what the parameters are; from then on, an ordinary tool of a function that asks
    the sandbox does the work. Arguments are validated in this process, and cross as JSON; so does the result, or its
    text where it has no form in JSON.

    It is always an effect: a function that a sandbox holds cannot call models or tools that would be effects instead.
    """

    def __init__(self, config: FunctionToolConfig) -> None:
        from symposia.core.tools._function_source import import_statements  # noqa: PLC0415 - only loading needs it
        from symposia.core.tools._sandboxed import RemoteFunction, component_sandbox  # noqa: PLC0415 - likewise

        BaseTool.__init__(self, BaseModel, object, config.name, config.description)  # pyright: ignore[reportUnknownMemberType]
        self._strict = config.strict
        self._config = config
        self.traits = ToolTraits(idempotency=config.idempotency)
        imports = import_statements(config.global_imports)
        self._remote = RemoteFunction(config.name, config.source_code, imports, component_sandbox())
        self._described: FunctionTool | None = None

    @property
    def schema(self) -> ToolSchema:
        """The description of the tool for a model. Blocks before `prepare` was awaited."""
        return self._tool_now().schema

    def args_type(self) -> type[BaseModel]:
        """The model that validates the arguments. Blocks before `prepare` was awaited."""
        return self._tool_now().args_type()

    def return_type(self) -> type[Any]:
        """The type of the result of `run`. Blocks before `prepare` was awaited."""
        return self._tool_now().return_type()

    @property
    def is_prepared(self) -> bool:
        """Whether the sandbox was asked for the signature."""
        return self._described is not None

    async def prepare(self) -> None:
        """Ask the sandbox for the signature. See `BaseTool.prepare`."""
        await self._tool()

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the function in the sandbox. See `FunctionTool.run`."""
        return await (await self._tool()).run(args, cancellation_token)

    async def run_json(
        self, args: Mapping[str, object], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> Any:
        """Validate the arguments and `run`. See `BaseTool.run_json`."""
        with cancelled_by(cancellation_token):
            tool = await self._tool()
        return await tool.run_json(args, cancellation_token, call_id)

    async def _tool(self) -> FunctionTool:
        # Two first uses at the same time ask twice: the answers are the same, and the sandbox takes one after another.
        if self._described is None:
            # In a thread, as the time that it takes depends on the types that hostile code has described.
            self._described = await asyncio.to_thread(self._make_tool, await self._remote.as_function())
        return self._described

    def _make_tool(self, function: AnyFunction) -> FunctionTool:
        config = self._config
        try:
            return FunctionTool(
                function, config.description, config.name, strict=config.strict, idempotency=config.idempotency
            )
        except InvalidArgumentError as error:
            raise ToolFunctionError(str(error)) from error
        except Exception as error:  # pydantic raises many kinds
            raise ToolFunctionError(f"The tool {config.name!r} has a signature without a schema: {error}") from error

    def _tool_now(self) -> FunctionTool:
        """The tool, for properties, which cannot await.

        The loop of this thread waits meanwhile. An error that says to await `prepare` was rejected: programs written
        for AutoGen read the schema where they please. What shows tools to models here awaits `prepare` before.
        """
        if self._described is None:
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(copy_context().run, asyncio.run, self._tool()).result()
        return self._described

    def _to_config(self) -> FunctionToolConfig:
        return self._config

    @classmethod
    def _saved_class(cls) -> type[FunctionTool]:
        return FunctionTool
