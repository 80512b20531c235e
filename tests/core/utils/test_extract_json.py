import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.utils import extract_json_from_str

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), values, max_size=4)


@given(st.lists(objects, min_size=1, max_size=3), st.sampled_from(["json", "JSON", ""]), st.sampled_from([None, 2]))
def test_every_fence_is_read(given_objects: list[dict[str, object]], language: str, indent: int | None) -> None:
    fences = [f"```{language}\n{json.dumps(each, indent=indent)}\n```" for each in given_objects]
    assert extract_json_from_str("Here it is:\n" + "\nand then\n".join(fences) + "\nDone.") == given_objects


@given(objects)
def test_an_answer_without_fences_is_json_as_a_whole(value: dict[str, object]) -> None:
    assert extract_json_from_str(f"  {json.dumps(value)}\n") == [value]


@pytest.mark.parametrize(
    "answer",
    [
        'Here: ```json\n{"a": 1}\n``` is the plan.',
        '```json\n{"a": 1}```',
        '```json {"a": 1} ```',
        '   ```json\n   {"a": 1}\n   ```',
    ],
)
def test_fences_are_read_however_models_place_them(answer: str) -> None:
    assert extract_json_from_str(answer) == [{"a": 1}]


def test_backticks_inside_a_string_end_no_fence() -> None:
    assert extract_json_from_str('```json\n{"code": "```py"}\n```') == [{"code": "```py"}]


def test_a_fence_of_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="found language: python"):
        extract_json_from_str("```python\nprint()\n```")


@pytest.mark.parametrize("answer", ["", "No JSON here.", "```json\n{bad}\n```", '```json\n{"a": 1\n'])
def test_what_is_not_json_is_refused(answer: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        extract_json_from_str(answer)
