import warnings
from typing import Any, get_args

import pytest
from anthropic.types.model import Model
from openai.types.shared.chat_model import ChatModel

from symposia.core.models import ModelFamily
from symposia.ext.models._profiles import ModelCatalog, ModelProfile, UnknownModelWarning
from symposia.ext.models.anthropic._profiles import CATALOG as ANTHROPIC
from symposia.ext.models.openai._profiles import CATALOG as OPENAI

SMALL = ModelProfile(family="small", context=1, max_output=1)
LARGE = ModelProfile(family="large", context=2, max_output=2)
OTHER = ModelProfile(family="other", context=3, max_output=3)
CATALOG = ModelCatalog("Acme", {"duck": LARGE, "duck-mini": SMALL}, otherwise=OTHER)


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("duck", LARGE),
        ("duck-2026-11-21", LARGE),
        ("duck-mini", SMALL),
        ("duck-mini-latest", SMALL),
        ("acme/duck-mini", SMALL),
        ("duck@2026", LARGE),
    ],
)
def test_a_model_is_found_by_the_longest_name_that_it_begins_with(model: str, profile: ModelProfile) -> None:
    assert CATALOG.find(model) is profile
    CATALOG.warn_if_unknown(model, stacklevel=1)  # warnings are errors here


@pytest.mark.parametrize(("model", "profile"), [("duck2", LARGE), ("duck-minimal", SMALL), ("goose", OTHER)])
def test_a_model_that_is_not_in_the_catalog_gets_a_warning_with_what_is_assumed(
    model: str, profile: ModelProfile
) -> None:
    with pytest.warns(UserWarning, match=f"Acme model '{model}' is not known .*'family': '{profile.family}'"):
        CATALOG.warn_if_unknown(model, stacklevel=1)
    assert CATALOG.find(model) is profile


def test_the_warning_of_an_unknown_model_has_words_without_advice_for_programs() -> None:
    with pytest.warns(UnknownModelWarning) as caught:
        CATALOG.warn_if_unknown("goose", stacklevel=1)
    [warning] = [each.message for each in caught]
    assert isinstance(warning, UnknownModelWarning)
    assert warning.assumption.startswith("Acme model 'goose' is not known")
    assert warning.assumption.endswith("multiple system messages, 3 tokens of context.")
    assert ": vision, function calling, JSON output, " in warning.assumption
    assert "model_info=" in str(warning)


@pytest.mark.parametrize("model", get_args(ChatModel))
def test_every_model_of_openais_sdk_is_known(model: str) -> None:
    OPENAI.warn_if_unknown(model, stacklevel=1)
    profile = OPENAI.find(model)
    assert 0 < profile.max_output <= profile.context
    assert ModelFamily.is_openai(profile.family)


@pytest.mark.parametrize("model", get_args(get_args(Model)[0]))
def test_every_model_of_anthropics_sdk_is_known(model: str) -> None:
    ANTHROPIC.warn_if_unknown(model, stacklevel=1)
    profile = ANTHROPIC.find(model)
    assert 0 < profile.max_output <= profile.context
    assert profile.structured_output
    assert ModelFamily.is_claude(profile.family)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-2024-08-06", ModelFamily.GPT_4O),
        ("gpt-4.1-nano", ModelFamily.GPT_41),
        ("gpt-5-mini", ModelFamily.GPT_5),
        ("o3-mini-2025-01-31", ModelFamily.O3),
        ("gpt-3.5-turbo-0125", ModelFamily.GPT_35),
    ],
)
def test_families_are_those_that_autogens_programs_name(model: str, family: str) -> None:
    assert OPENAI.find(model).family == family


def test_a_models_info_has_every_field() -> None:
    info: Any = OPENAI.find("gpt-4").as_model_info()
    assert info == {
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "family": "gpt-4",
        "structured_output": False,
        "multiple_system_messages": True,
    }


def test_looking_a_model_up_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert OPENAI.find("goose").family == "unknown"
