"""The registry of model vendors."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.interpreter import printed

from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    MissingExtraError,
    ModelError,
    RegistrationError,
    UsageError,
)
from symposia.core.models import ModelFamily, TokenPrice, UserMessage
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient, OpenAIProfile, compatible_vendor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.vendors import (
    ModelVendor,
    default_vendor,
    find_vendor,
    model_vendors,
    register_vendor,
    unregister_vendor,
)
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]
ACME = compatible_vendor(
    name="acme",
    title="Acme",
    base_url="https://models.acme.example/v1",
    address_variable="ACME_BASE_URL",
    key="ACME_API_KEY",
    models="anvil-",
    default_model="anvil-2",
    profiles={"anvil-2": OpenAIProfile(family="anvil", context=200_000, max_output=32_000, vision=False)},
    prices={"anvil-2": TokenPrice(prompt=2, completion=8)},
)


def make_parrot(*, model: str) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient([f"I am {model}."])


LOCAL = ModelVendor(
    name="local",
    title="Local",
    models="parrot",
    default_model="parrot",
    make=make_parrot,
    key=None,
    sdk="json",
    extra="local",
)


@pytest.mark.parametrize("name", ["a b", "a/b", "", " acme", "-acme", "acme\n"])
def test_a_name_that_cannot_be_given_on_a_command_line_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"name of a model vendor is .*: give letters, digits") as error:
        replace(LOCAL, name=name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    "address", ["nope", "", "localhost:1", "models.example/v1", "ftp://a", "https://", "http://[a"]
)
def test_an_address_without_a_scheme_or_a_host_is_refused_when_the_vendor_is_made(address: str) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"base_url of the vendor 'acme' is .* begins with https://"
    ) as error:
        replace(ACME, base_url=address)
    assert repr(address) in str(error.value)


@pytest.mark.parametrize("wrong", [{"base_url": None}, {"name": 5}], ids=repr)
def test_a_vendor_of_other_types_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentTypeError, match=f"{next(iter(wrong.values()))}: give a"):
        replace(ACME, **wrong)


@pytest.mark.parametrize("wrong", ["acme", None, ModelVendor], ids=repr)
def test_what_is_not_a_vendor_is_not_registered(wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="A model vendor has to be a ModelVendor, not "):
        register_vendor(wrong)


@pytest.fixture
def acme() -> Iterator[ModelVendor]:
    register_vendor(ACME)
    yield ACME
    unregister_vendor("acme")


@pytest.mark.parametrize(
    ("name", "vendor", "model"),
    [
        ("gpt-5.5", "openai", "gpt-5.5"),
        ("o3-mini", "openai", "o3-mini"),
        ("claude-sonnet-5-5", "anthropic", "claude-sonnet-5-5"),
        ("gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("google/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("ollama/llama3.2:1b", "ollama", "llama3.2:1b"),
        ("magistral-small-2509", "mistral", "magistral-small-2509"),
        ("open-mistral-nemo", "mistral", "open-mistral-nemo"),
        ("Llama-4-Scout", "meta", "Llama-4-Scout"),
        ("openai/my-model", "openai", "my-model"),
        ("openai/org/my-model", "openai", "org/my-model"),
        ("anthropic-openai/claude-sonnet-5-5", "anthropic-openai", "claude-sonnet-5-5"),
    ],
)
def test_a_model_is_found_by_its_vendor_or_by_its_name(name: str, vendor: str, model: str) -> None:
    found, found_model = find_vendor(name)
    assert (found.name, found_model) == (vendor, model)


@pytest.mark.parametrize("name", ["goose", "nonesuch/gpt", "/gpt-5", ""])
def test_an_unknown_model_is_an_error_that_names_the_vendors(name: str) -> None:
    with pytest.raises(
        InvalidArgumentError,
        match=r"Put one of the vendors before it: anthropic, openai, gemini, google, .* openai-compatible:ADDRESS/NAME",
    ):
        find_vendor(name)


def test_every_vendor_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in model_vendors():
        if vendor.default_model is None:
            continue
        environment = {} if vendor.key is None else {vendor.key: "secret"}
        assert vendor.problems({}) == [f"{name} is not set" for name in environment]
        assert vendor.problems(environment) == []
        assert vendor.problems({}, given=["api_key"]) == []
        assert vendor.serves(vendor.default_model) == (vendor.name != "ollama")  # whose models are of other makers
        with monkeypatch.context() as without_sdk:
            without_sdk.setitem(sys.modules, vendor.sdk, None)
            assert vendor.problems(environment) == [f"the SDK is not installed: pip install 'symposia[{vendor.extra}]'"]
            with pytest.raises(MissingExtraError):
                vendor.make_client(vendor.default_model)


def test_the_default_vendor_is_the_first_that_can_be_used() -> None:
    assert default_vendor({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}).name == "anthropic"
    assert default_vendor({"OPENAI_API_KEY": "k"}).name == "openai"
    assert default_vendor({"GEMINI_API_KEY": "k"}).name == "gemini"


def test_without_a_usable_vendor_the_error_says_what_each_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UsageError, match=r"(?s)\n- anthropic: ANTHROPIC_API_KEY is not set\n- openai: OPENAI_API_KEY is"
    ):
        default_vendor({})
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UsageError, match=r"- openai: the SDK is not installed: pip install .*; OPENAI_API_KEY is not"):
        default_vendor({})


def test_a_vendor_that_lacks_its_sdk_alone_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    assert default_vendor({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}).name == "anthropic"
    with pytest.raises(MissingExtraError, match=r"OpenAI, whose key is in OPENAI_API_KEY.*'symposia\[openai\]'"):
        default_vendor({"OPENAI_API_KEY": "k"})


def test_an_sdk_in_a_package_that_is_not_there_is_not_installed() -> None:
    assert not replace(LOCAL, sdk="nonesuch.inside").is_installed()


def test_the_names_of_models_are_checked_when_a_vendor_is_made() -> None:
    with pytest.raises(InvalidArgumentError, match=r"models of the vendor 'local' are not a regular expression: '\('"):
        replace(LOCAL, models="(")


async def test_a_vendor_makes_clients_of_its_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    openai, anthropic = (find_vendor(name)[0].make_client(name, max_retries=0) for name in ("gpt-4o", "claude-opus-5"))
    assert isinstance(openai, OpenAIChatCompletionClient)
    assert isinstance(anthropic, AnthropicChatCompletionClient)
    await openai.close()
    await anthropic.close()


async def test_a_compatible_vendors_model_is_asked_at_its_address_with_its_key_and_profile(
    acme: ModelVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MockModelServer() as server:
        monkeypatch.setenv("ACME_API_KEY", "acme's")
        monkeypatch.setenv("ACME_BASE_URL", server.openai_url)
        server.script(Reply(text="An anvil."), Reply(text="An anvil."))
        for client in (acme.make_client("anvil-2"), OpenAIChatCompletionClient(model="anvil-2")):
            assert (await client.create(HELLO)).content == "An anvil."
            assert server.requests[-1].headers["authorization"] == "Bearer acme's"
            assert (client.model_info["vision"], client.model_info["family"]) == (False, "anvil")
            await client.close()


async def test_the_errors_of_a_compatible_vendor_name_it_and_its_key(
    acme: ModelVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="set the environment variable ACME_API_KEY"):
        acme.make_client("anvil-2")
    async with MockModelServer() as server:
        monkeypatch.setenv("ACME_BASE_URL", server.openai_url)
        client = acme.make_client("anvil-2", api_key="k", max_retries=0)
        with pytest.raises(ModelError, match="Acme refused the request for model 'anvil-2'"):
            await client.create(HELLO)
        await client.close()


async def test_a_model_of_another_vendor_is_asked_at_the_base_url_that_is_given(acme: ModelVendor) -> None:
    async with MockModelServer() as server:
        server.script(Reply(text="hi"))
        client = OpenAIChatCompletionClient(model="anvil-2", base_url=server.openai_url, api_key="k")
        assert (await client.create(HELLO)).content == "hi"
        assert client.model_info["family"] == "anvil"
        await client.close()


def test_a_vendor_without_a_key_or_an_sdk_can_be_used() -> None:
    register_vendor(LOCAL)
    try:
        vendor, model = find_vendor("local/parrot")
        assert vendor.problems({}) == []
        assert isinstance(vendor.make_client(model), ReplayChatCompletionClient)
    finally:
        unregister_vendor("local")


def test_a_model_of_a_vendor_of_the_programs_has_its_price(acme: ModelVendor) -> None:
    for name, price in (("anvil-2", TokenPrice(prompt=2, completion=8)), ("anvil-2-mini", None)):
        assert acme.make_client(name, api_key="k").token_price == price


def test_a_name_is_registered_once(acme: ModelVendor) -> None:
    register_vendor(acme)  # the same again
    other = compatible_vendor(
        name="acme", title="Acme", base_url="http://x", key=None, models="x", default_model="x", profiles={}
    )
    with pytest.raises(RegistrationError, match="'acme' is registered already"):
        register_vendor(other)
    with pytest.raises(RegistrationError, match="No model vendor named 'nonesuch' was registered"):
        unregister_vendor("nonesuch")


@pytest.mark.parametrize(
    ("model", "family"),
    [("gemini-2.5-pro", ModelFamily.GEMINI_2_5_PRO), ("gemini-1.5-flash-002", ModelFamily.GEMINI_1_5_FLASH)],
)
async def test_a_vendors_profiles_have_the_families_that_autogens_programs_name(
    monkeypatch: pytest.MonkeyPatch, model: str, family: str
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    client = OpenAIChatCompletionClient(model=model)
    assert client.model_info["family"] == family
    await client.close()


def test_no_sdk_is_imported_before_it_is_used() -> None:
    program = """
import sys
import symposia.ext.models.anthropic, symposia.ext.models.openai, symposia.ext.models.replay
import symposia.ext.models.gemini, symposia.ext.models.mistral, symposia.ext.models.ollama
from symposia.ext.models.vendors import model_vendors
model_vendors()
print(*sys.modules)
"""
    assert not {"openai", "anthropic", "httpx", "httpx2", "mistralai"} & set(printed(program).split())


async def test_the_example_of_a_vendor_asks_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[3] / "examples" / "extending" / "model_vendor.py"
    async with MockModelServer() as server:
        server.script(Reply(text="An anvil."))
        monkeypatch.setenv("ACME_API_KEY", "k")
        monkeypatch.setenv("ACME_BASE_URL", server.openai_url)
        process = await asyncio.create_subprocess_exec(sys.executable, example, stdout=subprocess.PIPE)
        output, _ = await process.communicate()
    assert output.decode().splitlines() == ["anvil-2-mini is a model of Acme, as is anvil-2", "An anvil."]
    assert server.last_body["model"] == "anvil-2-mini"
