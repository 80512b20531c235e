"""Configuration lists: filtered, and read from JSON, environment variables and files of keys."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from symposia.v02.oai import (
    config_list_from_dotenv,
    config_list_from_json,
    config_list_from_models,
    config_list_gpt4_gpt35,
    config_list_openai_aoai,
    filter_config,
    get_config_list,
)
from symposia.v02.oai.client_utils import logger_formatter, should_hide_tools, validate_parameter
from symposia.v02.oai.completion import ChatCompletion, Completion
from symposia.v02.oai.openai_utils import get_config, get_key

FOUR: dict[str, Any] = {"model": "gpt-4", "tags": ["a", "b"]}
AZURE: dict[str, Any] = {"model": "gpt-3", "api_type": "azure"}
NONE: dict[str, Any] = {"model": "n", "api_type": None}
ENTRIES = [FOUR, AZURE, NONE]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_BASE"):
        monkeypatch.setenv(name, "")
    return tmp_path


@pytest.mark.parametrize(
    ("filter_dict", "kept", "kept_by_exclusion"),
    [
        (None, ENTRIES, ENTRIES),
        ({"model": ["gpt-4"]}, [FOUR], [AZURE, NONE]),
        ({"model": "gpt-4"}, [FOUR], [AZURE, NONE]),
        ({"model": {"gpt-4", "n"}}, [FOUR, NONE], [AZURE]),
        ({"tags": ["b", "z"]}, [FOUR], [AZURE, NONE]),
        ({"tags": ["z"]}, [], ENTRIES),
        ({"model": ["gpt-4"], "api_type": ["azure"]}, [], [NONE]),
        ({"model": []}, [], ENTRIES),
    ],
)
def test_entries_with_an_accepted_value_under_every_key_are_kept(
    filter_dict: dict[str, object] | None, kept: object, kept_by_exclusion: object
) -> None:
    assert filter_config(ENTRIES, filter_dict) == kept
    assert filter_config(ENTRIES, filter_dict, exclude=True) == kept_by_exclusion


def test_t11_none_among_the_accepted_values_stands_for_no_missing_key() -> None:
    assert filter_config(ENTRIES, {"api_type": [None]}) == []
    assert filter_config(ENTRIES, {"api_type": [None, "azure"]}) == [AZURE]
    assert filter_config(ENTRIES, {"api_type": [None]}, exclude=True) == ENTRIES


def test_json_comes_from_a_variable_or_a_file_that_it_names_or_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "list.json").write_text(json.dumps(ENTRIES))
    assert config_list_from_json("list.json", file_location="sub") == ENTRIES
    assert config_list_from_json("sub/list.json", filter_dict={"model": ["n"]}) == [NONE]
    monkeypatch.setenv("LIST", json.dumps([FOUR]))
    assert config_list_from_json("LIST") == [FOUR]
    monkeypatch.setenv("LIST", "sub/list.json")
    assert config_list_from_json("LIST") == ENTRIES


def test_a_list_that_is_missing_or_broken_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        config_list_from_json("nothing.json")
    (folder / "broken.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        config_list_from_json("broken.json")


def test_a_list_of_keys_is_one_of_entries() -> None:
    assert get_config_list(["a", " ", "b"]) == [{"api_key": "a"}, {"api_key": "b"}]
    assert get_config_list(["a"], ["u"], "azure", "v") == [
        {"api_key": "a", "base_url": "u", "api_type": "azure", "api_version": "v"}
    ]
    assert get_config(None) == {"api_key": None}
    with pytest.raises(AssertionError, match="The length of api_keys must match the length of base_urls"):
        get_config_list(["a", "b"], ["u"])


def test_keys_of_openai_and_azure_come_from_variables_or_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_list_openai_aoai() == []
    (folder / "key_openai.txt").write_text("file1\nfile2\n")
    assert config_list_openai_aoai() == [{"api_key": "file1"}, {"api_key": "file2"}]
    monkeypatch.setenv("OPENAI_API_KEY", "own")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "az1\naz2")
    monkeypatch.setenv("AZURE_OPENAI_API_BASE", "http://1\nhttp://2")
    azure = [
        {"api_key": f"az{n}", "base_url": f"http://{n}", "api_type": "azure", "api_version": "2024-02-01"}
        for n in (1, 2)
    ]
    assert config_list_openai_aoai() == [{"api_key": "own"}, *azure]
    assert config_list_openai_aoai(exclude="openai") == azure
    assert config_list_from_models(model_list=["m"], exclude="aoai") == [{"api_key": "own", "model": "m"}]
    assert [each["model"] for each in config_list_gpt4_gpt35()] == ["gpt-4"] * 3 + ["gpt-3.5-turbo"] * 3


def test_keys_come_from_a_file_of_variables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "")
    monkeypatch.delenv("MINE")
    monkeypatch.delenv("OPENAI_API_KEY")
    (folder / ".env").write_text("OPENAI_API_KEY=theirs\nMINE=mine\n")
    wanted = {"m": {"api_key_env_var": "MINE", "api_type": "azure", "base_url": "b", "api_version": "v"}, "k": "NONE"}
    assert config_list_from_dotenv(".env", wanted) == [
        {"api_key": "mine", "base_url": "b", "api_type": "azure", "api_version": "v", "model": "m"},
        {"api_key": "theirs", "model": "gpt-4"},
        {"api_key": "theirs", "model": "gpt-3.5-turbo"},
    ]
    assert config_list_from_dotenv(".env", filter_dict={"model": ["zzz"]}) == []
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("MINE")


def test_the_key_of_a_request_is_its_json_without_credentials() -> None:
    assert get_key({"b": 1, "a": [2], "api_key": "x", "base_url": "y"}) == '{"a": [2], "b": 1}'
    nested = {"extra_body": {"keep": 1, "Api-Key": "x", "servers": [{"headers": {"Authorization": "x"}}]}}
    assert get_key(nested) == '{"extra_body": {"keep": 1, "servers": [{"headers": {}}]}}'


def test_a_parameter_of_a_tool_that_is_named_like_a_credential_is_in_the_key() -> None:
    keys = {get_key({"tools": [{"parameters": {"properties": {"api_key": {"type": kind}}}}]}) for kind in ("a", "b")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("when", "hidden"),
    [("never", [False] * 3), ("if_any_run", [False, True, True]), ("if_all_run", [False, False, True])],
)
def test_tools_are_hidden_once_they_have_run(when: str, hidden: list[bool]) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    ran: list[dict[str, Any]] = []
    found = [should_hide_tools(ran, tools, when)]
    for name in ("a", "b"):
        call = {"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}}
        ran += [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": name, "content": "1"}]
        found.append(should_hide_tools(ran, tools, when))
    assert found == hidden


@pytest.mark.parametrize("cls", [Completion, ChatCompletion])
def test_the_interface_of_the_former_sdk_says_what_there_is_instead(cls: type[Completion]) -> None:
    with pytest.raises(NotImplementedError, match=rf"autogen.{cls.__name__}.create .* use autogen.OpenAIWrapper"):
        cls.create(prompt="hi")


@pytest.mark.parametrize(
    ("value", "allowed_types", "bounds", "values", "text"),
    [
        (None, int, None, None, "cannot be None"),
        ("x", (int, float), None, None, r"must be of type \(int, float\)"),
        (5, int, (0, 3), None, "has numerical bounds, >= 0 and <= 3"),
        (9, int, (None, 2), None, "has numerical bounds, <= 2"),
        ("q", str, None, ["a", "b"], "must be one of these values"),
    ],
)
def test_an_option_that_is_not_allowed_is_its_default_with_a_warning(
    value: object, allowed_types: Any, bounds: Any, values: Any, text: str
) -> None:
    with pytest.warns(UserWarning, match=f"Config error - n {text}.*, defaulting to 1."):
        assert validate_parameter({"n": value}, "n", allowed_types, False, 1, bounds, values) == 1


def test_an_option_that_is_allowed_is_taken() -> None:
    assert validate_parameter({"n": 2}, "n", (int, float), False, 1, (0, 3), [1, 2]) == 2
    assert validate_parameter({}, "n", int, False, 1, None, None) == 1
    assert validate_parameter({"n": None}, "n", int, True, 1, None, None) is None


def test_the_format_of_logs_has_their_place() -> None:
    record = logging.LogRecord("name", logging.INFO, "path", 7, "text", None, None)
    assert re.fullmatch(r"\[name: \d\d-\d\d [\d:]{8}\] \{7\} INFO - text", logger_formatter.format(record))
