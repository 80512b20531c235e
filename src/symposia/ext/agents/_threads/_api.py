"""The REST interface of agents with threads, which OpenAI calls Assistants, and which Azure AI has taken over.

Both SDKs have classes for it, of different names and with different faults; OpenAI's are deprecated. So the JSON is
written and read here, once, and the SDKs do keys, retries and connections: see `Connection`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from symposia.core.exceptions import ModelError, ModelResponseError
from symposia.ext.agents._threads._shapes import ACTIVE, ENDED, WAITING, Identified, Page, Run, State, ThreadMessage

ShapeT = TypeVar("ShapeT", bound=BaseModel)

PAGE: Final = 100
"""Messages in one answer, the most that the services give."""
_PROCESSED: Final = frozenset({"processed", "completed"})
_PROCESSING: Final = frozenset({"uploaded", "pending", "running", "in_progress"})


class Connection(Protocol):
    """Sends requests to a service, by the service's SDK."""

    @property
    def service(self) -> str:
        """The name of the service, for errors."""
        ...

    async def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, query: Mapping[str, str] | None = None
    ) -> object:
        """Send a request, and return the JSON of the answer.

        Raises:
            ModelError: The request failed.
        """
        ...

    async def upload(self, file: Path) -> object:
        """Send a file for the tools at the service, and return the JSON of the answer.

        It raises what `send` raises, and `OSError`.
        """
        ...

    async def download(self, file_id: str) -> bytes:
        """The bytes of a file. It raises what `send` raises."""
        ...


class ThreadsApi:
    """Requests about agents, threads, runs and files.

    Args:
        connection: Sends them.

    Raises:
        ModelError: Of every method: the request failed, or the answer has another shape than the interface says.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.service = connection.service
        self.polling_interval = 0.5

    async def create_assistant(self, options: Mapping[str, object]) -> str:
        return (await self._post(Identified, "/assistants", options)).id

    async def delete_assistant(self, assistant: str) -> None:
        await self._connection.send("DELETE", f"/assistants/{assistant}")

    async def create_thread(self, resources: Mapping[str, object]) -> str:
        return (await self._post(Identified, "/threads", {"tool_resources": resources} if resources else {})).id

    async def set_thread_resources(self, thread: str, resources: Mapping[str, object]) -> None:
        await self._post(Identified, f"/threads/{thread}", {"tool_resources": resources})

    async def delete_thread(self, thread: str) -> None:
        await self._connection.send("DELETE", f"/threads/{thread}")

    async def add_message(self, thread: str, role: str, text: str) -> str:
        return (await self._post(ThreadMessage, f"/threads/{thread}/messages", {"role": role, "content": text})).id

    async def delete_message(self, thread: str, message: str) -> None:
        await self._connection.send("DELETE", f"/threads/{thread}/messages/{message}")

    async def messages(self, thread: str, *, after: str | None = None) -> list[ThreadMessage]:
        """The messages behind `after`, the oldest first; None for all."""
        found: list[ThreadMessage] = []
        while True:
            query = {"order": "asc", "limit": str(PAGE), **({"after": after} if after else {})}
            page = self._read(Page, await self._connection.send("GET", f"/threads/{thread}/messages", query=query))
            found += [self._read(ThreadMessage, message) for message in page.data]
            if not page.has_more or not page.data or page.last_id in {None, after}:
                return found
            after = page.last_id

    async def start_run(self, thread: str, assistant: str, options: Mapping[str, object]) -> Run:
        return await self._post(Run, f"/threads/{thread}/runs", {"assistant_id": assistant, **options})

    async def run(self, thread: str, run: str) -> Run:
        return self._read(Run, await self._connection.send("GET", f"/threads/{thread}/runs/{run}"))

    async def last_run(self, thread: str) -> Run | None:
        query = {"order": "desc", "limit": "1"}
        page = self._read(Page, await self._connection.send("GET", f"/threads/{thread}/runs", query=query))
        return self._read(Run, page.data[0]) if page.data else None

    async def submit(self, thread: str, run: str, outputs: Sequence[Mapping[str, str]]) -> Run:
        return await self._post(
            Run, f"/threads/{thread}/runs/{run}/submit_tool_outputs", {"tool_outputs": list(outputs)}
        )

    async def wait(self, thread: str, run: Run) -> Run:
        """Wait until a run has ended or waits for results itself.

        Raises:
            ModelError: It is in a state that is not known.
        """
        return await self._until_it_leaves(ACTIVE, thread, run)

    async def cancel(self, thread: str, run: Run) -> None:
        """End a run, and wait until it has ended. One that ends by itself meanwhile is fine.

        Raises:
            ModelError: The service refuses, or the run is in a state that is not known.
        """
        if run.status in ENDED:
            return
        try:
            if run.status != "cancelling":
                run = await self._post(Run, f"/threads/{thread}/runs/{run.id}/cancel", {})
        except ModelError:
            run = await self.run(thread, run.id)
            if run.status not in ENDED:
                raise
        await self._until_it_leaves(ACTIVE | {WAITING}, thread, run)

    async def _until_it_leaves(self, states: frozenset[str], thread: str, run: Run) -> Run:
        while run.status in states:
            await asyncio.sleep(self.polling_interval)
            run = await self.run(thread, run.id)
        if run.status not in ENDED and run.status != WAITING:
            raise ModelResponseError(
                f"{self.service}: a run is in the unknown state {run.status!r}. Update Symposia, or take a new thread."
            )
        return run

    # Files ------------------------------------------------------------------------------------------------------------

    async def upload(self, file: Path) -> str:
        """Send a file, and wait until the service has taken it in."""
        uploaded = self._read(State, await self._connection.upload(file))
        return (await self._until_processed(f"/files/{uploaded.id}", uploaded, file.name)).id

    async def download(self, file_id: str) -> bytes:
        return await self._connection.download(file_id)

    async def delete_file(self, file_id: str) -> None:
        await self._connection.send("DELETE", f"/files/{file_id}")

    async def create_vector_store(self, options: Mapping[str, object]) -> str:
        store = await self._post(State, "/vector_stores", options)
        return (await self._until_processed(f"/vector_stores/{store.id}", store, "a vector store")).id

    async def add_to_vector_store(self, store: str, files: Sequence[str], options: Mapping[str, object]) -> None:
        """Let a vector store take in files, and wait until it has."""
        path = f"/vector_stores/{store}/file_batches"
        batch = await self._post(State, path, {"file_ids": list(files), **options})
        await self._until_processed(f"{path}/{batch.id}", batch, f"the files of the vector store {store}")

    async def delete_vector_store(self, store: str) -> None:
        await self._connection.send("DELETE", f"/vector_stores/{store}")

    async def _until_processed(self, path: str, state: State, what: str) -> State:
        while state.status in _PROCESSING:
            await asyncio.sleep(self.polling_interval)
            state = self._read(State, await self._connection.send("GET", path))
        if state.status not in _PROCESSED:
            raise ModelError(
                f"{self.service} could not process {what}: its state is {state.status!r}. Check that the service takes "
                "files of this kind and size."
            )
        return state

    async def _post(self, shape: type[ShapeT], path: str, body: Mapping[str, object]) -> ShapeT:
        return self._read(shape, await self._connection.send("POST", path, body))

    def _read(self, shape: type[ShapeT], answer: object) -> ShapeT:
        try:
            return TypeAdapter(shape).validate_python(answer)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the answer"
            raise ModelResponseError(
                f"{self.service} answered with another shape than its interface says: {place}: {first['msg']}. Check "
                "the address of the service, or update Symposia."
            ) from error
