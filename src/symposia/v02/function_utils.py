"""Functions as tools of a model: their schemas, their arguments from JSON, and their results as text."""

from __future__ import annotations

import functools
import inspect
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, TypeAdapter

__all__ = [
    "Function",
    "Parameters",
    "ToolFunction",
    "get_default_values",
    "get_function_schema",
    "get_load_param_if_needed_function",
    "get_missing_annotations",
    "get_param_annotations",
    "get_parameter_json_schema",
    "get_parameters",
    "get_required_params",
    "get_typed_annotation",
    "get_typed_return_annotation",
    "get_typed_signature",
    "load_basemodels_if_needed",
    "serialize_to_str",
]

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Parameters(BaseModel, defer_build=True):
    """The parameters of a function, as a JSON schema."""

    type: Literal["object"] = "object"
    properties: dict[str, Any]  # Any: JSON schemas
    required: list[str]


class Function(BaseModel, defer_build=True):
    """A function, as a model is told of it."""

    description: Annotated[str, Field(description="Description of the function")]
    name: Annotated[str, Field(description="Name of the function")]
    parameters: Annotated[Parameters, Field(description="Parameters of the function")]


class ToolFunction(BaseModel, defer_build=True):
    """A function as a tool, as a model is told of it."""

    type: Literal["function"] = "function"
    function: Annotated[Function, Field(description="Function under tool")]


def get_typed_annotation(annotation: Any, globalns: dict[str, Any]) -> Any:  # Any: annotations of any form
    """An annotation, evaluated if it is text.

    Args:
        annotation: The annotation.
        globalns: The names that it may use.
    """
    if not isinstance(annotation, str):
        return annotation
    return get_type_hints(_annotated("value", annotation), globalns, include_extras=True)["value"]


def _annotated(name: str, annotation: object) -> type:
    return type("Annotations", (), {"__annotations__": {name: annotation}})


