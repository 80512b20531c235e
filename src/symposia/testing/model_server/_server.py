"""The server itself: requests in, scripted answers out, in the wire format that the path names."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import unquote

from symposia.core import ROOT_LOGGER_NAME
from symposia.core.exceptions import ArgumentTypeError, UsageError
from symposia.testing.model_server import (
    _anthropic,
    _anthropic_bedrock,
    _anthropic_vertex,
    _bedrock,
    _embeddings,
    _gemini,
    _mistral,
    _ollama,
    _openai,
    _openai_responses,
)
from symposia.testing.model_server._answers import Answer, Failure, Reply, check_answers
from symposia.testing.model_server._conversation import Conversation
from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer, UnsendableError
from symposia.testing.model_server._loop_thread import LoopThread
from symposia.testing.model_server._model_lists import model_list
from symposia.testing.model_server._openai_assistants import SERVICE_PATH, AssistantsFormat
from symposia.testing.model_server._rules import Rule, Rulebook
from symposia.testing.model_server._script_file import Script, read_script
from symposia.testing.model_server._sending import send_answer
from symposia.testing.model_server._signal import Signal
from symposia.testing.model_server._threads import RefusedError, ThreadStore
from symposia.testing.model_server._wire_format import MISREADINGS, WireFormat

WIRE_FORMATS: Final[tuple[WireFormat, ...]] = (
    _openai,
    _openai_responses,
    _anthropic,
    _gemini,
    _ollama,
    _mistral,
    _anthropic_bedrock,
    _anthropic_vertex,
    _bedrock,
)
ANY_MODEL: Final = "mock-model"
AZURE_VERSION: Final = "2024-10-21"
"""A version of Azure OpenAI's API, which its clients have to name. The server looks at none."""
logger = logging.getLogger(ROOT_LOGGER_NAME)
NOT_RETRIED: Final = {"x-should-retry": "false"}
"""SDKs repeat some failed requests, and would only get the same answer later."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived.

    Attributes:
        path: The path of its address.
        headers: By lower-case name.
        body: Its JSON.
        vendor: The name of its wire format, such as ``"openai"``; none where no format has this path.
        conversation: What it says, in no vendor's terms; none where no format has this path.
        rule: The name of the rule that answered it, if one did.
        answered_by: What answered it, in words: a rule, the queue, or none.
        disconnected: Set when the client left before it had the whole answer.
        query: The part of the address after the question mark.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]  # JSON
    vendor: str | None = None
    conversation: Conversation | None = None
    rule: str | None = None
    answered_by: str = "no such path"
    disconnected: Signal = field(default_factory=Signal)
    query: str = ""


class MockModelServer:
    """A server that answers requests to models from a script, in the wire formats of the vendors.

    A request is answered by the first rule that applies to it, else by the next item that was given to `script`, else
    by an error with status 400 that shows the request and the rules. In an asynchronous program it is entered with
    ``async with`` and runs on the program's loop; in any other one with ``with``, and runs in a thread.

    Args:
        script: Rules, what `parse_script` made of a text, or the path of a script's file, which is read when the server
            is entered.
        host: The address to listen on.
        port: The port; 0 for a free one.
        strict: Whether requests are refused that the vendor would refuse, such as those with unknown fields.
        keep_alive: Whether a connection takes more than one request, as at the vendors. A client that a test does not
            close would then leave a connection behind, of which Python warns.
        on_request: Called with each request once its answer is chosen, in the thread of the server.

    Attributes:
        requests: Every request to a model so far, oldest first.
        problems: What was answered to requests that nothing in the script answers, or that cannot be read.

    Raises:
        ArgumentTypeError: `script` is the text of a script, or something else.
        InvalidArgumentError: On entering it: the script's file is missing or wrong.
        MissingExtraError: On entering it: PyYAML is not installed, which a script's file needs.
        OSError: On entering it: the port is in use.
    """

    def __init__(
        self,
        script: Path | str | Script | Sequence[Rule] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = True,
        keep_alive: bool = False,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.problems: list[str] = []
        self._source = _checked(script)
        self._models: Sequence[str] = ()
        self._rules = Rulebook()
        self._queue: deque[Answer] = deque()
        self._strict = strict
        self._threads = ThreadStore()
        self._formats = (*WIRE_FORMATS, AssistantsFormat(self._threads))
        self._on_request = on_request
        self._http = HttpServer(self._answer, host=host, port=port, keep_alive=keep_alive)
        self._thread: LoopThread | None = None

    @property
    def url(self) -> str:
        """The address without a path, as the clients of Anthropic, Gemini and Ollama take it."""
        return self._http.url

    @property
    def openai_url(self) -> str:
        """The address as OpenAI's clients take it."""
        return f"{self._http.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The address as Anthropic's clients take it."""
        return self._http.url

    @property
    def mistral_url(self) -> str:
        """The address as Mistral's clients take it."""
        return f"{self._http.url}/mistral"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables by which the vendors' SDKs come here, with keys that no vendor accepts."""
        keys = (
            *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY"),
            *("AZURE_OPENAI_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"),
        )
        addresses = {
            "OPENAI_BASE_URL": self.openai_url,
            "ANTHROPIC_BASE_URL": self.url,
            "GOOGLE_GEMINI_BASE_URL": self.url,
            "OLLAMA_HOST": self.url,
            "MISTRAL_BASE_URL": self.mistral_url,
            "AZURE_OPENAI_ENDPOINT": self.url,
            "OPENAI_API_VERSION": AZURE_VERSION,
            "ANTHROPIC_BEDROCK_BASE_URL": self.url,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url,
            "ANTHROPIC_VERTEX_BASE_URL": f"{self.url}/v1",
        }
        return {**addresses, **dict.fromkeys(keys, "mock-key")}

    @property
    def unused_rules(self) -> list[str]:
        """The names of rules that no request has used yet."""
        return self._rules.unused

    @property
    def last_body(self) -> Mapping[str, Any]:
        """The body of the latest request."""
        return self.requests[-1].body

    def script(self, *items: Answer) -> None:
        """Add answers to the end of the queue, for requests that no rule answers.

        Raises:
            ArgumentTypeError: One of them is no answer, such as a text.
        """
        check_answers(items)
        self._queue.extend(items)

    def add_rule(self, rule: Rule) -> None:
        """Add a rule behind the others.

        Raises:
            InvalidArgumentError: Another one has its name.
        """
        self._rules.add(rule)

    async def __aenter__(self) -> Self:
        source = self._source
        read = source if isinstance(source, Script) else await asyncio.to_thread(read_script, source)
        self._models = read.models
        for rule in read.rules:
            self._rules.add(rule)
        self._source = Script()  # entered again, it has its rules already
        await self._http.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.stop()

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise UsageError("The server runs already.")
        thread = LoopThread()
        try:
            thread.run(self.__aenter__())
        except BaseException:
            thread.stop()
            raise
        self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                thread.run(self.__aexit__(kind, error, traceback))
            finally:
                thread.stop()

    async def _answer(self, request: HttpRequest, response: HttpResponse) -> None:
        path = unquote(request.path)
        found = next(((wire, match) for wire in self._formats if (match := wire.PATH.fullmatch(path))), None)
        if request.method == "GET" and (listed := model_list(path, request.headers, self._known_models)) is not None:
            await response.whole(200, listed)
        elif await self._answer_from_threads(path, request, response):
            pass
        elif request.method == "POST" and _embeddings.PATH.fullmatch(path):
            await self._embed(request, response)
        elif found is None:
            text = f"no such path: {request.method} {path}"
            self._record(
                RecordedRequest(
                    request.path, request.headers, {}, disconnected=request.disconnected, query=request.query
                )
            )
            await response.whole(404, {"error": {"message": text}})
        elif request.method != "POST":
            await response.whole(405, found[0].error(405, f"{request.method} is not POST."), {"allow": "POST"})
        else:
            named = {name: value for name, value in found[1].groupdict().items() if value is not None}
            await self._answer_in(found[0], named, request, response)

    async def _embed(self, request: HttpRequest, response: HttpResponse) -> None:
        try:
            vectors = _embeddings.embeddings(_body_of(request))
        except MISREADINGS as error:
            problem = f"The request is none for embeddings: {type(error).__name__}: {error}"
            self.problems.append(problem)
            await response.whole(400, _openai.error(400, problem))
        else:
            await response.whole(200, vectors)

    async def _answer_from_threads(self, path: str, request: HttpRequest, response: HttpResponse) -> bool:
        """Answer a request about assistants, threads and files. Returns whether it is one that no model answers."""
        service = SERVICE_PATH.fullmatch(path)
        try:
            said = self._threads.answer(request, service["path"].split("/")) if service else None
        except RefusedError as error:
            await response.whole(error.status, AssistantsFormat.error(error.status, str(error)))
        except MISREADINGS as error:
            problem = f"The request is not one of {AssistantsFormat.NAME}: {type(error).__name__}: {error}"
            self.problems.append(problem)
            await response.whole(400, AssistantsFormat.error(400, problem))
        else:
            if isinstance(said, bytes):
                await response.raw(200, said, {"content-type": "application/octet-stream"})
            elif said is not None:
                await response.whole(200, said)
            return said is not None
        return True

    @property
    def _known_models(self) -> Sequence[str]:
        return self._models or self._rules.models or (ANY_MODEL,)

    async def _answer_in(
        self, wire: WireFormat, named: Mapping[str, str], request: HttpRequest, response: HttpResponse
    ) -> None:
        """Read a request of a known format, and answer it."""
        try:
            body = _body_of(request)
            fields = {**body, **named}
            asked = wire.conversation(fields)
            complaint = wire.complaint(fields, request.headers) if self._strict else None
        except MISREADINGS as error:
            problem = f"The request is not one of {wire.NAME}: {type(error).__name__}: {error}"
            self.problems.append(problem)
            await response.whole(400, wire.error(400, problem))
            return
        record = RecordedRequest(
            request.path,
            request.headers,
            body,
            wire.NAME,
            asked,
            disconnected=request.disconnected,
            query=request.query,
        )
        if complaint is not None:
            self._record(replace(record, answered_by=f"refused as the vendor does: {complaint}"))
            await response.whole(400, wire.error(400, complaint))
            return
        rule, answered_by, answer = self._chosen(asked, wire.NAME)
        if isinstance(answer, Reply):
            answer = _counted(answer, asked)
            if remark := _unoffered(answer, asked):
                logger.warning("The scripted model answers %s by %s, %s.", wire.NAME, answered_by, remark)
                answered_by = f"{answered_by}, {remark}"
        self._record(replace(record, rule=rule, answered_by=answered_by))
        try:
            await send_answer(answer, wire, fields, response, streams=asked.streams, refuse=self._http.refuse)
        except UnsendableError as error:
            problem = f"the answer of {answered_by} cannot be sent: {error}"
            self.problems.append(problem)
            await response.whole(400, wire.error(400, problem), NOT_RETRIED)

    def _chosen(self, asked: Conversation, vendor: str) -> tuple[str | None, str, Answer]:
        """The answer to a request, with the name of its rule, and what chose it in words."""
        if taken := self._rules.take(asked, vendor):
            return taken[0], f"rule {taken[0]!r}", taken[1]
        if self._queue:
            return None, "the queue", self._queue.popleft()
        problem = self._rules.explanation(asked, vendor)
        self.problems.append(problem)
        return None, "no rule answers it", Failure(status=400, message=problem, headers=NOT_RETRIED)

    def _record(self, record: RecordedRequest) -> None:
        self.requests.append(record)
        if self._on_request is not None:
            self._on_request(record)


