"""A tool that is an HTTP endpoint, against a scripted server."""

import asyncio
import json
from typing import Any

import pytest
from tests.support.effect_recorder import EffectRecorder
from tests.support.scripted_site import Answer, ScriptedSite, Sent

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken, FunctionCall
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError, ToolServiceError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.core.tools import BaseTool, StaticWorkbench, ToolRequest
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.http import HttpTool

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": "integer", "default": 3},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"oneOf": [{"const": "here"}, {"type": "object", "properties": {"x": {"type": "number"}}}]},
    },
    "required": ["id"],
}


def tool_at(site: ScriptedSite, **options: Any) -> HttpTool:
    given: dict[str, Any] = {"name": "orders", "host": "127.0.0.1", "port": site.port, "json_schema": SCHEMA}
    return HttpTool(**given | options)


async def call(tool: BaseTool[Any, Any], **arguments: Any) -> Any:
    return await tool.run_json(arguments, CancellationToken())


async def read(tool: BaseTool[Any, Any], **arguments: Any) -> str:
    return tool.return_value_as_string(await call(tool, **arguments))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_arguments_are_the_path_and_the_json_body(site: ScriptedSite, method: str) -> None:
    site.pages["/orders/a%2Fb%20c"] = Answer("done")
    tool = tool_at(site, path="/orders/{id}", method=method, headers={"X-Key": "k", "X-Number": 5})
    assert await call(tool, id="a/b c", where={"x": 1.5}) == "done"
    assert (site.sent[0].method, site.sent[0].json) == (method, {"count": 3, "where": {"x": 1.5}})
    assert (site.sent[0].headers["x-key"], site.sent[0].headers["x-number"]) == ("k", "5")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_are_the_path_and_the_query(site: ScriptedSite, method: str) -> None:
    site.pages["/orders/7"] = Answer("done")
    tool = tool_at(site, path="/orders/{id}", method=method)
    await call(tool, id="7", tags=["a&b", "c"], where={"x": 1})
    assert site.sent[0].target == "/orders/7?count=3&tags=a%26b&tags=c&where=%7B%22x%22%3A1%7D"
    assert site.sent[0].body == b""


async def test_a_path_may_name_an_argument_twice_and_have_a_query(site: ScriptedSite) -> None:
    site.pages["/orders/7/of/7"] = Answer("done")
    for method, sent in (("GET", "&count=3"), ("POST", "")):
        tool = tool_at(site, path="/orders/{id}/of/{id}?lang=en&id={id}", method=method)
        assert await call(tool, id="7") == "done"
        assert site.sent[-1].target == f"/orders/7/of/7?lang=en&id=7{sent}"
    assert site.sent[-1].json == {"count": 3}


async def test_a_header_that_says_where_the_request_ends_is_the_clients_own(site: ScriptedSite) -> None:
    with pytest.raises(
        ToolServiceError, match=r"The header Content-Length of .* is set by the HTTP client: leave it out"
    ):
        await call(tool_at(site, headers={"Content-Length": "5"}), id="7")
    assert site.sent == []


@pytest.mark.parametrize("id_", ["", ".", ".."])
async def test_an_argument_does_not_lead_to_another_path(site: ScriptedSite, id_: str) -> None:
    with pytest.raises(ToolArgumentsError, match="part of a path"):
        await call(tool_at(site, path="/orders/{id}/x", method="GET"), id=id_)
    assert site.sent == []


async def test_a_json_result_is_python_values_and_json_for_the_model(site: ScriptedSite) -> None:
    site.pages["/"] = Answer('{"ok": true, "none": null}', media_type="application/json")
    tool = tool_at(site, return_type="json")
    result = await call(tool, id="1")
    assert result == {"ok": True, "none": None}
    assert tool.return_value_as_string(result) == '{"ok":true,"none":null}'


async def test_json_may_begin_with_a_byte_order_mark(site: ScriptedSite) -> None:
    site.pages["/"] = Answer('\ufeff{"a": 1}')
    assert await call(tool_at(site, return_type="json"), id="1") == {"a": 1}


@pytest.mark.parametrize("headers", [{"X": "é"}, {"é": "x"}, {"X": "a\r\nY: b"}])
async def test_a_header_that_cannot_be_sent_is_one_clear_error(site: ScriptedSite, headers: dict[str, str]) -> None:
    site.pages["/"] = Answer("done")
    with pytest.raises(ToolServiceError, match=r"other characters than ASCII|no name of a header|line break"):
        await call(tool_at(site, headers=headers), id="1")
    assert site.sent == []


