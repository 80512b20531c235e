"""What a run is forecast to take: the range holds what runs take, and says what is not known."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.magentic_one import ledger
from typing_extensions import override

from symposia.agentchat.agents import AssistantAgent, GuardedAgent
from symposia.agentchat.base import Bounds, Team
from symposia.agentchat.checks import Forecast, Range
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination, TokenUsageTermination
from symposia.agentchat.guardrails import ModelGuardrail
from symposia.agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
)
from symposia.agentchat.tools import TeamTool
from symposia.core.model_context import BufferedChatCompletionContext, TokenLimitedChatCompletionContext
from symposia.core.models import CreateResult, LLMMessage, ModelInfo, RequestUsage, TokenPrice, estimate_tokens
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")
WORDS = ModelInfo(vision=False, function_calling=False, json_output=True, structured_output=False, family="unknown")
SHORT, LONG = 5, 40


class Counted(ReplayChatCompletionClient):
    """Answers with these texts, or texts of these lengths in tokens, and counts tokens as vendors' clients do."""

    def __init__(
        self,
        said: Sequence[int | str],
        *,
        price: TokenPrice | None = None,
        window: int = 1_000_000,
        info: ModelInfo = ABLE,
    ) -> None:
        super().__init__([each if isinstance(each, str) else "four" * each for each in said], model_info=info)
        self._price, self._window = price, window

    @property
    @override
    def token_price(self) -> TokenPrice | None:  # pyright: ignore[reportIncompatibleMethodOverride] - a replay has a price
        return self._price

    @override
    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        return estimate_tokens(messages, tools=tools)

    @override
    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        return self._window - self.count_tokens(messages, tools=tools)

    @override
    def _result(self, messages: Sequence[LLMMessage], answer: Any) -> CreateResult:
        result = super()._result(messages, answer)
        result.usage = RequestUsage(estimate_tokens(messages), estimate_tokens([result.to_message("")]) - 4)
        return result


def forecast_of(team: Team, task: str = "Go on.", **options: Any) -> Forecast:
    assert isinstance(team, RoundRobinGroupChat | GraphFlow | SelectorGroupChat)
    forecast = team.check(task, answer_tokens=(SHORT, LONG), **options).forecast
    assert forecast is not None
    return forecast


def holds(bounds: Bounds, value: float) -> bool:
    return bounds.low <= value and (bounds.high is None or value <= bounds.high)


lengths = st.lists(st.integers(SHORT, LONG), min_size=60, max_size=60)


def assistants(model: Counted, count: int, prefix: str = "a") -> list[AssistantAgent]:
    return [AssistantAgent(f"{prefix}{number}", model, system_message="Talk.") for number in range(count)]


@given(lengths, st.integers(1, 4), st.integers(1, 12))
async def test_a_run_takes_what_was_forecast(lengths: list[int], agents: int, turns: int) -> None:
    team = RoundRobinGroupChat(assistants(Counted(lengths), agents), max_turns=turns)
    expected = forecast_of(team)

    usage = (await team.run(task="Go on.")).usage

    assert expected.turns == (turns, turns)
    assert holds(expected.per_run.prompt_tokens, usage.prompt_tokens)
    assert holds(expected.per_run.completion_tokens, usage.completion_tokens)
    assert holds(expected.per_run.tokens, usage.prompt_tokens + usage.completion_tokens)


