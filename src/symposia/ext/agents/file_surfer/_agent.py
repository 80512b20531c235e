"""The agent: a model calls tools that open, turn and search, and the page that is then shown is its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, cast

from pydantic import Field, JsonValue
from pydantic_core import from_json

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.state import BaseState
from symposia.agentchat.utils import remove_images
from symposia.core import CancellationToken, FunctionCall, cancelled_by, run_in_worker_thread
from symposia.core.argument_checks import check_model_client
from symposia.core.exceptions import DeadlineExceededError, InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    LLMMessage,
    UserMessage,
    call_model,
    check_calls_tools,
)
from symposia.core.terminal_text import printable_name
from symposia.core.text_limits import beginning_of
from symposia.core.tools import FunctionTool, ParametersSchema, StaticWorkbench, ToolSchema, call_tool
from symposia.ext.agents.file_surfer._viewer import Viewer
from symposia.ext.documents import DocumentConverter
from symposia.ext.tools.files import ConfinedFolder

DEFAULT_DESCRIPTION: Final = "An agent that can handle local files."  # AutoGen's: it is in saved component JSON

MOST_BYTES: Final = 50 * 1024 * 1024
"""The most bytes of a file that is opened. A page of it is shown at a time."""

MOST_TEXT: Final = 4_000_000
"""The most characters of a file that can be shown, a few thousand pages. A search takes a tenth of a second then."""

SECONDS: Final = 90.0
"""The most seconds in which a file is opened: more than a conversion may take, whose error says more."""

_OPEN, _UP, _DOWN, _FIND, _NEXT = "open_path", "page_up", "page_down", "find_on_page_ctrl_f", "find_next"

_VIEWER: Final = "The file viewer shows {what}. Use the tools to open a file or a folder, to turn pages, or to search."


def _tool(name: str, description: str, **parameters: str) -> ToolSchema:
    properties = {each: {"type": "string", "description": text} for each, text in parameters.items()}
    schema = ParametersSchema(type="object", properties=properties, required=list(parameters))
    return ToolSchema(name=name, description=description, parameters=schema)


TOOLS: Final = [
    _tool(_OPEN, "Open a file or a folder, and show its first page.", path="The path, relative to the base folder."),
    _tool(_UP, "Show the page before."),
    _tool(_DOWN, "Show the next page."),
    _tool(_FIND, "Show the first page from here that has a text.", search_string="The text; * stands for anything."),
    _tool(_NEXT, "Show the next page that has the text."),
]


class FileSurferState(BaseState):
    """A saved `FileSurfer`.

    Attributes:
        messages: The conversation.
        path: The file or folder that is open; None for none.
        page: The page that is shown, from 0.
        search: The text that was looked for last.
    """

    type: str = "FileSurferState"
    messages: list[LLMMessage] = Field(default_factory=list[LLMMessage])
    path: str | None = None
    page: int = 0
    search: str = ""


class FileSurfer(BaseChatAgent):
    """An agent that opens files, and shows a page of one as its answer.

    It reads text, and with the extra ``documents`` HTML, PDF and Office files. In a turn it asks the model once; the
    model opens a path, turns a page or searches, and the answer is the page that is shown then, or the model's text. It
    reads nothing outside of its base folder, no links and no hidden files; see `ConfinedFolder`. A path that cannot be
    opened is an answer that says why, and the page before stays open.

    Args:
        name: Unique within a team; a Python identifier.
        model_client: A model that can call tools.
        description: Describes the agent to the speaker selection.
        base_path: The folder; by default the working folder.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: The model cannot call tools, or there is no such folder.
    """

    def __init__(
        self,
        name: str,
        model_client: ChatCompletionClient,
        description: str = DEFAULT_DESCRIPTION,
        base_path: str | None = None,
    ) -> None:
        super().__init__(name, description)
        check_model_client(f"agent '{name}'", model_client)
        check_calls_tools(model_client, f"agent '{name}'", "opens files by tools")
        self._model_client = model_client
        self._reader = _Reader(ConfinedFolder("." if base_path is None else base_path, max_file_bytes=MOST_BYTES))
        self._messages: list[LLMMessage] = []
        self._viewer: Viewer | None = None
        self._closed: FileSurferState | None = None  # a loaded state, whose file is opened when it is needed

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """`TextMessage`."""
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Ask the model what to open or to show, and answer with the page.

        Raises:
            ModelError: The call of the model failed.
            asyncio.CancelledError: The token was cancelled.
        """
        with cancelled_by(cancellation_token):
            await self._reopen(cancellation_token)
            new: list[LLMMessage] = [message.to_model_message() for message in messages]
            conversation = [*self._messages, *new]
            # Before the last message, so that the request is what the model reads last.
            shown = [*conversation[:-1], self._viewer_message(), *conversation[-1:]]
            if not self._model_client.model_info["vision"]:
                shown = remove_images(shown)
            result = await call_model(self._model_client, shown, tools=TOOLS, cancellation_token=cancellation_token)
            if isinstance(result.content, str):
                answer = result.content
            else:
                answer = await self._carry_out(result.content, cancellation_token)
        # Kept only now: a turn that failed is given the same messages again.
        self._messages = [*conversation, AssistantMessage(content=answer, source=self.name)]
        return Response(chat_message=TextMessage(content=answer, source=self.name, models_usage=result.usage))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the contract's
        """Forget the conversation, and close the file."""
        self._messages, self._viewer, self._closed = [], None, None

    async def save_state(self) -> Mapping[str, Any]:
        """The conversation, and what is shown. The text of the file is not part of it."""
        if self._closed is not None:
            return self._closed.model_copy(update={"messages": self._messages}).model_dump()
        state = FileSurferState(messages=self._messages)
        if self._viewer is not None:
            state.path, state.page, state.search = self._viewer.path, self._viewer.page, self._viewer.search
        return state.model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `save_state` returned. The file is opened again in the next turn.

        Raises:
            pydantic.ValidationError: It is not such a state.
        """
        loaded = FileSurferState.model_validate(state)
        self._messages, self._viewer, self._closed = loaded.messages, None, loaded

    async def _reopen(self, token: CancellationToken) -> None:
        loaded = self._closed
        if loaded is not None and loaded.path is not None:
            text, is_error = await self._reader.text_of(loaded.path, token)
            if not is_error:  # else nothing is open, which the model is told
                self._viewer = Viewer(loaded.path, text, page=loaded.page, search=loaded.search)
        self._closed = None

    def _viewer_message(self) -> UserMessage:
        what = "nothing yet" if self._viewer is None else f"page {self._viewer.page + 1} of {self._viewer.path}"
        return UserMessage(content=_VIEWER.format(what=what), source=self.name)

    async def _carry_out(self, calls: Sequence[FunctionCall], token: CancellationToken) -> str:
        """Carry out the calls in their order. The answer is the last page, below what failed."""
        failures: list[str] = []
        page = ""
        for call in calls:
            try:
                page = await self._call(call, token)
            except InvalidArgumentError as error:
                failures.append(str(error))
        return "\n".join([*failures, *([page] if page else [])])

    async def _call(self, call: FunctionCall, token: CancellationToken) -> str:
        """Carry out one call.

        Returns:
            The page that is shown.

        Raises:
            InvalidArgumentError: It cannot be carried out.
        """
        if call.name == _OPEN:
            path = self._reader.folder.relative(_argument(call, "path"))
            text, is_error = await self._reader.text_of(path, token)
            if is_error:
                raise InvalidArgumentError(text)
            self._viewer = Viewer(path, text)
            return self._viewer.show()
        if call.name not in {_UP, _DOWN, _FIND, _NEXT}:
            names = ", ".join(tool["name"] for tool in TOOLS)
            raise InvalidArgumentError(f"There is no tool {call.name!r}. The tools are: {names}.")
        viewer = self._viewer
        if viewer is None:
            raise InvalidArgumentError("No file is open. Open one by open_path.")
        if call.name in {_UP, _DOWN}:
            viewer.turn(-1 if call.name == _UP else 1)
            return viewer.show()
        if call.name == _FIND:
            found = await run_in_worker_thread(viewer.find, _argument(call, "search_string"))
        else:
            found = await run_in_worker_thread(viewer.find_next)
        return viewer.show("" if found else f"{printable_name(viewer.search)!r} is not found.")


class _Reader(StaticWorkbench):
    """Reads files and folders as text. Its one tool is what effect handlers see of the agent, besides the model.

    Turning pages is no effect: it is computed from the text, and so is the same when a run is resumed.
    """

    def __init__(self, folder: ConfinedFolder) -> None:
        self.folder = folder
        super().__init__([FunctionTool(self._read, "Read a file or a folder.", _OPEN, idempotency="idempotent")])

    def effect_identity(self) -> dict[str, JsonValue]:
        """The class, and the folder."""
        return {**super().effect_identity(), "root": str(self.folder.root)}

    async def text_of(self, path: str, token: CancellationToken) -> tuple[str, bool]:
        """The text of a file or a folder, and whether it is an error."""
        result = await call_tool(self, _OPEN, {"path": path}, token)
        return result.to_text(), result.is_error

    async def _read(self, path: Annotated[str, "The path."]) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._text(path)
        except TimeoutError:
            raise DeadlineExceededError(f"{printable_name(path)!r} was not read within {SECONDS:g} s.") from None

    async def _text(self, path: str) -> str:
        if await run_in_worker_thread(self.folder.is_folder, path):
            return await run_in_worker_thread(self._listing, path)
        data = await run_in_worker_thread(self.folder.read, path)
        async with DocumentConverter() as converter:
            text = await converter.convert(path, data)
        return beginning_of(text, MOST_TEXT, "\n[{left} more characters are left out.]")

    def _listing(self, path: str) -> str:
        lines = [
            f"| {entry.path.rpartition('/')[2]}{'/' if entry.is_folder else ''} |"
            f" {'' if entry.is_folder else f'{entry.size:,}'} |"
            for entry in self.folder.entries(path)
        ]
        return "\n".join([f"# {path}", "", "| name | bytes |", "| --- | --- |", *lines])


def _argument(call: FunctionCall, name: str) -> str:
    """An argument of a call.

    Raises:
        InvalidArgumentError: It is missing, or no text.
    """
    try:
        given: object = from_json(call.arguments)
    except (TypeError, ValueError):  # no JSON, nested too deeply, or with half of a surrogate pair
        given = None
    value = cast("dict[str, object]", given).get(name) if isinstance(given, dict) else None
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"The tool {call.name} needs a text as its {name}.")
    return value
