"""Functions: what models are told of them, how they are called, and what comes back."""

import asyncio
import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from tests.support.v02_agents import Recorder, speaker, texts

from symposia.v02 import ConversableAgent
from symposia.v02.function_utils import get_function_schema, load_basemodels_if_needed, serialize_to_str
from symposia.v02.io import IOStream


class Currency(BaseModel):
    name: Annotated[Literal["USD", "EUR"], Field(description="its sign")]
    amount: float = 0


def add(a: int, b: int = 1) -> int:
    return a + b


async def add_later(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


def fail() -> str:
    raise KeyError("kk")


def listed() -> list[Any]:
    return [1, {"é": 1}]


def executor(**functions: Any) -> ConversableAgent:
    return speaker("a", function_map=functions)


def calls(*names: str, **arguments: Any) -> dict[str, Any]:
    function = [{"name": name, "arguments": json.dumps(arguments)} for name in names]
    return {
        "content": None,
        "tool_calls": [{"id": f"id-{each['name']}", "type": "function", "function": each} for each in function],
    }


def executed(agent: ConversableAgent, call: dict[str, Any], form: str = "plain") -> tuple[bool, str]:
    with IOStream.set_default(Recorder()):
        ok, message = asyncio.run(agent.a_execute_function(call)) if form == "async" else agent.execute_function(call)
    assert message == {"name": call.get("name", ""), "role": "function", "content": message["content"]}
    return ok, message["content"]


def test_the_schema_of_a_function_is_that_of_its_annotations() -> None:
    def convert(
        text: Annotated[str, "what"],
        to: Annotated[Currency, "into"],
        tags: list[int],
        times: int = 2,
        maybe: str | None = None,
    ) -> str:
        return text

    function = get_function_schema(convert, description="D", name="n")["function"]
    assert (function["name"], function["description"]) == ("n", "D")
    parameters = function["parameters"]
    assert parameters["required"] == ["text", "to", "tags"]
    assert parameters["properties"]["text"] == {"type": "string", "description": "what"}
    assert parameters["properties"]["tags"] == {"type": "array", "items": {"type": "integer"}, "description": "tags"}
    assert parameters["properties"]["times"] == {"type": "integer", "default": 2, "description": "times"}
    assert parameters["properties"]["maybe"]["default"] is None
    assert parameters["properties"]["to"]["properties"]["name"]["enum"] == ["USD", "EUR"]
    assert parameters["properties"]["to"]["description"] == "into"


def test_annotations_may_be_text() -> None:
    def later(a: "Annotated[int, 'how many']", b: "Currency") -> "str":
        return ""

    properties = get_function_schema(later, description="D")["function"]["parameters"]["properties"]
    assert properties["a"] == {"type": "integer", "description": "how many"}
    assert properties["b"]["title"] == "Currency"


def test_a_required_parameter_needs_an_annotation() -> None:
    def bare(a, b: int) -> str:  # type: ignore[no-untyped-def] # pyright: ignore[reportUnknownParameterType, reportMissingParameterType] # noqa: ANN001 - what is refused
        return ""

    with pytest.raises(TypeError, match="annotations are missing for the following parameters: 'a'"):
        get_function_schema(bare, description="D")  # pyright: ignore[reportUnknownArgumentType] - as above


def test_only_a_text_describes_a_parameter() -> None:
    def described(a: Annotated[int, Field(description="d")]) -> str:
        return ""

    with pytest.raises(ValueError, match="for parameter a, should be a string"):
        get_function_schema(described, description="D")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("s", "s"),
        (3, "3"),
        (None, "null"),
        ([1, {"é": 1}], '[1, {"é": 1}]'),
        (Currency(name="USD"), '{"name":"USD","amount":0.0}'),
    ],
)
def test_results_are_text(value: object, text: str) -> None:
    assert serialize_to_str(value) == text


def test_pydantic_arguments_are_made_of_dicts() -> None:
    @load_basemodels_if_needed
    def show(of: Annotated[Currency, "x"], times: int = 1) -> str:
        return f"{of!r} {times!r}"

    assert show(of={"name": "USD", "amount": "3"}, times="4") == "Currency(name='USD', amount=3.0) '4'"
    with pytest.raises(ValidationError):
        show(of={"name": "other"})


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ({"name": "add", "arguments": '{"a": 1}'}, (True, "2")),
        ({"name": "add", "arguments": '{\n"a": 1}\n'}, (True, "2")),
        ({"name": "echo", "arguments": '{"text": "x\n\ty"}'}, (True, "x\n\ty")),
        ({"name": "listed", "arguments": "{}"}, (True, "[1, {'é': 1}]")),
        ({"name": "listed"}, (True, "[1, {'é': 1}]")),
        ({"name": "fail", "arguments": "{}"}, (False, "Error: 'kk'")),
        ({"name": "stop", "arguments": "{}"}, (False, "Error: the end")),
        ({"name": "none", "arguments": "{}"}, (False, "Error: Function none not found.")),
        ({}, (False, "Error: Function  not found.")),
        (
            {"name": "add", "arguments": "nope"},
            (False, "Error: Expecting value: line 1 column 1 (char 0)\n The argument must be in JSON format."),
        ),
    ],
)
def test_a_call_has_a_result_whatever_happens(call: dict[str, Any], outcome: tuple[bool, str], form: str) -> None:
    def echo(text: str) -> str:
        return text

    def stop() -> None:
        raise StopIteration("the end")

    assert executed(executor(add=add, listed=listed, fail=fail, echo=echo, stop=stop), call, form) == outcome


