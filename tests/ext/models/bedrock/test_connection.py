"""How requests reach Bedrock: addresses, signatures, retries; and streams, beside boto3's own client."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.model_clients import ADD, CONVERSE, read

from symposia.core.exceptions import InvalidArgumentError, ModelError, ModelResponseError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.models import from_name
from symposia.ext.models.bedrock import BedrockChatCompletionClient
from symposia.ext.models.vendors import find_vendor
from symposia.testing.model_server import Failure, MockModelServer, Raw, RecordedRequest, Reply, Thinking, ToolCall
from symposia.testing.model_server._bedrock import STREAM_TYPE
from symposia.testing.model_server._event_frames import exception, frame

HELLO = [UserMessage(content="hello", source="user")]
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6-v1:0"
KEYS: Any = {"aws_access_key_id": "AKIAHERE", "aws_secret_access_key": "hush", "aws_session_token": "temporary"}


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


def signed(server: MockModelServer, **options: Any) -> ChatCompletionClient:
    """A client without an API key."""
    given: Any = {"model": CONVERSE.model, "region_name": "us-west-2", "max_retries": 0, "base_url": server.url}
    return BedrockChatCompletionClient(**{**given, **options})


def signature(server: MockModelServer) -> str:
    return server.requests[-1].headers["authorization"]


# Signatures ----------------------------------------------------------------------------------------------------------


def boto3_client(server: MockModelServer) -> Any:
    session = import_module("boto3").Session(**KEYS, region_name="us-west-2")
    return session.client("bedrock-runtime", endpoint_url=server.url)


def expected_signature(request: RecordedRequest, body: bytes) -> str:
    """Signature Version 4 of a request, by AWS's page on how to create a signed request."""
    given = request.headers["authorization"]
    names = given.partition("SignedHeaders=")[2].partition(",")[0]
    when = request.headers["x-amz-date"]
    headers = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    canonical = ["POST", quote(request.path, safe="/~"), "", headers, names, sha256(body).hexdigest()]
    scope = [when[:8], "us-west-2", "bedrock", "aws4_request"]
    signed = ["AWS4-HMAC-SHA256", when, "/".join(scope), sha256("\n".join(canonical).encode()).hexdigest()]
    key = b"AWS4hush"
    for part in (*scope, "\n".join(signed)):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"AWS4-HMAC-SHA256 Credential=AKIAHERE/{'/'.join(scope)}, SignedHeaders={names}, Signature={key.hex()}"


@pytest.mark.parametrize("model", [CONVERSE.model, PROFILE])
async def test_a_request_has_the_address_of_boto3s_and_is_signed_as_it_is(server: MockModelServer, model: str) -> None:
    server.script(Reply(text="hi"), Reply(text="hi"))
    await signed(server, model=model, prompt_caching=False, **KEYS).create(HELLO)
    asked = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}

    def ask() -> None:
        boto3_client(server).converse(**asked)

    await asyncio.to_thread(ask)
    ours, theirs = server.requests
    assert (ours.path, ours.body) == (theirs.path, theirs.body)
    for request, separators in ((ours, (",", ":")), (theirs, (", ", ": "))):
        body = json.dumps(request.body, separators=separators).encode()
        assert request.headers["authorization"] == expected_signature(request, body)
        assert request.headers["x-amz-security-token"] == "temporary"


