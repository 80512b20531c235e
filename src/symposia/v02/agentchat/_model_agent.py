"""Agents with a model: its configuration, its replies and its usage."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, TypeVar

from typing_extensions import override

from symposia.v02._plain import run_plain
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._code_agent import CodeAgent
from symposia.v02.agentchat._conversable import LLMConfig, ModelCache, ModelWrapper, Reply, Usage
from symposia.v02.agentchat._forms import ASYNC, PLAIN
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._model_replies import ask_model
from symposia.v02.agentchat._tool_signatures import described, update_signature
from symposia.v02.agentchat.agent import Agent
from symposia.v02.function_utils import get_function_schema
from symposia.v02.io import IOStream

F = TypeVar("F", bound=Callable[..., Any])  # Any: functions of the program

NAMELESS: Final[tuple[LLMConfig, ...]] = ({}, {"config_list": []}, {"config_list": [{"model": ""}]})
"""The configurations that are refused. Others may go without a model: their service or their own client knows one."""


class ModelAgent(CodeAgent):
    """Asks its model for replies, and tells it of functions.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    DEFAULT_CONFIG: ClassVar[dict[str, Any] | Literal[False]] = False  # Any: as in `llm_config`

    llm_config: LLMConfig
    client: ModelWrapper | None
    client_cache: ModelCache = None

    def __init__(self, options: AgentOptions) -> None:
        super().__init__(options)
        self._configure_model(options.llm_config)
        self._add_own_reply(ModelAgent.generate_oai_reply, ModelAgent.a_generate_oai_reply)

    @property
    @override
    def _allows_templates(self) -> bool:
        return isinstance(self.llm_config, dict) and bool(self.llm_config.get("allow_format_str_template"))

    def _configure_model(self, llm_config: LLMConfig) -> None:
        if not (llm_config in (None, False) or isinstance(llm_config, dict)):  # pyright: ignore[reportUnnecessaryIsInstance] - programs pass anything
            raise AssertionError("llm_config must be a dict or False or None.")
        chosen = self.DEFAULT_CONFIG if llm_config is None else llm_config
        try:
            self.llm_config = copy.deepcopy(chosen)
        except TypeError as error:
            raise TypeError(
                "Please implement __deepcopy__ method for each value class in llm_config to support deepcopy. "
                "An agent has a copy of its own, since it adds tools to it."
            ) from error
        if isinstance(self.llm_config, dict) and self.llm_config in NAMELESS:
            raise ValueError(
                "When using OpenAI or Azure OpenAI endpoints, specify a non-empty 'model' either in 'llm_config' or in "
                "each config of 'config_list'."
            )
        self._make_client()

    def _make_client(self) -> None:
        client = None
        if isinstance(self.llm_config, dict):
            from symposia.v02.oai import OpenAIWrapper  # noqa: PLC0415 - agents without a model need none of it

            client = OpenAIWrapper(**self.llm_config)
        self.client = client  # the former one until now: logs tell them apart by their `id`

    def update_tool_signature(self, tool_sig: str | dict[str, Any], is_remove: bool | None) -> None:
        """Tell the model of a tool, or no longer.

        Args:
            tool_sig: The tool as JSON; to remove it, its name is enough.
            is_remove: Whether it is removed.
        """
        update_signature(self.llm_config, "tool", tool_sig, is_remove=bool(is_remove))
        self._make_client()

    def update_function_signature(self, func_sig: str | dict[str, Any], is_remove: bool | None) -> None:
        """As `update_tool_signature`, for OpenAI's older interface."""
        update_signature(self.llm_config, "function", func_sig, is_remove=bool(is_remove))
        self._make_client()

    def register_for_llm(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        api_style: Literal["function", "tool"] = "tool",
    ) -> Callable[[F], F]:
        """Tell the model of a function, whose annotations say what its parameters are.

        The client is made again, so custom model clients are registered after it.

        Args:
            name: The name of the function for the model; by default its own.
            description: What it does, for the model.
            api_style: `tool`, or `function` for OpenAI's older interface.

        Returns:
            A decorator that returns the function.

        Raises:
            ValueError: The function has no description, or the style is neither.
            TypeError: A parameter without a default has no annotation.
            AssertionError: The agent has no model.
        """

        def register(function: F) -> F:
            own_name, own_description = described(function, name, description)
            schema = get_function_schema(function, name=own_name, description=own_description)
            if api_style == "tool":
                self.update_tool_signature(schema, is_remove=False)
            elif api_style == "function":
                self.update_function_signature(schema["function"], is_remove=False)
            else:
                raise ValueError(f"Unsupported API style: {api_style}")
            return function

        return register

    def generate_oai_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: ModelWrapper | None = None,
    ) -> tuple[bool, Reply]:
        """The reply function that asks the model."""
        client = self.client if config is None else config
        if client is None:
            return False, None
        asked = self._oai_system_message + self._history(messages, sender)
        reply = run_plain(ask_model(PLAIN, self, client, asked, self.client_cache))
        return reply is not None, reply

    async def a_generate_oai_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: ModelWrapper | None = None,
    ) -> tuple[bool, Reply]:
        """As `generate_oai_reply`."""
        client = self.client if config is None else config
        if client is None:
            return False, None
        asked = self._oai_system_message + self._history(messages, sender)
        reply = await ask_model(ASYNC, self, client, asked, self.client_cache)
        return reply is not None, reply

    def register_model_client(self, model_client_cls: type[Any], **kwargs: Any) -> None:
        """Register a class of model clients, for the configurations that name it as `model_client_cls`."""
        if self.client is None:
            raise ValueError("The agent has no model. Give it an llm_config that names the class as model_client_cls.")
        self.client.register_model_client(model_client_cls, **kwargs)

    def get_actual_usage(self) -> Usage | None:
        """The usage of the model, without the answers that a cache had; None without a model."""
        return None if self.client is None else self.client.actual_usage_summary

    def get_total_usage(self) -> Usage | None:
        """The usage of the model, with the answers that a cache had; None without a model."""
        return None if self.client is None else self.client.total_usage_summary

    def print_usage_summary(self, mode: str | list[str] = ["actual", "total"]) -> None:  # noqa: B006 - AutoGen's default
        """Print the usage of the model.

        Args:
            mode: `actual`, `total` or both.
        """
        stream = IOStream.get_default()
        if self.client is None:
            stream.print(f"No cost incurred from agent '{self.name}'.")
            return
        stream.print(f"Agent '{self.name}':")
        self.client.print_usage_summary(mode)
