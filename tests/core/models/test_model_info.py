import warnings
from typing import cast, get_args

import pytest

from symposia.core.models import ModelFamily, ModelInfo, validate_model_info

WHOLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)


def test_a_whole_model_info_is_accepted_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validate_model_info(WHOLE)


@pytest.mark.parametrize("field", ["vision", "function_calling", "json_output", "family"])
def test_a_missing_field_is_named(field: str) -> None:
    info = cast("ModelInfo", {key: value for key, value in WHOLE.items() if key != field})
    with pytest.raises(ValueError, match=f"Missing required field '{field}' in ModelInfo"):
        validate_model_info(info)


def test_old_programs_may_leave_structured_output_out_and_are_warned() -> None:
    info = cast("ModelInfo", {key: value for key, value in WHOLE.items() if key != "structured_output"})
    with pytest.warns(UserWarning, match="structured_output"):
        validate_model_info(info)


@pytest.mark.parametrize(
    ("family", "maker"),
    [
        (ModelFamily.CLAUDE_3_7_SONNET, "claude"),
        ("claude-opus-5", "claude"),
        (ModelFamily.GPT_4O, "openai"),
        (ModelFamily.O3, "openai"),
        ("gpt-6-sol", "openai"),
        (ModelFamily.GEMINI_2_5_PRO, "gemini"),
        ("gemini-4-flash", "gemini"),
        (ModelFamily.LLAMA_4_SCOUT, "llama"),
        ("llama-5", "llama"),
        (ModelFamily.CODESRAL, "mistral"),
        (ModelFamily.OPEN_CODESRAL_MAMBA, "mistral"),
        ("mistral-large", "mistral"),
        (ModelFamily.R1, None),
        (ModelFamily.UNKNOWN, None),
    ],
)
def test_a_family_belongs_to_its_maker_and_to_no_other(family: str, maker: str | None) -> None:
    answers = {
        "claude": ModelFamily.is_claude(family),
        "openai": ModelFamily.is_openai(family),
        "gemini": ModelFamily.is_gemini(family),
        "llama": ModelFamily.is_llama(family),
        "mistral": ModelFamily.is_mistral(family),
    }
    assert [name for name, is_it in answers.items() if is_it] == ([maker] if maker else [])


def test_any_lists_every_constant() -> None:
    constants = {value for name, value in vars(ModelFamily).items() if name.isupper() and isinstance(value, str)}
    assert set(get_args(ModelFamily.ANY)) == constants


def test_a_family_is_not_made() -> None:
    with pytest.raises(TypeError, match="namespace class"):
        ModelFamily()
