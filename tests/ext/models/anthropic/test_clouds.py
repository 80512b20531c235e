"""Anthropic's models at Amazon Bedrock and at Vertex AI: credentials, signatures, names, and Bedrock's streams."""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.support.model_clients import BEDROCK, read

from symposia.core.exceptions import InvalidArgumentError, ModelError, ModelResponseError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.models import _aws, from_name
from symposia.ext.models.anthropic import (
    AnthropicBedrockChatCompletionClient,
    AnthropicVertexChatCompletionClient,
    BaseAnthropicChatCompletionClient,
)
from symposia.ext.models.vendors import find_vendor
from symposia.testing.model_server import MockModelServer, Raw, Reply
from symposia.testing.model_server._anthropic_bedrock import STREAM_TYPE, chunk
from symposia.testing.model_server._event_frames import exception

HELLO = [UserMessage(content="hello", source="user")]
MODEL = "us.anthropic.claude-sonnet-4-6-v1:0"
KEYS: Any = {"aws_access_key": "AKIAHERE", "aws_secret_key": "hush", "aws_session_token": "temporary"}


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without credentials, on a machine without a metadata service."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def signed(server: MockModelServer, **info: Any) -> ChatCompletionClient:
    """A client without an API key."""
    given: Any = {"aws_region": "us-west-2", **info}
    return AnthropicBedrockChatCompletionClient(model=MODEL, base_url=server.url, max_retries=0, bedrock_info=given)


def signature(server: MockModelServer) -> str:
    return server.requests[-1].headers["authorization"]


# Bedrock: credentials ------------------------------------------------------------------------------------------------


async def test_requests_are_signed_with_the_given_keys(server: MockModelServer) -> None:
    client = signed(server, **KEYS)
    server.script(Reply(text="hi"), Reply(text="hi"))
    await client.create(HELLO)
    assert signature(server).startswith("AWS4-HMAC-SHA256 Credential=AKIAHERE/")
    assert "/us-west-2/bedrock/aws4_request" in signature(server)
    assert server.requests[-1].headers["x-amz-security-token"] == "temporary"
    assert server.requests[-1].path == "/model/us.anthropic.claude-sonnet-4-6-v1:0/invoke"
    await read(client.create_stream(HELLO))
    assert server.requests[-1].path.endswith("/invoke-with-response-stream")


