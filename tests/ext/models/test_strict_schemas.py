"""The schemas of answers as strict vendors take them: any pydantic model keeps to their rules."""

from collections.abc import AsyncIterator, Iterator
from enum import Enum
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

import pytest
from pydantic import BaseModel, Field
from tests.support.model_clients import (
    ABLE,
    ANTHROPIC,
    AZURE_AI,
    MISTRAL,
    OPENAI,
    OpenAIResponses,
    Vendor,
    kind_name,
)

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import UserMessage
from symposia.core.tools import FunctionTool
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]
T = TypeVar("T")


class Inner(BaseModel):
    x: int = 3
    note: str | None = None


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    default: str = "a"


class Discriminated(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Described(BaseModel):
    inner: Inner = Field(description="one", default=Inner())
    left: Optional["Described"] = Field(default=None, description="left")


class Circle(BaseModel):
    """A class that refers to itself through another, each time with a description."""

    back: "Partner" = Field(description="there")


class Partner(BaseModel):
    back: Circle = Field(description="and back")


class Colour(Enum):
    RED = 1
    BLUE = "b"


class Mixed(BaseModel):
    pair: tuple[int, str, int]
    colour: Colour = Colour.RED
    word: Literal[1, "a"] | None = "a"
    short: Annotated[str, Field(min_length=1, max_length=5, pattern="a+")] = "a"


class NamedAsKeywords(BaseModel):
    properties: int
    default: str = "d"
    items: Inner
    required: list[str] = []


class Box(BaseModel, Generic[T]):
    value: T


MODELS: tuple[type[BaseModel], ...] = (
    Inner, Tree, Discriminated, Described, Circle, Mixed, NamedAsKeywords, Box[int], Box[Tree],
)  # fmt: skip
REFUSED = {"default", "discriminator", "oneOf", "allOf", "prefixItems", "not"}


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and the schemas in it."""
    yield schema
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from parts_of(schema[name])
    for part in [*schema.get("anyOf", ()), *schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]:
        yield from parts_of(part)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("vendor", [OPENAI, OpenAIResponses(), AZURE_AI], ids=kind_name)
async def test_a_schema_keeps_to_the_rules_of_strict_ones(
    server: MockModelServer, vendor: Vendor, model: type[BaseModel]
) -> None:
    client = vendor.client(server, Reply(text="{}"), model_info=ABLE)
    await client.create(HELLO, json_output=model)
    body = server.last_body
    form = body["text"]["format"] if "text" in body else body["response_format"]["json_schema"]
    schema = form["schema"]
    assert form["strict"] is True
    assert form["name"].replace("_", "").isalnum()
    assert schema["type"] == "object"
    assert {name for name in model.model_fields} == schema["properties"].keys()  # noqa: C416
    for part in parts_of(schema):
        assert not REFUSED & part.keys()
        assert "$ref" not in part or len(part) == 1
        assert "$ref" not in part or part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        if "properties" in part:
            assert part["required"] == list(part["properties"])
            assert part["additionalProperties"] is False


async def test_the_arguments_of_a_strict_tool_keep_to_them_too(server: MockModelServer) -> None:
    def plant(tree: Tree, pet: Discriminated, inner: Inner) -> str:
        return ""

    tool = FunctionTool(plant, description="Plant a tree.", strict=True)
    client = OPENAI.client(server, Reply(text="ok"))
    await client.create(HELLO, tools=[tool])
    function = server.last_body["tools"][0]["function"]
    assert function["strict"] is True
    for part in parts_of(function["parameters"]):
        assert not REFUSED & part.keys()
        assert "$ref" not in part or len(part) == 1
        if "properties" in part:
            assert part["required"] == list(part["properties"])


async def test_a_generic_model_has_a_name_that_mistral_takes(server: MockModelServer) -> None:
    client = MISTRAL.client(server, Reply(text="{}"))
    await client.create(HELLO, json_output=Box[int])
    assert server.last_body["response_format"]["json_schema"]["name"] == "Box_int"


async def test_a_schema_that_anthropic_cannot_be_given_is_named(server: MockModelServer) -> None:
    client = ANTHROPIC.client(server)
    with pytest.raises(InvalidArgumentError, match=r"schema of Box\[Any\]: .*Give each field a type"):
        await client.create(HELLO, json_output=Box[Any])
    assert not server.requests
