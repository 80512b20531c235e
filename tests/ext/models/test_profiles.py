import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from anthropic.types.model import Model
from genai_prices import Usage, data_snapshot
from openai.types.shared.chat_model import ChatModel

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ModelFamily, TokenPrice
from symposia.ext.models import from_name
from symposia.ext.models._profile_data import shipped_prices
from symposia.ext.models._profiles import ModelCatalog, ModelProfile, UnknownModelWarning
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.anthropic._profiles import CATALOG as ANTHROPIC
from symposia.ext.models.azure._client import CATALOG as AZURE_AI
from symposia.ext.models.bedrock._client import CATALOG as BEDROCK
from symposia.ext.models.openai import AzureOpenAIChatCompletionClient, OpenAIChatCompletionClient
from symposia.ext.models.openai._profiles import CATALOG as OPENAI
from symposia.ext.models.vendors import forget_model_profiles, use_model_profiles

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


@pytest.fixture
def stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Writes a user's file of profiles, which the environment names."""

    def write(text: str) -> Path:
        path = tmp_path / f"models-{len(list(tmp_path.iterdir()))}.toml"
        path.write_text(text)
        monkeypatch.setenv("SYMPOSIA_MODEL_PROFILES", str(path))
        return path

    yield write
    forget_model_profiles()


def test_a_user_states_what_a_model_is_like_and_what_differs(stated: Callable[[str], Path]) -> None:
    stated('[openai."acme-tuned"]\nlike = "gpt-4o"\ncontext = 64_000\nprice = { prompt = 3, completion = 12 }')
    client = OpenAIChatCompletionClient(model="acme-tuned", api_key="key")  # no warning
    assert client.model_info["family"] == ModelFamily.GPT_4O
    assert client.token_price == TokenPrice(3, 12)
    assert client.remaining_tokens([]) == 64_000


def test_a_user_corrects_a_known_model_and_others_stay(stated: Callable[[str], Path]) -> None:
    stated('[openai."gpt-4o"]\nvision = false')
    assert (OPENAI.find("gpt-4o").vision, OPENAI.find("gpt-4o-2024-11-20").vision) == (False, False)
    assert OPENAI.find("gpt-4o-mini").vision
    assert OPENAI.price("gpt-4o") == OPENAI.price("gpt-4o-2024-08-06") != OPENAI.price("gpt-4o-mini")


