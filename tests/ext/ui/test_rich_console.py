"""What the rich console draws. Standard output is no terminal here, so that rich writes text without colours."""

import re
from collections.abc import AsyncGenerator
from typing import Any, assert_type

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import PIXEL
from tests.support.team_members import pair

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    StructuredMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    UserInputRequestedEvent,
)
from symposia.agentchat.ui import UserInputManager
from symposia.core import FunctionCall
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import FunctionExecutionResult, RequestUsage, TokenPrice
from symposia.ext.ui import RichConsole

USAGE = RequestUsage(prompt_tokens=1_000, completion_tokens=200)
END = TaskResult(messages=[], stop_reason="enough")


async def stream(*items: Any) -> AsyncGenerator[Any, None]:
    for item in items:
        yield item


async def drawn(capsys: pytest.CaptureFixture[str], *items: Any, **options: Any) -> str:
    await RichConsole(stream(*items), **options)
    return tidied(capsys.readouterr().out)


def tidied(out: str) -> str:
    """Without times, and without the spaces with which rich fills its lines."""
    return re.sub(r" +$", "", re.sub(r"\d+\.\d s", "N s", out), flags=re.MULTILINE)


def text(content: str, source: str = "ann", **more: Any) -> TextMessage:
    return TextMessage(content=content, source=source, **more)


async def test_a_run_is_drawn_and_its_result_returned(capsys: pytest.CaptureFixture[str]) -> None:
    result = await RichConsole(pair(max_turns=1).run_stream(task="go"))

    assert_type(result, TaskResult)
    assert tidied(capsys.readouterr().out).splitlines() == [
        "● user  N s",
        "  go",
        "● ann  N s",
        "  hello",
        "Maximum number of turns 1 reached. · 1 turn · 0 tokens · N s",
    ]


async def test_the_last_line_has_turns_tokens_money_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    items = [text("go", "user"), text("a", models_usage=USAGE), text("b", "bob", models_usage=USAGE), END]

    for prices, money in [
        (TokenPrice(1, 10), "$0.0060"),
        ({"ann": TokenPrice(1, 10)}, "$0.0030 and 1,200 tokens without a known price"),
    ]:
        out = await drawn(capsys, *items, prices=prices)
        assert out.splitlines()[-1] == f"enough · 2 turns · 2,400 tokens · {money} · N s"
    assert (await drawn(capsys, *items)).splitlines()[-1] == "enough · 2 turns · 2,400 tokens · price not known · N s"
    assert "1,000 prompt and 200 completion tokens" in await drawn(capsys, *items, output_stats=True)


async def test_the_answer_of_one_agent_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    out = await drawn(capsys, Response(chat_message=text("hello")))

    assert out.splitlines() == ["● ann  N s", "  hello", "1 turn · 0 tokens · N s"]


async def test_chunks_are_drawn_as_they_come_and_their_message_once(capsys: pytest.CaptureFixture[str]) -> None:
    def chunk(content: str, source: str, of: str | None) -> ModelClientStreamingChunkEvent:
        return ModelClientStreamingChunkEvent(content=content, source=source, full_message_id=of)

    out = await drawn(
        capsys,
        *(chunk("he", "ann", "1"), chunk("llo", "ann", "1"), text("hello", id="1")),
        *(chunk("by", "bob", None), chunk("e", "bob", None), text("bye", "bob")),
        *(chunk("half", "cid", "2"), text("other", "cid", id="3")),
        END,
    )

    assert out.splitlines()[:-1] == [
        *("● ann writes  N s", "hello", "● bob writes  N s", "bye", "● cid writes  N s", "half"),
        *("● cid  N s", "  other"),
    ]


class Verdict(BaseModel):
    fits: bool


async def test_events_are_drawn_by_their_types(capsys: pytest.CaptureFixture[str]) -> None:
    call = FunctionCall(id="1", name="add", arguments='{"a": 1}')
    result = FunctionExecutionResult(content="2", name="add", call_id="1", is_error=False)
    out = await drawn(
        capsys,
        ThoughtEvent(content="hm", source="ann"),
        ToolCallRequestEvent(content=[call], source="ann"),
        ToolCallExecutionEvent(content=[result], source="ann"),
        StructuredMessage[Verdict](content=Verdict(fits=True), source="ann"),
        text("Look:\n```python\nx = 1\n```"),
        END,
    )

    assert [line.rstrip() for line in out.splitlines()[:-1]] == [
        *("● ann thinks  N s", "  hm", "● ann calls  N s", '  add({"a": 1})', "● ann gets  N s", "  2"),
        *("● ann  N s", "  {", '    "fits": true', "  }", "● ann  N s", "  Look:", "", "  x = 1"),
    ]


async def test_of_a_long_message_head_and_tail_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    long = "begin\n" + "word\n" * 200_000 + "end"
    result = FunctionExecutionResult(content=long, name="run", call_id="1", is_error=False)
    for item in (text(long), text(f"```\n{long}\n```"), ToolCallExecutionEvent(content=[result], source="ann")):
        out = await drawn(capsys, item, END)
        assert out.count("word") < 5_000
        assert all(part in out for part in ("begin", "characters left out]", "end"))


async def test_s13_escape_sequences_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]52;c;Y3VybA==\x07\x1b[2J\x9b31m\u202e[bold]"

    class Words(BaseModel):
        words: str

    out = await drawn(
        capsys,
        text(evil, source="ann\x1b[2J"),
        ThoughtEvent(content=evil, source="ann"),
        ToolCallRequestEvent(content=[FunctionCall(id="1", name=evil, arguments=evil)], source="ann"),
        StructuredMessage[Words](content=Words(words=evil), source="ann"),
        ModelClientStreamingChunkEvent(content=evil, source="ann"),
        TaskResult(messages=[], stop_reason=evil),
    )

    assert not any(character in out for character in "\x1b\x07\x9b\u202e")
    assert "[bold]" in out


@pytest.mark.parametrize(
    ("variables", "escapes"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]1337;File=inline=1:"),
        ({"TERM_PROGRAM": "WezTerm"}, "\x1b]1337;File=inline=1:"),
        ({"KITTY_WINDOW_ID": "1"}, "\x1b_Ga=T,f=100,m=0;"),
        ({"TERM_PROGRAM": "ghostty"}, "\x1b_Ga=T,f=100,m=0;"),
        ({}, "  <image>"),
    ],
    ids=["iterm", "wezterm", "kitty", "ghostty", "other"],
)
async def test_images_are_shown_where_the_terminal_says_that_it_can(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], escapes: str
) -> None:
    for name in ("TERM_PROGRAM", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    message = MultiModalMessage(content=["Look:", PIXEL], source="ann")

    assert f"  Look:\n{escapes}" in await drawn(capsys, message, END)
    assert "  <image>" in await drawn(capsys, message, END, no_inline_images=True)


async def test_a_person_is_asked_when_everything_before_is_drawn() -> None:
    asked: list[str] = []

    class Manager(UserInputManager):
        def notify_event_received(self, request_id: str) -> None:
            asked.append(request_id)

    manager = Manager(input)
    await RichConsole(stream(UserInputRequestedEvent(request_id="7", source="ann"), END), user_input_manager=manager)

    assert asked == ["7"]


async def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="run_stream"):
        await RichConsole("hello")  # pyright: ignore[reportArgumentType] - what unchecked programs pass
    with pytest.raises(InvalidArgumentError, match="No TaskResult"):
        await RichConsole(stream(text("hi")))