async def test_requests_are_signed_with_the_keys_of_the_environment_or_of_a_profile(
    server: MockModelServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "credentials").write_text("[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hush\n")
    (home / "config").write_text("[profile work]\nregion = eu-west-1\n")
    server.script(Reply(text="hi"), Reply(text="hi"))
    working = await asyncio.to_thread(signed, server, profile_name="work", region_name=None)  # it reads the region
    await working.create(HELLO)
    assert "Credential=AKIAWORK/" in signature(server)
    assert "/eu-west-1/bedrock/" in signature(server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    await signed(server).create(HELLO)
    assert "Credential=AKIAENV/" in signature(server)


async def test_no_credentials_is_an_error_of_the_first_request_that_says_what_to_set(server: MockModelServer) -> None:
    client = signed(server)
    with pytest.raises(UsageError, match=r"There are no AWS credentials\. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS"):
        await client.create(HELLO)
    with pytest.raises(UsageError, match="There are no AWS credentials"):
        await read(client.create_stream(HELLO))
    assert server.requests == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"aws_access_key_id": "AKIA"}, "both aws_access_key_id and aws_secret_access_key"),
        ({**KEYS, "api_key": "k"}, "different credentials"),
        ({**KEYS, "profile_name": "work"}, "different credentials"),
        ({"profile_name": "work", "api_key": "k"}, "different credentials"),
        ({"region": "us-west-2"}, "no option 'region'. Did you mean 'region_name'"),
    ],
)
def test_wrong_options_fail_at_construction(options: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        BedrockChatCompletionClient(model=CONVERSE.model, **options)


def test_a_region_is_needed_unless_an_address_and_an_api_key_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"There is no AWS region .*: set AWS_REGION, or give region_name="):
        BedrockChatCompletionClient(model=CONVERSE.model, api_key="k")
    BedrockChatCompletionClient(model=CONVERSE.model, api_key="k", base_url="http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    client = BedrockChatCompletionClient(model=CONVERSE.model, api_key="k")
    assert client.effect_identity()["address"] == "https://bedrock-runtime.eu-central-1.amazonaws.com"


def test_secrets_are_not_saved_and_the_region_is() -> None:
    client = BedrockChatCompletionClient(model=CONVERSE.model, region_name="us-west-2", **KEYS)
    saved = client.dump_component()
    masked = dict.fromkeys(KEYS, "**********")
    assert saved.config == {"model": CONVERSE.model, "region_name": "us-west-2", **masked}
    assert isinstance(ChatCompletionClient.load_component(saved), BedrockChatCompletionClient)


# Retries -------------------------------------------------------------------------------------------------------------


async def test_a_failure_that_may_pass_is_tried_again_and_signed_anew(server: MockModelServer) -> None:
    soon = {"retry-after-ms": "1"}
    server.script(Failure(status=503, headers=soon), Failure(status=429, headers=soon), Reply(text="hi"))
    assert (await signed(server, max_retries=2, **KEYS).create(HELLO)).content == "hi"
    assert len(server.requests) == 3


async def test_no_other_failure_is_tried_again_nor_a_pause_of_hours_waited_out(server: MockModelServer) -> None:
    client = signed(server, max_retries=2, **KEYS)
    for failure in (Failure(status=400), Failure(status=429, retry_after=7200)):
        server.script(failure)
        async with asyncio.timeout(5):
            with pytest.raises(ModelError, match=f"status {failure.status}"):
                await client.create(HELLO)
    assert len(server.requests) == 2


# Streams -------------------------------------------------------------------------------------------------------------


async def test_the_answers_of_the_mock_server_are_those_that_botocore_reads(server: MockModelServer) -> None:
    reply = Reply(
        text="I add.",
        thinking=(Thinking(text="Hm."), Thinking(data="opaque")),
        tool_calls=(ToolCall(id="c", name="add", arguments='{"a": 1}'),),
        usage=(11, 7),
    )
    server.script(reply, reply)
    asked: Any = {"modelId": CONVERSE.model, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}

    def ask() -> tuple[Any, list[Any]]:
        client = boto3_client(server)
        return client.converse(**asked), list(client.converse_stream(**asked)["stream"])

    whole, events = await asyncio.to_thread(ask)
    thought, sealed, text, use = whole["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == "Hm."
    assert sealed["reasoningContent"]["redactedContent"] == b"opaque"
    assert (text, use["toolUse"]["input"], whole["stopReason"]) == ({"text": "I add."}, {"a": 1}, "tool_use")
    assert [next(iter(event)) for event in events][-2:] == ["messageStop", "metadata"]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas) == "I add."
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def event(kind: str, **data: Any) -> bytes:
    return frame(json.dumps(data).encode(), kind)


ONE = event("messageStart", role="assistant") + event("contentBlockDelta", contentBlockIndex=0, delta={"text": "One"})


@pytest.mark.parametrize(
    ("rest", "problem", "is_transient"),
    [
        (exception("throttlingException", "Too many tokens."), "reported an error .*: Too many tokens", True),
        (exception("modelStreamErrorException", "Broken."), "reported an error .*: Broken", True),
        (exception("validationException", "Malformed."), "reported an error .*: Malformed", False),
        (event("contentBlockDelta", contentBlockIndex=0, delta={"toolUse": {"input": "1"}}), "not started", False),
        (
            event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"text": "Hm."}}),
            "several kinds",
            False,
        ),
        (event("messageStop", stopReason="end_turn")[:-5], "early .*no messageStop came", True),
    ],
    ids=["throttled", "broken", "refused", "no start", "mixed", "cut"],
)
async def test_d06_a_stream_that_breaks_off_keeps_what_arrived(
    server: MockModelServer, rest: bytes, problem: str, is_transient: bool
) -> None:
    client = CONVERSE.client(server, Raw(body=ONE + rest, content_type=STREAM_TYPE))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "One"
    with pytest.raises(ModelError, match=problem) as caught:
        await anext(stream)
    assert caught.value.partial is not None
    assert caught.value.partial["text"] == "One"
    assert caught.value.is_transient is is_transient


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
async def test_a_stream_without_counts_is_whole_and_unknown_events_are_left_out(server: MockModelServer) -> None:
    body = ONE + event("somethingNew", what=1) + event("messageStop", stopReason="end_turn")
    client = CONVERSE.client(server, Raw(body=body, content_type=STREAM_TYPE))
    _, result = await read(client.create_stream(HELLO))
    assert (result.content, result.usage.estimated) == ("One", True)