@given(lengths, st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
async def test_a_run_of_nested_teams_takes_what_was_forecast(
    lengths: list[int], inner_turns: int, middle_turns: int, turns: int
) -> None:
    model = Counted(lengths)
    inner = RoundRobinGroupChat(assistants(model, 2, "x"), max_turns=inner_turns, name="inner")
    middle = RoundRobinGroupChat([inner, *assistants(model, 1, "y")], max_turns=middle_turns, name="middle")
    team = RoundRobinGroupChat([middle, *assistants(model, 1, "z")], max_turns=turns)
    expected = forecast_of(team)

    usage = (await team.run(task="Go on.")).usage

    # Who speaks how often in so few turns is not what it is on average, which is what is forecast.
    assert usage.prompt_tokens <= 2 * (expected.per_run.prompt_tokens.high or 0)
    assert usage.completion_tokens <= 2 * (expected.per_run.completion_tokens.high or 0)


@given(lengths)
async def test_a_graph_takes_what_was_forecast(lengths: list[int]) -> None:
    nodes = assistants(Counted(lengths), 4)
    a, b, c, d = nodes
    builder = DiGraphBuilder()
    for node in nodes:
        builder.add_node(node)
    graph = builder.add_edge(a, b).add_edge(a, c).add_edge(b, d).add_edge(c, d).build()
    team = GraphFlow(nodes, graph)
    expected = forecast_of(team)

    usage = (await team.run(task="Go on.")).usage

    assert holds(expected.per_run.completion_tokens, usage.completion_tokens)
    assert expected.per_run.completion_tokens == (4 * SHORT, 4 * LONG)
    assert usage.prompt_tokens <= (expected.per_run.prompt_tokens.high or 0)


def test_a_condition_limits_the_turns_of_a_forecast() -> None:
    agents = assistants(Counted([]), 2)

    def turns(**options: Any) -> Bounds:
        return forecast_of(RoundRobinGroupChat(agents, **options)).turns

    assert turns(termination_condition=MaxMessageTermination(11)) == (10, 10)
    assert turns(termination_condition=TextMentionTermination("x")) == (1, None)
    assert turns(termination_condition=TextMentionTermination("x"), max_turns=7) == (1, 7)
    assert turns(termination_condition=TextMentionTermination("x") | MaxMessageTermination(11)) == (1, 10)
    assert turns(termination_condition=TextMentionTermination("x") & MaxMessageTermination(11)) == (10, None)


def test_a_run_without_a_limit_has_no_upper_end_unless_its_tokens_are_limited() -> None:
    agents = assistants(Counted([], price=TokenPrice(1, 2)), 2)
    endless = forecast_of(RoundRobinGroupChat(agents, termination_condition=TextMentionTermination("x")))
    limited = forecast_of(RoundRobinGroupChat(agents, termination_condition=TokenUsageTermination(10_000)))

    assert endless.per_run.tokens.high is None
    assert endless.per_run.usd is not None
    assert endless.per_run.usd.high is None
    assert limited.per_turn.tokens.high is not None
    assert limited.per_run.tokens.high == 10_000 + limited.per_turn.tokens.high


def test_what_a_context_shows_bounds_the_prompts() -> None:
    model = Counted([])

    def most(context: Any) -> int:
        agent = AssistantAgent("a", model, system_message="Talk.", model_context=context)
        return forecast_of(RoundRobinGroupChat([agent], max_turns=1_000)).per_run.prompt_tokens.high or 0

    assert most(BufferedChatCompletionContext(5)) < 1_000 * (5 * (LONG + 4) + 10)
    assert most(TokenLimitedChatCompletionContext(model, token_limit=300)) < 1_000 * 310
    assert most(None) > 1_000 * 1_000 * LONG / 2


def test_the_window_of_the_model_bounds_the_prompts() -> None:
    agents = assistants(Counted([], window=500), 1)

    assert (forecast_of(RoundRobinGroupChat(agents, max_turns=1_000)).per_run.prompt_tokens.high or 0) <= 500 * 1_000


def test_money_is_forecast_by_prices_and_the_unknown_ones_are_named() -> None:
    known, unknown = Counted([0], price=TokenPrice(1, 2)), Counted([0])
    team = RoundRobinGroupChat(
        [AssistantAgent("rich", known, system_message=None), AssistantAgent("poor", unknown, system_message=None)],
        max_turns=2,
    )
    partly = forecast_of(team)
    fully = forecast_of(team, prices={"Counted": TokenPrice(1, 2)})

    assert partly.unknown_prices == {"Counted": ["poor"]}
    assert partly.per_run.usd is not None
    assert partly.per_run.usd.high is None
    assert fully.unknown_prices == {}
    assert fully.per_run.usd is not None
    expected = (fully.per_run.prompt_tokens.low + 2 * fully.per_run.completion_tokens.low) / 1_000_000
    assert fully.per_run.usd.low == pytest.approx(expected, rel=0.1)


def test_the_tokens_of_a_selector_are_part_of_the_forecast() -> None:
    agents = assistants(Counted([]), 3)
    chosen = SelectorGroupChat(agents, Counted([]), max_turns=4)
    by_function = SelectorGroupChat(agents, Counted([]), selector_func=lambda messages: "a0", max_turns=4)

    assert forecast_of(chosen).per_run.tokens.low > forecast_of(by_function).per_run.tokens.low


def test_a_team_behind_a_tool_is_part_of_the_high_end_alone() -> None:
    model = Counted([])
    inner = RoundRobinGroupChat(assistants(model, 2, "x"), max_turns=9, name="inner")
    tool = TeamTool(inner, "ask", "Asks.")
    alone = forecast_of(RoundRobinGroupChat([AssistantAgent("a", model)], max_turns=1)).per_run.completion_tokens
    with_tool = forecast_of(RoundRobinGroupChat([AssistantAgent("a", model, tools=[tool])], max_turns=1))

    assert with_tool.per_run.completion_tokens == (alone.low, (alone.high or 0) + 9 * LONG)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4o", (2.5, 10)),
        ("gpt-4o-2024-08-06", (2.5, 10)),
        ("gpt-5-mini", (0.25, 2)),
        ("gpt-5-pro", (15, 120)),
        ("gpt-6", None),
    ],
)
def test_the_list_price_of_a_model_is_that_of_its_own_name(model: str, price: tuple[float, float] | None) -> None:
    found = OpenAIChatCompletionClient(model=model, api_key="x").token_price
    assert (found and found[:2]) == price


