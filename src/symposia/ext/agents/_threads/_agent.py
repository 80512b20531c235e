"""An assistant whose model is a service with threads, and the files that it gives to the tools there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.agentchat.agents import AssistantAgent, ModelCall, Rejection, TurnProgress
from symposia.agentchat.messages import BaseChatMessage, MessageType, MultiModalMessage, TextMessage
from symposia.core import CancellationToken, cancelled_by
from symposia.core.changes import Change, diff, members
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import BaseTool, FunctionTool
from symposia.ext.agents._images import with_images
from symposia.ext.agents._threads._api import ThreadsApi
from symposia.ext.agents._threads._client import ThreadClient
from symposia.ext.agents._threads._place import images_of
from symposia.ext.agents._threads._steps import ThreadServiceSteps

ROUNDS = 100
"""The most rounds of calls in a turn, which the services do not limit."""


class ThreadFiles(BaseModel, defer_build=True):
    """What an agent has at its service, apart from its assistant.

    Attributes:
        thread_id: The thread; None before the first answer.
        initial_message_ids: The messages that a given thread had before the first answer; None before that.
        vector_store_id: The vector store for searches.
        uploaded_file_ids: All files that were uploaded.
        code_file_ids: Those of them that are for the code interpreter.
    """

    thread_id: str | None = None
    initial_message_ids: list[str] | None = []
    vector_store_id: str | None = None
    uploaded_file_ids: list[str] = []
    code_file_ids: list[str] = []


class ThreadAgent(AssistantAgent):
    """An assistant that a service runs over a thread of messages, with tools there and tools here.

    The assistant and the thread are made for the first answer, unless the ids of others are given. Each turn posts what
    is new, starts a run and waits for it. Calls of functions are made here. A turn that is cancelled ends its run; one
    that fails leaves a thread with which the next one goes on.

    Args:
        name: Unique within a team; a Python identifier.
        description: Describes the agent to the speaker selection.
        api: The service.
        instructions: The instructions of the model.
        options: What an assistant is made of besides: model, name, temperature, … None leaves an option out.
        hosted: The tools at the service, as their JSON.
        own: The tools that run here.
        assistant_id: An assistant that exists. Its own tools and instructions hold.
        thread_id: A thread that exists.
    """

    assistant_id_field: ClassVar[str] = "assistant_id"
    """The name of the assistant's id in saved states."""

    def __init__(
        self,
        name: str,
        description: str,
        api: ThreadsApi,
        *,
        instructions: str,
        options: Mapping[str, object],
        hosted: Sequence[Mapping[str, object]],
        own: Sequence[BaseTool[Any, Any]],
        assistant_id: str | None,
        thread_id: str | None,
    ) -> None:
        made_of = {key: value for key, value in options.items() if value is not None}
        self._api = api
        self._steps = ThreadServiceSteps(api, name)
        self._threads = ThreadClient(
            api,
            {**made_of, "description": description, "instructions": instructions, "tools": list(hosted)},
            assistant_id,
            thread_id,
        )
        self._hosted = list(hosted)
        self._files = ThreadFiles(thread_id=thread_id)
        super().__init__(
            name,
            self._threads,
            description=description,
            system_message=instructions,
            tools=own,
            reflect_on_tool_use=True,
            max_tool_iterations=ROUNDS,
        )

    @property
    @override
    def produced_message_types(self) -> Sequence[MessageType]:
        """Those of an `AssistantAgent`, and text with images."""
        return [*super().produced_message_types, MultiModalMessage]

    @override
    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """Make the answer of the run's messages, with the images in them.

        Raises:
            ModelError: An image cannot be read.
        """
        answer = await super().make_answer(call, progress)
        return with_images(self.name, call, answer, images_of(call.result.vendor_blocks, self._api.service))

    async def add_message(self, text: str) -> None:
        """Add a message of the user to the conversation, which is posted with the next turn."""
        await self._conversation.receive([TextMessage(content=text, source="user")])
        self._conversation.end_turn()

    @override
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation, here and in the thread. A given thread keeps the messages that it had.

        Raises:
            ModelError: The service failed.
        """
        await super().on_reset(cancellation_token)
        client = self._threads
        if client.thread_id is None or client.initial_message_ids is None:
            return  # nothing was posted
        with cancelled_by(cancellation_token):
            if not client.initial_message_ids:
                gone, client.thread_id = client.thread_id, None
                await self._steps.delete_thread(gone)
            else:
                await self._steps.clear_thread(client.thread_id, client.initial_message_ids)

    # Files ------------------------------------------------------------------------------------------------------------

    async def upload_for_code(self, paths: str | Iterable[str], token: CancellationToken | None) -> None:
        """Give files to the code interpreter at the service.

        Raises:
            InvalidArgumentError: The agent has no code interpreter.
            OSError: A file cannot be read.
            ModelError: The service failed.
        """
        self._check_has("code_interpreter")
        with cancelled_by(token):
            for file in await self._upload(paths):
                self._files.code_file_ids.append(file)
            await self._share_files()

    async def upload_for_search(
        self,
        paths: str | Iterable[str],
        token: CancellationToken | None,
        store_options: Mapping[str, object],
        batch_options: Mapping[str, object],
    ) -> None:
        """Let a vector store take in files, and the service search it. The first call makes the store.

        Raises:
            InvalidArgumentError: The agent has no file search.
            OSError: A file cannot be read.
            ModelError: The service failed.
        """
        self._check_has("file_search")
        with cancelled_by(token):
            files = await self._upload(paths)
            if self._files.vector_store_id is None:
                self._files.vector_store_id = await self._steps.create_vector_store(store_options)
                await self._share_files()
            await self._steps.add_to_vector_store(self._files.vector_store_id, files, batch_options)

    async def delete_files(self, token: CancellationToken | None) -> None:
        """Delete the uploaded files at the service.

        Raises:
            ModelError: The service failed. The files that are left can be deleted by another call.
        """
        with cancelled_by(token):
            while self._files.uploaded_file_ids:
                await self._steps.delete_file(self._files.uploaded_file_ids[-1])
                gone = self._files.uploaded_file_ids.pop()
                self._files.code_file_ids = [file for file in self._files.code_file_ids if file != gone]

    async def delete_store(self, token: CancellationToken | None) -> None:
        """Delete the vector store at the service, if there is one.

        Raises:
            ModelError: The service failed.
        """
        if self._files.vector_store_id is not None:
            with cancelled_by(token):
                await self._steps.delete_vector_store(self._files.vector_store_id)
            self._files.vector_store_id = None

    async def delete_hosted_assistant(self, token: CancellationToken | None) -> None:
        """Delete the assistant at the service, if there is one.

        Raises:
            ModelError: The service failed.
        """
        if self._threads.assistant_id is not None:
            with cancelled_by(token):
                await self._steps.delete_assistant(self._threads.assistant_id)
            self._threads.assistant_id = None

    def _check_has(self, tool: str) -> None:
        if not any(each.get("type") == tool for each in self._hosted):
            raise InvalidArgumentError(
                f"Agent '{self.name}' has no {tool!r} for these files: give it tools=[{tool!r}, …]."
            )

    async def _upload(self, paths: str | Iterable[str]) -> list[str]:
        uploaded: list[str] = []
        for path in [paths] if isinstance(paths, str) else paths:
            uploaded.append(await self._steps.upload(Path(path)))
            self._files.uploaded_file_ids.append(uploaded[-1])
        return uploaded

    async def _share_files(self) -> None:
        """Let the thread, now or when it is made, have the files and the vector store."""
        self._threads.thread_resources = self._resources()
        if self._threads.thread_id is not None:
            await self._steps.set_thread_resources(self._threads.thread_id, self._threads.thread_resources)

    def _resources(self) -> dict[str, object]:
        files, store = self._files.code_file_ids, self._files.vector_store_id
        return {
            **({"code_interpreter": {"file_ids": list(files)}} if files else {}),
            **({"file_search": {"vector_store_ids": [store]}} if store else {}),
        }

    # State ------------------------------------------------------------------------------------------------------------

    def _hosted_state(self) -> dict[str, Any]:
        """The part of the state that names what is at the service."""
        client = self._threads
        files = self._files.model_copy(
            update={"thread_id": client.thread_id, "initial_message_ids": client.initial_message_ids}
        )
        return {self.assistant_id_field: client.assistant_id, **files.model_dump()}

    @override
    async def save_state(self) -> Mapping[str, Any]:
        """The conversation, and the ids of what is at the service."""
        return {**await super().save_state(), **self._hosted_state()}

    @override
    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        before = since if isinstance(since, _Mark) else None
        change, conversation = await super().save_changes(before and before.conversation)
        hosted = self._hosted_state()
        inner = change or {}
        if before is None:
            return {"set": {**inner["set"], **hosted}}, _Mark(conversation, hosted)
        changed = diff(before.hosted, hosted) or {}
        update = {**inner.get("update", {}), **changed.get("update", {})}
        removed = (*inner.get("remove", ()), *changed.get("remove", ()))
        return members(update, removed), _Mark(conversation, hosted)

    @override
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `save_state` returned, or what AutoGen's agent saved, which has the ids alone.

        The conversation then goes on in its thread, unless the thread was deleted.

        Raises:
            pydantic.ValidationError: It is not a saved state.
            Exception: See `AssistantAgent.load_state`.
        """
        fields = {self.assistant_id_field, *ThreadFiles.model_fields}
        if not isinstance(state, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may have no types
            await super().load_state(state)  # refuses it
        files = ThreadFiles.model_validate({name: value for name, value in state.items() if name in fields})
        assistant = cast("object", state.get(self.assistant_id_field))
        if assistant is not None and not isinstance(assistant, str):
            raise InvalidArgumentError(
                f"{self.assistant_id_field} in the state of agent '{self.name}' is no text. Load a "
                "state that such an agent saved."
            )
        await super().load_state({name: value for name, value in state.items() if name not in fields})
        self._files = files
        client = self._threads
        client.assistant_id, client.thread_id = assistant, files.thread_id
        client.initial_message_ids = files.initial_message_ids
        client.thread_resources = self._resources()
        client.forget()


class _Mark(NamedTuple):
    """A saved state: the mark of the conversation, and what is at the service."""

    conversation: object
    hosted: Mapping[str, object]


def hosted_tools(
    agent: str, tools: Iterable[object] | None, known: Sequence[str]
) -> tuple[list[Mapping[str, object]], list[BaseTool[Any, Any]]]:
    """The tools at the service as their JSON, and those that run here.

    Args:
        agent: The name of the agent.
        tools: Names of tools at the service, their JSON or the SDK's objects for them, tools and functions.
        known: The names that are tools at the service.

    Raises:
        InvalidArgumentError: A name is unknown, or something is no tool.
    """
    hosted: list[Mapping[str, object]] = []
    own: list[BaseTool[Any, Any]] = []
    for tool in tools or ():
        if isinstance(tool, BaseTool):
            own.append(cast("BaseTool[Any, Any]", tool))
        elif isinstance(tool, str) and tool in known:
            hosted.append({"type": tool})
        elif isinstance(tool, Mapping):
            hosted.append(cast("Mapping[str, object]", tool))
        elif (as_dict := getattr(tool, "as_dict", None)) is not None:
            hosted.append(as_dict())
        elif callable(tool) and not isinstance(tool, type):
            own.append(FunctionTool(cast("Callable[..., Any]", tool), description=tool.__doc__ or ""))
        else:
            raise InvalidArgumentError(
                f"{tool!r} of agent '{agent}' is no tool: give {', '.join(map(repr, known))}, the JSON of another tool "
                "at the service, or a function."
            )
    return hosted, own
