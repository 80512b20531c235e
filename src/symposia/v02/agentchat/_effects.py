"""What people and functions of the program contribute to a chat, as effects: journals record it, budgets limit it.

Without an effect handler, each is a direct call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from symposia.core.effects import effects_are_handled, enter_scope
from symposia.v02.agentchat._conversable import Attended
from symposia.v02.agentchat._forms import Form, Step

if TYPE_CHECKING:
    from pydantic import JsonValue

    from symposia.core.tools import ToolRequest, ToolResult

# The modules of effects are imported where there is a handler: they take longer than all others of a chat together.


async def ask_person(form: Form, agent: Attended, prompt: str) -> str:
    """Ask an agent's person, as an effect.

    What the person says is among the agent's `human_inputs`, also when it comes from a journal.
    """
    if not effects_are_handled():
        return await form.human_input(agent, prompt)
    from symposia.core.effects import ask_human  # noqa: PLC0415 - see above

    is_asked = False

    async def ask() -> str:
        nonlocal is_asked
        is_asked = True
        return await form.human_input(agent, prompt)

    async def effect(step: Step[str]) -> str:
        async def function(question: object) -> str:  # noqa: ARG001 - the agent's method is given the prompt itself
            return await step()

        return (await ask_human(function, prompt)).text

    words = await form.perform(effect, ask)
    if not is_asked:
        agent.human_inputs.append(words)
    return words


async def call_function(
    form: Form, agent_name: str, name: str, arguments: Mapping[str, object], step: Step[tuple[bool, str]]
) -> tuple[bool, str]:
    """Call a function that a model called, as the effect of a tool.

    Args:
        form: The form of the call.
        agent_name: The agent that executes it.
        name: The function.
        arguments: Its arguments.
        step: Calls it, and returns whether it succeeded and its result.
    """
    if not effects_are_handled():
        return await step()
    from symposia.core.tools import TOOL_EFFECT, TextResultContent, ToolResult  # noqa: PLC0415 - see above

    async def effect(step: Step[tuple[bool, str]]) -> ToolResult:
        async def call() -> ToolResult:
            ok, content = await step()
            return ToolResult(name=name, result=[TextResultContent(content=content)], is_error=not ok)

        with enter_scope(f"tool:{name}"):
            return await TOOL_EFFECT.perform(lambda: _request(agent_name, name, arguments), call)

    result = await form.perform(effect, step)
    return not result.is_error, result.to_text()


def _request(agent_name: str, name: str, arguments: Mapping[str, object]) -> ToolRequest:
    from symposia.core.tools import ToolRequest  # noqa: PLC0415 - see above

    values = cast("dict[str, JsonValue]", dict(arguments))
    return ToolRequest(workbench={"agent": agent_name}, name=name, arguments=values)
