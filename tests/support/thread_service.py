"""A scripted service of agents with threads, as OpenAI's Assistants and Azure's agents are, on loopback."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer
from symposia.testing.model_server._loop_thread import LoopThread
from symposia.testing.model_server._threads import (
    RefusedError,
    Run,
    Step,
    Thread,
    ThreadStore,
    json_of,
    text_part,
)

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
NOT_FOUND = 404
NOT_JSON = object()
"""An answer that is no JSON, for `ThreadService.failures`."""
Body = dict[str, Any]


def calls(*made: tuple[str, str, Mapping[str, object]]) -> Body:
    """A step of a run that waits for the results of these calls: id, function and arguments of each."""
    listed = [
        {"id": identity, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for identity, name, arguments in made
    ]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": listed}}
    return {"status": "requires_action", "required_action": action}


def says(*texts: str, content: Sequence[Body] = (), **fields: Any) -> Body:
    """A step with which a run ends: its messages."""
    return {"status": "completed", "messages": texts, "content": content, "usage": USAGE, **fields}


class ThreadService(ThreadStore):
    """Lets each run take the next steps of a script, and answers as the services do when they fail.

    It is entered with ``async with``, or with ``with`` to run in a thread.

    Args:
        keep_alive: Whether a connection takes more than one request.

    Attributes:
        script: The steps that runs take: `calls`, `says`, or fields of a run. The last one of a run ends it.
        requests: Method and path of each request.
        bodies: The JSON of each request with one, with its path.
        failures: Statuses and answers by method and path, in which the thread is called T; each is given once.
        cancelled: The state of a run whose cancellation has ended.
        hold: While it is clear, no run goes on.
        polled: Set when a run was asked for while it is held.
    """

    def __init__(self, *, keep_alive: bool = True) -> None:
        super().__init__()
        self.script: list[Body] = []
        self.requests: list[str] = []
        self.bodies: list[tuple[str, Body]] = []
        self.headers: list[Mapping[str, str]] = []
        self.failures: dict[str, tuple[int, object]] = {}
        self.cancelled = "cancelled"
        self.hold = asyncio.Event()
        self.hold.set()
        self.polled = asyncio.Event()
        self._http = HttpServer(self._respond, keep_alive=keep_alive)
        self._thread: LoopThread | None = None

    @property
    def url(self) -> str:
        return self._http.url

    def body_of(self, path: str) -> Body:
        """The JSON of the last request to a path."""
        return next(body for at, body in reversed(self.bodies) if at == path)

    def said(self, thread: str) -> list[tuple[str, str]]:
        """The role and the text of each message of a thread."""
        messages = self.threads[thread].messages.values()
        return [(each["role"], each["content"][0]["text"]["value"]) for each in messages]

    @property
    def runs(self) -> list[Body]:
        """The runs of all threads, the oldest of each first."""
        return [run.fields for thread in self.threads.values() for run in thread.runs.values()]

    def keep_thread(self, thread: str, said: Sequence[str], assistant: str, run: Body | None = None) -> None:
        """Keep a thread with messages of the user, and with a run, as if another program had made it."""
        messages: dict[str, Body] = {
            str(at): {"id": str(at), "role": "user", "content": [text_part(each)], "run_id": None}
            for at, each in enumerate(said)
        }
        runs = {run["id"]: Run(fields=run)} if run else {}
        self.threads[thread] = Thread(fields={"id": thread}, messages=messages, runs=runs)
        self.assistants[assistant] = {"id": assistant}

    async def __aenter__(self) -> Self:
        await self._http.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        self._thread = LoopThread()
        self._thread.run(self._http.start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._thread is not None
        self._thread.run(self.stop())
        self._thread.stop()

    async def stop(self) -> None:
        """Serve no more."""
        await self._http.stop()

    @override
    def next_step(self, run: Run) -> Step | None:
        if run.fields["status"] == "cancelling":
            return Step(fields={"status": self.cancelled})
        if not self.hold.is_set():
            self.polled.set()
            return None
        step = self.script.pop(0)
        written = [[text_part(said)] for said in step.get("messages", ())]
        written += [each for each in [step.get("content")] if each]
        fields = {name: value for name, value in step.items() if name not in {"messages", "content"}}
        return Step(fields=fields, contents=written)

    async def _respond(self, request: HttpRequest, answer: HttpResponse) -> None:
        path = "/" + request.path.strip("/").removeprefix("v1").removeprefix("openai").strip("/")
        at = re.sub("threads/thread_[0-9]+", "threads/T", f"{request.method} {path}")
        self.requests.append(at)
        self.headers.append(request.headers)
        if request.body:
            is_json = request.headers.get("content-type", "").startswith("application/json")
            self.bodies.append((path, json_of(request) if is_json else {}))
        if at in self.failures:
            status, value = self.failures.pop(at)
            if value is NOT_JSON:
                await answer.raw(200, b"<html>", {"content-type": "application/json"})
            else:
                await answer.whole(status, value)
            return
        try:
            value = self._reply(request, path.strip("/").split("/"))
        except RefusedError as error:
            code = "not_found" if error.status == NOT_FOUND else "invalid_request_error"
            await answer.whole(error.status, {"error": {"code": code, "message": str(error)}})
        else:
            if isinstance(value, bytes):
                await answer.raw(200, value, {"content-type": "application/octet-stream"})
            else:
                await answer.whole(200, value)

    def _reply(self, request: HttpRequest, path: list[str]) -> Body | bytes:
        value = self.answer(request, path)
        match request.method, path:
            case "POST", ["files"] if isinstance(value, dict):
                return {**value, "status": "uploaded"}
            case "POST", ["vector_stores", _, "file_batches"] if isinstance(value, dict):
                return {**value, "status": "in_progress"}
            case "POST", ["threads", thread, "runs"] if value is None:
                return self.start_run(self.threads[thread], json_of(request), None).fields
            case "POST", ["threads", thread, "runs", run, "submit_tool_outputs"] if value is None:
                self.continue_run(self.threads[thread].runs[run], None)
                return self.threads[thread].runs[run].fields
            case _ if value is None:
                raise RefusedError(NOT_FOUND, f"no {path}")
            case _:
                return value
