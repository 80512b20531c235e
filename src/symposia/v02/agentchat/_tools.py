"""Functions that a model calls: execution, and the message with their results."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from symposia.v02 import runtime_logging
from symposia.v02._background_loop import run_in_background
from symposia.v02._plain import carried_stop
from symposia.v02.agentchat._conversable import Executing
from symposia.v02.agentchat._effects import call_function
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.formatting_utils import colored
from symposia.v02.function_utils import serialize_to_str
from symposia.v02.io import IOStream

Call: TypeAlias = Mapping[str, Any]  # Any: as a model wrote it


def read_arguments(text: str) -> dict[str, object]:
    """The arguments of a call. Line breaks and tabs in texts need no escape.

    Raises:
        ValueError: They are not a JSON object.
    """
    arguments: object = json.loads(text, strict=False)
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are no JSON object")  # noqa: TRY004 - as for other text that is not of JSON
    return cast("dict[str, object]", arguments)


async def execute(
    form: Form, agent_name: str, functions: Mapping[str, Callable[..., Any]], call: Call, *, verbose: bool = False
) -> tuple[bool, Message]:
    """Execute a function that a model called.

    Args:
        form: The form of the call.
        agent_name: The agent that executes it.
        functions: The functions that may be called, by name.
        call: `name`, and `arguments` as the text of a JSON object.
        verbose: Whether the arguments and the result are printed.

    Returns:
        Whether it succeeded, and the message with the result, or with the error.
    """
    name = call.get("name", "")
    ok, content = await _outcome(form, agent_name, functions.get(name), call, verbose=verbose)
    return ok, {"name": name, "role": "function", "content": content}


async def _outcome(
    form: Form, agent_name: str, function: Callable[..., Any] | None, call: Call, *, verbose: bool
) -> tuple[bool, str]:
    name = call.get("name", "")
    if function is None:
        return False, f"Error: Function {name} not found."
    try:
        arguments = read_arguments(call.get("arguments") or ("" if "arguments" in call else "{}"))
    except (ValueError, RecursionError) as error:  # the latter of brackets that a model wrote by the thousand
        return False, f"Error: {error}\n The argument must be in JSON format."
    stream = IOStream.get_default()
    kind = "ASYNC FUNCTION" if form.is_async else "FUNCTION"
    stream.print(colored(f"\n>>>>>>>> EXECUTING {kind} {name}...", "magenta"), flush=True)

    async def step() -> tuple[bool, str]:
        try:
            return True, str(await form.call(function, **arguments))
        except Exception as error:  # noqa: BLE001 - the model is told of any error of the function
            return False, f"Error: {carried_stop(error) or error}"

    ok, content = await call_function(form, agent_name, name, arguments, step)
    if runtime_logging.logging_enabled():
        runtime_logging.log_function_use(agent_name, function, arguments, content)
    if ok and verbose:
        stream.print(colored(f"\nInput arguments: {arguments}\nOutput:\n{content}", "magenta"), flush=True)
    return ok, content


async def function_call_reply(form: Form, agent: Executing, call: Call) -> Message:
    """The reply to a message with a `function_call`: the result of the function."""
    _, result = await _executed(form, agent, call)
    return result


async def tool_calls_reply(form: Form, agent: Executing, calls: Sequence[Call]) -> Message:
    """The reply to a message with `tool_calls`: one message with the results of all.

    The asynchronous form executes them at the same time.
    """
    if form.is_async:
        results = await asyncio.gather(*(_tool_response(form, agent, call) for call in calls))
    else:
        results = [await _tool_response(form, agent, call) for call in calls]
    content = "\n\n".join(_shown(result) for result in results)
    return {"role": "tool", "tool_responses": results, "content": content}


async def _tool_response(form: Form, agent: Executing, call: Call) -> Message:
    _, result = await _executed(form, agent, call.get("function") or {})
    identified = {} if call.get("id") is None else {"tool_call_id": call["id"]}
    return {**identified, "role": "tool", "content": result.get("content", "")}


async def _executed(form: Form, agent: Executing, call: Call) -> tuple[bool, Message]:
    """Execute a function with the method that suits it: a coroutine function is awaited in a plain chat too."""
    function = agent.function_map.get(call.get("name", ""))
    if form.is_async or not inspect.iscoroutinefunction(function):
        return await form.executed(agent, dict(call))
    return run_in_background(lambda: agent.a_execute_function(call))


def _shown(response: Message) -> str:
    return text_of(response) if isinstance(response.get("content"), (str, list)) else str(response.get("content", ""))


def with_text_result(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose result is text: as it is, or as JSON."""

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> str:
        return serialize_to_str(function(*args, **kwargs))

    @functools.wraps(function)
    async def asynchronous(*args: Any, **kwargs: Any) -> str:
        return serialize_to_str(await function(*args, **kwargs))

    return asynchronous if inspect.iscoroutinefunction(function) else plain
