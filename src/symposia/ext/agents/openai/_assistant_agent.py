"""An agent of OpenAI's Assistants API, which OpenAI has deprecated in favour of the Responses API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import lazy_module
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import CancellationToken, run_in_worker_thread
from symposia.core.argument_checks import check_model_name
from symposia.core.exceptions import ArgumentTypeError, ModelError, ModelResponseError
from symposia.core.tools import BaseTool
from symposia.ext.agents._threads import ThreadAgent, ThreadsApi, hosted_tools

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_module("openai")

_HEADERS: Final = {"OpenAI-Beta": "assistants=v2"}
_TOOLS: Final = ("code_interpreter", "file_search")


class OpenAIConnection:
    """Sends requests by OpenAI's SDK; see `Connection`.

    The paths are given in full: the SDK's own methods for them are deprecated, and warn at each call.

    Args:
        client: The SDK's client.
    """

    service = "OpenAI"

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client

    async def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, query: Mapping[str, str] | None = None
    ) -> object:
        """See `Connection.send`."""
        options: Any = {"headers": _HEADERS, "params": dict(query or {})}  # Any: the SDK's private type
        try:
            if method == "GET":
                return await self._client.get(path, cast_to=object, options=options)
            if method == "DELETE":
                return await self._client.delete(path, cast_to=object, options=options)
            return await self._client.post(path, cast_to=object, body=body, options=options)
        except openai.OpenAIError as error:
            raise _failure(error) from error
        except json.JSONDecodeError as error:
            raise ModelResponseError(f"OpenAI's answer to {method} {path} is no JSON: {error}") from error

    async def upload(self, file: Path) -> object:
        """See `Connection.upload`."""
        # With a type, as httpx would otherwise read the machine's table of types in the event loop.
        sent = (file.name, await run_in_worker_thread(file.read_bytes), "application/octet-stream")
        try:
            made = await self._client.files.create(file=sent, purpose="assistants")
        except openai.OpenAIError as error:
            raise _failure(error) from error
        return made.model_dump()

    async def download(self, file_id: str) -> bytes:
        """See `Connection.download`."""
        try:
            return (await self._client.files.content(file_id)).content
        except openai.OpenAIError as error:
            raise _failure(error) from error


def _failure(error: openai.OpenAIError) -> ModelError:
    if isinstance(error, openai.APIConnectionError):
        url = error.request.url
        return ModelError(
            f"OpenAI's Assistants API cannot be reached at {url.scheme}://{url.netloc.decode()}: {error}",
            is_transient=True,
        )
    status: object = getattr(error, "status_code", None)
    return ModelError(
        f"OpenAI's Assistants API failed: {error}",
        status=status if isinstance(status, int) else None,
    )


class OpenAIAssistantAgent(ThreadAgent):
    """An agent of OpenAI's Assistants API, or of Azure OpenAI's.

    OpenAI has announced the end of the Assistants API, and Azure OpenAI goes on to have it for a time. New programs use
    `OpenAIAgent`. The assistant and the thread are made for the first answer, unless the ids of others are given.

    Args:
        name: Unique within a team; a Python identifier.
        description: Describes the agent to the speaker selection.
        client: The SDK's client. It belongs to the caller.
        model: The model, or its deployment at Azure.
        instructions: The instructions of the model.
        tools: ``code_interpreter`` and ``file_search``, which run at the service, and tools or functions that run here.
        assistant_id: An assistant that exists. Its own model, instructions and tools hold.
        thread_id: A thread that exists, and is continued.
        metadata: Kept with the assistant.
        response_format: As the API has it.
        temperature: As the API has it.
        tool_resources: As the API has it.
        top_p: As the API has it.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: As `AssistantAgent`, `model` is empty, or something is no tool.
    """

    _state_type = "OpenAIAssistantAgentState"

    def __init__(
        self,
        name: str,
        description: str,
        client: openai.AsyncOpenAI,
        model: str,
        instructions: str,
        tools: Iterable[str | Mapping[str, Any] | BaseTool[Any, Any] | Callable[..., Any]] | None = None,
        assistant_id: str | None = None,
        thread_id: str | None = None,
        metadata: dict[str, str] | None = None,
        response_format: object = None,
        temperature: float | None = None,
        tool_resources: Mapping[str, Any] | None = None,
        top_p: float | None = None,
    ) -> None:
        check_model_name("model", f"agent '{name}'", model)
        if not hasattr(client, "beta"):
            raise ArgumentTypeError(
                f"client of agent '{name}' has to be an AsyncOpenAI or AsyncAzureOpenAI, not {client!r}"
            )
        hosted, own = hosted_tools(name, tools, _TOOLS)
        super().__init__(
            name,
            description,
            ThreadsApi(OpenAIConnection(client)),
            instructions=instructions,
            options={
                "model": model,
                "metadata": metadata,
                "response_format": response_format,
                "temperature": temperature,
                "tool_resources": tool_resources,
                "top_p": top_p,
            },
            hosted=hosted,
            own=own,
            assistant_id=assistant_id,
            thread_id=thread_id,
        )
        self._client = client

    @property
    def threads(self) -> Any:  # Any: a class of the SDK that it is about to drop
        """The SDK's methods for threads."""
        return self._client.beta.threads

    @property
    def runs(self) -> Any:
        """The SDK's methods for runs."""
        return self.threads.runs

    @property
    def messages(self) -> Any:
        """The SDK's methods for messages."""
        return self.threads.messages

    async def handle_incoming_message(self, message: BaseChatMessage, cancellation_token: CancellationToken) -> None:
        """Add a message to the conversation, which is posted with the next turn."""
        del cancellation_token  # nothing is awaited from outside
        await self._conversation.receive([message])
        self._conversation.end_turn()

    async def on_upload_for_code_interpreter(
        self, file_paths: str | Iterable[str], cancellation_token: CancellationToken
    ) -> None:
        """Give files to the code interpreter; see `ThreadAgent.upload_for_code`."""
        await self.upload_for_code(file_paths, cancellation_token)

    async def on_upload_for_file_search(
        self, file_paths: str | Iterable[str], cancellation_token: CancellationToken
    ) -> None:
        """Let the service search files; see `ThreadAgent.upload_for_search`."""
        await self.upload_for_search(file_paths, cancellation_token, {}, {})

    async def delete_uploaded_files(self, cancellation_token: CancellationToken) -> None:
        """Delete the uploaded files at the service; see `ThreadAgent.delete_files`."""
        await self.delete_files(cancellation_token)

    async def delete_vector_store(self, cancellation_token: CancellationToken) -> None:
        """Delete the vector store at the service, if there is one."""
        await self.delete_store(cancellation_token)

    async def delete_assistant(self, cancellation_token: CancellationToken) -> None:
        """Delete the assistant at the service, if there is one."""
        await self.delete_hosted_assistant(cancellation_token)
