"""OpenAI's Assistants API, which Azure's agents have too: the requests of a run to its model.

The service keeps the conversation, and asks the model itself: what a rule sees is the thread, with the instructions and
the tools of the assistant or of the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeGuard

from symposia.testing.model_server._answers import Reply, ToolCall
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool
from symposia.testing.model_server._openai import error
from symposia.testing.model_server._threads import Json, Run, Step, Thread, ThreadStore, parts_of, text_part

_ROOT: Final = r"(?:/v1|/openai|/openai/v1|/api/projects/[^/]+)?"  # the latter three at Azure
SERVICE_PATH: Final = re.compile(rf"{_ROOT}/(?P<path>(?:assistants|threads|files|vector_stores)(?:/.*)?)")
"""The paths of the service. Those in which a model is asked are `AssistantsFormat.PATH`."""


class AssistantsFormat:
    """The wire format over what the service keeps: an answer is the next step of a run. See `WireFormat`."""

    NAME = "openai-assistants"
    PATH = re.compile(rf"{_ROOT}/threads(?:/(?P<thread_id>[^/]+))?/runs(?:/(?P<run_id>[^/]+)/submit_tool_outputs)?")
    STREAM_TYPE = "text/event-stream"

    def __init__(self, store: ThreadStore) -> None:
        self._store = store
        self._turns: dict[str, list[Message]] = {}
        """The calls that each run has made, and their results. The service shows them in no message."""

    def conversation(self, fields: Mapping[str, Any]) -> Conversation:
        """What the service sends to the model."""
        thread, run = self._of(fields)
        options = fields if run is None else run.fields
        assistant: Json = self._store.assistants[options["assistant_id"]]
        said: Sequence[Json] = list(thread.messages.values()) if thread else _messages_of(fields)
        system = (options.get("instructions") or assistant.get("instructions"), options.get("additional_instructions"))
        tools: Sequence[Json] = options.get("tools") or assistant.get("tools") or ()
        form: Json | str | None = options.get("response_format") or assistant.get("response_format")
        turns = [*self._turns.get(run.fields["id"], ()), *_results(fields)] if run else []
        return Conversation(
            model=str(options.get("model") or assistant["model"]),
            system="\n\n".join(filter(None, system)),
            messages=(*(_message(each) for each in said), *turns),
            tools=tuple(_offered(tool) for tool in tools),
            output_schema=form["json_schema"].get("schema") if _is_schema(form) else None,
            streams=bool(fields.get("stream")),
        )

    def complaint(self, _fields: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
        """Nothing: what the service refuses, `ThreadStore` has refused."""
        return None

    def whole(self, reply: Reply, fields: Mapping[str, Any]) -> object:
        """The run, which is under way. It takes the step when it is asked for next."""
        thread, run = self._of(fields)
        step = _step(reply, {} if run is None else run.fields["usage"] or {})
        if run is None:
            sent = {name: value for name, value in fields.items() if name != "thread_id"}
            run = self._store.start_run(thread or self._store.add_thread(fields.get("thread") or {}), sent, step)
        else:
            self._turns[run.fields["id"]] += _results(fields)
            self._store.continue_run(run, step)
        if reply.tool_calls:
            made = Message(role="assistant", text=reply.text, tool_calls=reply.tool_calls)
            self._turns.setdefault(run.fields["id"], []).append(made)
        return run.fields

    def events(self, _reply: Reply, _fields: Mapping[str, Any]) -> Iterator[bytes]:
        """Nothing: runs are not streamed here.

        Raises:
            ValueError: Always.
        """
        raise ValueError("runs are not streamed by this server: start the run without stream=True, and poll it")

    @staticmethod
    def error(status: int, message: str) -> object:
        """The body of an error."""
        return error(status, message)

    def _of(self, fields: Mapping[str, Any]) -> tuple[Thread | None, Run | None]:
        """The thread and the run that the path names, where it names them."""
        thread = self._store.threads[fields["thread_id"]] if "thread_id" in fields else None
        run = thread.runs[fields["run_id"]] if thread and "run_id" in fields else None
        return thread, run


def _messages_of(fields: Mapping[str, Any]) -> Sequence[Json]:
    """The messages of a thread that is made with the run."""
    thread: Json = fields.get("thread") or {}
    given: Sequence[Json] = thread.get("messages") or ()
    return [{**each, "content": parts_of(each["content"])} for each in given]


def _message(message: Json) -> Message:
    parts: Sequence[Json] = message["content"]
    texts = [part["text"]["value"] for part in parts if part["type"] == "text"]
    images = sum(part["type"] in {"image_file", "image_url"} for part in parts)
    return Message(role=message["role"], text="\n".join(texts), images=images)


def _results(fields: Mapping[str, Any]) -> list[Message]:
    outputs: Sequence[Json] = fields.get("tool_outputs") or ()
    return [Message(role="tool", text=each["output"], tool_call_id=each["tool_call_id"]) for each in outputs]


def _offered(tool: Json) -> OfferedTool:
    if tool["type"] != "function":
        return OfferedTool(name=tool["type"])
    function: Json = tool["function"]
    return OfferedTool(
        name=function["name"], description=function.get("description") or "", parameters=function.get("parameters")
    )


def _is_schema(form: Json | str | None) -> TypeGuard[Json]:
    """Whether an answer with a schema is asked for; a text, such as ``"auto"``, asks for none."""
    return isinstance(form, dict) and form.get("type") == "json_schema"


def _step(reply: Reply, before: Mapping[str, int]) -> Step:
    """What the run does by an answer of the model. Its usage is that of all its steps."""
    prompt, completion = reply.usage
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    fields: Json = {"usage": {name: count + before.get(name, 0) for name, count in usage.items()}}
    if reply.tool_calls:
        outputs = {"tool_calls": [_call(call) for call in reply.tool_calls]}
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": outputs}
        return Step(fields={**fields, "status": "requires_action", "required_action": action})
    reasons = {"length": "max_completion_tokens", "content_filter": "content_filter"}
    if reason := reasons.get(reply.stop_reason):
        fields |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
    else:
        fields["status"] = "completed"
    parts = [text_part(reply.text)] if reply.text else []
    parts += [{"type": "refusal", "refusal": reply.refusal}] if reply.refusal else []
    return Step(fields=fields, contents=[parts] if parts else [])


def _call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