def test_a_program_states_profiles_which_come_before_those_of_the_file(stated: Callable[[str], Path]) -> None:
    stated('[openai."gpt-4o"]\ncontext = 1')
    use_model_profiles({"openai": {"gpt-4o": {"context": 2}}, "anthropic": {"claude-9": {"max_output": 3}}})
    assert (OPENAI.find("gpt-4o").context, ANTHROPIC.find("claude-9").max_output) == (2, 3)
    forget_model_profiles()
    assert (OPENAI.find("gpt-4o").context, ANTHROPIC.find("claude-9").max_output) == (1, 128_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[openai", "are no TOML: .*models-0.toml .by the environment variable SYMPOSIA_MODEL_PROFILES"),
        ("openai = 3", "no table at openai. Write"),
        ("[openai]\ngpt-4o = 3", "no table at openai.gpt-4o"),
        ('[openai."gpt-4o"]\ncontxt = 3', "The profile of 'gpt-4o' has no field 'contxt'. Did you mean 'context'?"),
        ('[openai."gpt-4o"]\ncontext = "big"', "The profile of 'gpt-4o': context: Input should be a valid integer"),
        ('[openai."gpt-4o"]\neffort = "huge"', "The profile of 'gpt-4o': effort: Input should be 'none'"),
        ('[openai."gpt-4o"]\nprice = { prompt = 3 }', "The price of 'gpt-4o': completion: Field required"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(text: str, words: str, stated: Callable[[str], Path]) -> None:
    stated(text)
    with pytest.raises(InvalidArgumentError, match=words):
        OpenAIChatCompletionClient(model="gpt-4o", api_key="key")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"cannot be read: .*none.toml: No such file"):
        use_model_profiles(tmp_path / "none.toml")
    with pytest.raises(ArgumentTypeError, match="takes the path of a TOML file or a dictionary, not 3"):
        use_model_profiles(3)  # type: ignore[arg-type]


PRICED = ["anthropic", "aws", "azure", "deepseek", "google", "groq", "meta", "mistral", "openai", "x-ai"]


@pytest.mark.parametrize("vendor", PRICED)
@pytest.mark.parametrize("prompt", [1_000, 300_000])
def test_prices_are_those_of_genai_prices(vendor: str, prompt: int) -> None:
    prices = shipped_prices(vendor)
    provider = next(each for each in data_snapshot.get_snapshot().providers if each.id == vendor)
    usage = Usage(input_tokens=prompt, output_tokens=500, cache_read_tokens=200)
    compared = 0
    for model in provider.models:
        if (price := prices.get(model.id)) is not None:
            listed = model.get_prices(datetime(2026, 11, 22, 12, tzinfo=UTC)).calc_price(usage)["total_price"]
            assert price.cost(prompt, 500, cached_tokens=200) == pytest.approx(float(listed)), model.id
            compared += 1
    assert compared > 5


@pytest.mark.parametrize(("vendor", "catalog"), [("aws", BEDROCK), ("azure", AZURE_AI)], ids=["aws", "azure"])
def test_known_models_have_the_context_of_genai_prices(vendor: str, catalog: ModelCatalog[Any]) -> None:
    provider = next(each for each in data_snapshot.get_snapshot().providers if each.id == vendor)
    known = [model for model in provider.models if model.context_window and catalog.knows(model.id)]
    differing = {model.id for model in known if catalog.find(model.id).context != model.context_window}
    assert differing <= {"writer.palmyra-x5-v1:0"}  # a million, by AWS's page on it


def test_the_prices_that_are_shipped_are_those_of_the_pinned_genai_prices() -> None:
    script = Path(__file__).parents[3] / "scripts/_model_prices.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("model", "prompt"),
    [("gpt-4o", 2.5), ("gpt-4o-2024-08-06", 2.5), ("gpt-4o-2024-05-13", 5), ("gpt-4o-mini", 0.15), ("gpt-9", None)],
)
def test_the_price_of_a_model_is_that_of_its_version(model: str, prompt: float | None) -> None:
    price = OPENAI.price(model)
    assert (price and price.prompt) == prompt


def test_a_misspelt_name_is_no_known_one_and_the_nearest_is_suggested() -> None:
    with pytest.warns(UnknownModelWarning, match=r"usual abilities: .*Did you mean 'claude-opus-4-5'\?") as warned:
        AnthropicChatCompletionClient(model="claude-opuss-4-5-20250929", api_key="k")
    assert isinstance(warned[0].message, UnknownModelWarning)
    assert warned[0].message.assumption.endswith("Did you mean 'claude-opus-4-5'?")
    with pytest.warns(UnknownModelWarning, match=r"Did you mean 'gpt-4o'\?"):
        OpenAIChatCompletionClient(model="gtp-4o", api_key="k")


def test_a_model_of_another_server_is_not_called_the_vendors() -> None:
    with pytest.warns(UnknownModelWarning, match=r"^Model 'mine' of the server at http://localhost:8000/v1 is not"):
        OpenAIChatCompletionClient(model="mine", base_url="http://localhost:8000/v1", api_key="k")
    with pytest.warns(UnknownModelWarning, match=r"^Model 'mine' of the server at http://localhost:8000 is not"):
        AnthropicChatCompletionClient(model="mine", base_url="http://localhost:8000", api_key="k")
    with pytest.warns(UnknownModelWarning, match=r"^OpenAI model 'mine' is not"):
        OpenAIChatCompletionClient(model="mine", api_key="k")


def test_of_an_unknown_deployment_the_model_is_asked_for() -> None:
    azure: dict[str, Any] = {"azure_endpoint": "http://localhost:1", "api_version": "2024-10-21", "api_key": "k"}
    advice = r"give the deployment's model as model=, beside azure_deployment= or the name azure/DEPLOYMENT"
    with pytest.warns(UnknownModelWarning, match=advice):
        from_name("azure/mine", **azure)
    with pytest.warns(UnknownModelWarning, match=advice):
        AzureOpenAIChatCompletionClient(model="mine", **azure)