async def test_reasoning_that_is_encrypted_in_pieces_is_joined(server: MockModelServer) -> None:
    pieces = [
        event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"redactedContent": piece}})
        for piece in ("b3A=", "YXF1ZQ==")
    ]
    end = event("messageStop", stopReason="end_turn") + event("metadata", usage={"inputTokens": 1, "outputTokens": 1})
    client = CONVERSE.client(server, Raw(body=b"".join(pieces) + end, content_type=STREAM_TYPE))
    _, result = await read(client.create_stream(HELLO))
    assert result.vendor_blocks == {"bedrock": [{"reasoningContent": {"redactedContent": "b3BhcXVl"}}]}


async def test_arguments_that_the_limit_cut_off_are_kept_as_text(server: MockModelServer) -> None:
    cut = (
        event("contentBlockStart", contentBlockIndex=0, start={"toolUse": {"toolUseId": "c", "name": "add"}})
        + event("contentBlockDelta", contentBlockIndex=0, delta={"toolUse": {"input": '{"a": '}})
        + event("messageStop", stopReason="max_tokens")
        + event("metadata", usage={"inputTokens": 1, "outputTokens": 1})
    )
    _, result = await read(
        CONVERSE.client(server, Raw(body=cut, content_type=STREAM_TYPE)).create_stream(HELLO, tools=[ADD])
    )
    assert result.finish_reason == "length"
    assert not isinstance(result.content, str)
    assert result.content[0].arguments == '{"a": '


async def test_d06_a_stream_that_is_a_page_is_shown(server: MockModelServer) -> None:
    client = CONVERSE.client(server, Raw(body=b"<html>Please log in</html>", content_type="text/html"))
    with pytest.raises(ModelResponseError, match=r"it is no event stream of Amazon's.*begins: '<html>Please log in"):
        await read(client.create_stream(HELLO))


# Names and prices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "family", "price"),
    [
        (CONVERSE.model, "claude-4-sonnet", 3.3),
        (PROFILE, "claude-4-sonnet", 3.3),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4-sonnet", 3.0),
        ("eu.amazon.nova-lite-v1:0", "nova", 0.06),
        ("us.meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b", 0.72),
        ("openai.gpt-oss-120b-1:0", "gpt-oss", 0.15),
    ],
)
def test_models_are_known_by_their_names(model: str, family: str, price: float) -> None:
    client = BedrockChatCompletionClient(model=model, api_key="key", region_name="us-east-1")
    assert client.model_info["family"] == family
    assert client.token_price is not None
    assert client.token_price.prompt == pytest.approx(price)


def test_a_name_leads_to_converse(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_vendor("us.amazon.nova-pro-v1:0")[0].name == "bedrock"
    assert find_vendor("deepseek.r1-v1:0")[0].name == "bedrock"
    assert find_vendor(CONVERSE.model)[0].name == "anthropic-bedrock"
    with pytest.raises(InvalidArgumentError, match=r"AWS_REGION is not set\. Set AWS_REGION, or give region_name="):
        from_name("bedrock/us.amazon.nova-pro-v1:0")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key")
    assert isinstance(from_name(f"bedrock/{CONVERSE.model}"), BedrockChatCompletionClient)
