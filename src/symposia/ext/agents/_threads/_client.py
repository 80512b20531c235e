"""A service with threads as a model client: what is new of a conversation is posted, and a run answers it.

The conversation itself says how far the thread is (`_place.py`). So a conversation that is saved, or replayed from a
journal, goes on in its thread. What a lost request may have left there is looked for before the next one.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Final, Literal, cast

from pydantic import BaseModel, JsonValue
from typing_extensions import override

from symposia.core import CancellationToken, cancelled_by, uninterrupted
from symposia.core.effects import class_identity
from symposia.core.exceptions import ModelError
from symposia.core.json_values import as_json
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    estimate_tokens,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.agents._threads._answer import answer_of, calls_of
from symposia.ext.agents._threads._api import ThreadsApi
from symposia.ext.agents._threads._place import Place, blocks_of
from symposia.ext.agents._threads._posts import Pending, Post, count_posted, outputs_of, pending_of, post_of_results
from symposia.ext.agents._threads._shapes import Run

CANCEL_SECONDS: Final = 10.0
"""How long a cancelled turn waits for its run to end. The thread takes no message before; the next turn waits on."""
CONTEXT_TOKENS: Final = 128_000
_INFO: Final = ModelInfo(
    vision=False, function_calling=True, json_output=False, family=ModelFamily.UNKNOWN, structured_output=False
)
_log: Final = logging.getLogger(__name__)


class ThreadClient(ChatCompletionClient):
    """Answers a conversation by the runs of an assistant over one thread.

    Args:
        api: The service.
        options: What the assistant is made of, without the functions that it may call.
        assistant_id: An assistant that exists; None to make one for the first answer.
        thread_id: A thread that exists; None to make one.

    Attributes:
        assistant_id: The assistant; None before it is made.
        thread_id: The thread; None before it is made.
        initial_message_ids: The messages that a given thread had before the first answer.
        message_limit: How many of the last messages of a run are its answer.
        thread_resources: What a thread that is made gives to the tools of the service: files and vector stores.
    """

    def __init__(
        self, api: ThreadsApi, options: Mapping[str, object], assistant_id: str | None, thread_id: str | None
    ) -> None:
        self._api = api
        self._options = options
        self.assistant_id = assistant_id
        self.thread_id = thread_id
        self.initial_message_ids: list[str] | None = None if thread_id else []
        self.message_limit = 1
        self.thread_resources: dict[str, object] = {}
        self._is_settled = False
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    @override
    def effect_identity(self) -> dict[str, JsonValue]:
        """The assistant's options. Ids are not part of it: they differ from run to run."""
        return {**class_identity(self), "service": self._api.service, **as_json(self._options, "the options")}

    def forget(self) -> None:
        """Go on without knowing what is in the thread, such as in one that was loaded."""
        self._is_settled = False

    async def thread(self, known: Place | None = None) -> str:
        """The thread, which is made if there is none."""
        if known is not None:
            self.thread_id = known.thread
        if self.thread_id is None:
            self.thread_id, self._is_settled = await self._api.create_thread(self.thread_resources), True
        if self.initial_message_ids is None:
            found = [] if known else await self._api.messages(self.thread_id)
            self.initial_message_ids = [message.id for message in found]
        return self.thread_id

    async def assistant(self, tools: Sequence[Tool | ToolSchema] | None = None) -> str:
        """The assistant, which is made if there is none."""
        if self.assistant_id is None:
            hosted = cast("Sequence[object]", self._options.get("tools", ()))
            offered = [*hosted, *map(_function, tools or ())]
            self.assistant_id = await self._api.create_assistant({**self._options, "tools": offered})
        return self.assistant_id

    @override
    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Post what is new, and give the answer of the run. The form of answers is an option of the assistant.

        Raises:
            ModelError: The service or the run failed.
            asyncio.CancelledError: The token was cancelled. The run has ended, or was told to.
        """
        with cancelled_by(cancellation_token):
            pending = pending_of(messages, self._api.service)
            assistant = await self.assistant(tools)
            thread = await self.thread(pending.place)
            started: list[Run] = []
            try:
                run = await self._answering_run(assistant, thread, pending, extra_create_args, started.append)
                result = await self._result(thread, run, self._last_message(pending.place))
            except asyncio.CancelledError:
                self._is_settled = False
                await self._abandon(thread, started)
                raise
            except BaseException:  # the service may have failed, and is not asked again at once: the next turn does
                self._is_settled = False
                raise
            if run.calls and tool_choice == "none":
                self._is_settled = False
                await self._abandon(thread, [run])
                raise ModelError(
                    f"{self._api.service}: the run calls more tools after the last allowed round. Set a smaller task, "
                    "or give tools that do more in one call."
                )
            self._is_settled = True
            self._usage += result.usage
            return result

    async def _answering_run(
        self,
        assistant: str,
        thread: str,
        pending: Pending,
        options: Mapping[str, object],
        started: Callable[[Run], None],
    ) -> Run:
        """The run that answers, when it has ended or waits for results."""
        posts = list(pending.posts)
        if pending.place and pending.results:
            run = await self._api.run(thread, pending.place.run)
            started(run)
            if run.status in {"queued", "in_progress", "completed"} and not posts:  # a lost request submitted them
                return await self._api.wait(thread, run)
            asked = {call.id for call in run.calls}
            if not posts and asked == {result.call_id for result in pending.results}:
                submitted = await self._api.submit(thread, run.id, outputs_of(pending.results))
                return await self._api.wait(thread, submitted)
            # The run has expired, or the turn was cancelled and there are new messages, which an active run refuses.
            await self._api.cancel(thread, run)
            posts.insert(0, post_of_results(pending.results))
            self._is_settled = False
        if not self._is_settled:
            posts = posts[await self._count_posted(thread, pending.place, posts) :]
        for role, text in posts:
            await self._api.add_message(thread, role, text)
        run = await self._api.start_run(thread, assistant, options)
        started(run)
        return await self._api.wait(thread, run)

    async def _count_posted(self, thread: str, place: Place | None, posts: Sequence[Post]) -> int:
        """How many of the posts an attempt that failed has made, after ending its run if that is active."""
        if last := await self._api.last_run(thread):
            await self._api.cancel(thread, last)
        return count_posted(posts, await self._api.messages(thread, after=self._last_message(place)))

    def _last_message(self, place: Place | None) -> str | None:
        """The last message of the thread before what is new."""
        return place.message if place else next(reversed(self.initial_message_ids or ()), None)

    async def _abandon(self, thread: str, runs: Sequence[Run]) -> None:
        """End a run whose answer is not wanted, within `CANCEL_SECONDS`."""

        async def end(run: Run) -> None:
            try:
                async with asyncio.timeout(CANCEL_SECONDS):
                    await self._api.cancel(thread, await self._api.run(thread, run.id))
            except (ModelError, TimeoutError) as error:  # the next turn looks for it again
                _log.warning("A run of %s could not be ended: %s", self._api.service, error)

        for run in runs:
            await uninterrupted(end(run))

    async def _result(self, thread: str, run: Run, after: str | None) -> CreateResult:
        """What a run has answered since the message `after`.

        Raises:
            ModelError: It has failed, waits for something else than functions, or has written nothing.
        """
        calls = calls_of(self._api.service, run)
        found = await self._api.messages(thread, after=after)
        written = [each for each in found if each.run_id == run.id]
        # Downloaded here, within the effect, so that a replay has them without the service.
        files = [file for message in written for file in message.image_files]
        images = [(file, base64.b64encode(await self._api.download(file)).decode()) for file in files]
        blocks = blocks_of(self._api.service, Place(thread, run.id, found[-1].id if found else after), images)
        return answer_of(self._api.service, run, calls, written, self.message_limit, blocks)

    @override
    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Give the answer in one piece."""
        yield await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    @override
    async def close(self) -> None:
        """Do nothing: the connection is the caller's."""

    @override
    def actual_usage(self) -> RequestUsage:
        """The tokens of all runs so far, as far as the service has said."""
        return self._usage

    total_usage = actual_usage

    @override
    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """An estimate. The service shows the model as much of the thread as fits."""
        return estimate_tokens(messages, tools=tools)

    @override
    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """What is left of a usual context."""
        return CONTEXT_TOKENS - self.count_tokens(messages, tools=tools)

    @property
    @override
    def capabilities(self) -> ModelInfo:
        """The former name of `model_info`."""
        return _INFO

    @property
    @override
    def model_info(self) -> ModelInfo:
        """It calls functions; images are not sent."""
        return _INFO


def _function(tool: Tool | ToolSchema) -> dict[str, object]:
    """A function as the service has it."""
    schema = tool.schema if isinstance(tool, Tool) else tool
    written: dict[str, object] = {"name": schema["name"], "description": schema.get("description", "")}
    return {"type": "function", "function": {**written, "parameters": schema.get("parameters", {})}}
