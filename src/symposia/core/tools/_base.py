"""Base classes for tools written as classes."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from symposia.core._component import ComponentBase
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError
from symposia.core.telemetry import somebody_listens
from symposia.core.tools._json_schema import close_objects, inline_references
from symposia.core.tools._observed import ObservedCall
from symposia.core.tools._protocol import StreamTool, Tool
from symposia.core.tools._schema import ParametersSchema, ToolSchema, ToolTraits

if TYPE_CHECKING:
    from symposia.core._cancellation_token import CancellationToken

ArgsT_contra = TypeVar("ArgsT_contra", bound=BaseModel, contravariant=True)
ReturnT_co = TypeVar("ReturnT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
StateT = TypeVar("StateT", bound=BaseModel)
ModelT = TypeVar("ModelT", bound=BaseModel)


class BaseTool(ABC, Tool, ComponentBase, Generic[ArgsT_contra, ReturnT_co]):
    """A tool whose arguments are a pydantic model: implement `run`.

    Args:
        args_type: What the arguments are validated as; its schema is what the model is told.
        return_type: What `run` returns.
        name: What the model calls the tool by.
        description: What the model is told of it.
        strict: Whether the vendor must hold the model to the schema. No argument may have a default then.

    Attributes:
        traits: What effect handlers are told of the tool. Set it in a subclass whose calls may be repeated.

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
        """What the model calls the tool by."""
        return self._name

    @property
    def description(self) -> str:
        """What the model is told of the tool."""
        return self._description

    @property
    def schema(self) -> ToolSchema:
        """All that a model is told of the tool: the same object each time, not to be changed."""
        return self._schema

    @cached_property
    def _schema(self) -> ToolSchema:
        return ToolSchema(
            name=self._name,
            description=self._description,
            parameters=_parameters(self._args_type, strict=self._strict),
            strict=self._strict,
        )

    def args_type(self) -> type[BaseModel]:
        """What the arguments are validated as."""
        return self._args_type

    def return_type(self) -> type[Any]:
        """What `run` returns."""
        return self._return_type

    def state_type(self) -> type[BaseModel] | None:
        """What the tool's state is: None, it has none."""
        return None

    def return_value_as_string(self, value: Any) -> str:
        """What the model is shown of a result: a pydantic model as JSON, anything else as `str` says it."""
        if isinstance(value, BaseModel):
            return json.dumps(value.model_dump(mode="json"), ensure_ascii=False)
        return str(value)

    @abstractmethod
    async def run(self, args: ArgsT_contra, cancellation_token: CancellationToken) -> ReturnT_co:
        """Do the work.

        Args:
            args: The validated arguments.
            cancellation_token: Cancelled when nobody waits for the result any more.
        """

    async def run_json(
        self,
        args: Mapping[str, Any],
        cancellation_token: CancellationToken,
        call_id: str | None = None,
    ) -> Any:
        """Validate the arguments and `run`, in view of those who trace or read events.

        Raises:
            ToolArgumentsError: The arguments are wrong; its text tells the model how to mend them.
        """
        if somebody_listens():
            call = ObservedCall(self, args, call_id)
            return await call.watch(lambda: self.run(_validate(args, self._args_type, self), cancellation_token))
        return await self.run(_validate(args, self._args_type, self), cancellation_token)

    async def save_state_json(self) -> Mapping[str, Any]:
        """The tool's state: empty, it has none."""
        return {}

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """Take back a state: there is nothing to take."""


class BaseStreamTool(BaseTool[ArgsT_contra, ReturnT_co], StreamTool, Generic[ArgsT_contra, StreamT_co, ReturnT_co]):
    """A tool that shows what it does while it runs: implement `run_stream` and `run`."""

    @abstractmethod
    def run_stream(
        self, args: ArgsT_contra, cancellation_token: CancellationToken
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        """Do the work, in view: the last item is the result."""

    async def run_json_stream(
        self,
        args: Mapping[str, Any],
        cancellation_token: CancellationToken,
        call_id: str | None = None,
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        """Validate the arguments and `run_stream`, in view of those who trace or read events.

        Raises:
            ToolArgumentsError: The arguments are wrong; its text tells the model how to mend them.
        """
        stream = self._validate_and_stream(args, cancellation_token)
        if somebody_listens():
            stream = ObservedCall(self, args, call_id).watch_stream(stream)
        async with aclosing(stream) as items:
            async for item in items:
                yield item

    async def _validate_and_stream(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken
    ) -> AsyncGenerator[StreamT_co | ReturnT_co, None]:
        async with aclosing(self.run_stream(_validate(args, self._args_type, self), cancellation_token)) as items:
            async for item in items:
                yield item


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
        """What the tool's state is."""
        return self._state_type

    @abstractmethod
    def save_state(self) -> StateT:
        """The tool's state."""

    @abstractmethod
    def load_state(self, state: StateT) -> None:
        """Take back what `save_state` gave."""

    async def save_state_json(self) -> Mapping[str, Any]:
        """The tool's state, as JSON can hold it."""
        return self.save_state().model_dump(mode="json")

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state_json` gave."""
        self.load_state(self._state_type.model_validate(state))


def _validate(args: Mapping[str, Any], args_type: type[ModelT], tool: Tool) -> ModelT:
    try:
        return args_type.model_validate(args)
    except ValidationError as error:
        raise ToolArgumentsError(_explain(error, tool.schema)) from error


def _parameters(args_type: type[BaseModel], *, strict: bool) -> ParametersSchema:
    schema = inline_references(args_type.model_json_schema())
    if strict:
        schema = close_objects(schema)
    parameters = {
        "type": "object",
        "properties": schema.get("properties", {}),
        "required": schema.get("required", []),
        "additionalProperties": schema.get("additionalProperties", False),
    }
    if "$defs" in schema:
        parameters["$defs"] = schema["$defs"]
    return cast("ParametersSchema", parameters)


def _explain(error: ValidationError, schema: ToolSchema) -> str:
    """Say which argument is wrong and what is right, for a model to read."""
    faults = [f"- {'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in error.errors()]
    return "\n".join(
        [
            f"Wrong arguments for the tool '{schema['name']}':",
            *faults,
            f"Its arguments are: {json.dumps(schema.get('parameters', {}), ensure_ascii=False)}",
        ]
    )
