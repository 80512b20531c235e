"""Conversations with people: the loop, the chat, and the support team with its shop."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat_agents import ABLE, asks_for

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage, TextMessage
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets import NamedModel, RecordingError, recorded_model
from symposia.presets.chat import HistoryError, bundled_chat, chat_agent, converse
from symposia.presets.support import AGENTS, COLLEAGUE, Order, Shop, bundled_support, support_team

Shown = list[BaseAgentEvent | BaseChatMessage]


def scripted(*answers: object) -> NamedModel:
    client = ReplayChatCompletionClient(list(answers), model_info=ABLE)  # pyright: ignore[reportArgumentType] - of a test
    return NamedModel(name="scripted", client=client)


def lines(*texts: str) -> Callable[[], Awaitable[str | None]]:
    left = list(texts)

    async def read() -> str | None:
        return left.pop(0) if left else None

    return read


async def consents(_question: str) -> bool:
    return True


def texts(shown: Shown) -> list[str]:
    return [message.content for message in shown if isinstance(message, TextMessage)]


async def test_each_line_is_answered_until_there_is_none() -> None:
    shown: Shown = []
    count = await converse(chat_agent(scripted("One.", "Two.")), lines("a?", "  ", "b?"), shown.append)
    assert (count, texts(shown)) == (2, ["One.", "Two."])


async def test_a_chat_continues_from_its_history(tmp_path: Path) -> None:
    history, shown = tmp_path / "chat.json", list[BaseAgentEvent | BaseChatMessage]()
    await converse(chat_agent(scripted("One.")), lines("a?"), shown.append, history=history)
    second = scripted("Two.")
    await converse(chat_agent(second), lines("b?"), shown.append, history=history)
    assert isinstance(second.client, ReplayChatCompletionClient)
    [call] = second.client.create_calls
    assert [message.content for message in call["messages"]][1:] == ["a?", "One.", "b?"]
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["chat.json"]


async def test_a_model_that_fails_leaves_the_history_of_what_was_answered(tmp_path: Path) -> None:
    history = tmp_path / "chat.json"
    with pytest.raises(ConnectionError):
        await converse(
            chat_agent(scripted("One.", ConnectionError("no route"))),
            lines("a?", "b?"),
            lambda _: None,
            history=history,
        )
    assert "One." in history.read_text()


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"type": "SwarmManagerState", "llm_context": 3}', b"\xff"])
async def test_a_file_that_is_no_history_is_named(content: str | bytes, tmp_path: Path) -> None:
    history = tmp_path / "chat.json"
    history.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(HistoryError, match=r"chat\.json"):
        await converse(chat_agent(scripted("One.")), lines("a?"), lambda _: None, history=history)


class FailsOnce(ReplayChatCompletionClient):
    """Fails in its second call."""

    def create_stream(self, *args: Any, **options: Any) -> Any:  # Any: as the client that it is
        if len(self.create_calls) == 1 and not hasattr(self, "failed"):
            self.failed = True
            raise ModelError("not today")
        return super().create_stream(*args, **options)


async def test_a_conversation_that_continues_after_the_error_of_a_model_keeps_the_line(tmp_path: Path) -> None:
    client, shown, errors = FailsOnce(["One.", "Three."]), list[BaseAgentEvent | BaseChatMessage](), list[ModelError]()
    partner = chat_agent(NamedModel(name="scripted", client=client))
    history = tmp_path / "chat.json"
    answered = await converse(
        partner, lines("a?", "b?", "c?"), shown.append, history=history, on_model_error=errors.append
    )
    assert (answered, texts(shown), [str(error) for error in errors]) == (2, ["One.", "Three."], ["not today"])
    assert [message.content for message in client.create_calls[-1]["messages"]][1:] == ["a?", "One.", "b?", "c?"]
    assert "b?" in history.read_text()


async def test_a_history_that_cannot_be_written_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere" / "chat.json", tmp_path / ("x" * 300), tmp_path, Path("/dev/zero")):
        asked = scripted("One.")
        with pytest.raises(HistoryError, match=r"cannot be written|is no file"):
            await converse(chat_agent(asked), lines("a?"), lambda _: None, history=wrong)
        assert isinstance(asked.client, ReplayChatCompletionClient)
        assert not asked.client.create_calls


async def test_a_history_behind_a_link_stays_behind_it(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    history = tmp_path / "chat.json"
    history.symlink_to(tmp_path / "kept" / "chat.json")
    await converse(chat_agent(scripted("One.")), lines("a?"), lambda _: None, history=history)
    assert history.is_symlink()
    assert "One." in (tmp_path / "kept" / "chat.json").read_text()


async def test_a_model_of_a_chat_that_calls_a_tool_is_asked_for_words() -> None:
    shown: Shown = []
    await converse(chat_agent(scripted(asks_for(("search", "{}")), "One.")), lines("a?"), shown.append)
    assert texts(shown) == ["One."]


async def test_the_bundled_chat_answers_its_lines_and_no_other() -> None:
    recorded, shown = await asyncio.to_thread(bundled_chat), list[BaseAgentEvent | BaseChatMessage]()
    await converse(chat_agent(recorded_model(recorded.reply, "assistant")), lines(*recorded.lines), shown.append)
    assert len(texts(shown)) == len(recorded.lines) == len(recorded.reply)
    with pytest.raises(RecordingError, match="does not fit"):
        await converse(chat_agent(recorded_model(recorded.reply, "assistant")), lines("Hello?"), shown.append)


def colleague(*answers: str) -> UserProxyAgent:
    left = list(answers)
    return UserProxyAgent(COLLEAGUE, input_func=lambda _prompt: left.pop(0))


async def test_a_customer_is_handed_to_a_specialist_who_calls_tools_and_answers() -> None:
    shop = Shop([Order(number="1", item="Cup", paid=20, charges=2, status="delivered")], consents)
    models = {
        "triage": scripted(asks_for(("transfer_to_billing", "{}"))),
        "billing": scripted(asks_for(("refund", '{"number": "#1", "amount": 10}')), "It is paid back.", "Goodbye."),
        "technical": scripted(),
    }
    shown: Shown = []
    await converse(support_team(models, shop, colleague()), lines("Charged twice!", "Thanks."), shown.append)
    assert shop.orders["1"].refunded == 10
    assert texts(shown) == ["It is paid back.", "Goodbye."]  # the second line goes to billing, which has the case


async def test_a_person_is_handed_the_case_and_hands_it_back() -> None:
    models = {
        "triage": scripted(asks_for(("transfer_to_technical", "{}"))),
        "billing": scripted(),
        "technical": scripted(asks_for(("transfer_to_colleague", "{}")), "You get a new one."),
    }
    shown: Shown = []
    team = support_team(models, Shop([], consents), colleague("Replace it."))
    await converse(team, lines("It is broken."), shown.append)
    handoffs = [(each.source, each.target) for each in shown if isinstance(each, HandoffMessage)]
    assert handoffs == [("triage", "technical"), ("technical", "colleague"), ("colleague", "technical")]
    technical = models["technical"].client
    assert isinstance(technical, ReplayChatCompletionClient)
    assert "Replace it." in str(technical.create_calls[-1]["messages"][-1].content)
    assert texts(shown) == ["You get a new one."]


async def test_agents_that_hand_over_for_ever_end_the_run() -> None:
    over = {"billing": asks_for(("transfer_to_technical", "{}")), "technical": asks_for(("transfer_to_billing", "{}"))}
    models = {
        "triage": scripted(asks_for(("transfer_to_billing", "{}"))),
        **{
            name: NamedModel(name="x", client=ReplayChatCompletionClient([call] * 40, ABLE))
            for name, call in over.items()
        },
    }
    result = await support_team(models, Shop([], consents), colleague()).run(task="Help!")
    assert result.stop_reason is not None
    assert "Maximum number of messages 30" in result.stop_reason


async def test_a_support_case_continues_from_its_history(tmp_path: Path) -> None:
    history = tmp_path / "case.json"
    triage = asks_for(("transfer_to_billing", "{}"))
    models = {"triage": scripted(triage), "billing": scripted("Which order?"), "technical": scripted()}
    await converse(
        support_team(models, Shop([], consents), colleague()), lines("A refund!"), lambda _: None, history=history
    )
    shown: Shown = []
    models = {"triage": scripted(), "billing": scripted("I look it up."), "technical": scripted()}
    await converse(support_team(models, Shop([], consents), colleague()), lines("4711."), shown.append, history=history)
    assert texts(shown) == ["I look it up."]
    assert json.loads(history.read_text())


async def test_the_bundled_case_plays_to_its_end() -> None:
    recorded = await asyncio.to_thread(bundled_support)
    left = list(recorded.lines)
    asked: list[str] = []

    async def approve(question: str) -> bool:
        asked.append(question)
        return left.pop(0) == "yes"

    async def read() -> str | None:
        return left.pop(0) if left else None

    shop = await asyncio.to_thread(Shop.bundled, approve)
    person = UserProxyAgent(COLLEAGUE, input_func=lambda _prompt: left.pop(0))
    models = {agent: recorded_model(recorded.reply, agent) for agent in AGENTS}
    shown: Shown = []
    await converse(support_team(models, shop, person), read, shown.append)
    assert (shop.orders["4711"].refunded, shop.orders["4713"].refunded) == (89, 649)
    assert asked == ["Pay back 649.00 EUR for order 4713 (Espresso machine)?"]
    assert texts(shown)[-1].startswith("I have paid back the 649.00 EUR")


async def test_more_than_the_limit_is_paid_back_only_with_consent_to_exactly_that() -> None:
    asked: list[str] = []

    async def refuses(question: str) -> bool:
        asked.append(question)
        return False

    shop = Shop([Order(number="1", item="Cup", paid=300, status="delivered")], refuses)
    await shop.refund("1", 60)
    with pytest.raises(ValueError, match="did not consent"):
        await shop.refund("1", 50)  # together more than 100
    assert asked == ["Pay back 50.00 EUR for order 1 (Cup)?"]
    assert shop.orders["1"].refunded == 60


async def test_refunds_that_a_model_asks_for_at_once_are_decided_one_after_another() -> None:
    questions: asyncio.Queue[tuple[str, asyncio.Future[bool]]] = asyncio.Queue()

    async def approve(question: str) -> bool:
        decision: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        questions.put_nowait((question, decision))
        return await decision

    shop = Shop([Order(number="1", item="Cup", paid=300, status="delivered")], approve)
    refunds = [asyncio.create_task(shop.refund("1", amount)) for amount in (200, 150, 100)]
    async with asyncio.timeout(10):
        for amount in ("200.00", "100.00"):  # of 300, 200 are paid by then, so that 150 need no decision
            question, decision = await questions.get()
            assert amount in question
            assert questions.empty()
            decision.set_result(True)
        results = await asyncio.gather(*refunds, return_exceptions=True)
    assert [str(result).partition(" for")[0] for result in results] == [
        "200.00 EUR",
        "Order 1 has 100.00 EUR left that can be paid back, and not 150.00.",
        "100.00 EUR",
    ]
    assert shop.orders["1"].refunded == 300


@pytest.mark.parametrize(
    ("number", "amount", "complaint"),
    [
        ("2", 1, "no order '2'"),
        ("1", 0, "20.00 EUR left"),
        ("1", 21, "20.00 EUR left"),
        ("1", float("nan"), "20.00 EUR left"),
    ],
)
async def test_what_cannot_be_paid_back_is_an_error_for_the_model(number: str, amount: float, complaint: str) -> None:
    shop = Shop([Order(number="1", item="Cup", paid=20, status="delivered")], consents)
    with pytest.raises(ValueError, match=complaint):
        await shop.refund(number, amount)


def test_a_support_team_that_cannot_work_is_refused() -> None:
    models = {agent: scripted() for agent in AGENTS}
    with pytest.raises(InvalidArgumentError, match="hand over to 'colleague'"):
        support_team(models, Shop([], consents), UserProxyAgent("boss"))
    del models["billing"]
    with pytest.raises(InvalidArgumentError, match="no model for billing"):
        support_team(models, Shop([], consents), colleague())
