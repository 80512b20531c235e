"""One string chooses a model."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.interpreter import printed

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError, ModelError, UsageError
from symposia.core.models import UserMessage
from symposia.ext.models import (
    MissingKeyError,
    ModelNameError,
    UnknownVendorError,
    default_model_name,
    from_name,
)
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.vendors import UnknownModelWarning, find_vendor
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]


@pytest.mark.parametrize("name", ["openai/gpt-5.4", "gpt-5.4", "anthropic/claude-sonnet-5-5", "claude-sonnet-5-5"])
async def test_a_name_makes_a_client_of_its_vendor(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with MockModelServer() as server:
        for variable, value in server.environment.items():
            monkeypatch.setenv(variable, value)
        server.script(Reply(text="Good day."))
        client = from_name(name, max_retries=0)
        assert (await client.create(HELLO)).content == "Good day."
        assert server.last_body["model"] == name.rpartition("/")[2]
        await client.close()


async def test_the_environment_names_the_model_where_the_program_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MockModelServer() as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")  # SYMPOSIA_MODEL comes first
        monkeypatch.setenv("SYMPOSIA_MODEL", f" openai-compatible:{server.openai_url}/gpt-5.4 ")
        server.script(Reply(text="Good day."))
        client = from_name()
        assert (await client.create(HELLO)).content == "Good day."
        assert server.last_body["model"] == "gpt-5.4"
        await client.close()


@pytest.mark.parametrize(("key", "sent"), [(None, "Bearer none"), ("sk-own", "Bearer sk-own")])
async def test_any_server_is_named_by_its_address(key: str | None, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    async with MockModelServer() as server:
        server.script(Reply(text="Good day."))
        with pytest.warns(UnknownModelWarning, match="Model 'org/llama-9' of the server at http.* is not known"):
            client = from_name(f"openai-compatible:{server.openai_url}/org/llama-9")
        assert (await client.create(HELLO)).content == "Good day."
        assert server.last_body["model"] == "org/llama-9"
        assert server.requests[-1].headers["authorization"] == sent
        await client.close()


@pytest.mark.parametrize(
    ("address", "model"),
    [
        ("http://localhost:8000/v1", "m"),
        ("http://localhost:8000/v1", "org/m"),
        ("https://models.example/openai/v1beta/openai", "m"),
        ("http://[::1]:8000/v1", "m"),
        ("http://localhost:11434", "m"),
        ("http://localhost:11434/path", "m"),
        ("http://localhost:11434/path/", "org/m"),  # an empty segment divides
    ],
)
def test_the_name_of_a_server_divides_into_its_address_and_the_model(address: str, model: str) -> None:
    vendor, found = find_vendor(f"openai-compatible:{address}/{model}")
    assert (vendor.title, found) == (f"the server at {address.rstrip('/')}", model)


def test_a_server_that_is_a_vendors_is_asked_with_its_key() -> None:
    vendor, model = find_vendor("openai-compatible:https://api.llama.com/compat/v1/Llama-4-Scout")
    assert (vendor.name, model) == ("meta", "Llama-4-Scout")


@pytest.mark.parametrize(
    "given", ["", "m", "localhost:8000/v1/m", "http://", "http:///m", "http://h/", "http://h/v1/", "http://h:x/m"]
)
def test_a_server_without_an_address_or_a_model_is_refused(given: str) -> None:
    with pytest.raises(
        UnknownVendorError, match="openai-compatible:ADDRESS/NAME, with an address that begins"
    ) as error:
        from_name(f"openai-compatible:{given}")
    assert given in str(error.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("openai/", "Give one after the slash, as in openai/NAME"),
        ("openai-compatible:http://localhost:8000/v1", "give openai-compatible:ADDRESS/NAME"),
        ("openai-compatible:http://localhost:8000/v1/", "give openai-compatible:ADDRESS/NAME"),
        ("openai-compatible:http://localhost:8000", "give openai-compatible:ADDRESS/NAME"),
    ],
)
def test_a_name_without_a_model_is_told(name: str, advice: str) -> None:
    with pytest.raises(UnknownVendorError, match=f"names no model.*{advice}"):
        from_name(name)


def test_a_file_of_profiles_that_cannot_be_read_is_the_error_of_a_servers_model_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYMPOSIA_MODEL_PROFILES", str(tmp_path / "none.toml"))
    with pytest.raises(InvalidArgumentError, match="The model profiles cannot be read"):
        from_name("openai-compatible:http://localhost:8000/v1/m")


async def test_a_wrong_address_is_named_by_the_error_of_the_request() -> None:
    async with MockModelServer() as server:
        address = f"{server.url}/nowhere"
    client = from_name(f"openai-compatible:{address}//gpt-5.4", max_retries=0)
    with pytest.raises(ModelError, match="Check that a server runs at http") as error:
        await client.create(HELLO)
    assert address in str(error.value)
    await client.close()


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("antropic/claude-sonnet-5-5", "anthropic/claude-sonnet-5-5"),
        ("OpenAI/gpt-5.4", "openai/gpt-5.4"),
        ("gtp-5.4", "gpt-5.4"),
        ("GPT-4o", "gpt-4o"),
        ("openai:gpt-4o", "openai/gpt-4o"),
        ("ollama:llama3.2:1b", "ollama/llama3.2:1b"),
        ("llama3.2", "ollama/llama3.2"),
        ("http://localhost:8000/v1/m", "openai-compatible:http://localhost:8000/v1/m"),
    ],
)
def test_the_error_for_an_unknown_vendor_suggests_the_nearest_name(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownVendorError, match="Put one of the vendors before it: anthropic, openai") as error:
        from_name(wrong)
    assert f"Did you mean {meant!r}?" in str(error.value)


@pytest.mark.parametrize("name", ["openai-compatible:http://localhost:8000/v1/zebra", "openai/zebra"])
def test_the_warning_about_an_unknown_model_is_of_the_programs_line(name: str) -> None:
    with pytest.warns(UnknownModelWarning) as caught:
        from_name(name, api_key="k")
    assert [warning.filename for warning in caught] == [__file__]


def test_an_empty_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="There is no API key for model 'gpt-4o': set the environment variable"):
        OpenAIChatCompletionClient(model="gpt-4o", api_key="")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    OpenAIChatCompletionClient(model="gpt-4o", api_key="")  # without an error of the SDK


def test_what_is_no_text_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(ArgumentTypeError, match="The name of a model is 5: give a text"):
        from_name(wrong)


def test_an_unknown_vendor_in_the_environment_is_said_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_MODEL", "antropic/x")
    with pytest.raises(UnknownVendorError, match="SYMPOSIA_MODEL: No vendor is known for the model 'antropic/x'"):
        default_model_name()


def test_a_missing_key_is_named_with_the_option_that_replaces_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingKeyError, match="Set OPENAI_API_KEY, or give api_key=") as error:
        from_name("gpt-5.4")
    assert error.value.variable == "OPENAI_API_KEY"
    assert "api_key=" not in error.value.problem
    assert isinstance(error.value, ModelNameError)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingKeyError, match=r"pip install 'symposia\[openai\]'; OPENAI_API_KEY is not set"):
        from_name("gpt-5.4")
    with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[openai\]'"):
        from_name("gpt-5.4", api_key="k")


async def test_a_key_that_is_given_needs_none_in_the_environment() -> None:
    client = from_name("claude-sonnet-5-5", api_key="k")
    await client.close()


async def test_another_credential_of_a_vendor_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token")
    client = from_name("claude-sonnet-5-5")
    await client.close()


def test_an_option_that_the_client_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="temprature"):
        from_name("gpt-5.4", api_key="k", temprature=0)


async def test_a_deployment_of_azure_is_named_after_the_slash() -> None:
    with pytest.raises(
        MissingKeyError,
        match=r"AZURE_OPENAI_ENDPOINT is not set; OPENAI_API_VERSION is not set.*azure_ad_token=.*give azure_endpoint=",
    ):
        from_name("azure/gpt-4o")
    async with MockModelServer() as server:
        server.script(Reply(text="Good day."))
        client = from_name("azure/gpt-4o", azure_endpoint=server.url, api_version="2024-10-21", api_key="k")
        assert (await client.create(HELLO)).content == "Good day."
        assert server.requests[-1].path.startswith("/openai/deployments/gpt-4o/")
        assert client.model_info["family"] == "gpt-4o"
        await client.close()


async def test_the_model_of_a_deployment_with_a_name_of_its_own_is_an_option() -> None:
    async with MockModelServer() as server:
        server.script(Reply(text="Good day."))
        azure = {"azure_endpoint": server.url, "api_version": "2024-10-21", "api_key": "k"}
        client = from_name("azure/mine", model="gpt-4o", **azure)
        assert (await client.create(HELLO)).content == "Good day."
        assert server.requests[-1].path.startswith("/openai/deployments/mine/")
        assert client.model_info["family"] == "gpt-4o"
        await client.close()
        with pytest.raises(InvalidArgumentError, match=r"named twice, by 'mine' and by azure_deployment= and model="):
            from_name("azure/mine", model="gpt-4o", azure_deployment="other", **azure)


@pytest.mark.parametrize("name", ["openai/gpt-5.4", "anthropic/claude-sonnet-5-5", "google/gemini-2.5-flash"])
def test_an_option_that_names_another_model_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"named twice, by .* and by model=\. Leave"):
        from_name(name, model="gpt-4o", api_key="k")


def test_no_sdk_is_imported_to_find_out_who_serves_a_name() -> None:
    program = """
import sys
from symposia.ext.models.vendors import find_vendor
find_vendor("openai-compatible:http://localhost/m")
print(*sys.modules)
"""
    assert not {"openai", "anthropic", "httpx"} & set(printed(program).split())
