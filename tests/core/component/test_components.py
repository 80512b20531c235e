"""A component's configuration is derived from its constructor."""

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Required, Self, TypedDict, TypeVar, Unpack

import pytest
from pydantic import BaseModel, SecretStr

from symposia.core import (
    Component,
    ComponentBase,
    ComponentLoader,
    ComponentModel,
    is_component_class,
    is_component_instance,
)
from symposia.core.exceptions import ComponentError

HERE = __name__

T = TypeVar("T", bound=Component)


class Pen(Component):
    """Writes.

    With ink.
    """

    component_type = "pen"

    def __init__(self, colour: str, width: float = 0.5) -> None:
        self.ink = colour
        self.width = width


class Desk(Component):
    def __init__(
        self,
        owner: str,
        /,
        pens: Sequence[Pen] = (),
        *,
        best: Pen | None = None,
        labels: Mapping[str, Pen] | None = None,
        motto: str | None = "Write!",
    ) -> None:
        self.owner = owner
        self.pens = list(pens)
        self.best = best
        self.labels = labels
        self.motto = motto


class Box(Component):
    def __init__(self, *pens: Pen, lid: bool = True) -> None:
        self.pens = pens
        self.lid = lid


class Options(TypedDict, total=False):
    size: Required[int]
    colour: str
    paper: Literal["a4", "a5"]


class Printer(Component):
    def __init__(self, name: str, **options: Unpack[Options]) -> None:
        self.name = name
        self.options = options


class RedPen(Pen):
    def __init__(self, width: float) -> None:
        super().__init__("red", width=width)


class NamedPen(Pen):
    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name


@dataclass(frozen=True)
class Stamp(Component):
    text: str
    times: int = 1


class Answer(BaseModel):
    text: str
    score: float = 0


class Reader(Component):
    def __init__(
        self, kind: type[BaseModel], folder: Path | str, wait: float | timedelta = 1, mode: Literal["a", "b"] = "a"
    ) -> None:
        self.kind = kind
        self.folder = Path(folder)
        self.wait = wait
        self.mode = mode


class Caller(Component):
    def __init__(self, call: Callable[[str], str] | None = None, anything: Any = None) -> None:
        self.call = call
        self.anything = anything


class Vault(Component):
    def __init__(self, api_key: str | None = None, password: SecretStr | None = None) -> None:
        self.api_key = api_key
        self.password = password


class Locked(Component):
    def __init__(self, password: SecretStr) -> None:
        self.password = password


class Renewed(Component):
    component_version = 3

    def __init__(self, width: int) -> None:
        self.width = width

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> "Renewed":
        return cls(config.pop("breadth") * version)


class OldConfig(BaseModel):
    number: int
    secret: SecretStr | None = None
    note: str | None = None


class InAutogensWay(ComponentBase[OldConfig], Component[OldConfig]):
    component_type = "old"
    component_config_schema = OldConfig
    component_provider_override = f"{HERE}.InAutogensWay"
    component_description = "Of old."
    component_label = "Old"

    def __init__(self, anything: object) -> None:
        self.number = len(repr(anything))

    def _to_config(self) -> OldConfig:
        return OldConfig(number=self.number, secret=SecretStr("hidden"))

    @classmethod
    def _from_config(cls, config: OldConfig) -> "InAutogensWay":
        made = cls(None)
        made.number = config.number
        return made


class WithSchema(Component[OldConfig]):
    component_config_schema = OldConfig

    def __init__(self, number: int) -> None:
        self.number = number


class TooLittleSchema(WithSchema):
    def __init__(self, number: int, colour: str) -> None:
        super().__init__(number)
        self.colour = colour


def loaded(component: T) -> T:
    """Written down as JSON text, and made again."""
    text = component.dump_component().model_dump_json()
    return type(component).load_component(ComponentModel.model_validate_json(text), allow=[HERE])


def test_a_component_is_written_down_with_all_that_autogen_writes() -> None:
    assert Pen("blue").dump_component().model_dump() == {
        "provider": f"{HERE}.Pen",
        "component_type": "pen",
        "version": 1,
        "component_version": 1,
        "description": "Writes.",
        "label": "Pen",
        "config": {"colour": "blue", "width": 0.5},
    }


def test_arguments_come_back_however_they_were_passed() -> None:
    for pen in (Pen("blue", 2), Pen("blue", width=2), Pen(width=2, colour="blue")):
        again = loaded(pen)
        assert (again.ink, again.width) == ("blue", 2)


def test_components_among_the_arguments_are_written_down_with_it() -> None:
    desk = Desk("ann", [Pen("red"), Pen("blue")], best=Pen("gold"), labels={"x": Pen("green")})
    again = loaded(desk)
    assert [pen.ink for pen in again.pens] == ["red", "blue"]
    assert again.best is not None
    assert again.best.ink == "gold"
    assert again.labels is not None
    assert again.labels["x"].ink == "green"
    assert again.dump_component() == desk.dump_component()


