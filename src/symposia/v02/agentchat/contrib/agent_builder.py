"""A builder of the agents for a task, which a model thinks of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.agentchat.contrib import _builder_prompts as prompts
from symposia.v02.agentchat.contrib._agent_library import most_alike, read_library
from symposia.v02.agentchat.contrib._builder_plan import (
    AgentPlan,
    BuildPlan,
    file_name,
    mentioned,
    names_of,
    plan_text,
    read_plan,
)
from symposia.v02.agentchat.contrib._built_agents import give_function, make_agent, make_terminal
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.io import IOStream
from symposia.v02.oai import OpenAIWrapper, config_list_from_json

__all__ = ["AgentBuilder"]

SERVICE: Final = "online"
"""Where the models of agents are."""
EMBEDDING_MODEL: Final = "all-mpnet-base-v2"

Functions = Sequence[dict[str, Any]]
"""``name``, ``description`` and ``function`` of each. Any: of the program."""
Built = tuple[list[ConversableAgent], BuildPlan]

logger = logging.getLogger(__name__)


class AgentBuilder:
    """Makes the agents for a task.

    A model names them, writes their instructions and descriptions, and says whether code is to be executed.

    Args:
        config_file_or_env: The configuration list, as of `config_list_from_json`.
        config_file_location: Its folder.
        builder_model: The models that think of the agents; all of the list by default.
        agent_model: The models of the agents; all of the list by default.
        builder_model_tags: The tags of the former.
        agent_model_tags: The tags of the latter.
        max_agents: How many agents are made at most, without the one that executes code.

    Attributes:
        agent_procs_assign: The agents by name, each with where its model is.
        cached_configs: The plan of the agents; None before they are made.

    Raises:
        RuntimeError: The list has no such model for the builder.
        FileNotFoundError: There is no list.
    """

    online_server_name: ClassVar[str] = SERVICE
    DEFAULT_PROXY_AUTO_REPLY: ClassVar[str] = prompts.PROXY_REPLY
    GROUP_CHAT_DESCRIPTION: ClassVar[str] = prompts.GROUP
    DEFAULT_DESCRIPTION: ClassVar[str] = prompts.PROXY_DESCRIPTION
    CODING_PROMPT: ClassVar[str] = prompts.CODING
    AGENT_NAME_PROMPT: ClassVar[str] = prompts.NAMES
    AGENT_SYS_MSG_PROMPT: ClassVar[str] = prompts.SYSTEM_MESSAGE
    AGENT_DESCRIPTION_PROMPT: ClassVar[str] = prompts.DESCRIPTION
    AGENT_SELECTION_PROMPT: ClassVar[str] = prompts.SELECTION
    AGENT_FUNCTION_MAP_PROMPT: ClassVar[str] = prompts.FUNCTION
    UPDATED_AGENT_SYSTEM_MESSAGE: ClassVar[str] = prompts.FUNCTION_NOTE

    def __init__(
        self,
        config_file_or_env: str = "OAI_CONFIG_LIST",
        config_file_location: str = "",
        builder_model: str | Sequence[str] | None = (),
        agent_model: str | Sequence[str] | None = (),
        builder_model_tags: Sequence[str] | None = (),
        agent_model_tags: Sequence[str] | None = (),
        max_agents: int = 5,
    ) -> None:
        self.config_file_or_env = config_file_or_env
        self.config_file_location = config_file_location
        self.builder_model = OpenAIWrapper(
            config_list=self._entries("builder_model", builder_model, builder_model_tags)
        )
        self.agent_model = _as_list(agent_model)
        self.agent_model_tags = list(agent_model_tags or ())
        self.max_agents = max_agents
        self.agent_procs_assign: dict[str, tuple[ConversableAgent, str]] = {}
        self.cached_configs: BuildPlan | None = None

    def set_builder_model(self, model: str) -> None:
        """Have another model of the list think of agents."""
        self.builder_model = OpenAIWrapper(config_list=self._entries("builder_model", model, ()))

    def set_agent_model(self, model: str) -> None:
        """Give agents another model of the list."""
        self.agent_model = [model]

    def build(
        self,
        building_task: str,
        default_llm_config: dict[str, Any],  # Any: see `OpenAIWrapper`
        list_of_functions: Functions | None = None,
        coding: bool | None = None,
        code_execution_config: dict[str, Any] | None = None,  # Any: options of many executors
        use_oai_assistant: bool = False,
        user_proxy: ConversableAgent | None = None,
        max_agents: int | None = None,
    ) -> Built:
        """Make the agents for a task.

        Args:
            building_task: The task, or the kind of tasks.
            default_llm_config: What the models of all agents share, such as a temperature.
            list_of_functions: Functions: each is given to the agent that needs it most.
            coding: Whether one more agent executes code; None if the model is to say.
            code_execution_config: Where code is executed; by default in the folder `groupchat`.
            use_oai_assistant: Whether agents are `GPTAssistantAgent`s.
            user_proxy: Executes code, in place of an agent without a person.
            max_agents: See the class.

        Returns:
            The agents, the one that executes code last; and the plan of them.

        Raises:
            RuntimeError: The list has no such model for the agents.
            ModelResponseError: The model names no agent.
        """
        most = max_agents or self.max_agents
        _tell("==> Generating agents...")
        names = names_of(self._ask(self.AGENT_NAME_PROMPT.format(task=building_task, max_agents=most)), most)
        _tell(f"{names} are generated.")
        _tell("==> Generating system message...")
        messages = [self._ask(self._instructions_prompt(building_task, name)) for name in names]
        _tell("==> Generating description...")
        descriptions = [
            self._ask(self.AGENT_DESCRIPTION_PROMPT.format(position=name, sys_msg=message))
            for name, message in zip(names, messages, strict=True)
        ]
        agents: list[AgentPlan] = [
            {"name": name, "system_message": message, "description": description}
            for name, message, description in zip(names, messages, descriptions, strict=True)
        ]
        self.cached_configs = self._plan(building_task, agents, default_llm_config, coding, code_execution_config)
        return self._built(list_of_functions, user_proxy, use_oai_assistant=use_oai_assistant)

    def build_from_library(
        self,
        building_task: str,
        library_path_or_json: str,
        default_llm_config: dict[str, Any],
        top_k: int = 3,
        coding: bool | None = None,
        code_execution_config: dict[str, Any] | None = None,
        use_oai_assistant: bool = False,
        embedding_model: str | None = EMBEDDING_MODEL,
        user_proxy: ConversableAgent | None = None,
    ) -> Built:
        """Make agents of a library for a task.

        The model chooses among those whose descriptions are most like the task, by their letters.

        Args:
            building_task: As of `build`.
            library_path_or_json: A JSON array, or the path of a file with it: `name`, `system_message` and
                `description` of each agent.
            default_llm_config: As of `build`.
            top_k: How many there are to choose among, for each agent of `max_agents`.
            coding: As of `build`.
            code_execution_config: As of `build`.
            use_oai_assistant: As of `build`.
            embedding_model: Is not used, as nothing is downloaded.
            user_proxy: As of `build`.

        Returns:
            As `build`.

        Raises:
            ValueError: It is no library.
            OSError: The file cannot be read.
            RuntimeError: See `build`.
            ModelResponseError: The model chooses none of the agents.
        """
        if embedding_model not in (None, EMBEDDING_MODEL):
            logger.warning(
                "embedding_model=%r is not used: agents are compared by the letters of texts.", embedding_model
            )
        library = read_library(library_path_or_json)
        _tell("==> Looking for suitable agents in the library...")
        likely = most_alike(building_task, library, top_k * self.max_agents)
        listed = "\n".join(f"- {agent['name']}: {agent['description']}" for agent in likely)
        answer = self._ask(
            self.AGENT_SELECTION_PROMPT.format(task=building_task, agent_list=listed, max_agents=self.max_agents)
        )
        by_name = {agent["name"]: agent for agent in likely}
        names = mentioned(answer, list(by_name))[: self.max_agents]
        _tell(f"{names} are selected.")
        agents = [by_name[name] for name in names]
        self.cached_configs = self._plan(building_task, agents, default_llm_config, coding, code_execution_config)
        return self._built(None, user_proxy, use_oai_assistant=use_oai_assistant)

    def save(self, filepath: str | None = None) -> str:
        """Write the plan of the agents to a file, without credentials.

        Args:
            filepath: The file; by default one of the working folder that is named for the task.

        Returns:
            The path.

        Raises:
            InvalidArgumentError: No agents were made.
            OSError: The file cannot be written.
        """
        if self.cached_configs is None:
            raise InvalidArgumentError("There is no plan to save. Call build, build_from_library or load first.")
        path = filepath or f"./{file_name(self.cached_configs['building_task'])}"
        Path(path).write_text(plan_text(self.cached_configs), encoding="utf-8")
        _tell(f"Building config saved to {path}")
        return path

    def load(
        self,
        filepath: str | None = None,
        config_json: str | None = None,
        use_oai_assistant: bool = False,
        *,
        list_of_functions: Functions | None = None,
        code_execution_config: dict[str, Any] | None = None,
        user_proxy: ConversableAgent | None = None,
    ) -> Built:
        """Make the agents of a plan that was saved.

        Args:
            filepath: Its file.
            config_json: The plan as JSON, in place of a file.
            use_oai_assistant: As of `build`.
            list_of_functions: As of `build`.
            code_execution_config: In place of that of the plan.
            user_proxy: As of `build`.

        Returns:
            As `build`.

        Raises:
            InvalidArgumentError: Neither a file nor JSON is given, or it is no plan.
            OSError: The file cannot be read.
            RuntimeError: See `build`.
        """
        if config_json is None and filepath is None:
            raise InvalidArgumentError("There is nothing to load. Give filepath, or config_json.")
        text = config_json if config_json is not None else Path(filepath or "").read_text(encoding="utf-8")
        plan = read_plan(text)
        if code_execution_config is not None:
            plan["code_execution_config"] = code_execution_config
        self.cached_configs = plan
        return self._built(list_of_functions, user_proxy, use_oai_assistant=use_oai_assistant)

    def clear_agent(self, agent_name: str, recycle_endpoint: bool = True) -> None:
        """Forget an agent. The assistant of a `GPTAssistantAgent` is deleted.

        Args:
            agent_name: Its name.
            recycle_endpoint: Nothing: models are at services.

        Raises:
            KeyError: There is no such agent.
        """
        del recycle_endpoint
        agent, _ = self.agent_procs_assign.pop(agent_name)
        if (delete := getattr(agent, "delete_assistant", None)) is not None:
            delete()

    def clear_all_agents(self, recycle_endpoint: bool = True) -> None:
        """Forget all agents; see `clear_agent`."""
        for name in list(self.agent_procs_assign):
            self.clear_agent(name, recycle_endpoint)
        _tell("All agents have been cleared.")

    # The parts of it --------------------------------------------------------------------------------------------------

    def _ask(self, prompt: str) -> str:
        response = self.builder_model.create(messages=[{"role": "user", "content": prompt}])
        return str(response.choices[0].message.content or "").strip()

    def _instructions_prompt(self, task: str, name: str) -> str:
        return self.AGENT_SYS_MSG_PROMPT.format(task=task, position=name, default_sys_msg="")

    def _plan(
        self,
        task: str,
        agents: Sequence[AgentPlan],
        default_llm_config: dict[str, Any],
        coding: bool | None,
        code_execution_config: dict[str, Any] | None,
    ) -> BuildPlan:
        if coding is None:
            coding = "YES" in self._ask(self.CODING_PROMPT.format(task=task)).upper()
        models: AgentPlan = {"model": self.agent_model, "tags": self.agent_model_tags}  # pyright: ignore[reportAssignmentType] - the rest follows
        return {
            "building_task": task,
            "agent_configs": [{**models, **agent} for agent in agents],
            "coding": coding,
            "default_llm_config": default_llm_config,
            "code_execution_config": code_execution_config
            or {"last_n_messages": 1, "work_dir": "groupchat", "timeout": 10},
        }

    def _built(
        self, functions: Functions | None, user_proxy: ConversableAgent | None, *, use_oai_assistant: bool
    ) -> Built:
        plan = self.cached_configs
        assert plan is not None  # noqa: S101 - the callers have made it
        _tell("==> Creating agents...")
        agents = [self._agent(each, plan, is_assistant=use_oai_assistant) for each in plan["agent_configs"]]
        self.agent_procs_assign = {agent.name: (agent, SERVICE) for agent in agents}
        for function in functions or ():
            self._give(function, agents, plan["agent_configs"])
        if plan["coding"]:
            _tell("Adding user console proxy...")
            agents.append(
                user_proxy
                or make_terminal(plan["code_execution_config"], self.DEFAULT_PROXY_AUTO_REPLY, self.DEFAULT_DESCRIPTION)
            )
        return agents, plan

    def _agent(self, plan: AgentPlan, whole: BuildPlan, *, is_assistant: bool) -> ConversableAgent:
        entries = self._entries("agent_model", plan.get("model"), plan.get("tags"), f"agent {plan['name']}")
        config = {**whole["default_llm_config"], "config_list": entries}
        return make_agent(plan, self.GROUP_CHAT_DESCRIPTION, config, is_assistant=is_assistant)

    def _give(
        self,
        function: dict[str, Any],  # Any: see `Functions`
        agents: Sequence[ConversableAgent],
        plans: Sequence[AgentPlan],
    ) -> None:
        """Let the agent that needs a function call and execute it."""
        name, description = function["name"], function["description"]
        details = "\n".join(f"- {plan['name']}: {plan['description']}" for plan in plans)
        answer = self._ask(
            self.AGENT_FUNCTION_MAP_PROMPT.format(
                function_name=name, function_description=description, agent_details=details
            )
        )
        [chosen, *_] = mentioned(answer, [agent.name for agent in agents])
        agent = next(agent for agent in agents if agent.name == chosen)
        give_function(agent, function, self.UPDATED_AGENT_SYSTEM_MESSAGE)
        _tell(f"Function {name} is registered to agent {chosen}.")

    def _entries(
        self, argument: str, models: str | Sequence[str] | None, tags: Sequence[str] | None, whose: str = "the builder"
    ) -> list[dict[str, Any]]:  # Any: see `OpenAIWrapper`
        """The entries of the configuration list with these models and tags."""
        wanted = {"model": _as_list(models), "tags": list(tags or ())}
        filters = {key: values for key, values in wanted.items() if values}
        entries = config_list_from_json(self.config_file_or_env, self.config_file_location, filters or None)
        if not entries:
            raise RuntimeError(
                f"There is no model for {whose}: no entry of {self.config_file_or_env} has {filters}. Choose another "
                f"with {argument}, or change the plan that was loaded."
            )
        return entries


def _as_list(given: str | Sequence[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _tell(text: str) -> None:
    IOStream.get_default().print(text, flush=True)
