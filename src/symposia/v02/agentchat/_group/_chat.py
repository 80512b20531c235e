"""A group chat: its agents, its messages, its options, and the selection of the next speaker."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, cast

from symposia.v02._code_text import content_str
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._conversable import LLMConfig
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._group._model_selection import ModelSelection
from symposia.v02.agentchat._group._selection_methods import (
    CHECKED,
    ask_for_speaker,
    check_options,
    check_size,
    checked_method,
    chosen_by_function,
)
from symposia.v02.agentchat._group._speaker_answers import (
    INTRODUCTION,
    MESSAGE_TEMPLATE,
    MULTIPLE_TEMPLATE,
    NONE_TEMPLATE,
    PROMPT_TEMPLATE,
    filled,
    roles_text,
)
from symposia.v02.agentchat._group._transitions import (
    Transitions,
    able_to_execute,
    allowed_transitions,
    check_kind,
    eligible_speakers,
)
from symposia.v02.agentchat._messages import Message, called_functions
from symposia.v02.agentchat._partners import check_agent
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.exception_utils import AgentNameConflict, UndefinedNextAgent

SelectionMethod: TypeAlias = str | Callable[[Agent, "GroupChat"], Agent | str | None]
"""`auto`, `manual`, `random`, `round_robin`, or a function of the last speaker and the group chat."""


@dataclass
class GroupChat:
    """A group of agents, and what they said.

    Attributes:
        agents: The agents.
        messages: What they said; the first messages to begin with.
        max_round: The number of messages at which the chat ends, with the first one.
        admin_name: The agent that speaks when a person interrupts another.
        func_call_filter: Whether only agents that can execute the functions in a message answer it.
        speaker_selection_method: How the next speaker is chosen. With `auto` a model chooses; without one, they take
            turns. A function returns an agent, one of the methods, or None, which ends the chat.
        max_retries_for_selecting_speaker: How often the model is asked again whose answer names none or several.
        allow_repeat_speaker: Whether agents, or which of them, may speak twice in a row; by default all.
        allowed_or_disallowed_speaker_transitions: The agents that may speak after each, or may not.
        speaker_transitions_type: Which of the two: `allowed` or `disallowed`.
        enable_clear_history: Whether `CLEAR HISTORY [agent] [number]` in a message that is a dict clears histories.
        send_introductions: Whether each agent is first told who takes part.
        select_speaker_message_template: The system message of the model that chooses, with `{roles}` and `{agentlist}`.
        select_speaker_prompt_template: Its question, with the same; None or the empty text asks none.
        select_speaker_auto_multiple_template: What it is told when its answer names several.
        select_speaker_auto_none_template: What it is told when its answer names none.
        select_speaker_transform_messages: A `TransformMessages` for the messages that it reads.
        select_speaker_auto_verbose: Whether its conversation is printed.
        select_speaker_auto_model_client_cls: A class of model clients for it, or several.
        select_speaker_auto_llm_config: The configuration of the model; by default that of the manager.
        role_for_select_speaker_messages: The role of the question.
        allowed_speaker_transitions_dict: The agents that may speak after each.

    Raises:
        ValueError: Options contradict each other, or are none.
    """

    agents: list[Agent]
    messages: list[Message]
    max_round: int = 10
    admin_name: str = "Admin"
    func_call_filter: bool = True
    speaker_selection_method: SelectionMethod = "auto"
    max_retries_for_selecting_speaker: int = 2
    allow_repeat_speaker: bool | list[Agent] | None = None
    allowed_or_disallowed_speaker_transitions: Transitions | None = None
    speaker_transitions_type: Literal["allowed", "disallowed"] | None = None
    enable_clear_history: bool = False
    send_introductions: bool = False
    select_speaker_message_template: str = MESSAGE_TEMPLATE
    select_speaker_prompt_template: str | None = PROMPT_TEMPLATE
    select_speaker_auto_multiple_template: str = MULTIPLE_TEMPLATE
    select_speaker_auto_none_template: str = NONE_TEMPLATE
    select_speaker_transform_messages: Any | None = None  # Any: of contrib
    select_speaker_auto_verbose: bool | None = False
    select_speaker_auto_model_client_cls: type[Any] | list[type[Any]] | None = None  # Any: of the program
    select_speaker_auto_llm_config: LLMConfig = None
    role_for_select_speaker_messages: str | None = "system"
    allowed_speaker_transitions_dict: Transitions = field(init=False, repr=False)

    DEFAULT_INTRO_MSG: ClassVar[str] = INTRODUCTION

    def __post_init__(self) -> None:
        for agent in self.agents:
            check_agent("A member of a group chat", agent)
        check_kind(self.speaker_transitions_type)
        if self.speaker_transitions_type is not None:
            self.speaker_transitions_type = cast("Any", self.speaker_transitions_type.lower())
        self.allowed_speaker_transitions_dict = allowed_transitions(
            self.agents,
            self.allow_repeat_speaker,
            self.allowed_or_disallowed_speaker_transitions,
            self.speaker_transitions_type,
        )
        if self.allow_repeat_speaker is None and self.allowed_or_disallowed_speaker_transitions is None:
            self.allow_repeat_speaker = True
        check_options({each: getattr(self, each) for each in CHECKED})

    # Agents

    @property
    def agent_names(self) -> list[str]:
        """The names of the agents."""
        return [agent.name for agent in self.agents]

    def agent_by_name(self, name: str, recursive: bool = False, raise_on_name_conflict: bool = False) -> Agent | None:
        """An agent by its name; None if there is none.

        Args:
            name: The name.
            recursive: Whether the agents of the group chats of managers among them count.
            raise_on_name_conflict: Whether several with the name are an error.

        Raises:
            AgentNameConflict: There are several.
        """
        agents = self.nested_agents() if recursive else self.agents
        found = [agent for agent in agents if agent.name == name]
        if raise_on_name_conflict and len(found) > 1:
            raise AgentNameConflict
        return found[0] if found else None

    def nested_agents(self) -> list[Agent]:
        """The agents, and those of the group chats of managers among them."""
        nested = list(self.agents)
        for agent in self.agents:
            inner = getattr(agent, "groupchat", None)
            if isinstance(inner, GroupChat):
                nested += inner.nested_agents()
        return nested

    def next_agent(self, agent: Agent, agents: list[Agent] | None = None) -> Agent:
        """The agent after another, in order.

        Args:
            agent: The other agent.
            agents: The agents to choose from; None for all.

        Raises:
            UndefinedNextAgent: None of them is in the group chat.
        """
        chosen = self.agents if agents is None else agents
        if not set(chosen) & set(self.agents):
            raise UndefinedNextAgent
        start = self.agents.index(agent) + 1 if agent in self.agents else 0
        ordered = self.agents[start:] + self.agents[:start]
        return next(each for each in ordered if each in chosen)

    # Messages

    def reset(self) -> None:
        """Forget the messages."""
        self.messages.clear()

    def append(self, message: Message, speaker: Agent) -> None:
        """Add a message, as text, with the name of its speaker.

        Args:
            message: The message. It gets the name too, and an empty text where it has no content.
            speaker: The agent that sent it.
        """
        if message.get("role") != "function":
            message["name"] = speaker.name
        if message.get("content") is None:
            message["content"] = ""
        self.messages.append({**message, "content": content_str(message["content"])})

    def introductions_msg(self, agents: list[Agent] | None = None) -> str:
        """What the agents are told of each other."""
        return f"{self.DEFAULT_INTRO_MSG}\n\n{roles_text(self.agents if agents is None else agents)}"

    def select_speaker_msg(self, agents: list[Agent] | None = None) -> str:
        """The system message of the model that chooses among agents."""
        return filled(self.select_speaker_message_template, self.agents if agents is None else agents)

    def select_speaker_prompt(self, agents: list[Agent] | None = None) -> str | None:
        """The question to the model that chooses among agents; None if it is asked none."""
        if not self.select_speaker_prompt_template:
            return None
        return filled(self.select_speaker_prompt_template, self.agents if agents is None else agents)

    # Selection

    def select_speaker(self, last_speaker: Agent, selector: ConversableAgent) -> Agent:
        """The next speaker.

        Args:
            last_speaker: The agent that spoke.
            selector: The manager, whose model chooses.

        Raises:
            NoEligibleSpeaker: Nobody may speak.
            ValueError: There are too few agents, or what a function chose is none.
        """
        return run_plain(self._select(PLAIN, last_speaker, selector))

    async def a_select_speaker(self, last_speaker: Agent, selector: ConversableAgent) -> Agent:
        """As `select_speaker`."""
        return await self._select(ASYNC, last_speaker, selector)

    async def _select(self, form: Form, last_speaker: Agent, selector: ConversableAgent) -> Agent:
        chosen = await self._method(form, last_speaker)
        if not isinstance(chosen, str):
            return chosen
        eligible = self._eligible(last_speaker, chosen)
        if len(eligible) == 1:
            return eligible[0]
        if chosen == "round_robin":
            return self.next_agent(last_speaker, eligible)
        if chosen == "random":
            return self.random_select_speaker(eligible) or eligible[0]
        if chosen == "manual":
            return self.manual_select_speaker(eligible) or self.next_agent(last_speaker, eligible)
        return await self._by_model(form, last_speaker, selector, self.messages, eligible)

    async def a_auto_select_speaker(
        self,
        last_speaker: Agent,
        selector: ConversableAgent,
        messages: list[Message] | None,
        agents: list[Agent] | None,
    ) -> Agent:
        """The agent that the model chooses, whatever the method of the group chat; the next one if it chooses none.

        Args:
            last_speaker: The agent that spoke.
            selector: The manager, whose model chooses.
            messages: The conversation that the model is shown; None for that of the group chat.
            agents: The agents to choose from; None for all.
        """
        shown = self.messages if messages is None else messages
        return await self._by_model(ASYNC, last_speaker, selector, shown, self.agents if agents is None else agents)

    async def _by_model(
        self, form: Form, last: Agent, selector: ConversableAgent, messages: list[Message], agents: list[Agent]
    ) -> Agent:
        by_model = await self._model_selection(agents).choose(form, messages, selector, agents)
        return by_model or self.next_agent(last, agents)

    def _model_selection(self, agents: list[Agent]) -> ModelSelection:
        classes = self.select_speaker_auto_model_client_cls or []
        return ModelSelection(
            system_message=self.select_speaker_msg(agents),
            prompt=self.select_speaker_prompt(agents),
            multiple_template=self.select_speaker_auto_multiple_template,
            none_template=self.select_speaker_auto_none_template,
            retries=self.max_retries_for_selecting_speaker,
            role=self.role_for_select_speaker_messages,
            transforms=self.select_speaker_transform_messages,
            is_printed=bool(self.select_speaker_auto_verbose),
            client_classes=classes if isinstance(classes, list) else [classes],
            llm_config=self.select_speaker_auto_llm_config,
        )

    async def _method(self, form: Form, last_speaker: Agent) -> str | Agent:
        method: object = self.speaker_selection_method
        if callable(method):
            return chosen_by_function(await form.call(method, last_speaker, self), self.agents)
        return checked_method(method)

    def _eligible(self, last_speaker: Agent, method: str) -> list[Agent]:
        check_size(self.agents, method, allows_repeats=bool(self.allow_repeat_speaker))
        called = called_functions(self.messages[-1]) if self.func_call_filter and self.messages else []
        able = able_to_execute(self.agents, called) if called else list(self.agents)
        if called and len(able) == 1:
            return able
        return eligible_speakers(self.agents, last_speaker, self.allowed_speaker_transitions_dict, able)

    def random_select_speaker(self, agents: list[Agent] | None = None) -> Agent | None:
        """One of several agents, each as likely."""
        return random.choice(self.agents if agents is None else agents)  # noqa: S311 - no secret

    def manual_select_speaker(self, agents: list[Agent] | None = None) -> Agent | None:
        """The agent that a person chooses by its number; None if the person chooses none.

        Args:
            agents: The agents to choose from; None for all.
        """
        return ask_for_speaker(self.agents if agents is None else agents)
