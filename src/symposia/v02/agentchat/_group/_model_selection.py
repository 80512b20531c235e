"""The choice of the next speaker by a model: it is asked, and asked again while its answer names none or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02._code_text import content_str
from symposia.v02.agentchat._conversable import LLMConfig
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._group._speaker_answers import filled, mentioned_agents
from symposia.v02.agentchat._messages import Message, called_functions
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.io import IOStream

ASKING = "checking_agent"
ASKED = "speaker_selection_agent"


@dataclass(frozen=True, kw_only=True)
class ModelSelection:
    """How a model is asked.

    Attributes:
        system_message: Its instructions.
        prompt: The question; None asks none.
        multiple_template: What it is told when its answer names several agents.
        none_template: What it is told when its answer names none.
        retries: How often it is asked again.
        role: The role of the questions.
        transforms: A `TransformMessages` for the messages that it reads.
        is_printed: Whether questions and answers are printed.
        client_classes: Classes of model clients of the program.
        llm_config: The configuration of the model; without one, or with an empty one, it is the model of the manager.
    """

    system_message: str
    prompt: str | None
    multiple_template: str
    none_template: str
    retries: int
    role: str | None
    transforms: Any | None  # Any: of contrib
    is_printed: bool
    client_classes: Sequence[type[Any]]  # Any: of the program
    llm_config: LLMConfig

    async def choose(
        self, form: Form, messages: Sequence[Message], selector: ConversableAgent, agents: Sequence[Agent]
    ) -> Agent | None:
        """The agent that the model chooses; None without a model, or if none of its answers names exactly one.

        Args:
            form: The form of the call.
            messages: The messages of the group chat.
            selector: The manager.
            agents: The agents to choose from.
        """
        asked = self._agent(selector)
        if asked is None:
            return None
        conversation, request = _without_open_calls(messages), self.prompt
        for number in range(1, self.retries + 2):
            if request is not None:
                self._print(f"{ASKING} (to {ASKED}):\n\n{request}\n\n{'-' * 80}")
                conversation.append({"content": request, "name": ASKING, "role": self.role})
            reply = await form.generate_reply(asked, list(conversation), None)
            answer = content_str(reply.get("content") if isinstance(reply, dict) else reply)
            self._print(f"{ASKED} (to {ASKING}):\n\n{answer}\n\n{'-' * 80}")
            names = list(mentioned_agents(answer, agents))
            if len(names) == 1:
                self._print(f">>>>>>>> Select speaker: attempt {number} selected {names[0]}.")
                return next(agent for agent in agents if agent.name == names[0])
            self._print(f">>>>>>>> Select speaker: attempt {number} failed, it names {'several' if names else 'none'}.")
            conversation.append({"content": answer, "role": "assistant", "name": ASKED})
            request = filled(self.multiple_template if names else self.none_template, agents)
        return None

    def _agent(self, selector: ConversableAgent) -> ConversableAgent | None:
        own = self.llm_config or None
        if own is None and selector.client is None:
            return None
        if own is not None and not self.client_classes and _names_classes(own):
            raise InvalidArgumentError(
                "select_speaker_auto_llm_config names a 'model_client_cls'. Give the class as "
                "select_speaker_auto_model_client_cls too, or leave the entry out of its config_list."
            )
        agent = ConversableAgent(
            ASKED,
            system_message=self.system_message,
            is_termination_msg=_never,
            human_input_mode="NEVER",
            llm_config=own or False,
        )
        if own is None:
            agent.client = selector.client  # with the model clients that the program has registered
        for each in self.client_classes if own is not None else ():
            agent.register_model_client(each)
        if self.transforms is not None:
            self.transforms.add_to_agent(agent)
        return agent

    def _print(self, text: str) -> None:
        if self.is_printed:
            IOStream.get_default().print(text, flush=True)


def _names_classes(config: Mapping[str, Any]) -> bool:  # Any: what programs write into configurations
    return any("model_client_cls" in entry for entry in config.get("config_list") or ())


def _without_open_calls(messages: Sequence[Message]) -> list[Message]:
    """The messages without the calls of the last one, which nobody has answered yet: services refuse such calls."""
    if not messages or not called_functions(messages[-1]):
        return list(messages)
    last = {name: value for name, value in messages[-1].items() if name not in ("function_call", "tool_calls")}
    return [*messages[:-1], {**last, "content": last.get("content") or ""}]


def _never(message: Message) -> bool:  # noqa: ARG001 - of every test for the end of a conversation
    return False
