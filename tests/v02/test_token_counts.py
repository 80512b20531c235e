"""Counts of tokens without a network: by the tokenizer that is on the machine, and else estimated."""

import pytest

from symposia.v02.token_count_utils import (
    count_token,
    get_max_token_limit,
    num_tokens_from_functions,
    percentile_used,
    token_left,
)


def test_limits_of_openais_models_are_known_also_under_azures_names() -> None:
    assert get_max_token_limit() == 4096
    assert get_max_token_limit("gpt-35-turbo") == 16385
    assert get_max_token_limit("gpt-4o") == 128_000
    with pytest.raises(KeyError):
        get_max_token_limit("unknown")


def test_a_message_has_a_frame_and_a_name_a_token_of_its_own() -> None:
    message = {"role": "user", "content": "hello there"}
    texts = count_token("user") + count_token("hello there")
    assert count_token(message) == count_token([message]) == texts + 6
    assert count_token([message, {**message, "name": "ann"}]) == 2 * texts + 3 + 2 * 3 + count_token("ann") + 1
    assert count_token([{"role": "user", "content": None}]) == count_token("user") + 6


def test_what_is_left_and_the_part_that_is_used_are_of_the_limit() -> None:
    text = "hello there"
    assert token_left(text, "gpt-4") == 8192 - count_token(text, "gpt-4")
    assert percentile_used(text, "gpt-4") == count_token(text, "gpt-4") / 8192


def test_functions_have_tokens() -> None:
    short: dict[str, object] = {"name": "f", "description": "a", "parameters": {"type": "object", "properties": {}}}
    assert 0 < num_tokens_from_functions([short]) < num_tokens_from_functions([short, short])


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="input must be str, list or dict, but we got <class 'int'>"):
        count_token(5)  # pyright: ignore[reportArgumentType] - what the test is about
