"""An agent whose replies come from an agent of LlamaIndex."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.v02._background_loop import run_in_background
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._conversable import Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["LLamaIndexConversableAgent"]


class LLamaIndexConversableAgent(ConversableAgent):
    """Replies as an agent, or a chat engine, of LlamaIndex does. It is given the whole conversation.

    Args:
        name: See `ConversableAgent`.
        llama_index_agent: What replies: it has `chat` and `achat`, as chat engines and the agents of older versions do,
            or `run`, as current agents.
        description: See `ConversableAgent`. It may not be empty.
        kwargs: See `ConversableAgent`.

    Raises:
        ValueError: There is no description.
        InvalidArgumentError: What is given does not reply.
    """

    def __init__(
        self,
        name: str,
        llama_index_agent: Any,  # Any: the library has no common class for what replies
        description: str | None = None,
        **kwargs: Any,  # Any: see `ConversableAgent`
    ) -> None:
        if description is None or not description.strip():
            raise ValueError("An agent of LlamaIndex needs a description=, by which a group chat selects it.")
        if not callable(getattr(llama_index_agent, "chat", None) or getattr(llama_index_agent, "run", None)):
            raise InvalidArgumentError(
                f"llama_index_agent has to have a method chat or run, and {llama_index_agent!r} has none: give an "
                "agent or a chat engine of LlamaIndex."
            )
        super().__init__(name, description=description, **kwargs)
        self._llama_index_agent = llama_index_agent
        own = LLamaIndexConversableAgent
        self.replace_reply_func(ConversableAgent.generate_oai_reply, own.generate_llama_index_reply)
        self.replace_reply_func(ConversableAgent.a_generate_oai_reply, own.a_generate_llama_index_reply)

    def generate_llama_index_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """The reply function that asks the agent of LlamaIndex."""
        return run_plain(self._reply(PLAIN, self._history(messages, sender)))

    async def a_generate_llama_index_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """As `generate_llama_index_reply`."""
        return await self._reply(ASYNC, self._history(messages, sender))

    async def _reply(self, form: Form, messages: list[Message]) -> tuple[bool, Reply]:
        *former, last = messages
        question, history = text_of(last), _as_chat_messages(former)
        agent = self._llama_index_agent
        if not callable(getattr(agent, "chat", None)):
            response = await _of_run(form, lambda: agent.run(user_msg=question, chat_history=history))
        elif form.is_async and callable(getattr(agent, "achat", None)):
            response = await agent.achat(question, chat_history=history)
        else:
            response = await form.in_thread(lambda: agent.chat(question, chat_history=history))
        return True, str(response)


async def _of_run(form: Form, run: Callable[[], Awaitable[object]]) -> object:
    """The result of an agent that is a workflow, which begins in the running event loop."""

    async def result() -> object:
        return await run()

    return await result() if form.is_async else run_in_background(result)


def _as_chat_messages(messages: Sequence[Message]) -> list[Any]:  # Any: of the library
    try:
        library: Any = import_module("llama_index.core.llms")  # Any: it is optional
    except ImportError as error:
        raise MissingExtraError("LLamaIndexConversableAgent", "llama-index") from error
    return [
        library.ChatMessage(role="user" if message.get("role") == "user" else "assistant", content=text_of(message))
        for message in messages
        if message.get("content")
    ]
