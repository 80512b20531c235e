import asyncio
import contextvars
import functools
import gc
import inspect
import threading
import weakref
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError
from symposia.core.tools import FunctionTool, ToolSchema


class Point(BaseModel):
    x: int
    y: int = 0


class Tree(BaseModel):
    value: int
    children: list["Tree"] = []


class Leaf(BaseModel):
    tree: Tree


@dataclass
class Size:
    width: int


class Adder:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __call__(self, a: int) -> int:
        return a + self.amount

    async def method(self, a: int) -> int:
        return a + self.amount

    @classmethod
    def make(cls, amount: int) -> "Adder":
        return cls(amount)


async def call(func: Callable[..., Any], **arguments: object) -> Any:
    async with asyncio.timeout(5):
        return await FunctionTool(func, description="").run_json(arguments, CancellationToken())


def properties(func: Callable[..., Any]) -> dict[str, Any]:
    return parameters(FunctionTool(func, description=""))["properties"]


def parameters(tool: FunctionTool) -> dict[str, Any]:
    schema: ToolSchema = tool.schema
    return dict(schema.get("parameters", {}))


# What the model is told


def test_the_schema_is_the_one_that_autogen_gives() -> None:
    def add(a: int, b: Annotated[float, "the second"] = 1.5) -> float:
        return a + b

    assert FunctionTool(add, description="Adds.").schema == {
        "name": "add",
        "description": "Adds.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"description": "a", "title": "A", "type": "integer"},
                "b": {"default": 1.5, "description": "the second", "title": "B", "type": "number"},
            },
            "required": ["a"],
            "additionalProperties": False,
        },
        "strict": False,
    }


def test_the_schema_is_made_once() -> None:
    tool = FunctionTool(lambda: None, description="", name="nothing")
    assert tool.schema is tool.schema


def test_fields_describe_parameters() -> None:
    def look(
        near: Annotated[int, Field(ge=1, description="how near")], far: int = Field(9, description="how far")
    ) -> None: ...

    assert properties(look) == {
        "near": {"description": "how near", "minimum": 1, "title": "Near", "type": "integer"},
        "far": {"default": 9, "description": "how far", "title": "Far", "type": "integer"},
    }


def test_nested_models_are_written_in_place() -> None:
    def draw(points: list[Point]) -> None: ...

    assert properties(draw)["points"]["items"]["properties"]["x"] == {"title": "X", "type": "integer"}
    assert "$defs" not in parameters(FunctionTool(draw, description=""))


