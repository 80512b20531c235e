"""Agents that execute functions which a model called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat import _tools
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._conversable import Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._model_replies import checked_name
from symposia.v02.agentchat._replying_agent import ReplyingAgent
from symposia.v02.agentchat.agent import Agent
from symposia.v02.function_utils import load_basemodels_if_needed

F = TypeVar("F", bound=Callable[..., Any])  # Any: functions of the program


class ExecutingAgent(ReplyingAgent):
    """Executes functions.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    def __init__(self, options: AgentOptions) -> None:
        super().__init__(options)
        self._function_map = {checked_name(each): function for each, function in (options.function_map or {}).items()}
        agent = ExecutingAgent
        self._add_own_reply(agent.generate_function_call_reply, agent.a_generate_function_call_reply)
        self._add_own_reply(agent.generate_tool_calls_reply, agent.a_generate_tool_calls_reply)

    @property
    def function_map(self) -> dict[str, Callable[..., Any]]:
        """The functions that it executes, by name."""
        return self._function_map

    def can_execute_function(self, name: list[str] | str) -> bool:
        """Whether it executes a function, or all of several."""
        names = [name] if isinstance(name, str) else name
        return all(each in self._function_map for each in names)

    def register_function(self, function_map: dict[str, Callable[..., Any] | None]) -> None:
        """Add functions that it executes, by name. None removes one.

        Raises:
            ValueError: A name has characters that models do not write.
        """
        for name, function in function_map.items():
            checked_name(name)
            if function is None:
                if self._function_map.pop(name, None) is None:
                    warnings.warn(f"There is no function '{name}' to remove.", UserWarning, stacklevel=2)
                continue
            if name in self._function_map:
                warnings.warn(f"Function '{name}' is being overridden.", UserWarning, stacklevel=2)
            self._function_map[name] = function

    async def _execute(
        self, form: Form, /, func_call: Mapping[str, Any], verbose: bool = False
    ) -> tuple[bool, Message]:
        return await _tools.execute(form, self.name, self._function_map, func_call, verbose=verbose)

    @plain_form_of(_execute)
    def execute_function(self, func_call: Mapping[str, Any], verbose: bool = False) -> tuple[bool, Message]:
        """Execute a function that a model called.

        Args:
            func_call: `name`, and `arguments` as the text of a JSON object.
            verbose: Whether arguments and result are printed.

        Returns:
            Whether it succeeded, and a message with the result as text. An error is the result too.
        """
        return run_plain(self._execute(PLAIN, func_call, verbose))

    async def a_execute_function(self, func_call: Mapping[str, Any]) -> tuple[bool, Message]:
        """As `execute_function`. A coroutine function is awaited."""
        return await self._execute(ASYNC, func_call)

    async def _function_call_reply(
        self, form: Form, /, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> tuple[bool, Reply]:
        del config  # of every reply function
        call = self._history(messages, sender)[-1].get("function_call")
        return (True, await _tools.function_call_reply(form, self, call)) if call else (False, None)

    @plain_form_of(_function_call_reply)
    def generate_function_call_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """The reply function that executes a `function_call`."""
        return run_plain(self._function_call_reply(PLAIN, messages, sender, config))

    async def a_generate_function_call_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """As `generate_function_call_reply`."""
        return await self._function_call_reply(ASYNC, messages, sender, config)

    async def _tool_calls_reply(
        self, form: Form, /, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> tuple[bool, Reply]:
        del config  # of every reply function
        calls = self._history(messages, sender)[-1].get("tool_calls")
        return (True, await _tools.tool_calls_reply(form, self, calls)) if calls else (False, None)

    @plain_form_of(_tool_calls_reply)
    def generate_tool_calls_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """The reply function that executes `tool_calls`."""
        return run_plain(self._tool_calls_reply(PLAIN, messages, sender, config))

    async def a_generate_tool_calls_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """As `generate_tool_calls_reply`. Calls are executed at the same time."""
        return await self._tool_calls_reply(ASYNC, messages, sender, config)

    def register_for_execution(self, name: str | None = None) -> Callable[[F], F]:
        """Add a function that the agent executes. Its result is sent as text, as JSON if it is none.

        Args:
            name: Its name for the model; by default that of `register_for_llm`, or its own.

        Returns:
            A decorator that returns the function.
        """

        def register(function: F) -> F:
            own_name = name or getattr(function, "_name", None) or function.__name__
            self.register_function({own_name: _tools.with_text_result(load_basemodels_if_needed(function))})
            return function

        return register
