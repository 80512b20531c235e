"""Base classes for tools written as classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.telemetry import is_observed
from symposia.core.tools._arguments import validate_arguments
from symposia.core.tools._parameters_schema import parameters_schema
from symposia.core.tools._tool import StreamTool, Tool, ToolSchema, ToolTraits

if TYPE_CHECKING:
    from symposia.core.tools._traced_call import TracedCall

ArgsT_contra = TypeVar("ArgsT_contra", bound=BaseModel, contravariant=True)
ReturnT_co = TypeVar("ReturnT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
StateT = TypeVar("StateT", bound=BaseModel)


class BaseTool(ABC, Tool, ComponentBase, Generic[ArgsT_contra, ReturnT_co]):
    """A tool whose arguments are a pydantic model: implement `run`.

    Args:
        args_type: The model that validates the arguments. Its JSON schema is shown to the language model.
        return_type: The type of the result of `run`.
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        strict: Whether the vendor must hold the model to the schema. No argument may have a default then.

    Attributes:
        traits: The description of the tool for effect handlers. Set it in a subclass whose calls may be repeated.

    Raises:
        InvalidArgumentError: `strict`, and an argument has a default.
    """

    component_type = "tool"
    traits: ToolTraits = ToolTraits()

    def __init__(
        self,
        args_type: type[ArgsT_contra],
        return_type: type[ReturnT_co],
        name: str,
        description: str,
        strict: bool = False,
    ) -> None:
        self._args_type = args_type
        self._return_type = return_type
        self._name = name
        self._description = description
        self._strict = strict
        if strict:
            self._refuse_defaults()

    def _refuse_defaults(self) -> None:
        optional = [name for name, field in self._args_type.model_fields.items() if not field.is_required()]
        if optional:
            raise InvalidArgumentError(
                "Strict mode is enabled, but not all input arguments are marked as required. Default arguments are not"
                f" allowed in strict mode. Tool '{self._name}' has defaults for: {', '.join(optional)}."
            )

    @property
    def name(self) -> str:
        """The name by which the model calls the tool."""
        return self._name

    @property
    def description(self) -> str:
        """The description of the tool for the model."""
        return self._description

    @property
    def schema(self) -> ToolSchema:
        """The description of the tool for a model. The same object each time, which belongs to this tool alone."""
        return self._schema

    @cached_property
    def _schema(self) -> ToolSchema:
        return ToolSchema(
            name=self._name,
            description=self._description,
            parameters=parameters_schema(self._args_type, strict=self._strict),
            strict=self._strict,
        )

    @property
    def is_prepared(self) -> bool:
        """Whether `schema` can be read at once, without `prepare`."""
        return True

    async def prepare(self) -> None:
        """Find out what `schema` needs, where that takes time. Nothing, by default.

        Whatever shows a tool to a model calls it first. Calling it again is cheap.

        Raises:
            SandboxError: The tool's code needs a sandbox, which failed.
            ToolFunctionError: The tool's code has no function that can be a tool.
        """

    def args_type(self) -> type[BaseModel]:
        """The model that validates the arguments."""
        return self._args_type

    def return_type(self) -> type[Any]:
        """The type of the result of `run`."""
        return self._return_type

    def state_type(self) -> type[BaseModel] | None:
        """The type of the tool's state: None, it has no state."""
        return None

    def return_value_as_string(self, value: object) -> str:
        """The text of a result, for the model, written as AutoGen writes it.

        A pydantic model is its dump as JSON; a dump that is not a dictionary, as that of a `RootModel`, is the `str` of
        it. Any other value is the `str` of it.

        Raises:
            ValueError: A model's dump has values that JSON cannot hold, such as bytes that are not UTF-8.
        """
        if not isinstance(value, BaseModel):
            return str(value)
        import json  # noqa: PLC0415 - only programs with tools need it

        dump = cast("object", value.model_dump())  # a class may have a dump of its own
        if not isinstance(dump, dict):
            return str(dump)
        try:
            return json.dumps(dump)
        except TypeError:  # dates, UUIDs, sets, …: AutoGen tells the model of the TypeError instead of the result
            return json.dumps(to_jsonable_python(dump, fallback=str))

    @abstractmethod
    async def run(self, args: ArgsT_contra, cancellation_token: CancellationToken) -> ReturnT_co:
        """Do the work.

        Args:
            args: The validated arguments.
            cancellation_token: Cancelled when the caller no longer waits for the result.
        """

    async def run_json(
        self,
        args: Mapping[str, object],
        cancellation_token: CancellationToken,
        call_id: str | None = None,
    ) -> Any:
        """Validate the arguments and `run`, as a traced call where tracing or event logging is on.

        Raises:
            ToolArgumentsError: The arguments are wrong; its text describes the fault to the model.
        """
        if is_observed():
            return await _traced_call(self, args, call_id).trace(
                lambda: self.run(validate_arguments(args, self._args_type, self), cancellation_token)
            )
        return await self.run(validate_arguments(args, self._args_type, self), cancellation_token)

    async def save_state_json(self) -> Mapping[str, Any]:
        """The tool's state: empty, it has no state."""
        return {}

    async def load_state_json(self, state: Mapping[str, object]) -> None:
        """Do nothing: there is no state to restore."""


