import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.agents import let_others_run

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.agentchat.ui import Console, UserInputManager
from symposia.core import CancellationToken

NEVER = 30.0


def plain(prompt: str) -> str:
    return f"answer to {prompt}"


async def awaited(prompt: str, cancellation_token: CancellationToken | None) -> str:
    return f"answer to {prompt}"


async def awaited_with_the_prompt_alone(prompt: str) -> str:
    return f"answer to {prompt}"


def plain_with_a_token(prompt: str, cancellation_token: CancellationToken | None) -> str:
    return f"answer to {prompt}"


@pytest.mark.parametrize("callback", [plain, awaited, awaited_with_the_prompt_alone, plain_with_a_token])
async def test_a_person_is_asked_once_the_console_has_shown_everything_before(
    capsys: pytest.CaptureFixture[str], callback: Callable[..., Any]
) -> None:
    manager = UserInputManager(callback)
    person = UserProxyAgent("user", input_func=manager.get_wrapped_callback())
    team = RoundRobinGroupChat([person], max_turns=2)
    async with asyncio.timeout(NEVER):
        result = await Console(team.run_stream(task="go"), user_input_manager=manager)

    assert [message.to_text() for message in result.messages][-1] == "answer to Enter your response: "
    assert capsys.readouterr().out.count("---------- TextMessage (user) ----------\nanswer to") == 2


async def test_the_user_is_asked_after_the_request_was_shown() -> None:
    asked: list[str] = []

    async def ask(prompt: str, cancellation_token: CancellationToken | None) -> str:
        asked.append(prompt)
        return "yes"

    manager = UserInputManager(ask)
    with UserProxyAgent.InputRequestContext.populate_context("request"):
        answer = asyncio.create_task(_await(manager.get_wrapped_callback()("?", None)))
    await let_others_run()
    assert asked == []
    manager.notify_event_received("request")

    assert await answer == "yes"


async def _await(answer: Any) -> str:
    return await answer
