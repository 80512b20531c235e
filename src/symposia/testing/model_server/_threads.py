"""What OpenAI's Assistants API keeps: assistants, threads with messages and runs, files and vector stores. No I/O.

A run needs the answers of a model. `ThreadStore.answer` leaves the requests to which one belongs to its caller: those
that start a run, and those with the results of its calls. The caller gives the run its next step by `start_run` and
`continue_run`, and the run takes it when it is asked for next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as MimeMessage
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

from symposia.testing.model_server._http import HttpRequest

T = TypeVar("T")
Json = dict[str, Any]

CREATED: Final = 1_700_000_000
"""One time for all that is made, in seconds since 1970, so that an answer is always the same."""
ACTIVE: Final = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
"""The states of a run that has not ended."""
PAGE: Final = 20
"""Items of a list, unless the request says how many."""


class RefusedError(Exception):
    """A request that the service refuses with a status and these words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a run does next.

    Attributes:
        fields: The fields of the run that change, its `status` among them.
        contents: The parts of each message that it writes.
    """

    fields: Mapping[str, Any]
    contents: Sequence[Sequence[Json]] = ()


@dataclass(kw_only=True)
class Run:
    """A run, as the service shows it, and what it does next."""

    fields: Json
    next: Step | None = None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.fields["status"] in ACTIVE

    @property
    def calls(self) -> Sequence[Json]:
        """The calls for whose results it waits."""
        action = self.fields["required_action"]
        return action["submit_tool_outputs"]["tool_calls"] if action else ()


@dataclass(kw_only=True)
class Thread:
    """A thread, with its messages as the service shows them and its runs, both the oldest first."""

    fields: Json
    messages: dict[str, Json] = field(default_factory=dict[str, Json])
    runs: dict[str, Run] = field(default_factory=dict[str, Run])

    @property
    def active_run(self) -> Run | None:
        """The run that has not ended."""
        return next((run for run in self.runs.values() if run.is_active), None)


def text_part(value: str) -> Json:
    """The part of a message that is a text."""
    return {"type": "text", "text": {"value": value, "annotations": []}}


class ThreadStore:
    """The state of the service.

    Attributes:
        assistants: As the service shows them, by their ids.
        threads: The threads by their ids.
        contents: The bytes of each file by its id.
    """

    def __init__(self) -> None:
        self.assistants: dict[str, Json] = {}
        self.threads: dict[str, Thread] = {}
        self.contents: dict[str, bytes] = {}
        self._files: dict[str, Json] = {}
        self._vector_stores: dict[str, Json] = {}
        self._batches: dict[str, Json] = {}
        self._count = 0

    def answer(self, request: HttpRequest, path: Sequence[str]) -> Json | bytes | None:
        """Answer a request, or return None if a model has to, or if the service has no such path.

        Args:
            request: The request.
            path: The parts of its path behind the address of the service.

        Raises:
            RefusedError: The service refuses it.
        """
        match request.method, path:
            case "POST", ["files"]:
                return self._upload(request)
            case "GET", ["files", identity, "content"]:
                return _found("file", self.contents, identity)
            case "GET" | "DELETE", ["files", *rest]:
                return self._of_table("file", self._files, request, rest)
            case _, ["assistants", *rest]:
                return self._of_table("assistant", self.assistants, request, rest)
            case _, ["vector_stores"] | ["vector_stores", _]:
                return self._of_table("vector store", self._vector_stores, request, path[1:])
            case _, ["vector_stores", _, "file_batches" | "files", *rest]:
                return self._of_table("file batch", self._batches, request, rest)
            case "POST", ["threads"]:
                return self.add_thread(json_of(request)).fields
            case "POST", ["threads", "runs"]:
                _found("assistant", self.assistants, json_of(request).get("assistant_id"))
                return None
            case _, ["threads", identity, *rest] if identity != "runs":
                return self._of_thread(_found("thread", self.threads, identity), request, rest)
            case _:
                return None

    def next_step(self, run: Run) -> Step | None:
        """What a run does when it is asked for; None if it goes on working."""
        step, run.next = run.next, None
        return step

    def add_thread(self, body: Mapping[str, Any]) -> Thread:
        """Make a thread, with the messages of the request."""
        thread = Thread(fields=self._made("thread", {name: body[name] for name in body if name != "messages"}))
        self.threads[thread.fields["id"]] = thread
        for message in body.get("messages") or ():
            self._add_message(thread, message["role"], parts_of(message["content"]))
        return thread

    def start_run(self, thread: Thread, body: Mapping[str, Any], step: Step | None) -> Run:
        """Start a run."""
        options = {name: body[name] for name in body if name not in {"stream", "thread"}}
        kept: Json = {"status": "queued", "required_action": None, "last_error": None, "usage": None}
        made = self._made("thread.run", {**options, "thread_id": thread.fields["id"], **kept}, "run")
        run = thread.runs[made["id"]] = Run(fields=made, next=step)
        return run

    def continue_run(self, run: Run, step: Step | None) -> None:
        """Let a run go on that has been given the results of its calls."""
        run.fields |= {"status": "queued", "required_action": None}
        run.next = step

    def _of_table(self, kind: str, table: dict[str, Json], request: HttpRequest, rest: Sequence[str]) -> Json | None:
        """Answer a request about things that only have fields."""
        match request.method, rest:
            case "POST", []:
                body = json_of(request)
                made = self._made(kind, body) | ({} if kind == "assistant" else _processed(body))
                table[made["id"]] = made
                return made
            case "GET", []:
                return _page(table.values(), request)
            case "GET", [identity]:
                return _found(kind, table, identity)
            case "POST", [identity]:
                return _changed(_found(kind, table, identity), json_of(request))
            case "DELETE", [identity]:
                return _removed(kind, table, identity)
            case _:
                return None

    def _of_thread(self, thread: Thread, request: HttpRequest, rest: Sequence[str]) -> Json | None:
        match request.method, rest:
            case "GET", []:
                return thread.fields
            case "POST", []:
                return _changed(thread.fields, json_of(request))
            case "DELETE", []:
                return _removed("thread", self.threads, thread.fields["id"])
            case _, ["messages", *rest]:
                return self._of_messages(thread, request, rest)
            case "GET", ["runs"]:
                return _page((run.fields for run in thread.runs.values()), request)
            case "POST", ["runs"]:
                _check_no_run("Thread {thread} already has an active run {run}.", thread)
                _found("assistant", self.assistants, json_of(request).get("assistant_id"))
                return None
            case _, ["runs", identity, *action]:
                return self._of_run(thread, _found("run", thread.runs, identity), request, action)
            case _:
                return None

    def _of_messages(self, thread: Thread, request: HttpRequest, rest: Sequence[str]) -> Json | None:
        match request.method, rest:
            case "POST", []:
                _check_no_run("Can't add messages to {thread} while a run {run} is active.", thread)
                body = json_of(request)
                return self._add_message(thread, body["role"], parts_of(body["content"]))
            case "GET", []:
                return _page(thread.messages.values(), request)
            case "GET", [identity]:
                return _found("message", thread.messages, identity)
            case "POST", [identity]:
                return _changed(_found("message", thread.messages, identity), json_of(request))
            case "DELETE", [identity]:
                return _removed("message", thread.messages, identity)
            case _:
                return None

    def _of_run(self, thread: Thread, run: Run, request: HttpRequest, action: Sequence[str]) -> Json | None:
        status = run.fields["status"]
        match request.method, action:
            case "GET", []:
                if status in {"queued", "in_progress", "cancelling"}:
                    self._advance(thread, run)
                return run.fields
            case "POST", ["cancel"]:
                if not run.is_active:
                    raise RefusedError(400, f"Cannot cancel run with status '{status}'.")
                run.fields |= {"status": "cancelling", "required_action": None}
                run.next = Step(fields={"status": "cancelled"})
                return run.fields
            case "POST", ["submit_tool_outputs"]:
                asked = {call["id"] for call in run.calls}
                given = {each.get("tool_call_id") for each in json_of(request)["tool_outputs"]}
                if given != asked:
                    raise RefusedError(400, f"Expected tool outputs for call_ids {sorted(asked)}, got {sorted(given)}.")
                return None
            case _:
                return None

    def _advance(self, thread: Thread, run: Run) -> None:
        step = self.next_step(run)
        if step is None:
            run.fields["status"] = "in_progress"
            return
        for content in step.contents:
            self._add_message(thread, "assistant", content, run)
        run.fields |= step.fields

    def _add_message(self, thread: Thread, role: str, content: Sequence[Json], run: Run | None = None) -> Json:
        writer = {"run_id": None, "assistant_id": None}
        if run is not None:
            writer = {"run_id": run.fields["id"], "assistant_id": run.fields["assistant_id"]}
        fields = {"thread_id": thread.fields["id"], "role": role, "content": list(content), **writer}
        made = self._made("thread.message", fields, "msg")
        thread.messages[made["id"]] = made
        return made

    def _upload(self, request: HttpRequest) -> Json:
        head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
        parts: MutableMapping[str, MimeMessage] = {}
        for part in message_from_bytes(head + request.body).walk():
            parts[str(part.get_param("name", header="content-disposition"))] = part
        if "file" not in parts:
            raise RefusedError(400, "'file' is a required property")
        data = parts["file"].get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        purpose = parts["purpose"].get_payload() if "purpose" in parts else "assistants"
        made = self._made(
            "file",
            {
                "bytes": len(content),
                "filename": parts["file"].get_filename() or "file",
                "purpose": purpose,
                "status": "processed",
            },
        )
        self._files[made["id"]], self.contents[made["id"]] = made, content
        return made

    def _made(self, kind: str, fields: Mapping[str, Any], prefix: str = "") -> Json:
        self._count += 1
        identity = f"{prefix or kind.replace(' ', '_')}_{self._count}"
        return {"id": identity, "object": kind.replace(" ", "_"), "created_at": CREATED, "metadata": {}, **fields}


def json_of(request: HttpRequest) -> Json:
    """The body of a request.

    Raises:
        RefusedError: It is no JSON object.
    """
    try:
        value = json.loads(request.body or b"{}")
    except ValueError as error:
        raise RefusedError(400, f"The body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError(400, "The body is no JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] - the keys of a JSON object are texts


def parts_of(content: str | Sequence[Json]) -> Sequence[Json]:
    """The content of a message as the service shows it. Texts of a request are plain ones."""
    if isinstance(content, str):
        return [text_part(content)]
    return [text_part(part["text"]) if part["type"] == "text" else part for part in content]


def _processed(body: Mapping[str, Any]) -> Json:
    """The state of files that were taken in."""
    files = len(body.get("file_ids") or [*filter(None, [body.get("file_id")])])
    counts = {"in_progress": 0, "completed": files, "failed": 0, "cancelled": 0, "total": files}
    return {"status": "completed", "file_counts": counts}


def _check_no_run(problem: str, thread: Thread) -> None:
    if run := thread.active_run:
        raise RefusedError(400, problem.format(thread=thread.fields["id"], run=run.fields["id"]))


def _found(kind: str, table: Mapping[str, T], identity: object) -> T:
    if not isinstance(identity, str) or identity not in table:
        raise RefusedError(404, f"No {kind} found with id '{identity}'.")
    return table[identity]


def _changed(fields: Json, body: Mapping[str, Any]) -> Json:
    fields |= body
    return fields


def _removed(kind: str, table: MutableMapping[str, T], identity: str) -> Json:
    _found(kind, table, identity)
    del table[identity]
    return {"id": identity, "object": f"{kind.replace(' ', '_')}.deleted", "deleted": True}


def _page(items: Iterable[Json], request: HttpRequest) -> Json:
    """A part of a list, the newest first unless the request says otherwise."""
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    listed = list(items) if query.get("order") == "asc" else list(items)[::-1]
    start = 1 + next((at for at, each in enumerate(listed) if each["id"] == query.get("after")), -1)
    shown = listed[start : start + int(query.get("limit", PAGE))]
    ends = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    more = len(listed) > start + len(shown)
    return {"object": "list", "data": shown, "first_id": ends[0], "last_id": ends[1], "has_more": more}