def test_a_model_that_holds_itself_is_referred_to() -> None:
    def count(tree: Tree) -> None: ...

    schema = parameters(FunctionTool(count, description=""))
    assert schema["properties"]["tree"] == {"$ref": "#/$defs/Tree", "description": "tree"}
    assert schema["$defs"]["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}


def test_a_model_that_leads_to_one_that_holds_itself_is_still_written_in_place() -> None:
    def pick(leaf: Leaf) -> None: ...

    schema = parameters(FunctionTool(pick, description=""))
    assert schema["properties"]["leaf"]["properties"] == {"tree": {"$ref": "#/$defs/Tree"}}
    assert list(schema["$defs"]) == ["Tree"]


def test_the_cancellation_token_is_not_shown() -> None:
    def wait(seconds: float, cancellation_token: CancellationToken) -> None: ...

    assert list(properties(wait)) == ["seconds"]


def test_a_strict_schema_closes_and_requires_everything_inside() -> None:
    def draw(points: list[Point], names: dict[str, int], mode: Literal["a", "b"] | None) -> None: ...

    schema = parameters(FunctionTool(draw, description="", strict=True))
    assert schema["required"] == ["points", "names", "mode"]
    assert schema["properties"]["points"]["items"]["required"] == ["x", "y"]
    assert schema["properties"]["points"]["items"]["additionalProperties"] is False
    assert schema["properties"]["names"]["additionalProperties"] == {"type": "integer"}


def test_a_name_may_be_given() -> None:
    assert FunctionTool(lambda: None, description="", name="nothing").schema["name"] == "nothing"


def annotated_text() -> Annotated[str, "the answer"]: ...  # type: ignore[empty-body]


def annotated_twice() -> Annotated[Annotated[Point, "inside"], "outside"]: ...  # type: ignore[empty-body]


def annotated_in_quotes() -> "Annotated[list[Point], 'points']": ...  # type: ignore[empty-body]


def maybe_text() -> str | None: ...


def nothing() -> None: ...


def undeclared(): ...  # type: ignore[no-untyped-def]  # noqa: ANN201 - what is tested


@pytest.mark.parametrize(
    ("func", "kind"),
    [
        (annotated_text, str),
        (annotated_twice, Point),
        (annotated_in_quotes, list[Point]),
        (maybe_text, str | None),
        (nothing, type(None)),
        (undeclared, inspect.Signature.empty),
    ],
)
def test_n08_the_return_type_is_the_one_that_autogen_gives(func: Callable[..., Any], kind: object) -> None:
    assert FunctionTool(func, description="").return_type() == kind


def test_types_are_known() -> None:
    def add(a: int) -> Point:
        return Point(x=a)

    tool = FunctionTool(add, description="")
    assert tool.return_type() is Point
    assert tool.args_type()(a="3").model_dump() == {"a": 3}
    assert tool.state_type() is None


# Calling


async def test_an_async_function_is_awaited_on_the_loop() -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert await call(where) == threading.current_thread().name


async def test_a_plain_function_runs_in_a_worker_thread() -> None:
    def where() -> int:
        return threading.get_ident()

    assert await call(where) != threading.get_ident()


async def test_an_object_whose_call_is_async_is_awaited_on_the_loop() -> None:
    class Where:
        async def __call__(self) -> int:
            return threading.get_ident()

    tool = FunctionTool(Where(), description="", name="where")
    assert await tool.run_json({}, CancellationToken()) == threading.get_ident()


async def test_a_worker_thread_sees_the_callers_context() -> None:
    variable = contextvars.ContextVar("variable", default="none")

    def read() -> str:
        return variable.get()

    variable.set("mine")
    assert await call(read) == "mine"


async def test_arguments_arrive_as_the_types_that_the_function_asks_for() -> None:
    async def kinds(point: Point, size: Size, numbers: list[int], maybe: Optional[Point] = None) -> list[object]:  # noqa: UP045 - programs write it so
        return [point, size, numbers, maybe]

    arguments: dict[str, Any] = {"point": {"x": 1}, "size": {"width": 2}, "numbers": ["3"], "maybe": {"x": 4, "y": 5}}
    assert await call(kinds, **arguments) == [Point(x=1), Size(2), [3], Point(x=4, y=5)]


async def test_defaults_fill_in() -> None:
    def default(numbers: list[int] = [1], point: Point = Point(x=7)) -> tuple[list[int], Point]:  # noqa: B006, B008 - programs write it so
        numbers.append(2)
        return numbers, point

    assert await call(default) == ([1, 2], Point(x=7))
    assert await call(default) == ([1, 2], Point(x=7))


async def test_the_token_of_the_call_is_passed_on() -> None:
    async def same(cancellation_token: CancellationToken) -> CancellationToken:
        return cancellation_token

    token = CancellationToken()
    assert await FunctionTool(same, description="").run_json({}, token) is token


async def test_what_a_function_raises_is_raised() -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await call(fail)


async def test_d02_stop_iteration_out_of_a_plain_function_is_raised_as_an_error() -> None:
    def find() -> str:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="find raised StopIteration"):
        await call(find)


async def test_any_callable_will_do() -> None:
    assert await call(Adder(1), a=2) == 3
    assert await call(Adder(1).method, a=2) == 3
    assert (await call(Adder.make, amount=4)).amount == 4
    assert (await call(Adder, amount=5)).amount == 5
    assert FunctionTool(Adder(1), description="").name == "Adder"


async def test_a_partial_shows_what_it_fixes_as_a_default() -> None:
    def join(a: int, b: str, c: str = "c") -> str:
        return f"{a}{b}{c}"

    tool = FunctionTool(functools.partial(join, b="B"), description="")
    assert tool.name == "join"
    assert await tool.run_json({"a": 1}, CancellationToken()) == "1Bc"


async def test_a_plain_function_that_gives_an_awaitable_is_awaited() -> None:
    async def later(a: int) -> int:
        return a

    def start(a: int) -> Any:
        return later(a)

    assert await call(start, a=3) == 3


async def test_every_kind_of_parameter_is_filled() -> None:
    async def kinds(a: int, /, b: int, *, c: int) -> tuple[int, int, int]:
        return a, b, c

    assert await call(kinds, a=1, b=2, c=3) == (1, 2, 3)


NAMES = ["_private", "__", "schema", "json", "model_config", "field_schema", "copy", "self_", "x"]


@given(st.lists(st.sampled_from(NAMES), unique=True))
async def test_a_parameter_may_have_any_name(names: list[str]) -> None:
    def echo(**arguments: int) -> dict[str, int]:
        return arguments

    namespace: dict[str, Any] = {"echo": echo}
    takes, gives = ", ".join(f"{name}: int" for name in names), ", ".join(f"{name}={name}" for name in names)
    exec(f"def tool({takes}): return echo({gives})", namespace)  # a function with just these names
    values = {name: number for number, name in enumerate(names)}
    assert list(properties(namespace["tool"])) == names
    assert FunctionTool(namespace["tool"], description="").args_type()(**values).model_dump() == values
    assert await call(namespace["tool"], **values) == values


