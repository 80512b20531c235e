"""What a real SDK makes of each fault, in the wire formats whose clients are here; and what the server keeps."""

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest
from tests.support.model_clients import VENDORS, Vendor, kind_name, read

from symposia.core.exceptions import ArgumentTypeError, ModelError
from symposia.core.models import UserMessage
from symposia.testing import MockModelServer
from symposia.testing.model_server import (
    IMAGES_REFUSED,
    LOGIN_PAGE,
    Answer,
    Failure,
    Hold,
    Raw,
    Reply,
    Reset,
    Rule,
    ToolCall,
)

HELLO = [UserMessage(content="hello", source="user")]
every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)


@pytest.fixture(params=["whole", "stream"])
def streams(request: pytest.FixtureRequest) -> bool:
    return request.param == "stream"


async def answer(vendor: Vendor, server: MockModelServer, *, streams: bool, **options: Any) -> str:
    client = vendor.client(server, **options)
    try:
        if streams:
            return str((await read(client.create_stream(HELLO)))[1].content)
        return str((await client.create(HELLO)).content)
    finally:
        await client.close()


@every_vendor
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Reply(text="one two three", damage="malformed_json"), "JSON|parse|read"),
        (Reply(text="one two three", damage="empty_body"), "empty|ended|JSON"),
        (Reply(text="one two three", cut_after=2), "closed|ended|lost|connection|peer|incomplete"),
        (LOGIN_PAGE, "html|page|JSON"),
        (IMAGES_REFUSED, "does not support image input"),
        (Failure(status=503, message="overloaded"), "overloaded"),
        (Reset(), "connection|reach|disconnected"),
    ],
    ids=["malformed", "empty", "cut", "login", "images", "unavailable", "reset"],
)
async def test_a_fault_is_an_error_of_the_client(vendor: Vendor, fault: Answer, words: str, streams: bool) -> None:
    async with MockModelServer([Rule([fault])]) as server:
        with pytest.raises(ModelError, match=f"(?i){words}"):
            await answer(vendor, server, streams=streams)
    assert server.problems == []


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.retries], ids=kind_name)
async def test_a_client_that_tries_again_gets_the_answer_behind_the_faults(vendor: Vendor, streams: bool) -> None:
    slow_down = Failure(status=429, message="slow down", retry_after=0.01)
    faults = [slow_down] if vendor.name == "Gemini" else [slow_down, Reset()]  # whose SDK takes a reset for final
    async with MockModelServer([Rule([*faults, Reply(text="At last.")])]) as server:
        assert await answer(vendor, server, streams=streams, max_retries=3) == "At last."
    assert len(server.requests) == 1 + len(faults)


async def test_connections_are_refused_for_a_time_after_a_reset() -> None:
    async with MockModelServer([Rule([Reset(refuse_for=0.05), Reply(text="Back.")])]) as server:
        vendor = VENDORS[0]
        with pytest.raises(ModelError):
            await answer(vendor, server, streams=False)
        async with asyncio.timeout(30):
            while (said := await answer_or_none(vendor, server)) is None:
                pass
    assert said == "Back."


async def answer_or_none(vendor: Vendor, server: MockModelServer) -> str | None:
    try:
        return await answer(vendor, server, streams=False)
    except ModelError:
        return None


async def test_a_server_stops_while_it_refuses_connections() -> None:
    async with MockModelServer([Rule([Reset(refuse_for=3000)])]) as server:
        with pytest.raises(ModelError):
            await answer(VENDORS[0], server, streams=False)
    async with server:  # and can be entered again, at the same address
        with pytest.raises(ModelError):
            await answer(VENDORS[0], server, streams=False)


async def test_pieces_and_the_first_byte_are_delayed(streams: bool) -> None:
    slow = Reply(text="one two", delay=0.05, piece_delay=0.05)
    begun = time.monotonic()
    async with MockModelServer([Rule([slow])]) as server:
        assert await answer(VENDORS[0], server, streams=streams) == "one two"
    assert time.monotonic() - begun > (0.2 if streams else 0.05)  # a stream has five pieces here


