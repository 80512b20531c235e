"""An agent of the agent service of Azure AI Foundry."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core import CancellationToken, run_in_worker_thread
from symposia.core.argument_checks import check_count, check_model_name
from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    MissingExtraError,
    ModelError,
    ModelResponseError,
)
from symposia.core.tools import BaseTool
from symposia.ext.agents._threads import ThreadAgent, ThreadsApi, hosted_tools

if TYPE_CHECKING:
    from azure.core import exceptions as azure_errors
    from azure.core import rest
else:
    azure_errors = lazy_module("azure.core.exceptions")
    rest = lazy_module("azure.core.rest")

API_VERSION: Final = "v1"
_SUCCESS: Final = range(200, 300)
_TOOLS: Final = ("azure_ai_search", "azure_function", "bing_grounding", "code_interpreter", "file_search")


class ProjectClient(Protocol):
    """A client of a project: ``AIProjectClient`` of ``azure-ai-projects`` 1 and 2, or ``AgentsClient``."""

    # Any: the SDK's requests and responses
    def send_request(self, request: Any, *, stream: bool = False, **kwargs: Any) -> Awaitable[Any]:
        """Send a request through the client's keys, retries and connections."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class AzureConnection:
    """Sends requests by Azure's SDK; see `Connection`.

    Only `send_request` is used, which the clients of all versions have. From version 2 on, ``azure-ai-projects`` has no
    methods for threads, while the service still has them.

    Args:
        client: The SDK's client.
    """

    service = "Azure AI"

    def __init__(self, client: ProjectClient) -> None:
        self._client = client

    async def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, query: Mapping[str, str] | None = None
    ) -> object:
        """See `Connection.send`."""
        return _json(method, path, await self._send(method, path, query or {}, json=body))

    async def upload(self, file: Path) -> object:
        """See `Connection.upload`."""
        content = await run_in_worker_thread(file.read_bytes)
        sent = await self._send(
            "POST", "/files", {}, data={"purpose": "assistants"}, files={"file": (file.name, content)}
        )
        return _json("POST", "/files", sent)

    async def download(self, file_id: str) -> bytes:
        """See `Connection.download`."""
        return await self._send("GET", f"/files/{file_id}/content", {})

    async def _send(self, method: str, path: str, query: Mapping[str, str], **content: Any) -> bytes:
        params = {"api-version": API_VERSION, **query}
        given = {name: value for name, value in content.items() if value is not None}
        request = rest.HttpRequest(method, f"{{endpoint}}{path}", params=params, **given)
        try:
            # As a stream: the SDK's policies parse a whole answer as JSON before its status can be seen.
            response = await self._client.send_request(request, stream=True)
            async with response:
                body = cast("bytes", await response.read())
        except azure_errors.AzureError as error:
            failure = ModelError(f"Azure AI failed: {error}")
            failure.is_transient = isinstance(
                error, azure_errors.ServiceRequestError | azure_errors.ServiceResponseError
            )
            raise failure from error
        if response.status_code not in _SUCCESS:
            raise ModelError(
                f"Azure AI answered {method} {path} with status {response.status_code}: {_reason(body)}",
                status=response.status_code,
            )
        return body


def _json(method: str, path: str, body: bytes) -> object:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ModelResponseError(f"Azure AI's answer to {method} {path} is no JSON: {error}") from error


def _reason(body: bytes) -> str:
    """What the service says about an error."""
    try:
        said = json.loads(body)["error"]
        return f"{said.get('code')}: {said.get('message')}"
    except (ValueError, LookupError, TypeError, AttributeError):
        return body[:200].decode(errors="replace") or "it does not say why"