def test_items_and_options_of_a_signature_come_back() -> None:
    assert [pen.ink for pen in loaded(Box(Pen("a"), Pen("b"), lid=False)).pens] == ["a", "b"]
    assert loaded(Printer("p", size=3, paper="a5")).options == {"size": 3, "paper": "a5"}


def test_a_subclass_is_written_down_by_its_own_constructor() -> None:
    red = RedPen(2)
    assert red.dump_component().config == {"width": 2.0}
    assert (loaded(red).ink, loaded(red).width) == ("red", 2)


def test_keywords_that_are_passed_on_are_those_of_the_next_constructor() -> None:
    pen = NamedPen("n", colour="blue", width=3)
    assert pen.dump_component().config == {"name": "n", "colour": "blue", "width": 3.0}
    assert loaded(pen).ink == "blue"


def test_a_dataclass_can_be_a_component() -> None:
    assert loaded(Stamp("paid", times=2)) == Stamp("paid", times=2)


def test_what_changes_later_is_not_configuration() -> None:
    pens = [Pen("red")]
    desk = Desk("ann", pens)
    pens.append(Pen("blue"))
    desk.pens.clear()
    desk.owner = "bob"
    config = desk.dump_component().config
    assert config["owner"] == "ann"
    assert len(config["pens"]) == 1


def test_none_is_kept_where_it_is_not_the_default() -> None:
    config = Desk("ann", motto=None).dump_component().config
    assert config["motto"] is None
    assert "best" not in config
    assert loaded(Desk("ann", motto=None)).motto is None


def test_a_model_class_is_written_down_as_its_schema() -> None:
    reader = loaded(Reader(Answer, Path("here"), timedelta(seconds=2), "b"))
    assert reader.kind.model_json_schema() == Answer.model_json_schema()
    assert (reader.folder, reader.wait, reader.mode) == (Path("here"), timedelta(seconds=2), "b")


def test_a_copy_of_a_component_can_be_written_down() -> None:
    pen = Pen("blue", width=2)
    for again in (copy.copy(pen), copy.deepcopy(pen), pickle.loads(pickle.dumps(pen))):
        assert again.dump_component() == pen.dump_component()


def test_the_signature_of_a_component_is_that_of_its_constructor() -> None:
    assert str(inspect.signature(Pen)) == "(colour: str, width: float = 0.5) -> None"


def test_a_component_without_constructor_takes_no_arguments() -> None:
    class Plain(Component):
        pass

    with pytest.raises(TypeError, match="takes no arguments"):
        Plain(1)  # pyright: ignore[reportCallIssue] - that is the point


def test_the_schema_of_a_configuration_says_what_the_constructor_takes() -> None:
    schema = Desk.component_config_schema.model_json_schema()
    assert schema["required"] == ["owner"]
    assert schema["properties"]["pens"]["items"] == {"$ref": "#/$defs/ComponentModel"}
    assert schema["properties"]["motto"]["default"] == "Write!"


def test_secrets_are_never_written_down() -> None:
    vault = Vault("k-123", SecretStr("p-456"))
    text = vault.dump_component().model_dump_json()
    assert "k-123" not in text
    assert "p-456" not in text
    assert vault.dump_component().config == {"api_key": "**********", "password": "**********"}


def test_a_masked_secret_counts_as_not_given() -> None:
    again = loaded(Vault("k-123", SecretStr("p-456")))
    assert (again.api_key, again.password) == (None, None)


def test_asterisks_that_are_no_secret_are_kept() -> None:
    assert loaded(Pen("**********")).ink == "**********"


def test_a_masked_secret_that_is_required_has_to_be_written_in() -> None:
    model = Locked(SecretStr("p")).dump_component()
    with pytest.raises(ComponentError, match=r"Secrets are not saved: write them in.*password"):
        Locked.load_component(model)
    model.config["password"] = "mine"
    assert Locked.load_component(model).password.get_secret_value() == "mine"


