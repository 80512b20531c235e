"""The contract of workbenches, and the results of their tools."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

from pydantic import BaseModel, Field, JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core._image import Image
from symposia.core.effects import class_identity
from symposia.core.json_values import encodable
from symposia.core.tools._tool import ToolSchema, ToolTraits


class TextResultContent(BaseModel, defer_build=True):
    """A piece of text in a tool's result."""

    type: Literal["TextResultContent"] = "TextResultContent"
    content: str


class ImageResultContent(BaseModel, defer_build=True):
    """An image in a tool's result."""

    type: Literal["ImageResultContent"] = "ImageResultContent"
    content: Image


ResultContent: TypeAlias = Annotated[TextResultContent | ImageResultContent, Field(discriminator="type")]


class ToolResult(BaseModel, defer_build=True):
    """The result of a call to a tool of a workbench.

    Attributes:
        name: The tool, by the name it was called by.
        result: Text and images, in order.
        is_error: Whether the tool failed; the text then says why.
    """

    type: Literal["ToolResult"] = "ToolResult"
    name: str
    result: list[ResultContent]
    is_error: bool = False

    def to_text(self, replace_image: str | None = None) -> str:
        """The result as text, one line for each piece. Half of a surrogate pair becomes U+FFFD.

        Such characters come from file names and damaged files, and no vendor's encoder takes them.

        Args:
            replace_image: The text in the place of an image; its base64 form by default, which is long.
        """
        return encodable("\n".join(_as_text(piece, replace_image) for piece in self.result))


def failed_result(name: str, error: Exception) -> ToolResult:
    """The result of a tool that raised, for `Workbench.call_tool`.

    The model reads the text of the error: of a group, a line for each error; without a text, the class. The text does
    not begin with the class, since AutoGen's results do not, and programs compare them.
    """
    return ToolResult(name=name, result=[TextResultContent(content=_error_text(error))], is_error=True)


def _error_text(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        return "\n".join(map(_error_text, cast("ExceptionGroup[Exception]", error).exceptions))
    return str(error) or type(error).__name__


def _as_text(piece: TextResultContent | ImageResultContent, replace_image: str | None) -> str:
    if isinstance(piece, TextResultContent):
        return piece.content
    return f"[Image: {piece.content.to_base64()}]" if replace_image is None else replace_image


class Workbench(ComponentBase, ABC):
    """Tools with a common life cycle. Which tools there are may change from one call to the next.

    Use it as an async context manager, or call `start` and `stop`.

    Attributes:
        is_static: Whether `list_tools` depends on the program alone. Otherwise the list comes from outside, as that of
            a server, and asking for it is an effect: a replay needs the list that the model was shown.
    """

    component_type = "workbench"
    is_static: ClassVar[bool] = False

    @abstractmethod
    async def list_tools(self) -> list[ToolSchema]:
        """The tools that are available now. Do not change the schemas."""

    def known_tools(self) -> Sequence[ToolSchema] | None:
        """The tools, if they are known without asking anything outside of the program; None otherwise."""
        return None

    @abstractmethod
    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. The failure of a tool, and an unknown name, are results and not raised.

        Args:
            name: The tool, as `list_tools` names it.
            arguments: The arguments as the model gave them, parsed from JSON.
            cancellation_token: Cancelling it ends the call.
            call_id: The `id` of the model's call.

        Raises:
            asyncio.CancelledError: The token was cancelled.
        """

    @property
    def tool_prefix(self) -> str:
        """What an agent puts before the name of a tool that another of its workbenches has too; empty for nothing.

        `call_tool` has to take the name with the prefix and without it.
        """
        return ""

    def effect_identity(self) -> dict[str, JsonValue]:
        """The parts of this workbench that decide a tool's result, as JSON without secrets: by default, its class."""
        return class_identity(self)

    def tool_traits(self, name: str) -> ToolTraits:  # noqa: ARG002 - for workbenches that know their tools
        """The traits of the tool `name` for effect handlers: by default, unknown."""
        return ToolTraits()

    @abstractmethod
    async def start(self) -> None:
        """Acquire the tools' resources. Starting twice is harmless."""

    @abstractmethod
    async def stop(self) -> None:
        """Release it. Stopping twice is harmless."""

    @abstractmethod
    async def reset(self) -> None:
        """Return to the state after `start`."""

    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """The state, as JSON values."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, object]) -> None:
        """Restore what `save_state` returned."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()


class StreamWorkbench(Workbench):
    """A workbench whose tools may yield items while they run."""

    @abstractmethod
    def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[object, None]:
        """Call a tool like `call_tool`, and yield the items of the tool; the `ToolResult` comes last."""
