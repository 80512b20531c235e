"""Kernel functions that call a tool, or describe one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias, cast

from symposia.core import CancellationToken
from symposia.core.exceptions import MissingExtraError
from symposia.core.tools import BaseTool, StaticWorkbench, ToolSchema, call_tool
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten

SKObject: TypeAlias = Any  # Any: of a library that is in an environment of its own

_PYTHON_TYPES: Final = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict,
}  # fmt: skip


class _NotInstalled:
    """In the place of Semantic Kernel's classes where it is not installed, so that the names exist."""

    def __init__(self, *_: object, **__: object) -> None:
        raise MissingExtraError(type(self).__name__, "semantic-kernel")


_MethodFunction: SKObject = _NotInstalled
_PromptFunction: SKObject = _NotInstalled
if find_spec("semantic_kernel") is not None:
    _functions: SKObject = import_module("semantic_kernel.functions")
    _MethodFunction, _PromptFunction = _functions.KernelFunctionFromMethod, _functions.KernelFunctionFromPrompt


class KernelFunctionFromTool(_MethodFunction):  # pyright: ignore[reportUntypedBaseClass] - see SKObject
    """A function of Semantic Kernel that calls a tool.

    ::

        kernel.add_plugin(KernelPlugin("pets", functions=[KernelFunctionFromTool(tool, plugin_name="pets")]))

    The result is the text that a model of ours would read. The failure of the tool is a text too, as it is for our
    models. To effect handlers, an invocation is a call of the tool.

    Args:
        tool: The tool.
        plugin_name: The name of the plugin that it will be part of.
        max_chars: Characters of the result.

    Raises:
        InvalidArgumentError: `max_chars` allows nothing.
        MissingExtraError: Semantic Kernel is not installed.
    """

    def __init__(self, tool: BaseTool[Any, Any], plugin_name: str | None = None, *, max_chars: int = MAX_CHARS) -> None:
        if find_spec("semantic_kernel") is None:
            raise MissingExtraError("KernelFunctionFromTool", "semantic-kernel")
        check_max_chars(f"KernelFunctionFromTool of {tool.name!r}", max_chars)
        workbench = StaticWorkbench([tool])

        async def call(**arguments: object) -> str:
            # Arguments that the model left out come as None, whatever their types are.
            given = {name: value for name, value in arguments.items() if value is not None}
            result = await call_tool(workbench, tool.name, given, CancellationToken())
            return shorten(result.to_text(), max_chars)

        function: SKObject = import_module("semantic_kernel.functions").kernel_function(
            call, name=tool.name, description=tool.description
        )
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - see SKObject
            method=function,
            plugin_name=plugin_name,
            parameters=_parameters(tool.schema),
            return_parameter=_parameter("return", {"type": "string", "description": "The result of the tool."}, True),
        )


class KernelFunctionFromToolSchema(_PromptFunction):  # pyright: ignore[reportUntypedBaseClass] - see SKObject
    """A function of Semantic Kernel that describes a tool to its models, and cannot be called.

    Args:
        tool_schema: The description of the tool.
        plugin_name: The name of the plugin that it will be part of.

    Raises:
        MissingExtraError: Semantic Kernel is not installed.
    """

    def __init__(self, tool_schema: ToolSchema, plugin_name: str | None = None) -> None:
        if find_spec("semantic_kernel") is None:
            raise MissingExtraError("KernelFunctionFromToolSchema", "semantic-kernel")
        templates: SKObject = import_module("semantic_kernel.prompt_template")
        parameters = tool_schema.get("parameters")
        properties: Mapping[str, Any] = parameters["properties"] if parameters else {}
        required = (parameters or {}).get("required", ())
        config = templates.PromptTemplateConfig(
            name=tool_schema["name"],
            description=tool_schema.get("description", ""),
            input_variables=[
                templates.InputVariable(
                    name=name,
                    description=schema.get("description", ""),
                    is_required=name in required,
                    json_schema=None,
                )
                for name, schema in properties.items()
            ],
        )
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - see SKObject
            function_name=tool_schema["name"],
            plugin_name=plugin_name,
            description=tool_schema.get("description"),
            prompt_template_config=config,
        )
        # With the schemas, which a template has no place for.
        self.metadata.parameters = _parameters(tool_schema)


def _parameters(schema: ToolSchema) -> list[SKObject]:
    parameters = schema.get("parameters")
    if parameters is None:
        return []
    required = parameters.get("required", ())
    properties = cast("Mapping[str, Mapping[str, Any]]", parameters["properties"])
    return [_parameter(name, each, name in required) for name, each in properties.items()]


def _parameter(name: str, schema: Mapping[str, Any], required: bool) -> SKObject:
    kind = schema.get("type", "object")
    # Semantic Kernel converts a value to the class that it is given, which a plain value is already.
    known = kind if isinstance(kind, str) else "object"
    return import_module("semantic_kernel.functions").KernelParameterMetadata(
        name=name,
        description=schema.get("description"),
        default_value=schema.get("default"),
        type_=_PYTHON_TYPES[known].__name__ if known in _PYTHON_TYPES else "object",
        type_object=None,
        is_required=required,
        schema_data=dict(schema),
    )
