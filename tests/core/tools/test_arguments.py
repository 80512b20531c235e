"""The arguments of a tool call as a model may write them: each fault is told to the model, and none ends the run."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.support.chat_agents import asks_for, model, says

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import ToolCallExecutionEvent
from symposia.core import CancellationToken
from symposia.core.exceptions import ToolArgumentsError
from symposia.core.json_values import DEEPEST
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import TOOL_EFFECT, FunctionTool, ToolRequest, ToolSchema, parse_tool_arguments


class Branch(BaseModel):
    branches: list["Branch"] = []


async def text(x: str) -> str:
    return ascii(x)


async def whole(x: int) -> str:
    return f"{x:e}" if abs(x) < 10**300 else "huge"


async def real(x: float) -> str:
    return str(x)


async def tree(x: Branch) -> str:
    return f"{len(x.branches)} branches"


async def anything(x: Any) -> str:
    return type(x).__name__


TOOLS = [text, whole, real, tree, anything]


async def result_of(tool: str, arguments: str) -> FunctionExecutionResult:
    agent = AssistantAgent("ann", model(asks_for((tool, arguments)), says("done")), tools=TOOLS)
    event = (await agent.run(task="go")).messages[2]
    assert isinstance(event, ToolCallExecutionEvent)
    return event.content[0]


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return f'{{"x":{opening * depth}{closing * depth}}}'


WRONG = [
    ("text", '{"x":', "EOF while parsing"),
    ("text", '{"x":"a"} and more', "trailing characters"),
    ("text", "{'x': 'a'}", "key must be a string"),
    ("text", '{"x":"a\nb"}', "control character"),
    ("text", "[1]", "not a JSON object. You wrote: [1]"),
    ("text", "null", "not a JSON object. You wrote: null"),
    ("text", "", "x: Field required"),
    ("text", r'{"x":"\ud800"}', "hex escape"),
    ("text", '{"x":"\ud800"}', "not Unicode"),
    ("anything", nested(5000), "recursion limit"),
    ("anything", '{"x":' + "[" * 5000, "recursion limit"),
    ("anything", nested(5000, '{"x":', "}").replace('"x":}', '"x":1}', 1), "recursion limit"),
    ("tree", nested(5000, '{"branches":[', "]}"), "recursion limit"),
    ("whole", f'{{"x":{"9" * 5000}}}', "number out of range"),
    ("anything", f'{{"x":{"9" * 5000}}}', "number out of range"),
    ("whole", '{"x":NaN}', "finite number"),
    ("whole", '{"x":1e999}', "finite number"),
]


@pytest.mark.parametrize(("tool", "arguments", "told"), WRONG, ids=range(len(WRONG)))
async def test_d17_wrong_arguments_are_told_to_the_model(tool: str, arguments: str, told: str) -> None:
    result = await result_of(tool, arguments)
    assert result.is_error
    assert f"Wrong arguments for the tool '{tool}'" in result.content
    assert told in result.content
    assert len(result.content) < 4000
    result.content.encode()


RIGHT = [
    ("anything", nested(150), "list"),
    ("tree", nested(60, '{"branches":[', "]}"), "1 branches"),
    ("whole", f'{{"x":{"9" * 4000}}}', "huge"),
    ("real", '{"x":NaN}', "nan"),
    ("real", '{"x":-Infinity}', "-inf"),
    ("text", '{"x":"first","x":"last"}', "'last'"),
    ("text", r'{"x":"\u0000"}', r"'\x00'"),
    ("text", r'{"x":"\ud83d\ude00"}', r"'\U0001f600'"),
    ("text", ' {"x":"a"}\n', "'a'"),
]


@pytest.mark.parametrize(("tool", "arguments", "answer"), RIGHT, ids=range(len(RIGHT)))
async def test_d17_unusual_arguments_that_are_right_are_taken_as_autogen_takes_them(
    tool: str, arguments: str, answer: str
) -> None:
    assert await result_of(tool, arguments) == FunctionExecutionResult(
        content=answer, name=tool, call_id="0", is_error=False
    )


async def test_d17_many_faults_and_long_paths_are_told_in_brief() -> None:
    async def fill(rows: dict[str, list[int]]) -> None: ...

    with pytest.raises(ToolArgumentsError) as error:
        await FunctionTool(fill, description="").run_json({"rows": {"k" * 5000: ["x"] * 50}}, CancellationToken())
    assert "- and 40 more" in str(error.value)
    assert "unable to parse string as an integer" in str(error.value)
    assert len(str(error.value)) < 5000


SCHEMA = ToolSchema(name="any")


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_d17_any_text_is_parsed_or_refused(arguments: str) -> None:
    try:
        parsed = parse_tool_arguments(arguments, SCHEMA)
    except ToolArgumentsError as error:
        str(error).encode()
    else:
        assert isinstance(parsed, dict)


@given(st.dictionaries(st.text(), st.recursive(st.integers() | st.text() | st.none(), st.lists, max_leaves=20)))
def test_d17_what_json_writes_is_read(arguments: dict[str, Any]) -> None:
    assert parse_tool_arguments(json.dumps(arguments), SCHEMA) == arguments


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, 200])
def test_d17_arguments_are_taken_exactly_if_a_journal_can_read_their_record(levels: int) -> None:
    text = '{"x":' * levels + "1" + "}" * levels
    schema = ToolSchema(name="deep")
    if levels > DEEPEST:
        with pytest.raises(ToolArgumentsError, match=f"That nests deeper than {DEEPEST} levels"):
            parse_tool_arguments(text, schema)
        return
    request = ToolRequest(workbench={}, name="deep", arguments=parse_tool_arguments(text, schema))
    record = json.dumps({"effect": {"request": TOOL_EFFECT.encode_request(request)}})
    assert TOOL_EFFECT.decode_request(json.loads(record)["effect"]["request"]) == request


def test_d17_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse_tool_arguments(json.dumps({"x": [[1]] * 1000}), ToolSchema(name="wide")) == {"x": [[1]] * 1000}
