"""Answers that are cut, stopped by a filter, or empty: they are answers, and the log says what to do."""

import logging

import pytest
from tests.support.model_clients import VENDORS, Vendor, kind_name, read

from symposia.core.models import UserMessage
from symposia.testing import MockModelServer
from symposia.testing.model_server import Reply, Thinking

HELLO = [UserMessage(content="hello", source="user")]
OPENAI = VENDORS[0]


async def logged(vendor: Vendor, reply: Reply, caplog: pytest.LogCaptureFixture) -> list[str]:
    async with MockModelServer() as server:
        client = vendor.client(server, reply, reply)
        await client.create(HELLO)
        await read(client.create_stream(HELLO))
        await client.close()
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)
async def test_an_answer_that_is_cut_is_logged_with_what_to_do(
    vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    whole, streamed = await logged(vendor, Reply(text="one two", stop="length"), caplog)
    assert whole == streamed
    assert whole.startswith(f"An answer of model '{vendor.model}' was cut: it reached the limit of its tokens")
    assert "In a program, max_tokens of the client allows longer ones." in whole


@pytest.mark.parametrize(
    ("reply", "remark"),
    [
        (Reply(thinking=(Thinking(text="hm"),), stop="length"), "while it reasoned, and gave no answer"),
        (Reply(stop="content_filter"), "A filter of the vendor stopped an answer of model 'gpt-4o'"),
        (Reply(), "Model 'gpt-4o' gave an empty answer. Ask again in other words"),
    ],
    ids=["reasoning", "filter", "empty"],
)
async def test_an_answer_without_words_is_logged_with_its_reason(
    reply: Reply, remark: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert [remark in each for each in await logged(OPENAI, reply, caplog)] == [True, True]


async def test_a_whole_answer_is_not_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    assert await logged(OPENAI, Reply(text="one two"), caplog) == []