def get_typed_signature(call: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function, with its annotations evaluated."""
    globalns: dict[str, Any] = getattr(call, "__globals__", {})
    signature = inspect.signature(call)
    parameters = [
        each.replace(annotation=get_typed_annotation(each.annotation, globalns))
        for each in signature.parameters.values()
    ]
    return inspect.Signature(parameters)


def get_typed_return_annotation(call: Callable[..., Any]) -> Any:
    """What a function is annotated to return, evaluated; None without an annotation."""
    annotation = inspect.signature(call).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    return get_typed_annotation(annotation, getattr(call, "__globals__", {}))


def get_param_annotations(typed_signature: inspect.Signature) -> dict[str, Any]:
    """The annotations of the parameters that have one."""
    return {
        name: parameter.annotation
        for name, parameter in typed_signature.parameters.items()
        if parameter.annotation is not inspect.Signature.empty
    }


def get_parameter_json_schema(k: str, v: Any, default_values: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a parameter.

    Args:
        k: Its name, which describes it if its annotation does not.
        v: Its annotation: a type, or `Annotated` with a text that describes it.
        default_values: The defaults of the function's parameters.

    Raises:
        ValueError: What describes it is no text.
    """
    schema = TypeAdapter[Any](get_args(v)[0] if get_origin(v) is Annotated else v).json_schema()
    if k in default_values:
        default = default_values[k]
        schema["default"] = default.model_dump() if isinstance(default, BaseModel) else default
    schema["description"] = _described(k, v)
    return schema


def _described(name: str, annotation: object) -> str:
    if get_origin(annotation) is not Annotated:
        return name
    description = get_args(annotation)[1]
    if not isinstance(description, str):
        # ValueError, and not TypeError, as in AutoGen 0.2
        raise ValueError(f"Invalid description {description} for parameter {name}, should be a string.")  # noqa: TRY004
    return description


def get_required_params(typed_signature: inspect.Signature) -> list[str]:
    """The names of the parameters without a default."""
    return [
        name for name, parameter in typed_signature.parameters.items() if parameter.default is inspect.Signature.empty
    ]


def get_default_values(typed_signature: inspect.Signature) -> dict[str, Any]:
    """The defaults of the parameters that have one."""
    return {
        name: parameter.default
        for name, parameter in typed_signature.parameters.items()
        if parameter.default is not inspect.Signature.empty
    }


def get_parameters(
    required: list[str], param_annotations: dict[str, Any], default_values: dict[str, Any]
) -> Parameters:
    """The parameters of a function as a JSON schema.

    Args:
        required: The names of the required ones.
        param_annotations: Their annotations.
        default_values: Their defaults.
    """
    return Parameters(
        properties={
            name: get_parameter_json_schema(name, annotation, default_values)
            for name, annotation in param_annotations.items()
            if annotation is not inspect.Signature.empty
        },
        required=required,
    )


def get_missing_annotations(typed_signature: inspect.Signature, required: list[str]) -> tuple[set[str], set[str]]:
    """The parameters without an annotation: those that are required, and those with a default."""
    missing = {
        name
        for name, parameter in typed_signature.parameters.items()
        if parameter.annotation is inspect.Signature.empty
    }
    return missing & set(required), missing - set(required)


def get_function_schema(f: Callable[..., Any], *, name: str | None = None, description: str) -> dict[str, Any]:
    """A function as a tool of a model.

    Args:
        f: The function. Its annotations decide its parameters.
        name: Its name for the model; by default its own.
        description: Its description for the model.

    Raises:
        TypeError: A required parameter has no annotation.
    """
    signature = get_typed_signature(f)
    required = get_required_params(signature)
    missing, with_default = get_missing_annotations(signature, required)
    own_name = getattr(f, "__name__", repr(f))
    if get_typed_return_annotation(f) is None:
        logger.warning("The function '%s' has no return annotation. Annotate that it returns a str.", own_name)
    if with_default:
        names = ", ".join(f"'{each}'" for each in sorted(with_default))
        logger.warning("A model cannot give these parameters of '%s', which have no annotation: %s.", own_name, names)
    if missing:
        names = ", ".join(f"'{each}'" for each in sorted(missing))
        raise TypeError(
            f"All parameters of the function '{own_name}' without default values must be annotated. The annotations "
            f"are missing for the following parameters: {names}"
        )
    parameters = get_parameters(required, get_param_annotations(signature), get_default_values(signature))
    function = Function(description=description, name=name or own_name, parameters=parameters)
    return ToolFunction(function=function).model_dump()


def get_load_param_if_needed_function(t: Any) -> Callable[[dict[str, Any], type[BaseModel]], BaseModel] | None:
    """What makes an argument of a pydantic model from JSON; None for an annotation of another type."""
    annotated = get_args(t)[0] if get_origin(t) is Annotated else t
    if not (isinstance(annotated, type) and issubclass(annotated, BaseModel)):
        return None

    def load(value: dict[str, Any], model: type[BaseModel]) -> BaseModel:
        kind = get_args(model)[0] if get_origin(model) is Annotated else model
        return cast("type[BaseModel]", kind).model_validate(value)

    return load


def load_basemodels_if_needed(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes its pydantic models from dicts, in the keyword arguments that it is called with."""
    annotations = get_param_annotations(get_typed_signature(func))
    loaders = {
        name: (load, annotation)
        for name, annotation in annotations.items()
        if (load := get_load_param_if_needed_function(annotation)) is not None
    }

    def loaded(arguments: dict[str, Any]) -> dict[str, Any]:
        made = dict(arguments)
        for name in loaders.keys() & arguments.keys():
            load, annotation = loaders[name]
            made[name] = load(arguments[name], annotation)
        return made

    @functools.wraps(func)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **loaded(kwargs))

    @functools.wraps(func)
    async def asynchronous(*args: Any, **kwargs: Any) -> Any:
        return await func(*args, **loaded(kwargs))

    return asynchronous if inspect.iscoroutinefunction(func) else plain


def serialize_to_str(x: Any) -> str:
    """The result of a function as text: a text as it is, a pydantic model and other values as JSON.

    Raises:
        TypeError: JSON cannot hold it.
    """
    if isinstance(x, str):
        return x
    if isinstance(x, BaseModel):
        return x.model_dump_json()
    return json.dumps(x, ensure_ascii=False)