def a_function(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (lambda: Caller(a_function), r"Caller cannot be saved: call: the function a_function has no form in JSON"),
        (lambda: Caller(anything=object()), r"Caller.anything cannot be saved: Unable to serialize.*object"),
        (lambda: Caller(anything=Pen("a")), r"Caller.anything holds a component.*Annotate it"),
        (lambda: Desk("a", best=Caller(a_function)), r"Caller cannot be saved: call"),  # pyright: ignore[reportArgumentType]
        (lambda: Desk("a", best=object()), r"Desk cannot be saved: best: object object has no form"),  # pyright: ignore[reportArgumentType]
        (lambda: Pen(3), r"Pen cannot be saved: colour: Input should be a valid string"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_cannot_be_saved_is_an_error_that_names_class_and_field(
    component: Callable[[], Component], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        component().dump_component()


def test_an_error_deep_inside_says_where() -> None:
    with pytest.raises(ComponentError) as caught:
        Desk("a", [Pen("b"), Caller(a_function)]).dump_component()  # pyright: ignore[reportArgumentType]
    assert caught.value.__notes__ == ["This is Desk.pens[1]."]


class Unrecorded(Pen):
    def __new__(cls, colour: str, width: float = 0.5) -> Self:
        return object.__new__(cls)


class Word(BaseModel):
    text: str


class LongWord(Word):
    syllables: int


class Speaker(Component):
    def __init__(self, word: Word) -> None:
        self.word = word


def test_what_would_not_come_back_whole_is_an_error() -> None:
    assert loaded(Speaker(Word(text="hi"))).word == Word(text="hi")
    with pytest.raises(ComponentError, match=r"Speaker.word cannot be saved: it would not come back as it is"):
        Speaker(LongWord(text="hello", syllables=2)).dump_component()


def test_a_class_inside_something_else_cannot_be_found_again() -> None:
    class Inner(Component):
        pass

    with pytest.raises(ComponentError, match=r"Inner.*Define it at the top of its module"):
        Inner().dump_component()


def test_a_class_whose_arguments_were_not_recorded_says_so() -> None:
    with pytest.raises(ComponentError, match=r"its __new__ does not call super\(\).__new__"):
        Unrecorded("red").dump_component()


def test_autogens_way_of_writing_a_component_works() -> None:
    old = InAutogensWay("four")
    model = old.dump_component()
    assert (model.description, model.label, model.component_type) == ("Of old.", "Old", "old")
    assert model.config == {"number": 6, "secret": "**********"}
    assert InAutogensWay.load_component(model).number == 6


def test_a_schema_of_its_own_is_enough_where_its_fields_are_the_arguments() -> None:
    assert loaded(WithSchema(4)).number == 4


def test_a_schema_of_its_own_that_lacks_an_argument_is_an_error() -> None:
    with pytest.raises(ComponentError, match=r"component_config_schema has no field for colour"):
        TooLittleSchema(4, "red").dump_component()


def test_an_earlier_version_is_brought_up_to_date_by_its_class() -> None:
    model = {"provider": f"{HERE}.Renewed", "component_version": 2, "config": {"breadth": 4}}
    assert Renewed.load_component(model).width == 8
    assert model["config"] == {"breadth": 4}


def test_an_earlier_version_that_a_class_does_not_know_is_an_error() -> None:
    model = Stamp("a").dump_component().model_copy(update={"component_version": 0})
    with pytest.raises(ComponentError, match=r"Stamp cannot be made from version 0"):
        Stamp.load_component(model)


def test_a_later_version_is_an_error() -> None:
    model = Stamp("a").dump_component().model_copy(update={"component_version": 2})
    with pytest.raises(ComponentError, match=r"saved at version 2.*only at version 1 here"):
        Stamp.load_component(model)


@pytest.mark.parametrize("version", [1, None])
def test_a_component_without_version_is_taken_for_the_present_one(version: int | None) -> None:
    model = Stamp("a").dump_component().model_copy(update={"component_version": version})
    assert Stamp.load_component(model) == Stamp("a")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"config": {}}, r"This is no component: provider: Field required"),
        ({"provider": "Pen", "config": {}}, r"'Pen' names no class"),
        ({"provider": f"{HERE}.Nothing", "config": {}}, r"Nothing' does not exist"),
        ({"provider": f"{HERE}.Word", "config": {"text": "a"}}, r"Word' is not a component"),
        (
            {"provider": f"{HERE}.Pen", "config": {}},
            r"'.*Pen' does not fit: colour: Field required",
        ),
        ({"provider": f"{HERE}.Pen", "config": {"colour": "a", "with": 1}}, r"with: there is no such field"),
        (
            {"provider": f"{HERE}.Pen", "config": {"colour": "a", "width": "b"}},
            r"width: Input should be a valid num",
        ),
        ({"provider": "symposia.nothing.Pen", "config": {}}, r"'symposia.nothing.Pen' cannot be imported"),
        ({"provider": f"{HERE}.Caller", "config": {"call": "x"}}, r"call: Input should be None"),
    ],
)
def test_malformed_json_is_one_clear_error(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        ComponentLoader.load_component(model, allow=[HERE])


def test_a_component_of_another_kind_than_expected_is_an_error() -> None:
    model = Stamp("a").dump_component()
    with pytest.raises(ComponentError, match=r"A Pen is expected here, and the provider '.*Stamp' is none"):
        ComponentLoader.load_component(model, Pen, allow=[HERE])
    with pytest.raises(ComponentError, match=r"A Pen is expected"):
        Pen.load_component(model, allow=[HERE])


def test_a_component_of_another_kind_deep_inside_is_an_error_that_says_where() -> None:
    model = Desk("a").dump_component()
    model.config["best"] = Stamp("a").dump_component().model_dump()
    with pytest.raises(ComponentError, match=r"A Pen is expected here") as caught:
        Desk.load_component(model, allow=[HERE])
    assert caught.value.__notes__ == [f"This was while loading the component '{HERE}.Desk'."]


def test_components_are_told_from_other_things() -> None:
    assert is_component_instance(Pen("a"))
    assert is_component_class(Pen)
    assert not is_component_class(Word)
    assert not is_component_instance(Word(text="a"))