async def test_a_hundred_calls_at_once(site: ScriptedSite) -> None:
    site.pages["/"] = lambda sent: Answer(str(sent.json["id"]))
    tool = tool_at(site, timeout=60)
    answers = await asyncio.gather(*(call(tool, id=str(number)) for number in range(100)))
    assert answers == [str(number) for number in range(100)]


async def test_a_binary_is_one_clear_error(site: ScriptedSite) -> None:
    site.pages["/"] = Answer(b"\x89PNG\0\0", media_type="image/png")
    with pytest.raises(ToolServiceError, match="answered with 6 bytes of image/png, which are no text"):
        await call(tool_at(site), id="1")


async def test_wrong_arguments_are_told_in_the_words_of_the_schema(site: ScriptedSite) -> None:
    with pytest.raises(ToolArgumentsError, match="- arguments: 'id' is a required property\n"):
        await call(tool_at(site))


async def test_an_answer_that_is_no_json_is_one_clear_error(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("<html>")
    with pytest.raises(ToolServiceError, match="something other than JSON: '<html>'"):
        await call(tool_at(site, return_type="json"), id="1")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"method": "FETCH"}, "method: Input should be 'GET', 'POST'"),
        ({"scheme": "ftp"}, "scheme: Input should be 'http' or 'https'"),
        ({"port": "https"}, "port: Input should be a valid integer"),
        ({"path": "/orders/{number}"}, "path of .* names number, .*: add it there"),
    ],
    ids=["method", "scheme", "port", "path"],
)
def test_wrong_options_are_refused_when_the_tool_is_made(
    site: ScriptedSite, options: dict[str, object], fault: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=fault):
        tool_at(site, **options)


def test_the_model_is_shown_the_schema_as_it_was_given(site: ScriptedSite) -> None:
    parameters: Any = tool_at(site).schema.get("parameters")
    assert parameters["properties"] == SCHEMA["properties"]
    assert parameters["required"] == ["id"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [({}, "'id' is a required property"), ({"id": "1", "count": "x"}, "count: 'x' is not of type 'integer'"),
     ({"id": "1", "where": "there"}, "where: 'there' is not valid")],
)  # fmt: skip
async def test_wrong_arguments_are_told_to_the_model(site: ScriptedSite, arguments: dict[str, Any], fault: str) -> None:
    with pytest.raises(ToolArgumentsError) as caught:
        await call(tool_at(site), **arguments)
    assert fault in str(caught.value)
    assert site.sent == []


