"""`symposia models` as its users call it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import symposia
from typer.testing import Result

from symposia.cli._exit import Status
from symposia.testing.model_server import Failure, MockModelServer, Reply

OWN = """
[openai."tuned"]
like = "gpt-4o"
context = 64_000
price = { prompt = 3.75, completion = 15 }
"""


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        yield server


@pytest.fixture
def profiles(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(getattr(request, "param", OWN))
    monkeypatch.setenv("SYMPOSIA_MODEL_PROFILES", str(path))
    return path


async def models(*arguments: str) -> Result:
    return await symposia("models", *arguments)


async def as_json(*arguments: str) -> Any:
    result = await models(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_the_vendors_are_listed_with_what_each_lacks(server: MockModelServer) -> None:
    result = await models()
    assert result.exit_code == 0, result.output
    assert "✓ openai            OPENAI_API_KEY is set\n" in result.stdout
    assert f"OPENAI_BASE_URL sends its requests to {server.openai_url}" in result.stdout
    assert "✗ anthropic         ANTHROPIC_API_KEY is not set\n" in result.stdout
    assert "AZURE_OPENAI_ENDPOINT is not set" in result.stdout
    assert "openai-compatible:ADDRESS/NAME" in result.stdout
    assert "default           openai/gpt-" in result.stdout
    assert "secret" not in result.stdout
    assert server.requests == []


async def test_the_list_as_json_names_the_models(server: MockModelServer) -> None:
    found = await as_json()
    vendors = {vendor["name"]: vendor for vendor in found["vendors"]}
    assert vendors["openai"]["problems"] == []
    assert "gpt-5.4" in vendors["openai"]["models"]
    assert vendors["azure"]["default_model"] is None
    assert found["default"].startswith("openai/")


async def test_without_a_key_there_is_no_default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none: name a model, or set SYMPOSIA_MODEL or the key" in (await models()).stdout
    assert (await as_json())["default"] is None
    monkeypatch.setenv("SYMPOSIA_MODEL", "antropic/x")
    assert "SYMPOSIA_MODEL: No vendor is known for the model 'antropic/x'" in (await models()).stdout
    assert (await as_json())["default"] is None


async def test_a_model_is_shown_with_its_limits_abilities_price_and_sources() -> None:
    shown = (await models("gpt-5.4")).stdout
    for text in (
        "openai/gpt-5.4\n",
        "OPENAI_API_KEY is not set",
        "1,050,000 tokens",
        "128,000 tokens at most",
        "images, tools, JSON, JSON of a schema",
        "for a million tokens: $2.5 input, $15 output, $0.25 read from a cache",
        "above 272,000 tokens of prompt: $5 input",
        "OpenAI's model pages, 20",
        "genai-prices ",
    ):
        assert text in shown, text
    assert "not known" not in shown


async def test_a_name_that_is_not_known_says_what_is_assumed() -> None:
    shown = (await models("openai/llama-9")).stdout
    assert "llama-9 is taken to have the usual abilities, and what follows is assumed" in shown
    assert "price         not known" in shown
    assert "  from " not in shown
    assert "gpt-5.9 is taken to be like gpt-5, and what" in (await models("gpt-5.9")).stdout
    found = await as_json("openai/llama-9")
    assert (found["known"], found["like"], found["price"]) == (False, None, None)


async def test_what_the_user_states_is_shown_with_its_file(profiles: Path) -> None:
    shown = (await models("openai/tuned")).stdout
    assert "64,000 tokens" in shown
    assert "$3.75 input, $15 output" in shown
    assert "like = gpt-4o, context = 64000, price = prompt 3.75, completion 15\n" in shown
    assert f"by {profiles} (by the environment variable SYMPOSIA_MODEL_PROFILES)" in shown
    found = await as_json("openai/tuned")
    assert found["stated"] == {"like": "gpt-4o", "context": 64000, "price": {"prompt": 3.75, "completion": 15}}
    assert found["sources"]["price"] is None
    assert str(profiles) in found["stated_in"]


@pytest.mark.parametrize(
    ("profiles", "problem"),
    [
        ('[opnai."x"]\nlike = "gpt-4o"\n', "there is no vendor 'opnai'. Did you mean 'openai'?"),
        ('[zebra."x"]\nlike = "gpt-4o"\n', "there is no vendor 'zebra'. There are: anthropic, openai"),
        ('[azure."x"]\nlike = "gpt-4o"\n', "the profiles of Azure OpenAI are those of [openai]. Put the models there."),
        ('[openai."x"]\ncontxt = 5\n', "The profile of 'x' has no field 'contxt'. Did you mean 'context'?"),
        ('[openai."x"]\nprice = { prompt = 5 }\n', "The price of 'x': completion: "),
        ("[openai.gpt-4.1]\ncontext = 5\n", "is written in quotes: "),
        ('[openai-compatible."x"]\ncontext = 5\n', "are stated in [openai]. Put them there."),
        ("[openai", "The model profiles are no TOML: "),
    ],
    ids=["misspelt", "unknown", "azure", "field", "price", "dot", "server", "no TOML"],
    indirect=["profiles"],
)
async def test_what_is_wrong_with_the_users_file_is_told(profiles: Path, problem: str) -> None:
    result = await models()
    assert result.exit_code == 0, result.output
    [line] = [line for line in result.stdout.splitlines() if "✗ model profiles" in line]
    assert str(profiles) in line
    assert problem in line
    [found] = (await as_json())["profile_problems"]
    assert problem in found


@pytest.mark.parametrize("profiles", ['[openai."gpt-4o"]\ncontext = "much"\n'], ids=["context"], indirect=["profiles"])
@pytest.mark.usefixtures("profiles")
async def test_a_model_whose_own_profile_is_wrong_is_refused() -> None:
    result = await models("gpt-4o")
    assert result.exit_code == Status.USAGE
    assert "The profile of 'gpt-4o': context: " in result.stderr


async def test_a_request_tries_the_model(server: MockModelServer) -> None:
    server.script(Reply(text="ready", usage=(1_000_000, 10)), Reply(text="ready", usage=(20, 10)))
    result = await models("gpt-4.1", "--try")
    assert result.exit_code == 0, result.output
    assert "answer        ready\n" in result.stdout
    assert "tokens        1,000,000 in, 10 out, counted by the vendor\n" in result.stdout
    assert "money         $2.0001\n" in result.stdout
    trial = (await as_json("gpt-4.1", "--try"))["trial"]
    assert (trial["answer"], trial["prompt_tokens"], trial["estimated"]) == ("ready", 20, False)
    assert trial["usd"] > 0
    assert trial["seconds"] >= 0


async def test_a_model_without_a_price_says_so_when_it_is_tried(server: MockModelServer) -> None:
    server.script(Reply(text="ready", usage=(20, 10)))
    with pytest.warns(UserWarning, match="'llama-9'.* is not known"):
        result = await models(f"openai-compatible:{server.openai_url}/llama-9", "--try")
    assert "price not known" in result.stdout


async def test_without_a_name_the_default_model_is_tried(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPOSIA_MODEL", "gpt-5.4")
    server.script(Reply(text="ready"))
    assert (await models("--try")).stdout.startswith("openai/gpt-5.4\n")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["antropic/claude-sonnet-5-5"], Status.UNKNOWN_VENDOR, "Did you mean 'anthropic/claude-sonnet-5-5'?"),
        (["openai-compatible:h/m"], Status.UNKNOWN_VENDOR, "an address that begins with https:// or http://"),
        (["gpt-5.4", "--try"], Status.MISSING_KEY, "as in `export OPENAI_API_KEY=…`"),
        (
            ["azure/mine", "--try"],
            Status.MISSING_KEY,
            "Set them, as in `export AZURE_OPENAI_API_KEY=… AZURE_OPENAI_ENDPOINT=… OPENAI_API_VERSION=…`",
        ),
        (["--try"], Status.MISSING_KEY, "Set the API key of one of them, or name a model in SYMPOSIA_MODEL"),
    ],
    ids=str,
)
async def test_what_cannot_be_shown_or_tried_has_its_status(arguments: list[str], status: Status, text: str) -> None:
    result = await models(*arguments)
    assert result.exit_code == status, result.output
    assert text in result.stderr
    assert "api_key=" not in result.stderr


async def test_a_key_that_cannot_be_sent_has_the_status_of_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "“sk-quoted”")
    result = await models("gpt-5.4", "--try")
    assert result.exit_code == Status.MISSING_KEY, result.output
    assert "Copy it again, without quotes, into the environment variable OPENAI_API_KEY or to where" in result.stderr


async def test_a_refused_key_is_the_vendors_error(server: MockModelServer) -> None:
    server.script(Failure(status=401))
    result = await models("gpt-5.4", "--try")
    assert result.exit_code == Status.MODEL_FAILED
    assert "refused the API key" in result.stderr
    assert "secret" not in result.output
