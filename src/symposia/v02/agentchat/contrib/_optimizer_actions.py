"""Functions that a model writes for agents, and the calls with which it adds, revises and removes them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from symposia.v02.agentchat._model_replies import checked_name

Schema = Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True)
class WrittenFunction:
    """A function that a model wrote.

    Attributes:
        name: Its name.
        description: What it does, for models.
        arguments: The JSON schema of each parameter, or of all.
        packages: The packages that it needs, separated by commas.
        code: Python that defines it.
    """

    name: str
    description: str
    arguments: Schema
    packages: str
    code: str

    @property
    def signature(self) -> dict[str, Any]:  # Any: JSON
        """The function as a model is told of it."""
        is_whole = self.arguments.get("type") == "object" and isinstance(self.arguments.get("properties"), dict)
        parameters = dict(self.arguments) if is_whole else {"type": "object", "properties": dict(self.arguments)}
        return {"name": self.name, "description": self.description, "parameters": parameters}


Functions = Mapping[str, WrittenFunction]


def _tool(tool: str, about: str, /, **parameters: str) -> dict[str, Any]:  # Any: JSON
    properties = {parameter: {"type": "string", "description": text} for parameter, text in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": tool, "description": about, "parameters": schema}}


_WRITTEN: Final = {
    "description": "What the function does and returns, for those who call it.",
    "arguments": 'A JSON object with the schema of each parameter, such as {"url": {"type": "string", "description": '
    '"The address."}}. Without parameters, {}.',
    "packages": "The packages of the Python Package Index that it imports, separated by commas; empty if none.",
    "code": "Python with all imports that defines the function under its name.",
}
ADD_FUNC: Final = _tool("add_function", "Add a function.", name="The name of the function.", **_WRITTEN)
REVISE_FUNC: Final = _tool(
    "revise_function",
    "Replace a function by a better one of the same name.",
    name="The name of the function.",
    **_WRITTEN,
)
REMOVE_FUNC: Final = _tool("remove_function", "Remove a function.", name="The name of the function.")


def changed(functions: Functions, call: str, arguments: str) -> Functions:
    """The functions after a call.

    Args:
        functions: The functions by name.
        call: The name of the tool.
        arguments: Its arguments, as the model wrote them.

    Raises:
        ValueError: The call cannot be carried out; the text is for the model.
        SyntaxError: The code is no Python.
    """
    values = json.loads(arguments, strict=False)
    if not isinstance(values, dict) or not isinstance(name := cast("Schema", values).get("name"), str):
        raise ValueError("The arguments are no JSON object with a name.")  # noqa: TRY004 - as for other bad JSON
    if call == ADD_FUNC["function"]["name"]:
        if name in functions:
            raise ValueError(f"There is a function {name} already. Revise it, or choose another name.")
    elif name not in functions:
        raise ValueError(f"There is no function {name}. The functions are: {', '.join(functions) or 'none'}.")
    if call == REMOVE_FUNC["function"]["name"]:
        return {each: function for each, function in functions.items() if each != name}
    return {**functions, name: _written(cast("Schema", values))}


def _written(values: Schema) -> WrittenFunction:
    missing = [each for each in ("description", "arguments", "code") if each not in values]
    if missing:
        raise ValueError(f"The arguments lack {', '.join(missing)}.")
    given: object = values["arguments"]
    arguments: object = json.loads(given, strict=False) if isinstance(given, str) else given
    if not isinstance(arguments, dict):
        raise ValueError("`arguments` is no JSON object.")  # noqa: TRY004 - as above
    name, code = checked_name(values["name"]), str(values["code"])
    tree = ast.parse(code)
    if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
        raise ValueError(f"The code defines no function {name}.")
    packages: object = values.get("packages") or ""
    return WrittenFunction(name, str(values["description"]), cast("Schema", arguments), str(packages), code)


def as_json(functions: Functions) -> str:
    """The functions as a JSON array."""
    return json.dumps([asdict(function) for function in functions.values()], ensure_ascii=False)


def updates(before: Functions, after: Functions) -> list[dict[str, Any]]:  # Any: JSON
    """The arguments of `update_function_signature` that make the functions after of those before."""
    removed = [{"func_sig": {"name": name}, "is_remove": True} for name in before if name not in after]
    return [*removed, *({"func_sig": each.signature, "is_remove": False} for each in after.values())]
