"""An agent that OpenAI's Assistants API runs over threads."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.v02._assistants import Assistants, Wanted, matching, wanted_assistant
from symposia.v02._background_loop import await_in_home_loop, close_in_background
from symposia.v02._openai_clients import openai_clients
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._conversable import Conversable, LLMConfig, Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.assistant_agent import AssistantAgent
from symposia.v02.agentchat.contrib._assistant_threads import AssistantThread, ThreadClientAtHome
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.io import IOStream

if TYPE_CHECKING:
    import openai
    from openai.types import beta
else:
    openai, beta = lazy_module("openai"), lazy_module("openai.types.beta")

__all__ = ["GPTAssistantAgent"]

POLLING_MS: Final = 500
"""Milliseconds between two questions whether a run has ended."""
OF_ASSISTANT: Final = frozenset({"assistant_id", "check_every_ms", "file_ids", "tool_resources", "verbose"})
"""What of a configuration is for the assistant alone."""

logger = logging.getLogger(__name__)


class GPTAssistantAgent(ConversableAgent):
    """Replies with the runs of an assistant at OpenAI, or at Azure OpenAI, over a thread for each other agent.

    OpenAI has announced the end of the Assistants API. The assistant is looked for by its name, instructions and tools,
    or made, when the agent is. It is told of the functions that are registered for the agent's model, and the agent
    executes those that are registered with it.

    Args:
        name: Its name, and that of the assistant.
        instructions: The instructions of the assistant; by default those that it has, and for one that is made those of
            an `AssistantAgent`.
        llm_config: The connection and the model, which are those of the first entry; see `OpenAIWrapper`.
        assistant_config: ``assistant_id`` of one that exists, its ``tools`` as JSON, the ``file_ids`` or
            ``tool_resources`` of those, and ``check_every_ms``. They may be in `llm_config`, too.
        overwrite_instructions: Whether the instructions of an assistant that exists are replaced at the service.
            Otherwise its own hold.
        overwrite_tools: Whether its tools are.
        kwargs: See `ConversableAgent`.

    Raises:
        ValueError: There is no model.
        openai.OpenAIError: The service failed.
    """

    DEFAULT_MODEL_NAME: ClassVar[str] = "gpt-4-0125-preview"

    def __init__(
        self,
        name: str = "GPT Assistant",
        instructions: str | None = None,
        llm_config: LLMConfig = None,
        assistant_config: dict[str, Any] | None = None,  # Any: JSON
        overwrite_instructions: bool = False,
        overwrite_tools: bool = False,
        **kwargs: Any,  # Any: see `ConversableAgent`
    ) -> None:
        if llm_config is False:
            raise ValueError("llm_config=False is not supported for GPTAssistantAgent.")
        of_model = {key: value for key, value in (llm_config or {}).items() if key not in OF_ASSISTANT}
        super().__init__(
            name=name, system_message=instructions, human_input_mode="NEVER", llm_config=of_model, **kwargs
        )
        self._given_functions = self._functions()
        options = {**(llm_config or {}), **(assistant_config or {})}
        entry = _first_entry(options)
        self._openai_client, self._runs_client = openai_clients(entry)
        close_in_background(self, lambda close=self._runs_client.close: await_in_home_loop(close))
        self._assistants = Assistants(self._openai_client)
        self._check_seconds = options.get("check_every_ms", POLLING_MS) / 1000
        self._threads: dict[Agent | None, AssistantThread] = {}
        wanted = wanted_assistant(name, entry.get("model") or self.DEFAULT_MODEL_NAME, instructions, options)
        if (assistant_id := options.get("assistant_id")) is None:
            self._openai_assistant = self._found_or_made(wanted)
        else:
            given = self._assistants.get(assistant_id)
            changes = _changes(wanted, instructions=overwrite_instructions, tools=overwrite_tools)
            self._openai_assistant = self._assistants.update(assistant_id, changes) if changes else given
        self.update_system_message(self._openai_assistant.instructions or "")
        if "description" not in kwargs:
            self.description = self.system_message
        plain, asynchronous = GPTAssistantAgent.generate_assistant_reply, GPTAssistantAgent.a_generate_assistant_reply
        self.register_reply([Agent, None], plain, position=2)
        self.register_reply([Agent, None], asynchronous, position=2, ignore_async_in_sync_chat=True)

    @property
    def openai_client(self) -> openai.OpenAI:
        """The SDK's client, such as for files."""
        return self._openai_client

    @property
    def openai_assistant(self) -> beta.Assistant:
        """The assistant, as the SDK has it."""
        return self._openai_assistant

    @property
    def assistant_id(self) -> str:
        """The id of the assistant."""
        return self._openai_assistant.id

    @property
    def oai_threads(self) -> dict[Agent | None, AssistantThread]:
        """The threads, by the other agent. Each has its `id`."""
        return self._threads

    def get_assistant_instructions(self) -> str | None:
        """The instructions that the assistant has at the service."""
        return self._openai_assistant.instructions

    def delete_assistant(self) -> None:
        """Delete the assistant at the service."""
        self._assistants.delete(self.assistant_id)

    def find_matching_assistant(
        self,
        candidate_assistants: Iterable[beta.Assistant],
        instructions: str | None,
        tools: Sequence[Mapping[str, Any]],  # Any: JSON
    ) -> beta.Assistant | None:
        """The first assistant with these instructions, or any for None, and with these tools."""
        return matching(candidate_assistants, instructions, tools)

    def pretty_print_thread(self, thread: AssistantThread) -> None:
        """Print the messages of a thread, the oldest first."""
        stream = IOStream.get_default()
        for role, text in [] if thread.id is None else self._assistants.said_in(thread.id):
            stream.print(f"{role}: {text}")

    @override
    def can_execute_function(self, name: list[str] | str) -> bool:
        """False: its functions are for its assistant, and group chats choose others for the calls of others."""
        return False

    @override
    def reset(self) -> None:
        """Forget conversations, and delete their threads at the service."""
        super().reset()
        self._delete_threads(list(self._threads))

    @override
    def clear_history(self, agent: Agent | None = None, nr_messages_to_preserve: int | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - AutoGen 0.2 names the parameter so here
        """Clear a conversation, or all of them, and delete their threads at the service.

        Args:
            agent: The other agent; None for all conversations.
            nr_messages_to_preserve: See `ConversableAgent.clear_history`. The next reply posts what is kept.
        """
        super().clear_history(agent, nr_messages_to_preserve)
        self._delete_threads(list(self._threads) if agent is None else [agent])

    def _delete_threads(self, agents: Iterable[Agent | None]) -> None:
        for agent in agents:
            thread = self._threads.pop(agent, None)
            if thread is not None and thread.id is not None:
                self._assistants.delete_thread(thread.id)

    def _found_or_made(self, wanted: Wanted) -> beta.Assistant:
        candidates = self._assistants.named(wanted.name)
        found = self.find_matching_assistant(candidates, wanted.instructions, wanted.tools)
        return found or self._assistants.create(wanted, AssistantAgent.DEFAULT_SYSTEM_MESSAGE)

    def generate_assistant_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """The reply function that runs the assistant."""
        return run_plain(self._reply(PLAIN, self._history(messages, sender), sender))

    async def a_generate_assistant_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """As `generate_assistant_reply`."""
        return await self._reply(ASYNC, self._history(messages, sender), sender)

    async def _reply(self, form: Form, history: list[Message], sender: Agent | None) -> tuple[bool, Reply]:
        if sender is None:  # the messages are a conversation of their own
            await form.in_thread(self._delete_threads, [None])
        if sender not in self._threads:
            self._threads[sender] = AssistantThread(self._thread_client())
        text = await self._threads[sender].reply(form, cast("Conversable", self), history, self._run_options())
        return True, {"role": "assistant", "content": text}

    def _functions(self) -> list[dict[str, Any]]:  # Any: JSON
        """The tools of which the model of the agent is told."""
        config = cast("dict[str, Any]", self.llm_config)
        older = [{"type": "function", "function": function} for function in config.get("functions") or ()]
        return [*(config.get("tools") or ()), *older]

    def _run_options(self) -> dict[str, object]:
        """The system message, and the functions that were registered with the agent, beside the assistant's tools."""
        registered = [tool for tool in self._functions() if tool not in self._given_functions]
        own = [tool.model_dump(exclude_none=True) for tool in self._openai_assistant.tools]
        return {"instructions": self.system_message, **({"tools": [*own, *registered]} if registered else {})}

    def _thread_client(self) -> ThreadClientAtHome:
        assistant = self._openai_assistant
        options = {
            "model": assistant.model,
            "instructions": assistant.instructions,
            "tools": [tool.model_dump(exclude_none=True) for tool in assistant.tools],
        }
        return ThreadClientAtHome(
            self._runs_client, options, assistant_id=assistant.id, polling_interval=self._check_seconds
        )


def _first_entry(options: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: see `OpenAIWrapper`
    entries: Sequence[Mapping[str, Any]] = options.get("config_list") or [{}]
    if len(entries) > 1:
        logger.warning("An assistant is at one service: that of the first of %s entries.", len(entries))
    return {**options, **entries[0]}


def _changes(wanted: Wanted, *, instructions: bool, tools: bool) -> dict[str, object]:
    """What is replaced of an assistant that exists."""
    changes: dict[str, object] = {}
    if wanted.instructions is not None:
        if instructions:
            changes["instructions"] = wanted.instructions
        else:
            logger.warning("The assistant has its own instructions: overwrite_instructions=True replaces them.")
    if wanted.tools:
        if tools:
            changes["tools"] = list(wanted.tools)
        else:
            logger.warning("The assistant has its own tools: overwrite_tools=True replaces them.")
    return changes