@given(
    st.fixed_dictionaries(
        {
            "number": st.integers(),
            "text": st.text(),
            "points": st.lists(st.builds(Point, x=st.integers(), y=st.integers())),
            "mapping": st.dictionaries(st.text(), st.booleans()),
            "choice": st.sampled_from(["a", "b"]),
            "maybe": st.none() | st.floats(allow_nan=False),
        }
    )
)
async def test_arguments_survive_the_way_through_json(arguments: dict[str, Any]) -> None:
    async def echo(
        number: int,
        text: str,
        points: list[Point],
        mapping: dict[str, bool],
        choice: Literal["a", "b"],
        maybe: float | None,
    ) -> dict[str, Any]:
        return {"number": number, "text": text, "points": points, "mapping": mapping, "choice": choice, "maybe": maybe}

    as_json = {**arguments, "points": [point.model_dump(mode="json") for point in arguments["points"]]}
    assert await call(echo, **as_json) == arguments


# Cancelling


class Waiter:
    """A function that waits for ever, and tells when it starts and when it has ended."""

    def __init__(self) -> None:
        self.started, self.ended = asyncio.Event(), asyncio.Event()

    async def wait(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.mark.parametrize("by", ["token", "task"])
async def test_cancelling_ends_an_async_function(by: str) -> None:
    waiter, token = Waiter(), CancellationToken()
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(FunctionTool(waiter.wait, description="").run_json({}, token))
        await waiter.started.wait()
        token.cancel() if by == "token" else running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert waiter.ended.is_set()


async def test_cancelling_the_token_ends_the_call_of_a_plain_function() -> None:
    loop = asyncio.get_running_loop()
    started, release = asyncio.Event(), threading.Event()

    def block() -> None:
        loop.call_soon_threadsafe(started.set)
        release.wait(5)

    token = CancellationToken()
    try:
        async with asyncio.timeout(5):
            running = asyncio.ensure_future(FunctionTool(block, description="").run_json({}, token))
            await started.wait()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    finally:
        release.set()


async def test_a_token_that_was_cancelled_before_starts_nothing() -> None:
    waiter, token = Waiter(), CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await FunctionTool(waiter.wait, description="").run_json({}, token)
    assert not waiter.started.is_set()


# What is derived from a function is derived once


def made(func: Callable[..., Any]) -> type[BaseModel]:
    return FunctionTool(func, description="").args_type()


def multiply_by(amount: int) -> Callable[..., Any]:
    def multiply(a: int, b: Annotated[int, Field(ge=0)] = 1, c: list[int] | None = None) -> int:
        return a * b * amount

    return multiply


def with_default(default: object) -> Callable[..., Any]:
    def number(a: int = default) -> int:  # type: ignore[assignment]  # any default will do here
        return a

    return number


def at_least(least: int) -> Callable[..., Any]:
    def number(a: Annotated[int, Field(ge=least)]) -> int:
        return a

    return number


def documented(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapper


def first(a: int) -> int:
    return a


def second(b: str) -> str:
    return b


def test_n16_the_model_of_the_arguments_is_made_once_for_a_function_its_closures_and_its_methods() -> None:
    assert made(multiply_by(2)) is made(multiply_by(3))
    assert made(Adder(1).method) is made(Adder(2).method)
    assert made(functools.partial(first, 1)) is made(functools.partial(first, 2))
    assert made(documented(first)) is made(documented(first))


async def test_n16_each_closure_is_called_with_what_it_closes_over() -> None:
    assert [await call(multiply_by(amount), a=1) for amount in (2, 3)] == [2, 3]
    assert [await call(Adder(amount).method, a=1) for amount in (2, 3)] == [3, 4]


def test_n16_a_name_and_a_description_are_each_tools_own() -> None:
    one, other = FunctionTool(first, description="One."), FunctionTool(first, description="Other.", name="other")
    assert (one.schema["name"], one.schema.get("description")) == ("first", "One.")
    assert (other.schema["name"], other.schema.get("description")) == ("other", "Other.")
    strict = FunctionTool(first, description="", strict=True)
    assert (strict.schema.get("strict"), one.schema.get("strict")) == (True, False)


def test_the_model_of_the_arguments_has_the_name_of_the_tool_as_in_autogen() -> None:
    named = FunctionTool(first, description="", name="renamed")
    partial = FunctionTool(functools.partial(first, a=1), description="", name="fixed")
    types = [tool.args_type() for tool in (FunctionTool(first, description=""), named, partial)]
    assert [args.__name__ for args in types] == ["firstargs", "renamedargs", "fixedargs"]
    assert [args.model_json_schema()["title"] for args in types] == ["firstargs", "renamedargs", "fixedargs"]
    assert [repr(args(a=2)) for args in types] == ["firstargs(a=2)", "renamedargs(a=2)", "fixedargs(a=2)"]


def test_the_model_of_the_arguments_is_made_once_for_each_name_of_a_tool() -> None:
    types = [FunctionTool(multiply_by(2), description="", name=name).args_type() for name in ("two", "three") * 2]
    assert types[:2] == types[2:]
    assert types[0] is not types[1]


def test_names_that_are_made_up_for_each_tool_are_not_all_kept() -> None:
    args = weakref.ref(FunctionTool(first, description="", name="first_of_many").args_type())
    for number in range(200):
        FunctionTool(first, description="", name=f"tool_{number}")
    gc.collect()
    assert args() is None


def test_n16_editing_the_schema_of_one_tool_leaves_others_alone() -> None:
    del parameters(FunctionTool(first, description=""))["properties"]["a"]
    assert list(properties(first)) == ["a"]


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (with_default, 1, 2),
        (with_default, 1, True),
        (with_default, [1], [2]),
        (functools.partial(functools.partial, first), {"a": 1}, {"a": 2}),
        (documented, first, second),
        (at_least, 1, 2),
    ],
    ids=["default", "default of another type", "mutable default", "partial", "decorated", "field"],
)
def test_n16_functions_of_one_code_that_differ_are_told_apart(
    make: Callable[..., Callable[..., Any]], one: Any, other: Any
) -> None:
    def told(value: Any) -> dict[str, Any]:
        return properties(make(**value) if isinstance(value, dict) else make(value))

    assert str(told(one)) != str(told(other))
    assert str(told(one)) == str(told(one))


