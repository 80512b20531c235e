"""What an agent changes at its service besides its answers: files, vector stores, threads. Each change is an effect."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, JsonValue

from symposia.core import run_in_worker_thread
from symposia.core.effects import EffectKind, EffectRequest
from symposia.core.json_values import as_json
from symposia.ext.agents._threads._api import ThreadsApi

Change = Literal[
    "add_to_vector_store", "clear_thread", "create_vector_store", "delete_assistant", "delete_file", "delete_thread",
    "delete_vector_store", "set_thread_resources", "upload_file",
]  # fmt: skip


class ThreadServiceRequest(EffectRequest):
    """A change at a service with threads.

    Attributes:
        service: The name of the service.
        agent: The name of the agent.
        change: What is changed.
        arguments: What decides the outcome; of a file, its name and the SHA-256 of its content.
    """

    kind: Literal["thread_service"] = "thread_service"
    service: str
    agent: str
    change: Change
    arguments: dict[str, JsonValue]


class ThreadServiceOutcome(BaseModel, defer_build=True):
    """The outcome of a change.

    Attributes:
        id: The id of what was made; empty where nothing was.
    """

    id: str = ""


THREAD_SERVICE_EFFECT: Final = EffectKind("thread_service", ThreadServiceRequest, ThreadServiceOutcome)


class ThreadServiceSteps:
    """Changes what an agent has at its service.

    Every method raises a `ModelError` if the service fails.

    Args:
        api: The service.
        agent: The name of the agent.
    """

    def __init__(self, api: ThreadsApi, agent: str) -> None:
        self._api = api
        self._agent = agent

    async def upload(self, file: Path) -> str:
        """Send a file, and return its id.

        Raises:
            OSError: It cannot be read.
        """
        digest = await run_in_worker_thread(_digest_of, file)
        return await self._made("upload_file", lambda: self._api.upload(file), name=file.name, sha256=digest)

    async def create_vector_store(self, options: Mapping[str, object]) -> str:
        """Make a vector store, and return its id."""
        return await self._made(
            "create_vector_store", lambda: self._api.create_vector_store(options), options=dict(options)
        )

    async def add_to_vector_store(self, store: str, files: Sequence[str], options: Mapping[str, object]) -> None:
        """Let a vector store take in files, and wait until it has."""
        await self._done(
            "add_to_vector_store",
            lambda: self._api.add_to_vector_store(store, files, options),
            store=store,
            files=list(files),
            options=dict(options),
        )

    async def delete_vector_store(self, store: str) -> None:
        """Delete a vector store."""
        await self._done("delete_vector_store", lambda: self._api.delete_vector_store(store), store=store)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        await self._done("delete_file", lambda: self._api.delete_file(file_id), file=file_id)

    async def delete_assistant(self, assistant: str) -> None:
        """Delete an assistant."""
        await self._done("delete_assistant", lambda: self._api.delete_assistant(assistant), assistant=assistant)

    async def set_thread_resources(self, thread: str, resources: Mapping[str, object]) -> None:
        """Let a thread have files and a vector store."""
        await self._done(
            "set_thread_resources",
            lambda: self._api.set_thread_resources(thread, resources),
            thread=thread,
            resources=dict(resources),
        )

    async def delete_thread(self, thread: str) -> None:
        """Delete a thread."""
        await self._done("delete_thread", lambda: self._api.delete_thread(thread), thread=thread)

    async def clear_thread(self, thread: str, kept: Sequence[str]) -> None:
        """Delete the messages of a thread but for some."""

        async def clear() -> None:
            for message in await self._api.messages(thread):
                if message.id not in kept:
                    await self._api.delete_message(thread, message.id)

        await self._done("clear_thread", clear, thread=thread, kept=list(kept))

    async def _made(self, change: Change, work: Callable[[], Awaitable[str]], **arguments: object) -> str:
        async def outcome() -> ThreadServiceOutcome:
            return ThreadServiceOutcome(id=await work())

        return (await THREAD_SERVICE_EFFECT.perform(lambda: self._request(change, arguments), outcome)).id

    async def _done(self, change: Change, work: Callable[[], Awaitable[None]], **arguments: object) -> None:
        async def outcome() -> ThreadServiceOutcome:
            await work()
            return ThreadServiceOutcome()

        await THREAD_SERVICE_EFFECT.perform(lambda: self._request(change, arguments), outcome)

    def _request(self, change: Change, arguments: Mapping[str, object]) -> ThreadServiceRequest:
        return ThreadServiceRequest(
            service=self._api.service,
            agent=self._agent,
            change=change,
            arguments=as_json(arguments, f"the arguments of {change}"),
        )


def _digest_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
