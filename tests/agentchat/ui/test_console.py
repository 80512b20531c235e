import io
import re
import sys
from collections.abc import AsyncGenerator
from typing import Any, TypeAlias

import pytest
from tests.support.chat_agents import PIXEL, model, says
from tests.support.team_members import Member, pair

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    SelectSpeakerEvent,
    TextMessage,
    ThoughtEvent,
)
from symposia.agentchat.teams import SelectorGroupChat
from symposia.agentchat.ui import Console, StreamTotals, inline_image
from symposia.core import CancellationToken, Image
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import RequestUsage, TokenPrice
from symposia.ext.ui import RichConsole

Item: TypeAlias = BaseAgentEvent | BaseChatMessage | TaskResult | Response

USAGE = RequestUsage(prompt_tokens=5, completion_tokens=2)
END = TaskResult(messages=[], stop_reason="enough")


async def stream(*items: Any) -> AsyncGenerator[Any, None]:
    for item in items:
        yield item


def chunk(content: str, *, source: str = "ann", of: str | None = None) -> ModelClientStreamingChunkEvent:
    return ModelClientStreamingChunkEvent(content=content, source=source, full_message_id=of)


async def printed(capsys: pytest.CaptureFixture[str], *items: Any, **options: Any) -> str:
    await Console(stream(*items), **options)
    return capsys.readouterr().out


async def test_a_run_is_printed_message_by_message_and_its_result_returned(capsys: pytest.CaptureFixture[str]) -> None:
    result = await Console(pair(max_turns=1).run_stream(task="go"))

    assert capsys.readouterr().out == (
        "---------- TextMessage (user) ----------\ngo\n---------- TextMessage (ann) ----------\nhello\n"
    )
    assert result.stop_reason == "Maximum number of turns 1 reached."


async def test_the_answer_of_one_agent_is_printed_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    task = TextMessage(content="go", source="user")
    response = await Console(Member("ann").on_messages_stream([task], CancellationToken()))

    assert isinstance(response, Response)
    assert capsys.readouterr().out == "---------- ann ----------\nhello\n"


async def test_s13_escape_sequences_in_messages_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    clipboard, clear = "\x1b]52;c;Y3VybA==\x07", "\x1b[2J\x9b31m"
    message = TextMessage(source="ann", content=f"{clipboard}{clear}\u202eabc\tdone")
    out = await printed(capsys, message, Response(chat_message=message))
    assert "␛]52;c;Y3VybA==␇␛[2J\ufffd31mabc\tdone" in out
    assert not any(character in out for character in "\x1b\x07\x9b\u202e")


async def test_stats_are_printed_by_message_and_in_all(capsys: pytest.CaptureFixture[str]) -> None:
    message = TextMessage(content="hi", source="ann", models_usage=USAGE)
    result = TaskResult(messages=[message, message], stop_reason="enough")
    out = await printed(capsys, message, message, result, output_stats=True)

    assert out.count("[Prompt tokens: 5, Completion tokens: 2]\n") == 2
    *_, summary = out.partition("---------- Summary ----------\n")
    assert summary.startswith(
        "Number of messages: 2\nFinish reason: enough\nTotal prompt tokens: 10\nTotal completion tokens: 4\nDuration: "
    )


async def test_stats_of_one_agents_answer_count_its_inner_messages(capsys: pytest.CaptureFixture[str]) -> None:
    thought = ThoughtEvent(content="hm", source="ann", models_usage=USAGE)
    answer = TextMessage(content="hi", source="ann", models_usage=USAGE)
    out = await printed(capsys, thought, Response(chat_message=answer, inner_messages=[thought]), output_stats=True)

    assert "Number of inner messages: 1\nTotal prompt tokens: 10\n" in out


async def test_f31_stats_count_what_choosing_the_speakers_took(capsys: pytest.CaptureFixture[str]) -> None:
    client = model(says("bob"))
    team = SelectorGroupChat([Member("ann"), Member("bob")], client, max_turns=1)
    await Console(team.run_stream(task="go"), output_stats=True)

    assert f"Total prompt tokens: {client.total_usage().prompt_tokens}\n" in capsys.readouterr().out