def test_other_clients_have_prices_too() -> None:
    found = AnthropicChatCompletionClient(model="claude-sonnet-4-5-20250929", api_key="x").token_price
    assert found is not None
    assert found[:2] == (3, 15)
    assert ReplayChatCompletionClient([]).token_price == TokenPrice(0, 0)
    assert TokenPrice(3, 15).cost(1_000_000, 100_000) == pytest.approx(4.5)
    assert TokenPrice(3, 15, 0.5).cost(1_000_000, 100_000, cached_tokens=400_000) == pytest.approx(3.5)
    assert TokenPrice(3, 15).cost(1_000_000, 100_000, cached_tokens=400_000) == pytest.approx(4.5)


def test_fifty_agents_are_checked_in_ten_milliseconds() -> None:
    def tool(city: str) -> str:
        """Look something up."""
        return city

    model = OpenAIChatCompletionClient(model="gpt-4o", api_key="x")
    agents = [AssistantAgent(f"agent{number}", model, tools=[tool]) for number in range(50)]
    team = RoundRobinGroupChat(agents, max_turns=100)
    team.check()  # tools read their functions when their schemas are first asked for

    taken: list[float] = []
    for _ in range(30):  # the least of many: on a busy machine, most take half as long again
        started = time.process_time()
        team.check("Look around.")
        taken.append(time.process_time() - started)

    assert min(taken) < 0.010


@pytest.mark.parametrize("turns", [2, 3])
def test_the_time_of_a_check_grows_with_the_number_of_nested_teams_and_not_by_its_power(turns: int) -> None:
    model = Counted([])
    team: Team = RoundRobinGroupChat(assistants(model, 2, "x"), max_turns=turns)
    for depth in range(30):
        beside = AssistantAgent(f"beside{depth}", model)
        team = RoundRobinGroupChat([team, beside], max_turns=turns, name=f"team{depth}")
    started = time.process_time()
    assert forecast_of(team).turns == (turns, turns)
    assert time.process_time() - started < 3  # six teams took four seconds, and ten an hour


async def test_what_repeats_the_prompt_before_is_told_since_vendors_cache_it() -> None:
    model = Counted([LONG] * 12)
    team = RoundRobinGroupChat(assistants(model, 3), max_turns=12)
    expected = forecast_of(team).per_run

    await team.run(task="Go on.")

    prompts = [call["messages"] for call in model.create_calls]
    repeated = sum(estimate_tokens(before) for before, _ in zip(prompts, prompts[3:], strict=False))
    assert expected.repeated_tokens == pytest.approx(repeated, rel=0.1)
    assert expected.repeated_tokens is not None
    assert expected.repeated_tokens < (expected.prompt_tokens.high or 0)


