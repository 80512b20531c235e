"""Tools of an OpenAPI document, against a scripted server."""

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.scripted_site import Answer, ScriptedSite

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError, ToolServiceError
from symposia.core.tools import BaseTool
from symposia.ext.tools.openapi import OpenApiTool, openapi_tools

PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "http://127.0.0.1:{port}/v1", "variables": {"port": {"default": "1"}}}],
    "security": [{"key": []}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "getPet",
                "summary": "Read a pet.",
                "description": "With its owner.",
                "parameters": [
                    {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "id", "in": "query", "schema": {"type": "integer"}, "description": "the revision"},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                    {"name": "Host", "in": "header", "schema": {"type": "string"}},
                    {"name": "Content-Length", "in": "header", "schema": {"type": "string"}},
                ],
            },
            "delete": {"security": [], "responses": {}},
        },
        "/pets": {
            "post": {
                "operationId": "pets.add",
                "security": [{"token": []}, {"login": [], "key": []}],
                "requestBody": {"required": True, "content": {
                    "application/xml": {},
                    "application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Pet"}},
                }},
            }
        },
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "query", "name": "api key"},
            "token": {"type": "http", "scheme": "bearer"},
            "login": {"type": "http", "scheme": "basic"},
        },
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name", "number"],
                "properties": {
                    "number": {"type": "integer", "readOnly": True},
                    "name": {"type": "string", "nullable": True, "example": "Rex"},
                    "age": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                    "unused": {"$ref": "#/components/schemas/Colour"},
                },
            },
            "Colour": {"type": "string", "enum": ["red"], "nullable": True},
            "Never": {"type": "string"},
        },
    },
}  # fmt: skip
KEYS = {"key": "k&1", "token": "t"}


def tools_of(document: Any, site: ScriptedSite | None = None, **options: Any) -> dict[str, OpenApiTool]:
    server = f"{site.url}/v1" if site else None
    given: dict[str, Any] = {"server": server, "credentials": KEYS} | options
    return {tool.name: tool for tool in openapi_tools(document, **given)}


async def call(tool: OpenApiTool, **arguments: Any) -> Any:
    return await tool.run_json(arguments, CancellationToken())


def with_parameter(parameter: dict[str, Any], version: str = "3.1.0") -> dict[str, Any]:
    path = "/a/{p}" if parameter["in"] == "path" else "/a"
    return {"openapi": version, "paths": {path: {"get": {"operationId": "a", "parameters": [parameter]}}}}


def test_each_operation_is_a_tool() -> None:
    tools = tools_of(PETS)
    assert list(tools) == ["getPet", "delete_pets_id", "pets_add"]
    assert tools["getPet"].description == "Read a pet.\nWith its owner."
    parameters: Any = tools["getPet"].schema.get("parameters")
    assert parameters["required"] == ["path_id"]
    assert list(parameters["properties"]) == ["path_id", "fields", "query_id", "X-Trace"]
    assert parameters["properties"]["query_id"] == {"description": "the revision", "type": "integer"}


def test_schemas_of_3_0_are_todays_json_schema_without_what_is_read_only() -> None:
    parameters: Any = tools_of(PETS)["pets_add"].schema.get("parameters")
    pet = parameters["$defs"]["Pet"]
    assert pet["required"] == ["name"]
    assert pet["properties"] == {
        "name": {"type": ["string", "null"]},
        "age": {"type": "number", "exclusiveMinimum": 0},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/Pet"}},
        "unused": {"type": ["string", "null"], "enum": ["red", None]},
    }


