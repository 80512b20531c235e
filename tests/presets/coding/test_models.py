import sys

import pytest

from symposia.core.exceptions import MissingExtraError
from symposia.ext.models import MissingKeyError, UnknownVendorError, default_model_name
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import NamedModel, SwarmModels, model_named


@pytest.mark.parametrize("name", ["llama-9", "", "acme/large", "orca", "my-gpt-5"])
def test_a_name_that_tells_no_vendor_is_refused_with_the_way_to_name_one(name: str) -> None:
    with pytest.raises(UnknownVendorError, match="openai-compatible:ADDRESS/NAME"):
        model_named(name)


def test_without_a_name_the_key_that_is_set_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingKeyError):
        default_model_name()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert default_model_name().startswith("openai/gpt-")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    assert default_model_name().startswith("anthropic/claude-")


def test_a_key_without_its_sdk_asks_for_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[openai\]'"):
        default_model_name()
    with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[openai\]'"):
        model_named("openai/gpt-5.5")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(MissingKeyError, match=r"(?s)- openai: the SDK is not installed.*OPENAI_API_KEY is not set"):
        default_model_name()
    with pytest.raises(MissingKeyError, match=r"the SDK is not installed.*OPENAI_API_KEY is not set"):
        model_named("openai/gpt-5.5")


def test_a_model_needs_its_own_vendors_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert model_named("openai/gpt-5.5").name == "gpt-5.5"
    with pytest.raises(MissingKeyError, match=r"ANTHROPIC_API_KEY is not set.*Set ANTHROPIC_API_KEY, or give api_key="):
        model_named("claude-sonnet-5-5")


async def test_closing_the_models_closes_every_client() -> None:
    closed: list[str] = []

    class Client(ReplayChatCompletionClient):
        async def close(self) -> None:
            closed.append("closed")

    models = [NamedModel(name=name, client=Client([])) for name in ("planner", "coder", "reviewer")]
    await SwarmModels(planner=models[0], coder=models[1], reviewer=models[2]).close()
    assert len(closed) == 3


async def test_a_model_is_labelled_with_the_address_of_its_server_where_one_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    own, named = model_named("gpt-5.4"), model_named("openai-compatible:http://user:secret@localhost:1/v1/gpt-5.4")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:2/v1/")
    elsewhere = model_named("openai/gpt-5.4")
    assert (own.label, own.address) == ("gpt-5.4", "")
    assert (named.label, named.name) == ("gpt-5.4 at http://localhost:1/v1", "gpt-5.4")
    assert elsewhere.label == "gpt-5.4 at http://localhost:2/v1"
    for model in (own, named, elsewhere):
        await model.client.close()
