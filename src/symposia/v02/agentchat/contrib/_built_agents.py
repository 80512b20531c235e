"""The agents of a plan."""

from __future__ import annotations

from typing import Any, Final

from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat.assistant_agent import AssistantAgent
from symposia.v02.agentchat.contrib._builder_plan import AgentPlan
from symposia.v02.agentchat.conversable_agent import ConversableAgent, register_function
from symposia.v02.agentchat.user_proxy_agent import UserProxyAgent

TERMINAL: Final = "Computer_terminal"
"""The agent that executes code."""


def make_agent(
    plan: AgentPlan,
    group_prompt: str,
    llm_config: dict[str, Any],  # Any: see `OpenAIWrapper`
    *,
    is_assistant: bool,
) -> ConversableAgent:
    """An agent of a plan.

    Args:
        plan: The agent.
        group_prompt: Its instructions in a group, with the fields `name` and `sys_msg`.
        llm_config: Its model.
        is_assistant: Whether it is a `GPTAssistantAgent`.
    """
    name, description = plan["name"], plan["description"]
    instructions = group_prompt.format(name=name, sys_msg=plan["system_message"])
    if is_assistant:
        from symposia.v02.agentchat.contrib.gpt_assistant_agent import GPTAssistantAgent  # noqa: PLC0415 - heavy

        return GPTAssistantAgent(name, instructions, llm_config, description=description)
    return AssistantAgent(name, instructions, llm_config=llm_config, description=description)


def make_terminal(code_execution_config: dict[str, Any], reply: str, description: str) -> UserProxyAgent:
    """The agent that executes code.

    Args:
        code_execution_config: Where. Any: options of many executors.
        reply: What it says where there is no code.
        description: See `ConversableAgent`.
    """
    return UserProxyAgent(
        TERMINAL,
        is_termination_msg=_is_done,
        code_execution_config=code_execution_config,
        human_input_mode="NEVER",
        default_auto_reply=reply,
        description=description,
    )


def give_function(agent: ConversableAgent, function: dict[str, Any], note: str) -> None:
    """Let an agent call and execute a function.

    Args:
        agent: The agent.
        function: Its `name`, `description` and `function`. Any: of the program.
        note: The instructions of the agent then, with the fields `agent_sys_message`, `function_name` and
            `function_description`.
    """
    name, description = function["name"], function["description"]
    register_function(function["function"], caller=agent, executor=agent, name=name, description=description)
    agent.update_system_message(
        note.format(agent_sys_message=agent.system_message, function_name=name, function_description=description)
    )


def _is_done(message: Message) -> bool:
    return "TERMINATE" in text_of(message)
