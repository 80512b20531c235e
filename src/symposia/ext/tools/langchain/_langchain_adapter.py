"""The adapter: LangChain validates the arguments, and runs the tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, JsonValue
from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.core import CancellationToken, cancelled_by
from symposia.core.effects import Idempotency
from symposia.core.exceptions import ArgumentTypeError, DeadlineExceededError, InvalidArgumentError
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext._time_limit import time_limit
from symposia.ext.tools._schema_arguments import SchemaArguments, arguments_of_schema
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten

if TYPE_CHECKING:
    from langchain_core import tools as langchain_tools
else:
    langchain_tools = lazy_module("langchain_core.tools")


class LangChainToolAdapter(BaseTool[BaseModel, object]):
    """A tool of LangChain as a tool of Symposia.

    It is run by its `ainvoke`: a coroutine is awaited, and a plain function runs in a thread. Arguments that LangChain
    injects are not shown to the model. It cannot be saved as JSON, since it holds code.

    Args:
        langchain_tool: The tool.
        timeout: Seconds that a call may take. A plain function runs on in its thread, and its result is dropped.
        max_chars: Characters of the result that the model reads.
        idempotency: Whether calling the tool again with the same arguments does harm; see `Idempotency`.

    Raises:
        ArgumentTypeError: `langchain_tool` is no tool of LangChain.
        InvalidArgumentError: A limit allows nothing.
        MissingExtraError: Its arguments are a JSON schema, and ``jsonschema`` is not installed.
    """

    def __init__(
        self,
        langchain_tool: langchain_tools.BaseTool,
        *,
        timeout: float = 120.0,
        max_chars: int = MAX_CHARS,
        idempotency: Idempotency = "unknown",
    ) -> None:
        if isinstance(langchain_tool, type) or not all(
            hasattr(langchain_tool, name) for name in ("name", "description", "ainvoke", "tool_call_schema")
        ):
            raise ArgumentTypeError(
                f"langchain_tool of LangChainToolAdapter is {langchain_tool!r}: give a tool of langchain_core, such as "
                "StructuredTool.from_function(function)."
            )
        name = langchain_tool.name
        if not timeout > 0:
            raise InvalidArgumentError(f"timeout of the tool {name!r} is {timeout!r}: give seconds above 0.")
        check_max_chars(f"the tool {name!r}", max_chars)
        self._langchain_tool = langchain_tool
        self._timeout = timeout
        self._max_chars = max_chars
        self.traits = ToolTraits(idempotency)
        super().__init__(_arguments(langchain_tool), object, name, langchain_tool.description or "")

    @override
    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> object:
        """Run the tool.

        Returns:
            Its result.

        Raises:
            DeadlineExceededError: It took longer than `timeout`.
            asyncio.CancelledError: The token was cancelled.
        """
        if isinstance(args, SchemaArguments):
            given: dict[str, Any] = dict(args.given())
        else:
            # Not as a dump: LangChain converts the arguments of some tools alone, and others would get dictionaries.
            fields = type(args).model_fields
            given = {
                fields[name].alias or name: getattr(args, name) for name in args.model_fields_set if name in fields
            }
        late = DeadlineExceededError(f"The tool {self.name!r} took longer than {self._timeout:g} seconds.")
        with cancelled_by(cancellation_token):
            async with time_limit(self._timeout, late):
                return cast("object", await self._langchain_tool.ainvoke(given))

    @override
    def return_value_as_string(self, value: object) -> str:
        """The text of a result, at most `max_chars` of it."""
        return shorten(super().return_value_as_string(value), self._max_chars)


def _arguments(tool: langchain_tools.BaseTool) -> type[BaseModel]:
    """The class of a tool's arguments. A JSON schema, or a class of pydantic 1, is checked as a schema."""
    schema: object = tool.tool_call_schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema
    if isinstance(schema, dict):
        shown = cast("dict[str, JsonValue]", schema)
    else:
        shown = cast("dict[str, JsonValue]", cast("Any", schema).schema())  # Any: of pydantic 1, which is not imported
        shown = {**shown, **({"$defs": shown.pop("definitions")} if "definitions" in shown else {})}
    return arguments_of_schema(tool.name, shown, "LangChainToolAdapter", "langchain")
