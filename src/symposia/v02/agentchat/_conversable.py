"""What the parts of an agent, and the chats of several, need of an agent. `ConversableAgent` is all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent, LLMAgent

Reply: TypeAlias = str | Message | None
"""A reply: a text, a message, or None, which ends the conversation."""

HumanInputMode: TypeAlias = str
"""`ALWAYS`, `NEVER` or `TERMINATE`."""

ReplyFunction: TypeAlias = Callable[..., Any]  # Any: a plain or a coroutine function, with the parameters that it likes
"""Takes `recipient`, `messages`, `sender` and `config`. Returns whether its reply is final, and the reply."""

LLMConfig: TypeAlias = dict[str, Any] | Literal[False] | None  # Any: the options of many model vendors
"""The configuration of a model, for `OpenAIWrapper`; False or None without a model."""

Usage: TypeAlias = dict[str, Any]  # Any: a cost, and for each model a dict of its tokens and its cost
"""Tokens and costs, by model, with `total_cost`."""


ModelCache: TypeAlias = object
"""A cache of models' answers, such as `Cache.disk()`, or None. Agents hand it on to their clients."""


class ModelWrapper(Protocol):
    """What an agent needs of the client of its model: `OpenAIWrapper` is one."""

    total_usage_summary: Usage | None
    actual_usage_summary: Usage | None

    def create(self, **config: Any) -> Any:  # Any: options and answers of many model vendors
        """Ask the model."""
        ...

    async def a_create(self, **config: Any) -> Any:  # Any: as above
        """As `create`."""
        ...

    def extract_text_or_completion_object(self, response: Any) -> Sequence[object]:  # Any: as above
        """The texts of an answer, or its messages where they have calls."""
        ...

    def register_model_client(self, model_client_cls: type[Any], **kwargs: Any) -> None:  # Any: of the program
        """Use a class of the program for the configurations that name it."""
        ...

    def clear_usage_summary(self) -> None:
        """Count usage from zero."""
        ...

    def print_usage_summary(self, mode: str | list[str] = ...) -> None:
        """Print the usage."""
        ...


class Conversing(LLMAgent, Protocol):
    """An agent with conversations, and hooks for their messages."""

    silent: bool | None
    reply_at_receive: dict[Agent, bool]

    @property
    def chat_messages(self) -> dict[Agent, list[Message]]:
        """The conversations, by the other agent."""
        ...

    def send(
        self, message: Message | str, recipient: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Send a message to another agent."""
        ...

    async def a_send(
        self, message: Message | str, recipient: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """As `send`."""
        ...

    def receive(
        self, message: Message | str, sender: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Receive a message from another agent."""
        ...

    async def a_receive(
        self, message: Message | str, sender: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """As `receive`."""
        ...

    def process_last_received_message(self, messages: list[Message]) -> list[Message]:
        """Apply the hooks for the last message."""
        ...

    async def a_process_last_received_message(self, messages: list[Message]) -> list[Message]:
        """As `process_last_received_message`."""
        ...

    def process_all_messages_before_reply(self, messages: list[Message]) -> list[Message]:
        """Apply the hooks for all messages."""
        ...

    async def a_process_all_messages_before_reply(self, messages: list[Message]) -> list[Message]:
        """As `process_all_messages_before_reply`."""
        ...

    def last_message(self, agent: Agent | None = None) -> Message | None:
        """The last message exchanged with an agent."""
        ...

    def chat_messages_for_summary(self, agent: Agent) -> list[Message]:
        """The messages of which a chat with an agent is summarized."""
        ...


class Attended(Agent, Protocol):
    """An agent with a person."""

    human_input_mode: HumanInputMode

    @property
    def human_inputs(self) -> list[str]:
        """What the person said in this chat."""
        ...

    def get_human_input(self, prompt: str) -> str:
        """Ask a person."""
        ...

    async def a_get_human_input(self, prompt: str) -> str:
        """As `get_human_input`."""
        ...


class Executing(Agent, Protocol):
    """An agent that executes functions."""

    @property
    def function_map(self) -> dict[str, Callable[..., Any]]:  # Any: functions of the program
        """The functions that the agent can execute, by name."""
        ...

    def execute_function(self, func_call: Mapping[str, Any], verbose: bool = False) -> tuple[bool, Message]:
        """Execute a function that a model called."""
        ...

    async def a_execute_function(self, func_call: Mapping[str, Any]) -> tuple[bool, Message]:
        """As `execute_function`."""
        ...


class Conversable(Conversing, Attended, Executing, Protocol):
    """An agent that begins chats, and may have a model."""

    llm_config: LLMConfig
    client: ModelWrapper | None
    client_cache: ModelCache

    def initiate_chat(self, *args: Any, **kwargs: Any) -> Any:  # Any: `ChatResult`, which is defined above this
        """Hold a chat."""
        ...

    async def a_initiate_chat(self, *args: Any, **kwargs: Any) -> Any:  # Any: as above
        """As `initiate_chat`."""
        ...

    def initiate_chats(self, chat_queue: list[dict[str, Any]]) -> Any:  # Any: as above
        """Hold chats one after another."""
        ...

    async def a_initiate_chats(self, chat_queue: list[dict[str, Any]]) -> Any:  # Any: as above
        """Hold chats as their prerequisites allow."""
        ...

    def generate_init_message(self, message: Message | str | None, **kwargs: object) -> Message | str:
        """Make the first message of a chat."""
        ...

    async def a_generate_init_message(self, message: Message | str | None, **kwargs: object) -> Message | str:
        """As `generate_init_message`."""
        ...

    def get_actual_usage(self) -> Usage | None:
        """What was paid for the answers of models."""
        ...

    def get_total_usage(self) -> Usage | None:
        """What the answers of models would have cost without a cache."""
        ...


def is_silent(agent: Agent, silent: bool | None) -> bool | None:
    """Whether messages of an agent are not printed: its own choice, else that of the call."""
    own: bool | None = getattr(agent, "silent", None)
    return silent if own is None else own