def _checked(script: object) -> Path | Script:
    """The script, if it is one.

    Raises:
        ArgumentTypeError: It is the text of a script, or anything else.
    """
    if isinstance(script, str) and "\n" in script:
        raise ArgumentTypeError("The script is a text: give the path of its file, or parse_script(text).")
    if isinstance(script, str | Path):
        return Path(script)
    if isinstance(script, Script):
        return script
    if isinstance(script, Sequence):
        rules = cast("Sequence[object]", script)
        if wrong := [each for each in rules if not isinstance(each, Rule)]:
            raise ArgumentTypeError(
                f"A script is a list of rules, such as [Rule([Reply(text='Yes.')])], not {wrong[0]!r}."
            )
        return Script(cast("Sequence[Rule]", script))
    raise ArgumentTypeError(
        "The script has to be a list of rules, such as [Rule([Reply(text='Yes.')])], or the path of a file, not "
        f"{script!r}."
    )


def _body_of(request: HttpRequest) -> Mapping[str, Any]:
    value: object = json.loads(request.body)
    if not isinstance(value, dict):
        raise TypeError("its body is no JSON object")
    return cast("Mapping[str, Any]", value)


def _unoffered(reply: Reply, asked: Conversation) -> str | None:
    """The remark about calls of tools that the request does not offer: the script or the program may lack a tool."""
    offered = [tool.name for tool in asked.tools]
    unoffered = ", ".join(dict.fromkeys(call.name for call in reply.tool_calls if call.name not in offered))
    if not unoffered:
        return None
    tools = f"only {', '.join(offered)}" if offered else "no tools"
    return f"which calls {unoffered}, but the request offers {tools}"


def _counted(reply: Reply, asked: Conversation) -> Reply:
    return replace(reply, usage=(asked.estimated_tokens, reply.estimated_tokens)) if reply.estimate_usage else reply
