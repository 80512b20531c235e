"""Loading takes what was saved, and says clearly what is wrong with anything else."""

from typing import Any

import pytest
from tests.support.components import HERE, Desk, Pen, Renewed, Stamp

from symposia.core import ComponentLoader
from symposia.core.exceptions import ComponentError


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
        ({"config": {}}, r"The JSON is not a component: provider: Field required"),
        ({"provider": "Pen", "config": {}}, r"'Pen' names no class"),
        ({"provider": f"{HERE}.Nothing", "config": {}}, r"Nothing' does not exist"),
        ({"provider": f"{HERE}.Word", "config": {"text": "a"}}, r"Word' is not a component"),
        ({"provider": f"{HERE}.Half", "config": {}}, r"Half' is not a component"),
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
    with pytest.raises(ComponentError, match=r"Expected a component of the class Pen, not the provider '.*Stamp'"):
        ComponentLoader.load_component(model, Pen, allow=[HERE])
    with pytest.raises(ComponentError, match=r"Expected a component of the class Pen"):
        Pen.load_component(model, allow=[HERE])


def test_a_component_of_another_kind_deep_inside_is_an_error_that_says_where() -> None:
    model = Desk("a").dump_component()
    model.config["best"] = Stamp("a").dump_component().model_dump()
    with pytest.raises(ComponentError, match=r"Expected a component of the class Pen") as caught:
        Desk.load_component(model, allow=[HERE])
    assert caught.value.__notes__ == [f"This was while loading the component '{HERE}.Desk'."]


@pytest.mark.parametrize("given", ['{"provider": "a.B", "config": {}}', b"{}", None, ["a.B"], 1])
def test_n06_what_is_no_mapping_is_refused_with_what_to_give(given: Any) -> None:
    with pytest.raises(ComponentError, match=r"takes a mapping or a ComponentModel, .* give it json.loads\(text\)"):
        ComponentLoader.load_component(given)
