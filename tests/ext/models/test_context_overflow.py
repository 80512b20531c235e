"""The error of a request that is too long says by how much, in the vendor's numbers or in estimated ones."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.support.model_clients import ABLE, OPENAI, VENDORS, OpenAIResponses, Vendor, kind_name, read

from symposia.core.exceptions import ModelError
from symposia.core.models import UserMessage
from symposia.testing.model_server import Failure, MockModelServer, Raw

RESPONSES: Vendor = OpenAIResponses()
HELLO = [UserMessage(content="hello", source="user")]
ADVICE = (
    "Shorten the conversation, ask for a shorter answer, or use a model that takes more. In a program, a "
    "TokenLimitedChatCompletionContext keeps an agent's conversation short enough."
)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)
async def test_d12_a_request_that_is_too_long_has_an_estimate_where_the_vendor_names_no_numbers(
    vendor: Vendor, server: MockModelServer
) -> None:
    client = vendor.client(server, model_info=ABLE)
    server.script(Failure(status=400, message="Input is too long for requested model."))
    taken = client.remaining_tokens([]) + client.count_tokens([])
    long = [UserMessage(content="word " * (taken + 1000), source="user")]
    with pytest.raises(ModelError) as caught:
        await client.create(long)
    text, tokens = str(caught.value), client.count_tokens(long)
    excess = (
        f"It is too long by about {tokens - taken:,} tokens: it has about {tokens:,}, and the model takes {taken:,}"
    )
    assert "refused the request as too long" in text
    assert f"Input is too long for requested model. {excess}, by its profile. {ADVICE}" in text
    assert not caught.value.is_transient


@pytest.mark.parametrize(
    ("words", "excess"),
    [
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 10000 tokens.",
         "1,808 tokens: 10,000 of 8,192."),
        (("This model's maximum context length is 4097 tokens, however you requested 4226 tokens (3970 in your prompt; "
         "256 for the completion)."), "129 tokens: 4,226 of 4,097."),
        (("This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and your "
         "prompt contains at least 262145 input tokens, for a total of at least 262145 tokens."),
         "1 token: 262,145 of 262,144."),
        ("Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 280123 tokens.",
         "8,123 tokens: 280,123 of 272,000."),
        ("This model's maximum prompt length is 131072 but the request contains 150000 tokens.",
         "18,928 tokens: 150,000 of 131,072."),
        (("This endpoint's maximum context length is 128000 tokens. However, you requested about 140000 tokens "
         "(138000 of text input, 2000 in the output)."), "12,000 tokens: 140,000 of 128,000."),
        ("prompt is too long: 208310 tokens > 200000 maximum", "8,310 tokens: 208,310 of 200,000."),
        ("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length",
         "9,573 tokens: 209,573 of 200,000."),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
         "151,424 tokens: 1,200,000 of 1,048,576."),
        ("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
         "7,232 tokens: 40,000 of 32,768."),
        ("request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
         "904 tokens: 5,000 of 4,096."),
        ("The input (263000 tokens) is longer than the model's context length (262144 tokens).",
         "856 tokens: 263,000 of 262,144."),
        ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
         "904 tokens: 5,000 of 4,096."),
        (("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and "
         "512 `max_new_tokens`"), "1,319 tokens: 9,512 of 8,193."),
        ("Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
         "353 tokens: 131,393 of 131,040."),
    ],
)  # fmt: skip
async def test_d12_the_numbers_in_a_vendors_words_say_by_how_much(
    server: MockModelServer, words: str, excess: str
) -> None:
    client = OPENAI.client(server)
    server.script(Failure(status=400, message=words))
    with pytest.raises(ModelError) as caught:
        await client.create(HELLO)
    assert f"It is too long by {excess} {ADVICE}" in str(caught.value)


async def test_d12_an_answers_limit_that_is_too_large_is_no_number_of_the_prompts(server: MockModelServer) -> None:
    client = OPENAI.client(server)
    words = (
        "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 500 "
        "input tokens."
    )
    server.script(Failure(status=400, message=words))
    with pytest.raises(ModelError) as caught:
        await client.create(HELLO)
    assert str(caught.value).endswith(f"{words} {ADVICE}")


@pytest.mark.parametrize("words", ["Too many tokens, please wait.", "max_tokens is too large: 9. It takes at most 8."])
async def test_other_refusals_that_speak_of_tokens_are_not_taken_for_it(server: MockModelServer, words: str) -> None:
    client = OPENAI.client(server)
    server.script(Failure(status=400, message=words))
    with pytest.raises(ModelError, match="Sending it again as it is does not help"):
        await client.create(HELLO)


async def test_d12_a_stream_that_reports_it_says_by_how_much(server: MockModelServer) -> None:
    words = "Your input exceeds the context window of this model."
    error = {"type": "server_error", "code": "context_length_exceeded", "message": words}
    event = f"event: error\ndata: {json.dumps({'type': 'error', 'error': error})}\n\n".encode()
    client = RESPONSES.client(server, Raw(body=event, content_type="text/event-stream"))
    taken = client.remaining_tokens([]) + client.count_tokens([])
    with pytest.raises(ModelError) as caught:
        await read(client.create_stream(HELLO))
    size = f"It has about {client.count_tokens(HELLO)} tokens, and the model takes {taken:,}, by its profile"
    assert f"{words} {size}, with the answer's. {ADVICE}" in str(caught.value)
    assert not caught.value.is_transient
