"""The manager of a group chat: an agent that passes on what each says, and has the next one reply."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from typing_extensions import override

from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat._chatting_agent import ChattingAgent
from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig, Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._group._chat import GroupChat
from symposia.v02.agentchat._group._clear_history import read_command
from symposia.v02.agentchat._group._resume import GroupState, read_messages, without_termination
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.exception_utils import NoEligibleSpeaker
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream

logger = logging.getLogger(__name__)


class GroupChatManager(ConversableAgent):
    """Holds a group chat when it receives a message.

    Args:
        groupchat: The group chat.
        name: See `ConversableAgent`.
        max_consecutive_auto_reply: See `ConversableAgent`.
        human_input_mode: See `ConversableAgent`.
        system_message: See `ConversableAgent`.
        silent: Whether messages of the group chat are not printed.
        kwargs: See `ConversableAgent`. The model of `llm_config` chooses speakers.

    Raises:
        ValueError: `llm_config` has functions or tools.
    """

    def __init__(
        self,
        groupchat: GroupChat,
        name: str | None = "chat_manager",
        max_consecutive_auto_reply: int | None = sys.maxsize,
        human_input_mode: HumanInputMode = "NEVER",
        system_message: str | list[Any] | None = "Group chat manager.",  # Any: as in `ConversableAgent`
        silent: bool = False,
        **kwargs: Any,
    ) -> None:
        config: LLMConfig = kwargs.get("llm_config")
        if isinstance(config, dict) and (config.get("functions") or config.get("tools")):
            raise ValueError(
                "GroupChatManager is not allowed to make function/tool calls. Please remove the 'functions' or 'tools' "
                "config in 'llm_config' you passed in."
            )
        super().__init__(
            name=name or "chat_manager",
            max_consecutive_auto_reply=max_consecutive_auto_reply,
            human_input_mode=human_input_mode,
            system_message=system_message,
            **kwargs,
        )
        self._groupchat = groupchat
        self._last_speaker: Agent | None = None
        self._silent = silent
        manager = GroupChatManager
        self.register_reply(Agent, manager.run_chat, config=groupchat, reset_config=GroupChat.reset)
        self.register_reply(
            Agent,
            manager.a_run_chat,
            config=groupchat,
            reset_config=GroupChat.reset,
            ignore_async_in_sync_chat=True,
        )

    @property
    def groupchat(self) -> GroupChat:
        """The group chat."""
        return self._groupchat

    @property
    def last_speaker(self) -> Agent | None:
        """The agent that spoke last; None before the first message."""
        return self._last_speaker

    @override
    def chat_messages_for_summary(self, agent: Agent) -> list[Message]:
        """The messages of the group chat."""
        return self._groupchat.messages

    @override
    def _prepare_chat(
        self,
        recipient: ChattingAgent,
        clear_history: bool,
        prepare_recipient: bool = True,
        reply_at_receive: bool = True,
    ) -> None:
        super()._prepare_chat(recipient, clear_history, prepare_recipient, reply_at_receive)
        if clear_history:
            self._groupchat.reset()
        for agent in self._groupchat.agents:
            if isinstance(agent, ChattingAgent) and (agent is not recipient or prepare_recipient):
                agent._prepare_chat(self, clear_history, False, reply_at_receive)  # noqa: SLF001 - of this class

    @override
    def _raise_exception_on_async_reply_functions(self) -> None:
        super()._raise_exception_on_async_reply_functions()
        for agent in self._groupchat.agents:
            if isinstance(agent, ChattingAgent):
                agent._raise_exception_on_async_reply_functions()  # noqa: SLF001 - of this class

    # The chat

    async def _run_chat(
        self,
        form: Form,
        /,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: GroupChat | None = None,
    ) -> tuple[bool, Reply]:
        if sender is None:
            raise ValueError("A group chat begins with a message of an agent. Give the sender.")
        await self._run(form, self._history(messages, sender)[-1], sender, config or self._groupchat)
        return True, None

    @plain_form_of(_run_chat)
    def run_chat(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: GroupChat | None = None
    ) -> tuple[bool, Reply]:
        """The reply function that holds the group chat. Its reply is None: the manager itself says nothing."""
        return run_plain(self._run_chat(PLAIN, messages, sender, config))

    async def a_run_chat(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: GroupChat | None = None
    ) -> tuple[bool, Reply]:
        """As `run_chat`."""
        return await self._run_chat(ASYNC, messages, sender, config)

    async def _run(self, form: Form, message: Message, speaker: Agent, chat: GroupChat) -> None:
        with self._lending_cache(chat):
            if chat.send_introductions:
                await self._broadcast(form, chat.introductions_msg(), chat.agents)
            for number in range(1, chat.max_round + 1):
                self._last_speaker = speaker
                chat.append(message, speaker)
                others = [agent for agent in chat.agents if agent is not speaker]
                # As in AutoGen 0.2, nobody hears the message that ends a chat in the asynchronous form.
                if form.is_async and self._is_termination_msg(message):
                    break
                await self._broadcast(form, message, others)
                if self._is_termination_msg(message) or number == chat.max_round:
                    break
                turn = await self._next_turn(form, chat, speaker)
                if turn is None:
                    break
                speaker, reply = turn
                await form.send(speaker, self._cleared(reply, chat), self, request_reply=False, silent=self._silent)
                message = self._oai_messages[speaker][-1]

    async def _broadcast(self, form: Form, message: Message | str, agents: list[Agent]) -> None:
        for agent in agents:
            await form.send(self, message, agent, request_reply=False, silent=True)

    async def _next_turn(self, form: Form, chat: GroupChat, last: Agent) -> tuple[Agent, str | Message] | None:
        """The next speaker and its reply; None if there is none. An interruption gives the turn to the admin."""
        try:
            select = chat.a_select_speaker if form.is_async else chat.select_speaker
            speaker: Agent = await form.call(select, last, self)
            if not form.is_async and not self._silent:
                IOStream.get_default().print(colored(f"\nNext speaker: {speaker.name}\n", "green"), flush=True)
            reply = await form.generate_reply(speaker, None, self)
        except KeyboardInterrupt:
            admin = chat.agent_by_name(chat.admin_name)
            if admin is None:
                raise
            speaker, reply = admin, await form.generate_reply(admin, None, self)
        except NoEligibleSpeaker as error:
            logger.warning("No eligible speaker found. Terminating the conversation. %s", error)
            return None
        return None if reply is None else (speaker, reply)

    @contextmanager
    def _lending_cache(self, chat: GroupChat) -> Generator[None]:
        agents = [agent for agent in chat.agents if isinstance(agent, ConversableAgent)]
        before = [agent.client_cache for agent in agents]
        if self.client_cache is not None:
            for agent in agents:
                agent.client_cache = self.client_cache
        try:
            yield
        finally:
            for agent, own in zip(agents, before, strict=True):
                agent.client_cache = own

    def _cleared(self, reply: str | Message, chat: GroupChat) -> str | Message:
        if chat.enable_clear_history and isinstance(reply, dict) and isinstance(reply.get("content"), str):
            return {**reply, "content": self.clear_agents_history(reply, chat)}
        return reply

    def clear_agents_history(self, reply: Message, groupchat: GroupChat) -> str:
        """Clear the histories that a message says, and return its text without the command.

        Args:
            reply: The message. `CLEAR HISTORY` clears those of all agents, before the name of an agent that of one. A
                number after it keeps so many of the last messages.
            groupchat: The group chat.
        """
        command = read_command(reply["content"], groupchat.agent_names)
        if command is None:
            return reply["content"]
        IOStream.get_default().print(str(command), flush=True)
        for agent in groupchat.agents:
            if isinstance(agent, ConversableAgent) and command.agent in (None, agent.name):
                agent.clear_history(nr_messages_to_preserve=command.keep)
        if command.agent is None:
            del groupchat.messages[: len(groupchat.messages) - (command.keep or 0)]
        return command.rest

    # Resuming

    def resume(
        self,
        messages: list[Message] | str,
        remove_termination_string: str | Callable[[str], str] | None = None,
        silent: bool | None = False,
    ) -> tuple[ConversableAgent, Message]:
        """Prepare the group chat to go on after some messages.

        Args:
            messages: The messages, or their JSON.
            remove_termination_string: What is cut out of the last message, or a function that returns its text.
            silent: Whether nothing is printed.

        Returns:
            The last speaker, and the last message. The chat goes on with
            ``last_speaker.initiate_chat(manager, message=last_message, clear_history=False)``.

        Raises:
            Exception: There are no messages, or they are of agents that are not in the group chat.
        """
        return run_plain(self._resume(PLAIN, messages, remove_termination_string, silent))

    async def a_resume(
        self,
        messages: list[Message] | str,
        remove_termination_string: str | Callable[[str], str] | None = None,
        silent: bool | None = False,
    ) -> tuple[ConversableAgent, Message]:
        """As `resume`."""
        return await self._resume(ASYNC, messages, remove_termination_string, silent)

    async def _resume(
        self,
        form: Form,
        given: list[Message] | str,
        cut: str | Callable[[str], str] | None,
        silent: bool | None,
    ) -> tuple[ConversableAgent, Message]:
        chat = self._groupchat
        state = GroupState.of(read_messages(given), chat.agents, self)
        last_message = without_termination(state.messages[-1], cut)
        for agent in chat.agents:
            if isinstance(agent, ConversableAgent):
                self._prepare_chat(agent, clear_history=True)
        for message in state.messages[:-1]:
            await self._broadcast(form, message, chat.agents)
        chat.messages[:] = state.messages[:-1]
        self._last_speaker = state.last_speaker
        if not silent:
            stream = IOStream.get_default()
            if self._is_termination_msg(last_message):
                stream.print("WARNING: Last message meets termination criteria and this may terminate the chat.")
            number, last = len(state.messages), state.last_speaker.name
            stream.print(f"Prepared group chat with {number} messages, the last speaker is {last}")
        return state.last_speaker, last_message

    def messages_from_string(self, message_string: str) -> list[Message]:
        """Messages of their JSON.

        Raises:
            Exception: It is no JSON.
        """
        return read_messages(message_string)

    def messages_to_string(self, messages: list[Message]) -> str:
        """Messages as JSON."""
        return json.dumps(messages)