class AzureAIAgent(ThreadAgent):
    """An agent of the agent service of Azure AI Foundry.

    The agent at the service and the thread are made for the first answer, unless the ids of others are given.

    Args:
        name: Unique within a team; a Python identifier.
        description: Describes the agent to the speaker selection.
        project_client: An ``AIProjectClient`` of ``azure.ai.projects.aio``, or an ``AgentsClient`` of
            ``azure.ai.agents.aio``. It belongs to the caller, but `close` closes it.
        deployment_name: The deployment of the model.
        instructions: The instructions of the model.
        tools: Tools at the service by name, as JSON or as objects of the SDK, and tools or functions that run here.
        agent_id: An agent that exists. Its own model, instructions and tools hold.
        thread_id: A thread that exists, and is continued.
        metadata: Kept with the agent.
        response_format: As the service has it.
        temperature: As the service has it.
        tool_resources: As the service has it, or the SDK's object for it.
        top_p: As the service has it.

    Raises:
        MissingExtraError: The SDK is not installed.
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: As `AssistantAgent`, or something is no tool.
    """

    _state_type = "AzureAIAgentState"
    assistant_id_field: ClassVar[str] = "agent_id"

    def __init__(
        self,
        name: str,
        description: str,
        project_client: ProjectClient,
        deployment_name: str,
        instructions: str,
        tools: Iterable[str | Mapping[str, Any] | BaseTool[Any, Any] | Callable[..., Any] | object] | None = None,
        agent_id: str | None = None,
        thread_id: str | None = None,
        metadata: dict[str, str] | None = None,
        response_format: object = None,
        temperature: float | None = None,
        tool_resources: object = None,
        top_p: float | None = None,
    ) -> None:
        try:
            import_module("azure.core.rest")  # to name the extra before the first turn
        except ImportError:
            raise MissingExtraError(type(self).__name__, "azure-agents") from None
        check_model_name("deployment_name", f"agent '{name}'", deployment_name)
        if not hasattr(project_client, "send_request"):
            raise ArgumentTypeError(
                f"project_client of agent '{name}' has to be an AIProjectClient of azure.ai.projects.aio, not "
                f"{project_client!r}"
            )
        hosted, own = hosted_tools(name, tools, _TOOLS)
        super().__init__(
            name,
            description,
            ThreadsApi(AzureConnection(project_client)),
            instructions=instructions,
            options={
                "model": deployment_name,
                "name": name,
                "metadata": metadata,
                "response_format": _as_json(response_format),
                "temperature": temperature,
                "tool_resources": _as_json(tool_resources),
                "top_p": top_p,
            },
            hosted=hosted,
            own=own,
            assistant_id=agent_id,
            thread_id=thread_id,
        )
        self._project_client = project_client
        self._deployment_name = deployment_name
        self._instructions = instructions
        self._own = own

    @property
    def agent_id(self) -> str:
        """The agent at the service.

        Raises:
            ValueError: It is not made yet.
        """
        return self._made("agent", self._threads.assistant_id)

    @property
    def thread_id(self) -> str:
        """The thread.

        Raises:
            ValueError: It is not made yet.
        """
        return self._made("thread", self._threads.thread_id)

    @property
    def deployment_name(self) -> str:
        """The deployment of the model."""
        return self._deployment_name

    @property
    def instructions(self) -> str:
        """The instructions of the model."""
        return self._instructions

    @property
    def tools(self) -> list[Any]:  # Any: JSON or a tool
        """The tools at the service as their JSON, and those that run here."""
        return [*self._hosted, *self._own]

    def _made(self, what: str, identity: str | None) -> str:
        if identity is None:
            raise InvalidArgumentError(
                f"Agent '{self.name}' has no {what} at Azure AI before its first turn. Run one, "
                f"or make it with {what}_id=."
            )
        return identity

    @override
    async def on_messages(
        self,
        messages: Sequence[BaseChatMessage],
        cancellation_token: CancellationToken | None = None,
        message_limit: int = 1,
    ) -> Response:
        """Take one turn; see `on_messages_stream`."""
        items = self.on_messages_stream(messages, cancellation_token, message_limit)
        response: Response | None = None
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Response):
                    response = item
        if response is None:
            raise ModelError(f"Agent '{self.name}' gave no response.")
        return response

    @override
    def on_messages_stream(
        self,
        messages: Sequence[BaseChatMessage],
        cancellation_token: CancellationToken | None = None,
        message_limit: int = 1,
        polling_interval: float = 0.5,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield its messages and events; the last item is the response.

        Args:
            messages: What is new.
            cancellation_token: Cancelling it ends the run.
            message_limit: How many of the last messages of the run are the answer. Those before them are a thought.
            polling_interval: Seconds between two questions for the state of the run.

        Raises:
            ModelError: The service or the run failed.
            asyncio.CancelledError: The token was cancelled.
        """
        check_count("message_limit", f"agent '{self.name}'", message_limit)
        if message_limit < 1 or polling_interval <= 0:
            raise InvalidArgumentError(
                f"message_limit and polling_interval of agent '{self.name}' have to be above 0, and are "
                f"{message_limit} and {polling_interval}."
            )
        self._threads.message_limit = message_limit
        self._api.polling_interval = polling_interval
        return super().on_messages_stream(messages, cancellation_token or CancellationToken())

    async def handle_text_message(self, content: str, cancellation_token: CancellationToken | None = None) -> None:
        """Add a message of the user to the conversation, which is posted with the next turn."""
        del cancellation_token  # nothing is awaited from outside
        await self.add_message(content)

    async def on_upload_for_code_interpreter(
        self,
        file_paths: str | Iterable[str],
        cancellation_token: CancellationToken | None = None,
        polling_interval: float = 0.5,
    ) -> None:
        """Give files to the code interpreter; see `ThreadAgent.upload_for_code`."""
        self._api.polling_interval = polling_interval
        await self.upload_for_code(file_paths, cancellation_token)

    async def on_upload_for_file_search(
        self,
        file_paths: str | Iterable[str],
        cancellation_token: CancellationToken,
        vector_store_name: str | None = None,
        data_sources: Sequence[object] | None = None,
        expires_after: object = None,
        chunking_strategy: object = None,
        vector_store_metadata: dict[str, str] | None = None,
        vector_store_polling_interval: float = 1,
    ) -> None:
        """Let the service search files; see `ThreadAgent.upload_for_search`.

        Args:
            file_paths: The files.
            cancellation_token: Cancelling it ends the upload.
            vector_store_name: The name of the vector store, if it is made by this call.
            data_sources: Files at Azure that the store takes in too.
            expires_after: When the store is deleted.
            chunking_strategy: How the files are divided.
            vector_store_metadata: Kept with the store.
            vector_store_polling_interval: Seconds between two questions for the state of the store.
        """
        self._api.polling_interval = vector_store_polling_interval
        chunking = _without_none({"chunking_strategy": _as_json(chunking_strategy)})
        sources = None if data_sources is None else {"data_sources": [_as_json(source) for source in data_sources]}
        store = _without_none(
            {
                "name": vector_store_name,
                "configuration": sources,
                "expires_after": _as_json(expires_after),
                "metadata": vector_store_metadata,
            }
        )
        await self.upload_for_search(file_paths, cancellation_token, store, chunking)

    @override
    async def close(self) -> None:
        """Close the client of the project, as AutoGen's agent does. The agent and the thread stay at the service."""
        await super().close()
        await self._project_client.close()


def _as_json(given: object) -> object:
    """An object of the SDK's as JSON; other values as they are."""
    as_dict = getattr(given, "as_dict", None)
    return given if as_dict is None else as_dict()


def _without_none(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