class BaseStreamTool(BaseTool[ArgsT_contra, ReturnT_co], StreamTool, Generic[ArgsT_contra, StreamT_co, ReturnT_co]):
    """A tool that yields items while it runs: implement `run_stream` and `run`."""

    @abstractmethod
    def run_stream(
        self, args: ArgsT_contra, cancellation_token: CancellationToken
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        """Do the work and yield items to show; the last item is the result."""

    async def run_json_stream(
        self,
        args: Mapping[str, object],
        cancellation_token: CancellationToken,
        call_id: str | None = None,
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        """Validate the arguments and `run_stream`, as a traced call where tracing or event logging is on.

        Raises:
            ToolArgumentsError: The arguments are wrong; its text describes the fault to the model.
        """
        stream = self._validate_and_stream(args, cancellation_token)
        if is_observed():
            stream = _traced_call(self, args, call_id).trace_stream(stream)
        async with aclosing(stream) as items:
            async for item in items:
                yield item

    async def _validate_and_stream(
        self, args: Mapping[str, object], cancellation_token: CancellationToken
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        arguments = validate_arguments(args, self._args_type, self)
        async with aclosing(self.run_stream(arguments, cancellation_token)) as items:
            async for item in items:
                yield item


def _traced_call(tool: Tool, args: Mapping[str, object], call_id: str | None) -> TracedCall:
    from symposia.core.tools._traced_call import TracedCall  # noqa: PLC0415 - most programs are not traced

    return TracedCall(tool, args, call_id)


async def prepare_tools(tools: Iterable[object]) -> None:
    """`BaseTool.prepare` those that are a `BaseTool`; schemas and other tools need none."""
    for tool in tools:
        if isinstance(tool, BaseTool):
            await cast("BaseTool[Any, Any]", tool).prepare()


class BaseToolWithState(BaseTool[ArgsT_contra, ReturnT_co], Generic[ArgsT_contra, ReturnT_co, StateT]):
    """A tool whose state is a pydantic model: implement `run`, `save_state` and `load_state`."""

    def __init__(
        self,
        args_type: type[ArgsT_contra],
        return_type: type[ReturnT_co],
        state_type: type[StateT],
        name: str,
        description: str,
    ) -> None:
        super().__init__(args_type, return_type, name, description)
        self._state_type = state_type

    def state_type(self) -> type[BaseModel] | None:
        """The type of the tool's state."""
        return self._state_type

    @abstractmethod
    def save_state(self) -> StateT:
        """The tool's state."""

    @abstractmethod
    def load_state(self, state: StateT) -> None:
        """Restore what `save_state` returned."""

    async def save_state_json(self) -> Mapping[str, Any]:
        """The tool's state, as JSON values."""
        return self.save_state().model_dump(mode="json")

    async def load_state_json(self, state: Mapping[str, object]) -> None:
        """Restore what `save_state_json` returned."""
        self.load_state(self._state_type.model_validate(state))
