"""Teams that ask a person: order, pausing, cancelling, failing, and continuing in another process."""

import asyncio
import json
import subprocess
import sys

import pytest
from tests.support.chat_agents import ABLE, asks_for, dangling_calls

from symposia.agentchat.agents import AssistantAgent, UserProxyAgent
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.conditions import HandoffTermination, MaxMessageTermination, TextMessageTermination
from symposia.agentchat.messages import HandoffMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat, Swarm
from symposia.core import CancellationToken
from symposia.core.effects import HumanFunction, HumanQuestion
from symposia.core.exceptions import HumanInputError, InputEndedError
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench
from symposia.ext.models.replay import ReplayChatCompletionClient

WAIT = 20
PAY_TWICE = asks_for(("pay", '{"amount": 1}'), ("pay", '{"amount": 2}'))


class Person:
    """A person who is asked and answers when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, question: str) -> str:
        self.asked.set()
        return await self.answer


def clerk(client: ReplayChatCompletionClient, approve: HumanFunction, paid: list[int]) -> AssistantAgent:
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    workbench = ApprovedWorkbench(StaticWorkbench([FunctionTool(pay, "Pay.")]), approve)
    return AssistantAgent("clerk", client, workbench=workbench)


def nested(agent: ChatAgent, depth: int) -> RoundRobinGroupChat:
    member: ChatAgent | Team = agent
    for level in range(depth):
        member = RoundRobinGroupChat([member], name=f"level_{level}", description="A team.", max_turns=1)
    return RoundRobinGroupChat([member], max_turns=1)


@pytest.mark.parametrize("depth", [0, 1, 5])
@pytest.mark.parametrize("approval", [True, False])
async def test_a_person_is_asked_after_the_reader_was_shown_what_it_is_about(depth: int, approval: bool) -> None:
    seen: list[str] = []

    async def ask(question: HumanQuestion) -> str:
        seen.append("asked")
        return "yes"

    client = ReplayChatCompletionClient([asks_for(("pay", '{"amount": 1}'))], model_info=ABLE)
    agent = clerk(client, ask, []) if approval else UserProxyAgent("me", input_func=ask)
    async for item in nested(agent, depth).run_stream(task="go"):
        seen.append(type(item).__name__)  # noqa: PERF401 - its order with the question is the point
    shown = "ToolCallRequestEvent" if approval else "UserInputRequestedEvent"
    assert seen.index(shown) < seen.index("asked")


async def test_a_team_is_paused_while_a_person_thinks_and_goes_on_with_the_answer() -> None:
    person, answered = Person(), asyncio.Event()
    client = ReplayChatCompletionClient(["Thanks."])
    team = RoundRobinGroupChat([UserProxyAgent("me", input_func=person), AssistantAgent("bot", client)], max_turns=2)

    async def read() -> list[str]:
        shown: list[str] = []
        async for item in team.run_stream(task="Well?"):
            if isinstance(item, TextMessage):
                shown.append(item.content)
                if item.source == "me":
                    answered.set()
        return shown

    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(read())
        await person.asked.wait()
        await team.pause()
        person.answer.set_result("Yes.")
        await answered.wait()
        for _ in range(100):  # passes of the event loop, in which the bot would be asked without the pause
            await asyncio.sleep(0)
        assert not client.create_calls
        await team.resume()
        assert await run == ["Well?", "Yes.", "Thanks."]


@pytest.mark.parametrize("by_token", [True, False])
async def test_a_run_that_is_cancelled_during_a_question_leaves_every_call_answered(by_token: bool) -> None:
    person, paid, token = Person(), list[int](), CancellationToken()
    client = ReplayChatCompletionClient([PAY_TWICE, "Never mind."], model_info=ABLE)
    team = RoundRobinGroupChat([clerk(client, person, paid)], max_turns=1)
    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(team.run(task="Pay.", cancellation_token=token))
        await person.asked.wait()
        _ = token.cancel() if by_token else run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert (await team.run(task="Leave it.")).messages[-1].to_text() == "Never mind."
    assert dangling_calls(client.create_calls[-1]["messages"]) == set()
    assert paid == []


async def test_a_run_whose_person_cannot_be_asked_ends_and_the_next_one_asks_again() -> None:
    replies = iter([ConnectionError("gone"), "yes"])

    def ask(question: str) -> str:
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    team = RoundRobinGroupChat([UserProxyAgent("me", input_func=ask)], max_turns=1)
    with pytest.raises(HumanInputError, match=r"gone \(agent 'me'\)"):
        await team.run(task="Well?")
    assert (await team.run()).messages[-1].to_text() == "yes"


def office(client: ReplayChatCompletionClient, ask: HumanFunction) -> Swarm:
    return Swarm(
        [AssistantAgent("clerk", client, handoffs=["boss"]), UserProxyAgent("boss", input_func=ask)],
        termination_condition=TextMessageTermination() | MaxMessageTermination(9),
    )


async def test_a_person_who_is_away_is_asked_again_by_the_team_that_is_loaded() -> None:
    def away(question: str) -> str:
        raise EOFError

    team = office(ReplayChatCompletionClient([asks_for(("transfer_to_boss", "{}"))], model_info=ABLE), away)
    with pytest.raises(InputEndedError):
        await team.run(task="May I go?")
    saved = json.dumps(await team.save_state())

    def back(question: str) -> str:
        return "You may."

    team = office(ReplayChatCompletionClient(["Goodbye."], model_info=ABLE), back)
    await team.load_state(json.loads(saved))
    messages = (await team.run()).messages
    assert [message.to_text() for message in messages][-2:] == ["You may.", "Goodbye."]


LATER = """
import asyncio, json, sys
from symposia.agentchat.messages import HandoffMessage, TextMessage
from tests.agentchat.test_people import desk

async def main():
    team = desk("A table at eight.")
    await team.load_state(json.load(sys.stdin))
    result = await team.run(task=HandoffMessage(source="user", target="clerk", content="At eight."))
    print(result.messages[-1].to_text())

asyncio.run(main())
"""


def desk(*answers: object) -> Swarm:
    client = ReplayChatCompletionClient(list(answers), model_info=ABLE)  # pyright: ignore[reportArgumentType] - answers
    ends = HandoffTermination("user") | TextMessageTermination("clerk")
    return Swarm([AssistantAgent("clerk", client, handoffs=["user"])], termination_condition=ends)


async def test_a_handoff_to_a_person_is_answered_in_another_process() -> None:
    team = desk(asks_for(("transfer_to_user", "{}")))
    result = await team.run(task="Book a table.")
    assert isinstance(result.messages[-1], HandoffMessage)
    saved = json.dumps(await team.save_state())

    def later() -> str:
        command = [sys.executable, "-c", LATER]
        return subprocess.run(command, input=saved, capture_output=True, text=True, timeout=60, check=True).stdout

    assert await asyncio.to_thread(later) == "A table at eight.\n"
