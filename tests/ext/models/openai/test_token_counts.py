"""Counting tokens by a tokenizer on this machine."""

import base64
import hashlib
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
import tiktoken
import tiktoken.load
import tiktoken.registry

from symposia.core import FunctionCall
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    estimate_tokens,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models import from_name
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.openai._tokens import FILES

HELLO: list[LLMMessage] = [SystemMessage(content="Be kind."), UserMessage(content="Hallo, wörld", source="user")]
HELLO_TOKENS = (3 + len("system") + len("Be kind.")) + (3 + len("user") + len("Hallo, wörld".encode())) + 3
"""By an encoding whose tokens are bytes, and the frames of OpenAI's cookbook."""
CALL = AssistantMessage(content=[FunctionCall(id="1", name="add", arguments="{}")], source="agent")
RESULT = FunctionExecutionResultMessage(
    content=[FunctionExecutionResult(call_id="1", content="2", name="add", is_error=False)]
)


def add(a: int) -> int:
    return a + 1


@pytest.fixture(autouse=True)
def _no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No encoding is loaded, no file is there, and fetching one is an error."""

    def fetch(address: str) -> bytes:
        raise AssertionError(f"asked for {address}")

    monkeypatch.setattr(tiktoken.load, "read_file", fetch)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))


@pytest.fixture
def encoding(monkeypatch: pytest.MonkeyPatch) -> tiktoken.Encoding:
    """An encoding whose tokens are bytes, in place of those of OpenAI's models."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    made = tiktoken.Encoding("bytes", pat_str=r"\s?\S+|\s+", mergeable_ranks=ranks, special_tokens={"<|end|>": 256})
    for name in ("o200k_base", "cl100k_base"):
        monkeypatch.setitem(tiktoken.registry.ENCODINGS, name, made)
    return made


def client(model: str = "gpt-4o", **options: object) -> ChatCompletionClient:
    return from_name(f"openai/{model}", api_key="k", include_name_in_message=False, **options)


@pytest.mark.usefixtures("encoding")
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4", "gpt-4-0613", "gpt-3.5-turbo"])
def test_plain_texts_are_counted_exactly_where_the_tokenizer_is_installed(model: str) -> None:
    asked = client(model)
    assert asked.count_tokens(HELLO) == HELLO_TOKENS
    assert asked.counts_exactly(HELLO)


@pytest.mark.usefixtures("encoding")
def test_a_name_in_a_message_is_counted_as_it_is_sent() -> None:
    named = from_name("openai/gpt-4o", api_key="k")
    assert named.count_tokens(HELLO) == HELLO_TOKENS + len("user") + 1
    assert named.counts_exactly(HELLO)


@pytest.mark.usefixtures("encoding")
@pytest.mark.parametrize("message", [CALL, RESULT], ids=["call", "result"])
def test_what_has_unpublished_frames_is_labelled_an_estimate(message: LLMMessage) -> None:
    assert client().count_tokens([*HELLO, message]) > HELLO_TOKENS
    assert not client().counts_exactly([*HELLO, message])


@pytest.mark.usefixtures("encoding")
def test_tools_are_counted_by_the_tokenizer_and_labelled_an_estimate() -> None:
    tools = [FunctionTool(add, description="Adds one.")]
    assert client().count_tokens(HELLO, tools=tools) > HELLO_TOKENS + len("Adds one.")
    assert not client().counts_exactly(HELLO, tools=tools)


@pytest.mark.usefixtures("encoding")
@pytest.mark.parametrize("model", ["gpt-5.4", "o3", "gpt-3.5-turbo-0301", "gpt-4.1"])
def test_a_model_whose_frames_are_not_published_has_an_estimate(model: str) -> None:
    assert client(model).count_tokens(HELLO) == HELLO_TOKENS
    assert not client(model).counts_exactly(HELLO)


@pytest.mark.usefixtures("encoding")
def test_another_vendors_model_is_estimated() -> None:
    claude = from_name("claude-sonnet-5-5", api_key="k")
    assert claude.count_tokens(HELLO) == estimate_tokens(HELLO)
    assert not claude.counts_exactly(HELLO)


@pytest.mark.usefixtures("encoding")
def test_special_tokens_in_a_text_are_text() -> None:
    messages: list[LLMMessage] = [UserMessage(content="<|end|>", source="user")]
    assert client().count_tokens(messages) == 3 + len("user") + len("<|end|>") + 3


@pytest.mark.usefixtures("encoding")
def test_a_long_text_is_counted_in_pieces_and_labelled_an_estimate() -> None:
    messages: list[LLMMessage] = [UserMessage(content="ab " * 50_000, source="user")]
    assert client().count_tokens(messages) == 150_000 + 3 + len("user") + 3
    assert not client().counts_exactly(messages)


def test_without_the_file_of_the_tokenizer_nothing_is_fetched() -> None:
    assert client().count_tokens(HELLO) == estimate_tokens(HELLO)
    assert not client().counts_exactly(HELLO)


@pytest.mark.parametrize("folder", ["", "/nonesuch"])
def test_a_folder_that_keeps_no_files_has_none(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", folder)
    assert client().count_tokens(HELLO) == estimate_tokens(HELLO)


def test_the_file_that_tiktoken_would_read_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://encodings.example/bytes.tiktoken"
    data = b"".join(base64.b64encode(bytes([byte])) + f" {byte}\n".encode() for byte in range(256))
    (tmp_path / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()

    def bytes_encoding() -> dict[str, object]:
        ranks = tiktoken.load.load_tiktoken_bpe(address, expected_hash=digest)
        return {"name": "o200k_base", "pat_str": r"\S+|\s+", "mergeable_ranks": ranks, "special_tokens": {}}

    monkeypatch.setattr(tiktoken.registry, "ENCODING_CONSTRUCTORS", {"o200k_base": bytes_encoding})
    monkeypatch.setattr("symposia.ext.models.openai._tokens.FILES", {"o200k_base": (address, digest)})
    assert client().count_tokens(HELLO) == HELLO_TOKENS
    assert client().counts_exactly(HELLO)


def test_the_files_are_those_of_the_tiktoken_that_is_installed() -> None:
    source = inspect.getsource(import_module("tiktoken_ext.openai_public"))
    for address, digest in FILES.values():
        assert re.search(rf'"{re.escape(address)}",\s*expected_hash="{digest}"', source)


def test_a_damaged_file_is_not_replaced_over_the_network(tmp_path: Path) -> None:
    address, _ = FILES["o200k_base"]
    file = tmp_path / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    file.write_bytes(b"damaged")
    assert client().count_tokens(HELLO) == estimate_tokens(HELLO)
    assert file.read_bytes() == b"damaged"


def test_without_tiktoken_the_count_is_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert client().count_tokens(HELLO) == estimate_tokens(HELLO)
    assert not client().counts_exactly(HELLO)


@pytest.mark.usefixtures("encoding")
def test_a_wrapper_counts_exactly_where_all_its_clients_do() -> None:
    assert FallbackClient([client(), client("gpt-4")]).counts_exactly(HELLO)
    assert not FallbackClient([client(), client("gpt-5.4")]).counts_exactly(HELLO)