@every_vendor
async def test_usage_is_estimated_from_what_was_sent_where_that_is_asked_for(vendor: Vendor) -> None:
    reply = Reply(text="x" * 40, estimate_usage=True)
    async with MockModelServer([Rule([reply])]) as server:
        client = vendor.client(server)
        usage = (await client.create([UserMessage(content="y" * 400, source="user")])).usage
        await client.close()
    assert (usage.prompt_tokens, usage.completion_tokens) == (100, 10)


async def test_arguments_that_a_format_cannot_carry_are_a_problem_of_the_script(streams: bool) -> None:
    broken = Reply(tool_calls=(ToolCall(id="1", name="add", arguments="{broken"),))
    openai, anthropic = (next(each for each in VENDORS if each.name == name) for name in ("OpenAI", "Anthropic"))
    async with MockModelServer([Rule([broken], name="sum")]) as server:
        await answer(openai, server, streams=streams)  # where arguments are text
        with pytest.raises(
            ModelError, match=r"status 400.*rule 'sum'.*the format 'anthropic'.*'add' are no JSON"
        ) as why:
            await answer(anthropic, server, streams=streams)
    assert why.value.status == 400
    assert len(server.problems) == 1


@pytest.mark.parametrize(
    "unsendable",
    [Failure(status=99), Failure(status=400, headers={"x": "a\nb"}), Raw(body=b"x", content_type="a\nb")],
    ids=["status", "header", "content type"],
)
async def test_an_answer_that_http_cannot_carry_is_a_problem_of_the_script(unsendable: Answer) -> None:
    async with MockModelServer([Rule([unsendable], name="odd")]) as server:
        with pytest.raises(ModelError, match="the answer of rule 'odd' cannot be sent: ") as why:
            await answer(VENDORS[0], server, streams=False)
    assert why.value.status == 400
    assert len(server.problems) == 1


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"text": {"city": "Oslo"}}, "text of a Reply is .*give a text"),
        ({"tool_calls": ("add",)}, "tool_calls of a Reply has 'add': give ToolCall objects"),
        ({"thinking": ("hm",)}, "thinking of a Reply has 'hm': give Thinking objects"),
    ],
)
def test_a_reply_of_other_types_is_refused_when_it_is_made(fields: dict[str, Any], advice: str) -> None:
    with pytest.raises(ArgumentTypeError, match=advice):
        Reply(**fields)


async def test_calls_of_tools_that_the_request_does_not_offer_are_said(caplog: pytest.LogCaptureFixture) -> None:
    async with MockModelServer() as server:
        server.script(Reply(tool_calls=(ToolCall(id="1", name="add"), ToolCall(id="2", name="add"))))
        await answer(VENDORS[0], server, streams=False)
    remark = "the queue, which calls add, but the request offers no tools"
    assert server.requests[0].answered_by == remark
    assert [record.getMessage() for record in caplog.records if "scripted" in record.getMessage()] == [
        f"The scripted model answers openai by {remark}."
    ]


def test_a_server_in_a_thread_ends_while_the_program_has_a_loop_of_its_own() -> None:
    program = """
import asyncio
from symposia.testing import MockModelServer

async def main():
    with MockModelServer() as server:
        print(server.url)

asyncio.run(main())
"""
    # In a process of its own, since to wait for the thread blocks the loop, which tests here do not let happen.
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("http://127.0.0.1:")


def test_a_program_without_a_loop_uses_the_server_in_a_thread() -> None:
    hold = Hold(after=0)
    with MockModelServer() as server:
        server.script(Reply(text="Hello!", hold=hold))

        async def program() -> str:
            asking = asyncio.create_task(answer(VENDORS[0], server, streams=True))
            await asyncio.wait_for(hold.reached.wait(), 30)  # set by the thread's loop, waited for on this one
            hold.release.set()
            return await asking

        assert asyncio.run(program()) == "Hello!"
    assert server.requests[0].answered_by == "the queue"
