"""An optimizer of agents: a model writes functions for them, by what it sees of their conversations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.contrib._optimizer_actions import (
    ADD_FUNC,
    REMOVE_FUNC,
    REVISE_FUNC,
    Functions,
    as_json,
    changed,
    updates,
)
from symposia.v02.code_utils import execute_code
from symposia.v02.io import IOStream
from symposia.v02.oai import OpenAIWrapper, filter_config

__all__ = ["ADD_FUNC", "OPT_PROMPT", "REMOVE_FUNC", "REVISE_FUNC", "AgentOptimizer", "execute_func"]

OPT_PROMPT: Final = """You maintain the functions that an agent can call, so that it does its next tasks better.

These are the agent's conversations about its last tasks. A performance of 1 is a task that is done, 0 one that is not:
{conversations}

The share of tasks that were done: {performance}
The functions that the agent has:
{functions}

Functions with which it did worse, so that they were taken back:
{failures}
{problem}
Call one of your tools to add, revise or remove a function, if that helps with tasks of this kind: where the agent
failed, or wrote the same code again and again. A function is for a kind of tasks, and not for one of them; it has
parameters for what differs. Few good functions are better than many. You can make {actions} more changes. If no change
helps, answer with TERMINATE.
"""
TRIALS: Final = 3
"""How often the model is asked for a change, until it makes one that can be carried out."""

Registered = dict[str, Callable[..., str] | None]


def execute_func(name: str, packages: str, code: str, **args: Any) -> str:  # Any: JSON
    """Call a function that a model wrote, in a sandbox. Its packages are not installed.

    Args:
        name: Its name.
        packages: The packages that it needs.
        code: Python that defines it.
        args: Its arguments, which are JSON.

    Returns:
        What it printed and returned, or the error.

    Raises:
        RuntimeError: No sandbox works.
    """
    del packages  # code that a model wrote changes nothing here
    program = (
        f"{code}\n\nimport json as _json\n"
        f"_result = {name}(**_json.loads({json.dumps(args)!r}))\n"
        "if _result is not None:\n    print(_result)\n"
    )
    _, output, _ = execute_code(program)
    return output


class AgentOptimizer:
    """Writes functions for an agent, step by step.

    Record the conversations of some tasks, call `step`, and register what it returns with the agents. If the next
    conversations are worse, the next step takes its functions back.

    Args:
        max_actions_per_step: How many functions a step adds, revises or removes at most.
        llm_config: The configuration of models, with the optimizer's among them.
        optimizer_model: The model that writes functions.

    Raises:
        InvalidArgumentError: The configuration has no such model.
    """

    def __init__(
        self,
        max_actions_per_step: int,
        llm_config: dict[str, Any],  # Any: see `OpenAIWrapper`
        optimizer_model: str | None = "gpt-4-1106-preview",
    ) -> None:
        self.max_actions_per_step = max_actions_per_step
        self.llm_config = llm_config
        self.optimizer_model = optimizer_model
        entries: Sequence[Mapping[str, Any]] = llm_config.get("config_list") or [llm_config]
        chosen = filter_config([dict(entry) for entry in entries], {"model": [optimizer_model]})
        if not chosen:
            raise InvalidArgumentError(
                f"No entry of llm_config has the model {optimizer_model!r}. Give optimizer_model=, one of the models "
                f"there: {', '.join(str(entry.get('model')) for entry in entries)}."
            )
        shared = {key: value for key, value in llm_config.items() if key not in {"config_list", "tools", "functions"}}
        self._client = OpenAIWrapper(**{**shared, "config_list": chosen})
        self.reset_optimizer()

    def reset_optimizer(self) -> None:
        """Forget conversations and functions."""
        self._conversations: list[tuple[Sequence[Message], bool]] = []
        self._functions: Functions = {}
        self._best: tuple[float, Functions] = (-1, {})
        self._failures: list[str] = []

    def record_one_conversation(self, conversation_history: list[Message], is_satisfied: bool | None = None) -> None:
        """Take in a conversation about a task.

        Args:
            conversation_history: Its messages.
            is_satisfied: Whether the task was done; None to ask a person.

        Raises:
            ValueError: The person says something else than 0 and 1.
        """
        if is_satisfied is None:
            said = IOStream.get_default().input("Was the task done? 1 is yes, 0 is no: ").strip()
            if said not in {"0", "1"}:
                raise ValueError(f"The answer has to be 1 or 0, and not {said!r}.")
            is_satisfied = said == "1"
        self._conversations.append((list(conversation_history), bool(is_satisfied)))

    def step(self) -> tuple[list[dict[str, Any]], Registered]:  # Any: JSON
        """Have the model change the functions.

        Returns:
            The arguments of `update_function_signature` for the agent whose model calls the functions, one for each;
            and the argument of `register_function` for the agent that executes them.

        Raises:
            InvalidArgumentError: No conversation was recorded since the last step.
        """
        if not self._conversations:
            raise InvalidArgumentError("There are no conversations. Call record_one_conversation before a step.")
        before, performance = self._functions, self._performance()
        if performance < self._best[0]:
            self._failures.append(f"{as_json(before)}, with which the share was {performance:.2f}")
            self._functions = self._best[1]
        else:
            self._best, self._failures = (performance, before), []
        self._change_functions(performance)
        self._conversations = []
        registered: Registered = {name: None for name in before if name not in self._functions}
        for name, each in self._functions.items():
            registered[name] = partial(execute_func, each.name, each.packages, each.code)
        return updates(before, self._functions), registered

    def _performance(self) -> float:
        return sum(is_done for _, is_done in self._conversations) / len(self._conversations)

    def _change_functions(self, performance: float) -> None:
        remaining, problem, trials = self.max_actions_per_step, "", TRIALS
        while remaining and trials:
            calls = self._ask(performance, remaining, problem)
            if not calls:
                return
            for name, arguments in calls[:remaining]:
                try:
                    self._functions = changed(self._functions, name, arguments)
                except (ValueError, SyntaxError) as error:
                    problem, trials = f"\nYour last call of {name} was not carried out: {error}\n", trials - 1
                else:
                    remaining, problem, trials = remaining - 1, "", TRIALS

    def _ask(self, performance: float, actions: int, problem: str) -> list[tuple[str, str]]:
        """The name and the arguments of each call of the model."""
        prompt = OPT_PROMPT.format(
            conversations=json.dumps(
                [{"performance": int(done), "messages": list(each)} for each, done in self._conversations],
                ensure_ascii=False,
            ),
            performance=f"{performance:.2f}",
            functions=as_json(self._functions),
            failures="\n".join(self._failures) or "none",
            problem=problem,
            actions=actions,
        )
        tools = [ADD_FUNC, *([REVISE_FUNC, REMOVE_FUNC] if self._functions else [])]
        response = self._client.create(messages=[{"role": "user", "content": prompt}], tools=tools, tool_choice="auto")
        [message] = self._client.extract_text_or_completion_object(response)
        calls: Sequence[Any] = [] if isinstance(message, str) else message.tool_calls or []  # Any: of OpenAI's SDK
        return [(call.function.name, call.function.arguments) for call in calls]