async def test_f31_an_event_that_has_tokens_alone_is_counted_and_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cost = SelectSpeakerEvent(content=[], source="panel", models_usage=USAGE)
    out = await printed(capsys, cost, END, output_stats=True)

    assert "SelectSpeakerEvent" not in out
    assert f"Total prompt tokens: {USAGE.prompt_tokens}\n" in out


@pytest.mark.parametrize("named", [True, False])
async def test_a_streamed_message_is_printed_once(capsys: pytest.CaptureFixture[str], named: bool) -> None:
    message = TextMessage(content="hello world", source="ann")
    of = message.id if named else None
    out = await printed(capsys, chunk("hello ", of=of), chunk("world", of=of), message, END)

    assert out == "---------- ModelClientStreamingChunkEvent (ann) ----------\nhello world\n"


async def test_what_comes_behind_chunks_and_is_not_their_message_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = await printed(capsys, chunk("hel"), ThoughtEvent(content="hm", source="ann"), END)

    assert out.endswith("hel\n---------- ThoughtEvent (ann) ----------\nhm\n")


async def test_chunks_of_two_speakers_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    out = await printed(capsys, chunk("a"), chunk("b", source="bob"), chunk("a"), END)

    assert out.count("----------\na\n") == 2
    assert "(bob) ----------\nb\n" in out


@pytest.mark.parametrize("console", [Console, RichConsole])
async def test_what_the_terminal_cannot_encode_is_a_question_mark(
    console: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", write_through=True))
    message = TextMessage(content="é → 日本", source="ann")
    await console(stream(chunk("é →", source="bob"), message, END))
    text = written.getvalue().decode("cp1252")
    assert "é ?\n" in text
    assert "é ? ??" in text


@pytest.mark.parametrize(
    ("terminal", "no_inline_images", "shown"),
    [("iTerm.app", False, "\033]1337;File=inline=1:"), ("iTerm.app", True, "<image>\n"), ("xterm", False, "<image>\n")],
)
async def test_images_are_shown_where_the_terminal_can(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: str,
    no_inline_images: bool,
    shown: str,
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", terminal)
    message = MultiModalMessage(content=["look", PIXEL], source="ann")
    out = await printed(capsys, message, END, no_inline_images=no_inline_images)

    assert out.startswith(f"---------- MultiModalMessage (ann) ----------\nlook\n{shown}")


async def test_a_stream_without_a_result_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="No TaskResult or Response was processed"):
        await Console(stream(TextMessage(content="hi", source="ann")))


async def test_the_summary_says_what_came_from_a_cache(capsys: pytest.CaptureFixture[str]) -> None:
    usage = RequestUsage(prompt_tokens=2000, completion_tokens=5, cached_tokens=1900)
    out = await printed(capsys, TextMessage(content="hi", source="ann", models_usage=usage), END, output_stats=True)

    assert out.splitlines()[-1].startswith("1 turn · 2,005 tokens (1,900 from a cache) · ")


async def test_the_summary_ends_with_turns_tokens_money_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    task, answer = TextMessage(content="go", source="user"), TextMessage(content="hi", source="ann", models_usage=USAGE)
    out = await printed(capsys, task, answer, answer, END, output_stats=True, prices=TokenPrice(100, 1_000))

    assert re.fullmatch(r"2 turns · 14 tokens · \$0\.0050 · \d+\.\d s", out.splitlines()[-1])


def test_a_large_image_is_sent_to_kitty_in_pieces() -> None:
    image = Image(b"\x89PNG\r\n\x1a\n" + b"x" * 9_000)
    escapes = inline_image(image, {"KITTY_WINDOW_ID": "1"})

    assert escapes is not None
    parts = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", escapes)
    assert [control for control, _ in parts] == ["a=T,f=100,m=1", "m=1", "m=0"]
    assert "".join(data for _, data in parts) == image.to_base64()
    assert inline_image(image, {}) is None


@pytest.mark.parametrize("prices", [3, {"a": 3}, (2.5, 10)])
def test_wrong_prices_are_refused_before_the_run(prices: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="give TokenPrice objects by the names of agents"):
        StreamTotals(prices)


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "1"])
def test_prices_that_are_no_money_are_refused_before_the_run(wrong: Any) -> None:
    for prices in (TokenPrice(wrong, 1), {"a": TokenPrice(1, 2), "b": TokenPrice(1, wrong)}):
        with pytest.raises(InvalidArgumentError, match="US dollars for a million tokens"):
            StreamTotals(prices)
