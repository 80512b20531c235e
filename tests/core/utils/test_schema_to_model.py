from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.utils import schema_to_pydantic_model


class Address(BaseModel):
    street: str
    number: Annotated[int, Field(ge=1, le=999)] = 1


class Person(BaseModel):
    name: str
    tags: Annotated[list[str], Field(max_length=3)] = []
    home: Address | None = None
    level: Literal["low", "high"] = "low"
    scores: dict[str, float] = {}
    boss: "Person | None" = None


people = st.deferred(
    lambda: st.builds(
        Person,
        name=st.text(),
        tags=st.lists(st.text(), max_size=3),
        home=st.none() | st.builds(Address, street=st.text(), number=st.integers(1, 999)),
        level=st.sampled_from(["low", "high"]),
        scores=st.dictionaries(st.text(), st.floats(allow_nan=False)),
        boss=st.none() | people,
    )
)


def model_of(**properties: Any) -> type[BaseModel]:
    """A model whose properties are all required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return schema_to_pydantic_model(schema)


def value_of(schema: dict[str, Any], value: object) -> object:
    """What a property of this schema makes of a value."""
    return getattr(model_of(it=schema).model_validate({"it": value}), "it")  # noqa: B009 - the field is made at run time


@given(people)
def test_a_model_of_a_models_schema_takes_the_same_values(person: Person) -> None:
    model = schema_to_pydantic_model(Person.model_json_schema(), "Person")
    assert model.model_validate(person.model_dump()).model_dump() == person.model_dump()


def test_a_model_of_a_schema_has_the_same_schema() -> None:
    class Question(BaseModel):
        """What to ask."""

        text: Annotated[str, Field(description="The question itself.", min_length=3)]
        choices: list[str]
        weight: float = 0.5

    schema = Question.model_json_schema()
    assert schema_to_pydantic_model(schema, "Question").model_json_schema() == schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "x"),
        ({"type": "integer"}, 3),
        ({"type": "number"}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["string", "integer"]}, 3),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ({"type": "array"}, [1, "x", None]),
        ({"type": "object"}, {"any": ["thing"]}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 3),
        ({"const": "fixed"}, "fixed"),
        ({"enum": ["a", 1, None]}, None),
        ({"enum": [0.5, ["list"]]}, ["list"]),
        ({"type": "string", "pattern": "^(?!x).*$"}, "y"),
        ({"type": "string", "format": "own"}, "anything"),
        ({}, {"any": ["thing"]}),
    ],
)
def test_a_value_that_fits_is_taken_as_it_is(schema: dict[str, Any], value: object) -> None:
    assert value_of(schema, value) == value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, 3),
        ({"type": "string", "minLength": 2}, "x"),
        ({"type": "string", "maxLength": 2}, "xyz"),
        ({"type": "string", "pattern": "^(?!x).*$"}, "xy"),
        ({"type": "integer"}, 1.5),
        ({"type": "integer", "minimum": 1}, 0),
        ({"type": "integer", "exclusiveMaximum": 1}, 1),
        ({"type": "number", "multipleOf": 0.5}, 0.7),
        ({"type": "null"}, 0),
        ({"type": "array", "minItems": 1}, []),
        ({"type": "array", "items": {"type": "integer"}}, ["x"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "x"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 3),
        ({"const": "fixed"}, "other"),
        ({"enum": ["a", "b"]}, "c"),
        ({"enum": [0.5, ["list"]]}, 0.7),
        ({"type": "string", "format": "date-time"}, "yesterday"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(schema: dict[str, Any], value: object) -> None:
    with pytest.raises(ValidationError):
        value_of(schema, value)


def test_formats_become_python_types() -> None:
    moment = value_of({"type": "string", "format": "date-time"}, "2026-01-02T03:04:05")
    assert moment == datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - the text says no zone
    identity = "12345678-1234-5678-1234-567812345678"
    assert value_of({"type": "string", "format": "uuid"}, identity) == UUID(identity)


def test_a_property_that_is_not_required_may_be_left_out() -> None:
    model = schema_to_pydantic_model(
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 7}}}
    )
    assert model().model_dump() == {"a": None, "b": 7}


def test_a_required_property_may_not_be_left_out() -> None:
    with pytest.raises(ValidationError, match="Field required"):
        model_of(a={"type": "integer"})()


def test_additional_properties_are_refused_where_the_schema_says_so() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        schema_to_pydantic_model(closed).model_validate({"a": 1, "b": 2})


def test_all_of_is_everything_together() -> None:
    parts = [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"$ref": "#/$defs/B"},
    ]
    definitions = {"B": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}}
    model = schema_to_pydantic_model({"allOf": parts, "$defs": definitions})
    assert model.model_validate({"a": 1, "b": "x"}).model_dump() == {"a": 1, "b": "x"}
    with pytest.raises(ValidationError, match="b"):
        model.model_validate({"a": 1})


@pytest.mark.parametrize("keyword", ["$defs", "definitions"])
def test_references_lead_to_definitions_of_any_kind(keyword: str) -> None:
    schema = {
        "type": "object",
        "properties": {"size": {"$ref": f"#/{keyword}/Size"}, "other": {"$ref": f"#/{keyword}/Size"}},
        keyword: {"Size": {"type": "integer", "minimum": 1}},
    }
    model = schema_to_pydantic_model(schema)
    assert model.model_validate({"size": 3}).model_dump() == {"size": 3, "other": None}
    with pytest.raises(ValidationError):
        model.model_validate({"other": 0})


def test_a_circle_of_definitions_that_are_no_objects_takes_anything() -> None:
    tree = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/Tree"}}]}
    model = schema_to_pydantic_model(
        {"type": "object", "properties": {"tree": {"$ref": "#/$defs/Tree"}}, "$defs": {"Tree": tree}}
    )
    assert model.model_validate({"tree": [1, [2, [3]]]}).model_dump() == {"tree": [1, [2, [3]]]}


def test_names_that_pydantic_keeps_for_itself_work_under_their_own_name() -> None:
    names = ["schema", "_hidden", "model_config", "a-b", "class", "copy"]
    model = model_of(**{name: {"type": "integer"} for name in names})
    values = {name: number for number, name in enumerate(names)}
    assert model.model_validate(values).model_dump() == values
    assert set(model.model_json_schema()["properties"]) == set(names)


def test_a_property_may_be_set_by_the_name_of_its_field() -> None:
    model = model_of(schema={"type": "integer"})
    assert model(field_schema=3).model_dump() == {"schema": 3}


def test_a_reference_is_a_json_pointer() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x~1y~0z"}, "b": {"$ref": "#/properties/a"}},
        "$defs": {"x/y~z": {"type": "integer"}},
    }
    with pytest.raises(ValidationError):
        schema_to_pydantic_model(schema).model_validate({"b": "text"})


def test_the_schema_that_was_given_is_not_changed() -> None:
    schema = Person.model_json_schema()
    schema_to_pydantic_model(schema)
    assert schema == Person.model_json_schema()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "array", "items": {"type": "string"}}, "schema of an object"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/Lost"}}}, "#/\\$defs/Lost"),
        ({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}, "leads nowhere"),
        ({"type": "object", "properties": {"a": {"type": "file"}}}, "'file'"),
    ],
)
def test_a_schema_that_makes_no_model_is_refused(schema: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        schema_to_pydantic_model(schema)


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_definitions_that_are_referred_to_twice_at_each_step_are_converted_once(keyword: str) -> None:
    steps = {f"s{at}": {keyword: [{"$ref": f"#/$defs/s{at + 1}"}] * 2} for at in range(40)}
    last = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    schema = {"type": "object", "properties": {"x": {"$ref": "#/$defs/s0"}}, "$defs": {**steps, "s40": last}}
    model = schema_to_pydantic_model(schema)
    assert model.model_validate({"x": {"a": "text"}}).model_dump() == {"x": {"a": "text"}}


def test_a_schema_that_contains_itself_without_end_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="contains itself"):
        schema_to_pydantic_model({"type": "object", "allOf": [{"$ref": "#"}]})
