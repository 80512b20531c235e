"""A scripted service of agents with threads, as OpenAI's Assistants and Azure's agents are, on loopback."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer
from symposia.testing.model_server._loop_thread import LoopThread

ACTIVE = {"queued", "in_progress", "requires_action", "cancelling"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
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


def text(value: str) -> Body:
    return {"type": "text", "text": {"value": value, "annotations": []}}


class ThreadService:
    """Keeps assistants, threads, messages, runs and files, and lets each run take the next steps of the script.

    It is entered with ``async with``, or with ``with`` to run in a thread.

    Args:
        keep_alive: Whether a connection takes more than one request.

    Attributes:
        assistants: The assistants by their ids.
        script: The steps that runs take: `calls`, `says`, or fields of a run. The last one of a run ends it.
        requests: Method and path of each request, without what only polls.
        bodies: The JSON of each request with one, with its path.
        threads: The messages of each thread, the oldest first.
        failures: Statuses and answers by method and path, in which the thread is called T; each is given once.
        cancelled: The state of a run whose cancellation has ended.
        hold: While it is clear, no run goes on.
        polled: Set when a run was asked for while it is held.
    """

    def __init__(self, *, keep_alive: bool = True) -> None:
        self.assistants: dict[str, Body] = {}
        self.script: list[Body] = []
        self.requests: list[str] = []
        self.bodies: list[tuple[str, Body]] = []
        self.headers: list[Mapping[str, str]] = []
        self.threads: dict[str, list[Body]] = {}
        self.runs: dict[str, list[Body]] = {}
        self.files: dict[str, bytes] = {}
        self.failures: dict[str, tuple[int, object]] = {}
        self.cancelled = "cancelled"
        self.hold = asyncio.Event()
        self.hold.set()
        self.polled = asyncio.Event()
        self._count = 0
        self._http = HttpServer(self._answer, keep_alive=keep_alive)
        self._thread: LoopThread | None = None

    @property
    def url(self) -> str:
        return self._http.url

    def body_of(self, path: str) -> Body:
        """The JSON of the last request to a path."""
        return next(body for at, body in reversed(self.bodies) if at == path)

    def said(self, thread: str) -> list[tuple[str, str]]:
        """The role and the text of each message of a thread."""
        return [(each["role"], each["content"][0]["text"]["value"]) for each in self.threads[thread]]

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

    async def _answer(self, request: HttpRequest, answer: HttpResponse) -> None:
        path = "/" + request.path.strip("/").removeprefix("v1").removeprefix("openai").strip("/")
        at = re.sub("threads/thread_[0-9]+", "threads/T", f"{request.method} {path}")
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body: Body = json.loads(request.body) if is_json and request.body else {}
        self.requests.append(at)
        self.headers.append(request.headers)
        if request.body:
            self.bodies.append((path, body))
        if at in self.failures:
            status, value = self.failures.pop(at)
            if value is NOT_JSON:
                await answer.raw(200, b"<html>", {"content-type": "application/json"})
            else:
                await answer.whole(status, value)
        elif path.endswith("/content"):
            await answer.raw(200, self.files[path.split("/")[2]], {"content-type": "application/octet-stream"})
        else:
            status, value = self._reply(request, path.strip("/").split("/"), body)
            await answer.whole(status, value)

    def _reply(self, request: HttpRequest, path: list[str], body: Body) -> tuple[int, object]:
        match request.method, path:
            case "POST" | "GET", ["assistants", *rest]:
                return 200, self._of_assistants(request.method, rest, body)
            case "POST", ["vector_stores" | "threads" as kind]:
                made = self._id(kind.removesuffix("s"))
                self.threads |= {made: []} if kind == "threads" else {}
                self.runs |= {made: []} if kind == "threads" else {}
                return 200, {"id": made, "status": "completed", **body}
            case "POST", ["files"]:
                identity = self._id("file")
                self.files[identity] = request.body
                return 200, {"id": identity, "object": "file", "status": "uploaded", "bytes": 1, "created_at": 1,
                             "filename": "f", "purpose": "assistants"}  # fmt: skip
            case "GET", ["files", _] | ["vector_stores", _] | ["vector_stores", _, "file_batches", _]:
                return 200, {"id": path[-1], "status": "processed" if path[0] == "files" else "completed"}
            case "POST", ["vector_stores", _, "file_batches"]:
                return 200, {"id": self._id("batch"), "status": "in_progress"}
            case "DELETE", ["threads", thread]:
                del self.threads[thread], self.runs[thread]
                return 200, {"id": thread, "deleted": True}
            case "DELETE", [_, identity]:
                self.assistants.pop(identity, None)
                return 200, {"id": identity, "deleted": True}
            case "POST", ["threads", thread]:
                return 200, {"id": thread}
            case _, ["threads", thread, *rest] if thread in self.threads:
                return self._of_thread(request, thread, rest, body)
            case _:
                return 404, {"error": {"code": "not_found", "message": f"no {path}"}}

    def _of_assistants(self, method: str, path: list[str], body: Body) -> Body:
        if path:
            self.assistants[path[0]] |= body
            return self.assistants[path[0]]
        if method == "GET":
            return _page(list(self.assistants.values())[::-1], 100)
        made: Body = {"id": self._id("assistant"), "object": "assistant", "created_at": 1, **body}
        self.assistants[made["id"]] = made
        return made

    def _of_thread(self, request: HttpRequest, thread: str, path: list[str], body: Body) -> tuple[int, object]:
        messages, runs = self.threads[thread], self.runs[thread]
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        match request.method, path:
            case "GET", ["messages"]:
                start = 1 + next((at for at, each in enumerate(messages) if each["id"] == query.get("after")), -1)
                return 200, _page(messages[start:], int(query["limit"]))
            case "GET", ["runs"]:
                return 200, _page(runs[::-1], int(query["limit"]))
            case "DELETE", ["messages", identity]:
                messages[:] = [each for each in messages if each["id"] != identity]
                return 200, {"id": identity, "deleted": True}
            case "POST", ["messages" | "runs"] if any(run["status"] in ACTIVE for run in runs):
                return 400, {"error": {"code": "invalid_request_error", "message": "A run of the thread is active."}}
            case "POST", ["messages"]:
                messages.append(_message(self._id("msg"), body["role"], [text(body["content"])]))
                return 200, messages[-1]
            case "POST", ["runs"]:
                runs.append({"id": self._id("run"), "thread_id": thread, "status": "queued"})
                return 200, runs[-1]
            case _, ["runs", identity, *action]:
                run = next(each for each in runs if each["id"] == identity)
                return self._of_run(run, messages, action[0] if action else "poll", body)
            case _:
                return 404, {"error": {"code": "not_found", "message": f"no {path}"}}

    def _of_run(self, run: Body, messages: list[Body], action: str, body: Body) -> tuple[int, object]:
        if action == "cancel":
            if run["status"] not in ACTIVE:
                return 400, {"error": {"code": "invalid_request_error", "message": "The run has ended."}}
            run |= {"status": "cancelling", "required_action": None}
        elif action == "submit_tool_outputs":
            asked = {call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]}
            assert {output["tool_call_id"] for output in body["tool_outputs"]} == asked
            run |= {"status": "in_progress", "required_action": None}
        elif run["status"] == "cancelling":
            run["status"] = self.cancelled
        elif run["status"] in {"queued", "in_progress"}:
            self._advance(run, messages)
        return 200, run

    def _advance(self, run: Body, messages: list[Body]) -> None:
        if not self.hold.is_set():
            self.polled.set()
            run["status"] = "in_progress"
            return
        step = self.script.pop(0)
        run |= {name: value for name, value in step.items() if name not in {"messages", "content"}}
        written = [[text(said)] for said in step.get("messages", ())] + [each for each in [step.get("content")] if each]
        messages += [_message(self._id("msg"), "assistant", each, run_id=run["id"]) for each in written]

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"


def _message(identity: str, role: str, content: Sequence[Body], run_id: str | None = None) -> Body:
    return {"id": identity, "role": role, "content": list(content), "run_id": run_id}


def _page(items: Sequence[Body], limit: int) -> Body:
    shown = list(items[:limit])
    return {"data": shown, "has_more": len(items) > limit, "last_id": shown[-1]["id"] if shown else None}
