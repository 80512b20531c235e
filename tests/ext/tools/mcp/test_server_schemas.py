"""What is checked of the results of servers, and that the check ends soon whatever a server declares."""

import time

import pytest
from pydantic import JsonValue

from symposia.ext.tools.mcp._server_schemas import find_mismatch, without_patterns

NODE: JsonValue = {
    "$defs": {
        "node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
        ({"type": "integer"}, 5.0, 5.5, "it is of the type number, and not integer"),
        ({"type": "integer"}, 5, True, "it is of the type boolean, and not integer"),
        ({"type": ["string", "null"]}, None, [], "it is of the type array, and not string or null"),
        ({"enum": ["a", 1]}, 1.0, True, "none of the values that are allowed"),
        ({"const": {"a": [1]}}, {"a": [1]}, {"a": [2]}, "none of the values that are allowed"),
        ({"required": ["a"]}, {"a": None}, {}, "it lacks 'a'"),
        (
            {"properties": {"a": {"properties": {"b": {"type": "null"}}}}},
            {"a": {"b": None}},
            {"a": {"b": 1}},
            "a.b is of",
        ),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}, "b is not allowed"),
        ({"additionalProperties": {"type": "string"}}, {"b": ""}, {"b": 1}, "b is of the type"),
        ({"items": {"minimum": 3}}, [3, "x"], [3, 2], "it[1] is less than 3"),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a"], ["a", "b"], "it[1] is not allowed"),
        ({"items": [{"type": "string"}]}, ["a", 1], [1], "it[0] is of the type integer"),
        (
            {"anyOf": [{"type": "null"}, {"maxLength": 1}]},
            "a",
            "ab",
            "none of the forms that are allowed: it is of the",
        ),
        ({"oneOf": [{"pattern": "a"}, {"pattern": "b"}, {"type": "null"}]}, "a", None, None),
        ({"allOf": [{"minItems": 1}, {"maxItems": 1}]}, [1], [1, 2], "it has more items than 1"),
        (NODE, {"next": {"next": None}}, {"next": {"next": 5}}, "next.next is of the type integer"),
        ({"$ref": "#/$defs/missing"}, 5, None, None),
        ({"type": 5, "required": 5, "properties": [], "items": 5, "anyOf": {}, "minimum": "x"}, {}, None, None),
    ],
)
async def test_a_value_is_checked_against_its_schema(
    schema: JsonValue, good: JsonValue, bad: JsonValue, told: str | None
) -> None:
    assert await find_mismatch(good, schema) is None
    fault = await find_mismatch(bad, schema)
    assert (fault is None) if told is None else (told in (fault or ""))


def doubling(depth: int, keyword: str) -> JsonValue:
    """A schema whose references apply 2 to the power of `depth` schemas to one value."""
    steps: dict[str, JsonValue] = {
        f"s{at}": {keyword: [{"$ref": f"#/$defs/s{at + 1}"}, {"$ref": f"#/$defs/s{at + 1}"}]} for at in range(depth)
    }
    return {"$ref": "#/$defs/s0", "$defs": {**steps, f"s{depth}": {"type": "string"}}}


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
async def test_references_that_double_the_work_are_given_up(keyword: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._server_schemas._MOST_STEPS", 50_000)
    value = 5 if keyword == "anyOf" else "text"
    assert await find_mismatch(value, doubling(60, keyword)) == "it takes too long to check"


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}])
async def test_a_reference_to_itself_is_given_up(schema: JsonValue) -> None:
    assert await find_mismatch(5, schema) == "it or its schema nests too deeply to be checked"


async def test_the_fault_of_a_large_value_is_short_and_found_once() -> None:
    forms: list[JsonValue] = [{"type": "string"}] * 2_000
    began = time.process_time()
    texts: list[JsonValue] = ["x" * 100] * 200_000
    fault = await find_mismatch(texts, {"anyOf": forms})
    assert fault is not None
    assert len(fault) < 300
    assert time.process_time() - began < 5  # quoting the value for each form takes minutes


def test_patterns_are_left_out_where_they_are_keywords() -> None:
    schema: JsonValue = {
        "properties": {"pattern": {"type": "string", "pattern": "a"}, "default": {"items": [{"pattern": "b"}]}},
        "patternProperties": {"c": {}},
        "additionalProperties": False,
        "enum": [{"pattern": "kept"}],
    }
    assert without_patterns(schema) == {
        "properties": {"pattern": {"type": "string"}, "default": {"items": [{}]}},
        "enum": [{"pattern": "kept"}],
    }