@pytest.mark.parametrize("form", ["plain", "async"])
def test_parameters_may_have_any_names(form: str) -> None:
    def show(self: str, function: str, args: str, kwargs: str) -> str:
        return f"{self}{function}{args}{kwargs}"

    arguments = json.dumps({"self": "1", "function": "2", "args": "3", "kwargs": "4"})
    assert executed(executor(show=show), {"name": "show", "arguments": arguments}, form) == (True, "1234")


@pytest.mark.parametrize("arguments", ["[1]", "null", "[" * 100_000, '{"a":' * 100_000])
def test_arguments_that_are_no_object_are_an_error_for_the_model(arguments: str) -> None:
    """AutoGen 0.2 raises for `null`."""
    ok, content = executed(executor(add=add), {"name": "add", "arguments": arguments})
    assert (ok, "The argument must be in JSON format" in content) == (False, True)


def test_a_call_is_printed_and_its_result_if_asked() -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        executor(add=add).execute_function({"name": "add", "arguments": '{"a": 1}'}, verbose=True)
    assert stream.printed == "\n>>>>>>>> EXECUTING FUNCTION add...\n\nInput arguments: {'a': 1}\nOutput:\n2\n"


def results(agent: ConversableAgent, message: dict[str, Any], form: str) -> dict[str, Any]:
    caller = speaker("b", message, max_consecutive_auto_reply=1)
    with IOStream.set_default(Recorder()):
        if form == "async":
            return asyncio.run(agent.a_initiate_chat(caller, message="go")).chat_history[-1]
        return agent.initiate_chat(caller, message="go").chat_history[-1]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_t07_the_results_of_tools_are_one_message_with_one_response_each(form: str) -> None:
    message = calls("add", "add_later", a=1)
    del message["tool_calls"][1]["id"]
    assert results(executor(add=add, add_later=add_later), message, form) == {
        "content": "2\n\n2",
        "tool_responses": [
            {"tool_call_id": "id-add", "role": "tool", "content": "2"},
            {"role": "tool", "content": "2"},
        ],
        "role": "tool",
        "name": "a",
    }


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize("function", [add, add_later])
def test_the_result_of_a_function_call_has_its_name_and_role(function: Any, form: str) -> None:
    message = {"content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}}
    assert results(executor(f=function), message, form) == {"content": "2", "name": "f", "role": "function"}


def test_a_coroutine_function_is_called_in_a_plain_chat_inside_a_running_loop() -> None:
    """AutoGen 0.2 raises "This event loop is already running"."""

    async def notebook() -> dict[str, Any]:
        return results(executor(f=add_later), calls("f", a=1), "plain")

    assert asyncio.run(notebook())["content"] == "2"


def test_asynchronous_calls_of_one_message_run_at_the_same_time() -> None:
    arrived, both = list[str](), asyncio.Event()

    async def meet(name: str) -> str:
        arrived.append(name)
        if len(arrived) == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 5)
        return name

    message = calls("f", "g", name="x")
    assert results(executor(f=meet, g=meet), message, "async")["content"] == "x\n\nx"


def test_functions_are_added_replaced_and_removed_by_name() -> None:
    a = executor(add=add)
    assert (a.can_execute_function("add"), a.can_execute_function(["add", "other"])) == (True, False)
    with pytest.warns(UserWarning, match="Function 'add' is being overridden"):
        a.register_function({"add": listed})
    a.register_function({"add": None})
    assert a.function_map == {}
    with pytest.warns(UserWarning, match="There is no function 'add' to remove"):
        a.register_function({"add": None})


@pytest.mark.parametrize(("name", "error"), [("a b", "Only letters, numbers"), ("a" * 65, "less than 64 characters")])
def test_only_names_that_models_write_are_names_of_functions(name: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        executor(**{name: add})


def test_a_function_registered_for_execution_returns_text_and_keeps_its_name() -> None:
    a = speaker("a")
    assert a.register_for_execution()(listed) is listed
    a.register_for_execution(name="other")(add_later)
    assert a.function_map["listed"]() == '[1, {"é": 1}]'
    assert asyncio.run(a.function_map["other"](a=1)) == "2"


def test_an_agent_without_a_model_is_told_of_no_function() -> None:
    with pytest.raises(AssertionError, match="To update a tool signature, agent must have an llm_config"):
        speaker("a").register_for_llm(description="D")(add)
    with pytest.raises(ValueError, match="Function description is required, none found"):
        speaker("a").register_for_llm()(listed)


def test_texts_of_a_whole_chat_with_a_tool() -> None:
    a, b = executor(add=add), speaker("b", calls("add", a=2), max_consecutive_auto_reply=1)
    assert texts(a.initiate_chat(b, message="go", silent=True).chat_history) == ["go", None, "3"]