@settings(max_examples=25)
@given(lengths, st.integers(2, 4), st.integers(2, 12))
async def test_money_is_forecast_with_and_without_the_discount_for_cached_tokens(
    lengths: list[int], agents: int, turns: int
) -> None:
    model, price = Counted(lengths, price=TokenPrice(10, 20, 1)), TokenPrice(10, 20, 1)
    team = RoundRobinGroupChat(assistants(model, agents), max_turns=turns)
    usd = forecast_of(team).per_run.usd
    spent = (await team.run(task="Go on.")).usage

    prompts = [estimate_tokens(call["messages"]) for call in model.create_calls]
    cached = sum(prompts[: max(0, len(prompts) - agents)])  # each agent repeats its own last prompt
    assert usd is not None
    assert usd.high is not None
    assert usd.low <= price.cost(spent.prompt_tokens, spent.completion_tokens, cached_tokens=cached) * 1.001
    assert price.cost(spent.prompt_tokens, spent.completion_tokens) <= usd.high * 1.001


def test_the_ends_of_a_forecast_have_the_prices_of_short_and_of_long_requests_and_of_writing_to_the_cache() -> None:
    def usd(price: TokenPrice) -> tuple[float, float]:
        agents = assistants(Counted([], price=price), 2)
        money = forecast_of(RoundRobinGroupChat(agents, max_turns=10)).per_run.usd
        assert money is not None
        assert money.high is not None
        return money.low, money.high

    low, high = usd(TokenPrice(10, 0))
    assert usd(TokenPrice(10, 0, long_from=50, long=TokenPrice(20, 0))) == pytest.approx((low, 2 * high))
    assert usd(TokenPrice(10, 0, cache_write=12.5)) == pytest.approx((low, 1.25 * high))
    assert usd(TokenPrice(10, 0, cached=0))[0] < low


VERDICT = json.dumps({"verdict": "allow", "reason": "It is kind, I would say, and that is " + "so " * 20})


@settings(max_examples=25)
@given(lengths, st.integers(2, 4), st.integers(1, 9))
async def test_the_tokens_of_a_guardrail_that_asks_a_model_are_part_of_the_forecast(
    lengths: list[int], agents: int, turns: int
) -> None:
    model, judge = Counted(lengths), Counted([VERDICT] * 30, info=WORDS)
    guardrail = ModelGuardrail(judge, "Be kind.", stages=["input", "output"])
    members = [
        AssistantAgent(f"a{number}", model, system_message="Talk.", guardrails=[guardrail]) for number in range(agents)
    ]
    team = RoundRobinGroupChat(members, max_turns=turns)
    expected = forecast_of(team).per_run
    result = await team.run(task="Go on.")

    assert holds(expected.prompt_tokens, result.usage.prompt_tokens)
    assert holds(expected.completion_tokens, result.usage.completion_tokens)
    bare = forecast_of(RoundRobinGroupChat(assistants(Counted([]), agents), max_turns=turns)).per_run
    assert expected.prompt_tokens.low > bare.prompt_tokens.low
    guarded = [GuardedAgent(each, [guardrail]) for each in assistants(Counted([]), agents)]
    assert forecast_of(RoundRobinGroupChat(guarded, max_turns=turns)).per_run == expected


@pytest.mark.parametrize("stalls", [0, 2])
async def test_a_magentic_one_run_takes_what_was_forecast(stalls: int) -> None:
    text = "four" * LONG
    said: list[str] = [text, text, *[ledger("a0", text)] * 2]
    said += [*[ledger("a1", text, progress=False)] * stalls, *[text] * stalls]
    said += [ledger("a1", text), ledger("a1", done=True), text]
    leader = Counted(said)
    team = MagenticOneGroupChat(assistants(Counted([LONG] * 20), 2), leader, max_turns=8, max_stalls=2)
    expected = team.check("Go on.", answer_tokens=(SHORT, 150)).forecast
    result = await team.run(task="Go on.")

    assert expected is not None
    assert len(leader.create_calls) == len(said)
    assert holds(expected.per_run.prompt_tokens, result.usage.prompt_tokens)
    assert holds(expected.per_run.completion_tokens, result.usage.completion_tokens)


def test_money_below_a_hundredth_of_a_cent_is_no_zero_and_not_rounded_up() -> None:
    assert str(Range(0.00002, 0.00005)) == "under $0.0001"
    assert str(Range(0.00002, 0.0123)) == "under $0.0001 to $0.012"
