"""Criteria for a task from agents that suggest them, and the assessment of an answer by an agent."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.core.exceptions import InvalidArgumentError, ModelResponseError
from symposia.v02.agentchat._conversable import LLMConfig
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.contrib.agent_eval.criterion import Criterion
from symposia.v02.agentchat.contrib.agent_eval.critic_agent import CriticAgent
from symposia.v02.agentchat.contrib.agent_eval.quantifier_agent import QuantifierAgent
from symposia.v02.agentchat.contrib.agent_eval.subcritic_agent import SubCriticAgent
from symposia.v02.agentchat.contrib.agent_eval.task import Task
from symposia.v02.agentchat.groupchat import GroupChat, GroupChatManager
from symposia.v02.agentchat.user_proxy_agent import UserProxyAgent
from symposia.v02.code_utils import UNKNOWN, extract_code

__all__ = ["generate_criteria", "quantify_criteria"]


def generate_criteria(
    llm_config: LLMConfig = None,
    task: Task | None = None,
    additional_instructions: str = "",
    max_round: int = 2,
    use_subcritic: bool = False,
) -> list[Criterion]:
    """Have a model suggest criteria for a task.

    Args:
        llm_config: The model.
        task: The task.
        additional_instructions: What the model is told besides.
        max_round: The messages of the chat, the task among them. With `use_subcritic`, 3 are needed.
        use_subcritic: Whether another agent divides the criteria.

    Raises:
        InvalidArgumentError: There is no task.
        ModelResponseError: The last answer has no criteria.
    """
    user = _user("critic_user")
    critic = CriticAgent(
        system_message=f"{CriticAgent.DEFAULT_SYSTEM_MESSAGE}\n{additional_instructions}", llm_config=llm_config
    )
    agents: list[Agent] = [user, critic]
    if use_subcritic:
        agents.append(SubCriticAgent(llm_config=llm_config))
    chat = GroupChat(agents, [], max_round=max_round, speaker_selection_method="round_robin")
    user.initiate_chat(GroupChatManager(chat, llm_config=llm_config), message=_checked(task).get_sys_message())
    return _criteria(_last_text(user.last_message()))


def quantify_criteria(
    llm_config: LLMConfig = None,
    criteria: Sequence[Criterion] | None = None,
    task: Task | None = None,
    test_case: str = "",
    ground_truth: str = "",
) -> dict[str, str]:
    """Have a model assess an answer by criteria.

    Args:
        llm_config: The model.
        criteria: The criteria.
        task: The task.
        test_case: The answer.
        ground_truth: Whether the answer is a success, as the caller knows it.

    Returns:
        `actual_success`, which is `ground_truth`, and `estimated_performance`, which is what the model says: JSON with
        the grade of each criterion.

    Raises:
        InvalidArgumentError: There is no task, or there are no criteria.
    """
    if criteria is None:
        raise InvalidArgumentError("There are no criteria. Give criteria=generate_criteria(…), or your own.")
    message = (
        f"{_checked(task).get_sys_message()}\nThe criteria:\n{Criterion.write_json(criteria)}\n\n"
        f"The answer to assess:\n{test_case}\n"
    )
    user = _user("quantifier_user")
    user.initiate_chat(QuantifierAgent(llm_config=llm_config), message=message)
    return {"actual_success": ground_truth, "estimated_performance": _last_text(user.last_message())}


def _user(name: str) -> UserProxyAgent:
    return UserProxyAgent(name, max_consecutive_auto_reply=0, human_input_mode="NEVER", code_execution_config=False)


def _checked(task: Task | None) -> Task:
    if task is None:
        raise InvalidArgumentError("There is no task. Give task=Task(name=…, description=…, …).")
    return task


def _last_text(message: Message | None) -> str:
    return "" if message is None else text_of(message)


def _criteria(text: str) -> list[Criterion]:
    """The criteria of an answer, which may have its JSON in a block of code."""
    language, code = extract_code(text)[0]
    try:
        return Criterion.parse_json_str(text if language == UNKNOWN else code)
    except ValueError as error:
        raise ModelResponseError(f"The model's last answer is no array of criteria: {text[:200]!r}. {error}") from error