async def test_a_refusal_is_a_failure_with_the_words_of_the_server(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("no stock", 503)
    async with StaticWorkbench([tool_at(site)]) as workbench:
        result = await workbench.call_tool("orders", {"id": "1"})
    assert result.is_error
    assert result.to_text() == f"{site.url}/ answered with HTTP 503 Said: no stock"


async def test_a_redirect_is_not_followed(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("", 302, headers={"Location": "http://elsewhere.invalid/"})
    with pytest.raises(ToolServiceError, match=r"redirect to http://elsewhere.invalid/, which is not followed"):
        await call(tool_at(site), id="1")


@pytest.mark.parametrize(
    "answer", [Answer("x" * 200), Answer("x" * 50, declared=10**8, stay=True)], ids=["sent", "declared"]
)
async def test_an_answer_that_is_too_large_is_refused(site: ScriptedSite, answer: Answer) -> None:
    site.pages["/"] = answer
    with pytest.raises(ToolServiceError, match=r"too large.*at most 100 bytes"):
        await call(tool_at(site, max_bytes=100), id="1")


async def test_the_model_reads_the_beginning_of_a_long_answer(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("x" * 200)
    assert await read(tool_at(site, max_chars=50), id="1") == "x" * 50 + "\n[Cut: 50 of 200 characters are shown.]"


async def test_a_server_that_hangs_is_left_after_the_timeout(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("begun", declared=100, stay=True)
    with pytest.raises(ToolServiceError, match=r"did not answer within 0\.2 seconds"):
        await call(tool_at(site, timeout=0.2), id="1")
    await asyncio.wait_for(site.left.wait(), 10)


async def test_a_cancelled_call_closes_its_connection(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("begun", declared=100, stay=True)
    token = CancellationToken()
    running = asyncio.create_task(tool_at(site, timeout=60).run_json({"id": "1"}, token))
    await asyncio.wait_for(site.reached.wait(), 10)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(site.left.wait(), 10)


async def test_a_server_that_is_not_there_or_breaks_off_is_one_clear_error(site: ScriptedSite) -> None:
    site.pages["/"] = Answer("begun", declared=100)
    with pytest.raises(ToolServiceError, match="broke off"):
        await call(tool_at(site), id="1")
    with pytest.raises(ToolServiceError, match="cannot be reached"):
        await call(tool_at(site, port=1), id="1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"json_schema": {"type": "array"}}, "has the type 'array'"),
        ({"json_schema": {"type": "object", "properties": {"a": {"type": "x"}}}}, "is not valid: properties.a.type"),
        ({"json_schema": {"properties": {"a": {"$ref": "#/$defs/A"}}}}, "reference to nothing"),
        ({"json_schema": {"properties": {"a": {"$ref": "http://127.0.0.1:1/a"}}}}, "reference to nothing"),
        ({"path": "/{other}"}, "names other, which json_schema does not have"),
        ({"timeout": 0}, "timeout of the HttpTool 'orders' is 0"),
        ({"max_bytes": 0}, "max_bytes of"),
        ({"max_chars": 0}, "max_chars of"),
    ],
)
def test_an_argument_that_cannot_work_fails_at_construction(
    site: ScriptedSite, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        tool_at(site, **options)
    assert said in str(caught.value)


def test_a_tool_that_autogen_saved_is_loaded_and_saved_alike() -> None:
    config = {
        "name": "t", "description": "HTTP tool", "scheme": "http", "host": "127.0.0.1", "port": 80, "path": "/",
        "method": "POST", "headers": {"k": "v"}, "json_schema": SCHEMA, "return_type": "text", "timeout": 5.0,
    }  # fmt: skip
    saved = {"provider": "autogen_ext.tools.http.HttpTool", "component_type": "tool", "version": 1, "config": config}
    tool = BaseTool[Any, Any].load_component(saved)
    assert isinstance(tool, HttpTool)
    again = tool.dump_component()
    assert (again.provider, again.config) == ("symposia.ext.tools.http.HttpTool", config)
    limited = HttpTool("t", "h", 1, SCHEMA, max_chars=9).dump_component()
    assert BaseTool[Any, Any].load_component(limited).dump_component() == limited


def doubling(steps: int) -> dict[str, Any]:
    """A schema that is applied 2^steps times."""
    twice = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(steps)}
    return {"properties": {"a": {"$ref": "#/$defs/s0"}}, "$defs": {**twice, f"s{steps}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (doubling(60), "x", "they take too long to check"),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, "a" * 60 + "!", "does not match '^(a+)+$'"),
        ({"properties": {"a": {"pattern": "^x$", "$schema": "http://json-schema.org/draft-07/schema#"}}}, "y", "match"),
        ({"properties": {"a": {"pattern": "^(?=(a+)+$)"}}}, "a" * 60 + "!", None),  # not in linear time: not checked
        (
            {"properties": {"a": {"patternProperties": {"^n": {"type": "integer"}}, "additionalProperties": False}}},
            {"n1": "x", "m": 1},
            "a.n1: 'x' is not of type 'integer'; a: Additional properties are not allowed ('m' was unexpected)",
        ),
        ({"properties": {"a": {"uniqueItems": True}}}, [{"n": [n]} for n in range(20_000)] * 2, "more than once"),
        ({"properties": {"a": True}}, 1, None),
        ({"properties": {"a": {"maxLength": 9}}}, "x" * 1_000_000, "xx … xx"),
    ],
    ids=["doubling", "pattern", "dialect", "look ahead", "names", "unique", "anything", "long"],
)
async def test_arguments_are_checked_in_limited_time(
    site: ScriptedSite, schema: dict[str, Any], value: object, said: str | None
) -> None:
    site.pages["/"] = Answer("done")
    tool = tool_at(site, json_schema=schema)
    if said is None:
        assert await tool.run_json({"a": value}, CancellationToken()) == "done"
        return
    with pytest.raises(ToolArgumentsError) as refused:
        await tool.run_json({"a": value}, CancellationToken())
    assert said in str(refused.value)
    assert len(str(refused.value)) < 20_000


@pytest.mark.parametrize(("method", "idempotency"), [("GET", "idempotent"), ("POST", "unknown")])
async def test_an_agent_calls_it_as_an_effect(site: ScriptedSite, method: str, idempotency: str) -> None:
    def answer(sent: Sent) -> Answer:
        return Answer(json.dumps({"method": sent.method}))

    site.pages["/"] = answer
    replies = [
        CreateResult(
            finish_reason="function_calls",
            content=[FunctionCall(id="1", name="orders", arguments='{"id": "1"}')],
            usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
            cached=False,
        ),
        "done",
    ]
    info = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")
    client = ReplayChatCompletionClient(replies, model_info=info)
    agent = AssistantAgent("a", client, tools=[tool_at(site, method=method)])
    recorder = EffectRecorder()
    with handle_effects(recorder):
        result = await agent.run(task="go")
    (effect,) = [each for each in recorder.effects if isinstance(each.request, ToolRequest)]
    assert effect.idempotency == idempotency
    assert result.messages[-1].to_text() == json.dumps({"method": method})