def test_n16_annotations_that_change_are_read_again() -> None:
    def choose(kind: str) -> str:
        return kind

    assert properties(choose)["kind"]["type"] == "string"
    choose.__annotations__["kind"] = Literal["a", "b"]
    assert properties(choose)["kind"]["enum"] == ["a", "b"]


def test_n16_a_name_in_quotes_means_what_its_module_says_now() -> None:
    code = compile('def read(item: "Item", items: list["Item"]) -> None: ...', "<notebook>", "exec")
    for kind, told in ((int, "integer"), (str, "string")):
        cell: dict[str, Any] = {"Item": kind}
        exec(code, cell)
        assert properties(cell["read"])["item"]["type"] == told
        assert properties(cell["read"])["items"]["items"]["type"] == told


def test_n16_nothing_keeps_a_function_alive() -> None:
    namespace: dict[str, Any] = {}
    exec("def short_lived(a: int) -> int: return a", namespace)
    tool = FunctionTool(namespace["short_lived"], description="")
    gone = weakref.ref(namespace["short_lived"])
    del tool, namespace["short_lived"]
    gc.collect()
    assert gone() is None


# Wrong use


async def test_wrong_arguments_raise_an_error_that_names_the_tool_the_field_and_the_schema() -> None:
    def draw(point: Point, times: int) -> None: ...

    with pytest.raises(ToolArgumentsError) as error:
        await call(draw, point={"y": 1}, times="often")
    lines = str(error.value).splitlines()
    assert lines[0] == "Wrong arguments for the tool 'draw':"
    assert lines[1] == "- point.x: Field required"
    assert lines[2].startswith("- times: Input should be a valid integer")
    assert lines[3].startswith('Its arguments are: {"type": "object", "properties": {"point": ')


def no_type(a): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - what is tested


def many(*numbers: int) -> None: ...


def options(**flags: int) -> None: ...


def unresolvable(a: "Lost") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - what is tested


def no_schema(a: threading.Event) -> None: ...


def no_json(a: Callable[[], int]) -> None: ...


async def pieces() -> AsyncGenerator[str, None]:
    yield "a"


WRONG: list[tuple[Any, str]] = [
    (no_type, "'no_type': the parameter 'a' has no type"),
    (many, r"'many': a model cannot fill \*numbers: int"),
    (options, r"'options': a model cannot fill \*\*flags: int"),
    (unresolvable, "'unresolvable': name 'Lost' is not defined"),
    (no_schema, "'no_schema' has a parameter of a type that JSON cannot give"),
    (no_json, "'no_json' has a parameter of a type that JSON cannot give"),
    (pieces, "'pieces': a generator gives no single result"),
    (lambda: None, "A lambda has no name"),
    ("text", "made of a function, not of 'text'"),
]


@pytest.mark.parametrize(("func", "text"), WRONG)
def test_a_function_that_cannot_be_a_tool_is_refused(func: Any, text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        FunctionTool(func, description="")


def test_defaults_are_refused_when_strict() -> None:
    def draw(point: Point, times: int = 1) -> None: ...

    with pytest.raises(InvalidArgumentError, match="'draw' has defaults for: times"):
        FunctionTool(draw, description="", strict=True)