async def test_requests_are_signed_with_the_keys_of_the_environment(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    client = signed(server)
    server.script(Reply(text="hi"))
    await client.create(HELLO)
    assert "Credential=AKIAENV/" in signature(server)


async def test_given_keys_come_before_an_api_key_of_the_environment(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bearer")
    server.script(Reply(text="hi"), Reply(text="hi"))
    await signed(server, **KEYS).create(HELLO)
    assert "Credential=AKIAHERE/" in signature(server)
    await signed(server).create(HELLO)
    assert signature(server) == "Bearer bearer"


async def test_region_and_keys_of_a_profile_are_used_and_renewed(home: Path, server: MockModelServer) -> None:
    program = home / "program.py"
    program.write_text(
        f"import json, pathlib\nlog = pathlib.Path({str(home / 'log')!r})\n"
        "number = len(log.read_text()) if log.exists() else 0\nlog.write_text('x' * (number + 1))\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'AKIA{number}', 'SecretAccessKey': 'hush', "
        "'SessionToken': 't', 'Expiration': '2026-01-01T00:00:00Z'}))\n"
    )
    (home / "config").write_text(
        f"[profile work]\nregion = eu-west-1\ncredential_process = {sys.executable} {program}\n"
    )
    info: Any = {"aws_profile": "work", "aws_region": None}
    client = await asyncio.to_thread(signed, server, **info)  # it reads the region in the file
    server.script(Reply(text="hi"), Reply(text="hi"))
    with pytest.raises(UsageError, match=r"The AWS credentials cannot be used: .*expired"):
        await client.create(HELLO)
    program.write_text(program.read_text().replace("2026-01-01", "2066-01-01"))
    await client.create(HELLO)
    assert "/eu-west-1/bedrock/" in signature(server)
    assert "Credential=AKIA0/" not in signature(server)


async def test_no_credentials_is_an_error_of_the_first_request_that_says_what_to_set(server: MockModelServer) -> None:
    client = signed(server)
    with pytest.raises(UsageError, match=r"There are no AWS credentials\. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS"):
        await client.create(HELLO)
    with pytest.raises(UsageError, match="There are no AWS credentials"):
        await read(client.create_stream(HELLO))
    assert server.requests == []


async def test_a_profile_that_does_not_exist_is_named(server: MockModelServer) -> None:
    client = signed(server, aws_profile="nonesuch")
    with pytest.raises(UsageError, match=r"The AWS credentials cannot be used: .*\(nonesuch\)"):
        await client.create(HELLO)


class SlowSession:
    """A search for credentials that waits until the test lets it go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.searches = 0

    def get_credentials(self) -> object:
        credentials = import_module("botocore.credentials")

        self.searches += 1
        assert self.go.wait(10)
        return credentials.Credentials("AKIASLOW", "hush")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowSession:
    session = SlowSession()

    def find(profile: str | None) -> SlowSession:
        return session

    monkeypatch.setattr(_aws, "_session", find)
    return session


async def test_a_search_for_credentials_that_takes_too_long_is_an_error(
    server: MockModelServer, slow: SlowSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_aws, "SEARCH_SECONDS", 0.05)
    with pytest.raises(UsageError, match=r"took longer than 0\.05 seconds\. Set AWS_ACCESS_KEY_ID"):
        await signed(server).create(HELLO)
    slow.go.set()


async def test_many_first_requests_search_once_and_hold_up_nothing(server: MockModelServer, slow: SlowSession) -> None:
    client = signed(server)
    server.script(*(Reply(text="hi") for _ in range(5)))
    asking = [asyncio.create_task(client.create(HELLO)) for _ in range(5)]
    await asyncio.sleep(0)
    slow.go.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*asking)
    assert slow.searches == 1
    assert {request.headers["authorization"].partition("/")[0] for request in server.requests} == {
        "AWS4-HMAC-SHA256 Credential=AKIASLOW"
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"bedrock_info": {"aws_regoin": "x"}}, "bedrock_info has no option 'aws_regoin'. Did you mean 'aws_region'"),
        ({"bedrock_info": {"aws_access_key": "AKIA"}}, "needs both aws_access_key and aws_secret_key"),
        ({"bedrock_info": {**KEYS, "aws_region": "x"}, "api_key": "k"}, "different credentials"),
        ({"api_key": "k"}, r"There is no AWS region: set AWS_REGION, or give bedrock_info="),
    ],
)
def test_wrong_options_fail_at_construction(options: Any, problem: str) -> None:
    error = UsageError if "region:" in problem else InvalidArgumentError
    with pytest.raises(error, match=problem):
        AnthropicBedrockChatCompletionClient(model=MODEL, **options)


def test_secrets_are_not_saved_and_the_region_is() -> None:
    given: Any = {"aws_region": "us-west-2", **KEYS}
    client = AnthropicBedrockChatCompletionClient(model=MODEL, bedrock_info=given)
    saved = client.dump_component()
    masked = dict.fromkeys(KEYS, "**********")
    assert saved.config == {"model": MODEL, "bedrock_info": {"aws_region": "us-west-2", **masked}}
    again = ChatCompletionClient.load_component({**saved.model_dump(), "provider": autogens(saved.provider)})
    assert isinstance(again, AnthropicBedrockChatCompletionClient)
    assert again.dump_component().config == {"model": MODEL, "bedrock_info": saved.config["bedrock_info"]}


def autogens(provider: str) -> str:
    return provider.replace("symposia.ext", "autogen_ext")


# Bedrock: requests and streams ---------------------------------------------------------------------------------------


async def test_sampling_parameters_are_sent_with_the_version_that_has_them(server: MockModelServer) -> None:
    client = BEDROCK.client(server, Reply(text="hi"), Reply(text="hi"), temperature=0.2)
    await client.create(HELLO)
    assert server.last_body["anthropic_version"] == "bedrock-2023-05-31"
    assert server.last_body["temperature"] == 0.2


async def test_a_client_of_the_sdk_for_bedrock_streams_in_the_base_class(server: MockModelServer) -> None:
    from anthropic.lib.bedrock import AsyncAnthropicBedrock  # noqa: PLC0415 - heavy

    sdk = AsyncAnthropicBedrock(api_key="key", aws_region="us-west-2", base_url=server.url, max_retries=0)
    client = BaseAnthropicChatCompletionClient(sdk, create_args={"model": MODEL})
    server.script(Reply(text="one two"))
    pieces, whole = await read(client.create_stream(HELLO))
    assert "".join(pieces) == whole.content == "one two"


def start() -> bytes:
    begin = {"type": "message_start", "message": {"usage": {"input_tokens": 3}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "One"}}
    return b"".join(chunk(json.dumps(event).encode()) for event in (begin, block))


@pytest.mark.parametrize(
    ("rest", "problem", "is_transient"),
    [
        (exception("throttlingException", "Too many tokens."), "reported an error .*: Too many tokens", True),
        (exception("validationException", "Malformed."), "reported an error .*: Malformed", False),
        (chunk(b"{}")[:-1] + b"!", "an event of the stream has a wrong checksum", None),
        (b"<!doctype html><html>", "the length of an event has a wrong checksum", None),
        (chunk(b"{"), "Invalid JSON", None),
        (chunk(b"{}")[:-5], "early .*no message_stop came", True),
    ],
    ids=["throttled", "refused", "checksum", "page", "json", "cut"],
)
async def test_d06_a_stream_that_breaks_off_keeps_what_arrived(
    server: MockModelServer, rest: bytes, problem: str, is_transient: bool | None
) -> None:
    client = BEDROCK.client(server, Raw(body=start() + rest, content_type=STREAM_TYPE))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "One"
    with pytest.raises(ModelError, match=problem) as caught:
        await anext(stream)
    assert caught.value.partial is not None
    assert caught.value.partial["text"] == "One"
    if is_transient is not None:
        assert caught.value.is_transient is is_transient


async def test_d06_a_stream_that_is_a_page_is_shown(server: MockModelServer) -> None:
    client = BEDROCK.client(server, Raw(body=b"<html>Please log in</html>", content_type="text/html"))
    with pytest.raises(ModelResponseError, match=r"it is no event stream of Amazon's.*begins: '<html>Please log in"):
        await read(client.create_stream(HELLO))


async def test_many_events_in_one_packet_are_all_read(server: MockModelServer) -> None:
    events = list(BEDROCK.wire.events(Reply(text="word " * 500), {"model": MODEL}))
    client = BEDROCK.client(server, Raw(body=b"".join(events), content_type=STREAM_TYPE))
    pieces, _ = await read(client.create_stream(HELLO))
    assert len(pieces) >= 500


# Vertex AI -----------------------------------------------------------------------------------------------------------


def vertex(server: MockModelServer, **options: Any) -> ChatCompletionClient:
    given: Any = {"region": "global", "base_url": f"{server.url}/v1", "max_retries": 0, **options}
    return AnthropicVertexChatCompletionClient(model="claude-sonnet-4-6@20260217", **given)


async def test_a_token_without_a_project_is_an_error_that_says_what_to_do(server: MockModelServer) -> None:
    with pytest.raises(UsageError, match="no project of Google Cloud: set ANTHROPIC_VERTEX_PROJECT_ID"):
        await vertex(server, access_token="token").create(HELLO)


def test_a_region_of_google_cloud_is_needed() -> None:
    with pytest.raises(UsageError, match="set CLOUD_ML_REGION, or give region="):
        AnthropicVertexChatCompletionClient(model="claude-sonnet-4-6")


# Names and prices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "family", "price"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4-sonnet", 3.3),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4-sonnet", 3.0),
        ("anthropic.claude-opus-4-6-v1", "claude-4-opus", 5.5),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-4-haiku",
            1.1,
        ),
    ],
)
def test_models_of_bedrock_are_known_by_their_names_there(model: str, family: str, price: float) -> None:
    client = AnthropicBedrockChatCompletionClient(model=model, api_key="key", bedrock_info={"aws_region": "us-east-1"})
    assert client.model_info["family"] == family
    assert client.token_price is not None
    assert client.token_price.prompt == price


def test_a_model_of_google_cloud_is_known_with_its_date() -> None:
    client = AnthropicVertexChatCompletionClient(
        model="claude-sonnet-4-5@20250929", region="global", access_token="t", project_id="p"
    )
    assert client.token_price is not None
    assert client.token_price.prompt == 3.0


def test_a_name_leads_to_bedrock_and_to_google_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    assert find_vendor(MODEL)[0].name == "anthropic-bedrock"
    at_google = from_name("anthropic-vertex/claude-sonnet-4-6")
    assert isinstance(at_google, AnthropicVertexChatCompletionClient)
    with pytest.raises(InvalidArgumentError, match=r"AWS_REGION is not set\. Set AWS_REGION, or give bedrock_info="):
        from_name(MODEL)