@pytest.mark.parametrize("form", ["mapping", "json", "yaml", "file"])
def test_a_document_is_a_file_a_text_or_a_mapping(form: str, tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(yaml.safe_dump(PETS, sort_keys=False))
    forms = {"mapping": PETS, "json": json.dumps(PETS), "yaml": yaml.safe_dump(PETS, sort_keys=False), "file": file}
    assert [tool.schema for tool in tools_of(forms[form]).values()] == [tool.schema for tool in tools_of(PETS).values()]


async def test_arguments_go_where_the_document_says(site: ScriptedSite) -> None:
    site.pages["/v1/pets/a%2Fb"] = Answer('{"name": "Rex"}', media_type="application/json")
    tool = tools_of(PETS, site)["getPet"]
    assert await call(tool, path_id="a/b", query_id=4, fields=["x", "y z"], **{"X-Trace": "né"}) == '{"name": "Rex"}'
    (sent,) = site.sent
    assert sent.target == "/v1/pets/a%2Fb?fields=x&fields=y%20z&id=4&api+key=k%261"
    assert sent.headers["x-trace"] == "n%C3%A9"


async def test_a_body_is_json_with_the_credential_of_the_first_complete_alternative(site: ScriptedSite) -> None:
    site.pages["/v1/pets"] = Answer("", 201)
    pet = {"name": None, "friends": [{"name": "Tom"}]}
    tool = tools_of(PETS, site)["pets_add"]
    assert await call(tool, body=pet) == "HTTP 201 Said, without a text."
    both = tools_of(PETS, site, credentials={"key": "k", "login": "me:secret"})["pets_add"]
    await call(both, body=pet)
    first, second = site.sent
    assert (first.json, first.headers["content-type"]) == (pet, "application/json")
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer t", "Basic bWU6c2VjcmV0")
    assert second.target == "/v1/pets?api+key=k"


@pytest.mark.parametrize("security", [[{}, {"key": []}], [{"key": []}, {}]])
async def test_a_credential_that_is_optional_is_sent_where_it_is_given(
    site: ScriptedSite, security: list[dict[str, Any]]
) -> None:
    site.pages["/v1/pets"] = Answer("done")
    document = broken("paths", "/pets", value={"get": {"operationId": "all", "security": security}})
    for credentials, target in (({"key": "k"}, "/v1/pets?api+key=k"), ({}, "/v1/pets")):
        await call(tools_of(document, site, credentials=credentials, operations=["all"])["all"])
        assert site.sent[-1].target == target


async def test_a_query_in_a_path_is_kept(site: ScriptedSite) -> None:
    site.pages["/v1/a"] = Answer("done")
    document = {"openapi": "3.1.0", "paths": {"/a?kind=b": {"get": {"operationId": "a", "parameters": [QUERY]}}}}
    await call(tools_of(document, site)["a"], p="x")
    assert site.sent[0].target == "/v1/a?kind=b&p=x"


async def test_arguments_that_do_not_fit_are_not_sent(site: ScriptedSite) -> None:
    tool = tools_of(PETS, site)["pets_add"]
    for body, fault in (({}, "'name' is a required"), ({"name": "x", "age": 0}, "exclusive"), ("x", "is not of type")):
        with pytest.raises(ToolArgumentsError) as caught:
            await call(tool, body=body)
        assert fault in str(caught.value) or "less than or equal to the minimum" in str(caught.value)
    with pytest.raises(ToolArgumentsError, match="part of a path"):
        await call(tools_of(PETS, site)["getPet"], path_id="..")
    assert site.sent == []


QUERY = {"name": "p", "in": "query"}


@pytest.mark.parametrize(
    ("more", "value", "target"),
    [
        ({}, {"a": 1, "b": "x"}, "/a?a=1&b=x"),
        ({"explode": False}, {"a": 1, "b": "x"}, "/a?p=a%2C1%2Cb%2Cx"),
        ({"style": "deepObject"}, {"a": 1, "b": True}, "/a?p%5Ba%5D=1&p%5Bb%5D=true"),
        ({"explode": False}, [1, 2], "/a?p=1%2C2"),
        ({"style": "pipeDelimited"}, [1, 2], "/a?p=1%7C2"),
        ({"style": "spaceDelimited"}, [1, 2], "/a?p=1%202"),
        ({"content": {"application/json": {}}}, [1, {"a": 2}], "/a?p=%5B1%2C%7B%22a%22%3A2%7D%5D"),
        ({"in": "path", "required": True}, ["x/", "y"], "/a/x%2F,y"),
        ({"in": "path", "required": True}, {"a": 1}, "/a/a%2C1"),
    ],
)
async def test_lists_and_objects_are_written_in_the_style_of_the_parameter(
    site: ScriptedSite, more: dict[str, Any], value: Any, target: str
) -> None:
    site.pages[f"/v1{target.partition('?')[0]}"] = Answer("ok")
    (tool,) = tools_of(with_parameter({**QUERY, **more}), site).values()
    await call(tool, p=value)
    assert site.sent[0].target == f"/v1{target}"


async def test_forms_texts_and_cookies(site: ScriptedSite) -> None:
    site.pages["/v1/a"] = Answer("ok")
    for media_type, body, sent in (
        ("application/x-www-form-urlencoded", {"a": [1, 2], "b": "x y"}, b"a=1&a=2&b=x+y"),
        ("text/plain", "plain", b"plain"),
    ):
        document = with_parameter({"name": "c", "in": "cookie", "schema": {"type": "string"}})
        operation = document["paths"]["/a"]["get"]
        operation["requestBody"] = {"content": {media_type: {}}}
        document["paths"]["/a"] = {"put": operation}
        (tool,) = tools_of(document, site).values()
        await call(tool, c="a b", body=body)
        assert (site.sent[-1].body, site.sent[-1].headers["cookie"]) == (sent, "c=a%20b")
        assert site.sent[-1].headers["content-type"] == media_type


async def test_a_binary_answer_and_a_refusal_are_one_clear_error(site: ScriptedSite) -> None:
    (tool,) = tools_of(with_parameter(QUERY), site).values()
    site.pages["/v1/a"] = Answer(b"\x89PNG\0\0", media_type="image/png")
    with pytest.raises(ToolServiceError, match="6 bytes of image/png, which are no text"):
        await call(tool)
    site.pages["/v1/a"] = Answer("who are you", 401)
    with pytest.raises(ToolServiceError, match="HTTP 401 Said: who are you"):
        await call(tool)


async def test_a_saved_tool_has_its_operation_alone_and_no_secret(site: ScriptedSite) -> None:
    site.pages["/v1/pets/1"] = Answer("gone")
    tools = tools_of(PETS, site, headers={"X-Key": "secret"})
    text = tools["pets_add"].dump_component().model_dump_json()
    assert not any(word in text for word in ("secret", '"t"', "getPet", "Never"))
    for name, tool in tools.items():
        again = BaseTool[Any, Any].load_component(tool.dump_component())
        assert (again.name, again.schema) == (name, tool.schema)
    loaded = OpenApiTool.load_component(tools["getPet"].dump_component())
    with pytest.raises(ToolServiceError, match="needs a credential that this tool does not have: key"):
        await call(loaded, path_id="1")
    assert await call(OpenApiTool.load_component(tools["delete_pets_id"].dump_component()), id="1") == "gone"


async def test_many_operations_and_operations_of_one_id_are_tools(site: ScriptedSite) -> None:
    paths = {f"/{number}": {"get": {"operationId": "same" if number < 2 else f"o{number}"}} for number in range(200)}
    document = {"openapi": "3.1.0", "paths": paths}
    tools = tools_of(document, site)
    assert list(tools)[:3] == ["same", "get_1", "o2"]
    assert len(tools) == 200
    site.pages |= {"/v1/0": Answer("zero"), "/v1/1": Answer("one")}
    for name, answer in (("same", "zero"), ("get_1", "one")):
        again = OpenApiTool.load_component(tools[name].dump_component())
        assert await call(tools[name]) == await call(again) == answer


async def test_a_schema_that_is_itself_is_told_to_the_model(site: ScriptedSite) -> None:
    document = with_parameter({**QUERY, "schema": {"$ref": "#/components/schemas/A"}})
    document["components"] = {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
    (tool,) = tools_of(document, site).values()
    with pytest.raises(ToolArgumentsError, match="nest without end"):
        await call(tool, p=1)


BOMB = "x0: &x0 [1, 1]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("method", "idempotency"), [("getPet", "idempotent"), ("delete_pets_id", "idempotent"), ("pets_add", "unknown")]
)
def test_idempotency_is_that_of_the_method(method: str, idempotency: str) -> None:
    assert tools_of(PETS)[method].traits.idempotency == idempotency


def broken(*path: str, value: Any) -> dict[str, Any]:
    document: Any = deepcopy(PETS)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "options", "said"),
    [
        ("a: [", {}, "neither JSON nor YAML"),
        ("just a text", {}, "not an OpenAPI document"),
        (f"openapi: 3.1.0\npaths: {{}}\n{BOMB}", {}, "more than 2000000 values"),
        ("openapi: 3.1.0\npaths: {}\nx: &a [*a]", {}, "contains itself"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": 5}}}}, {}, "is not as OpenAPI describes it"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"security": [5]}}}}, {}, "is not as OpenAPI describes it"),
        ({"swagger": "2.0", "paths": {}}, {}, "is of Swagger 2.0"),
        (Path("no-such.yaml"), {}, "The document no-such.yaml cannot be read: No such file or directory."),
        (Path(sys.executable), {}, "cannot be read: it is no text in UTF-8."),
        ({"openapi": "3.1.0"}, {}, "no paths"),
        ({"openapi": "3.1.0", "paths": {"/\ud800": {"get": {}}}}, {}, "is not as OpenAPI describes it"),
        (
            {"openapi": "3.1.0", "paths": {"@127.0.0.1:1/": {"get": {}}}},
            {"server": "http://x"},
            "The path '@127.0.0.1:1/' of the document has to begin with a slash.",
        ),
        (PETS, {"operations": ["none"]}, "'none'"),
        (PETS, {"credentials": {}}, "'getPet' needs a credential: give credentials={'key': '…'}"),
        (with_parameter(QUERY), {}, "server='https://…'"),
        (broken("components", "parameters", "Id", value={"$ref": "#/components/parameters/Id"}), {}, "in a circle"),
        (broken("components", "parameters", "Id", value={"$ref": "other.yaml#/a"}), {}, "refers to another one"),
        (broken("components", "schemas", "Pet", value={"$ref": "#/nothing"}), {}, "reference to nothing"),
        (broken("paths", "/pets/{id}", "parameters", value=[]), {}, "has id in its path, and no such parameter"),
        (with_parameter({**QUERY, "in": "body"}), {"server": "http://x"}, "the parameter 'p' in 'body'"),
        (with_parameter({**QUERY, "in": "path", "style": "matrix"}), {"server": "http://x"}, "in the style 'matrix'"),
        (
            broken("paths", "/pets", "post", "requestBody", "content", value={"image/png": {}}),
            {},
            "a body of image/png",
        ),
    ],
)
def test_a_document_that_cannot_be_used_is_one_clear_error(document: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        tools_of(document, **options)
    assert said in str(caught.value)
