"""What a check finds in a team without asking a model, and that it finds nothing in a team that is in order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from symposia.agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    GuardedAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from symposia.agentchat.base import (
    AgentOutline,
    Bounds,
    ConditionOutline,
    Finding,
    Outlines,
    Response,
    RuleOutline,
    TeamProfile,
    TerminationCondition,
)
from symposia.agentchat.checks import TeamCheck, TeamCheckError
from symposia.agentchat.conditions import (
    Condition,
    ExternalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    Messages,
    ReasonedTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.guardrails import AllowedTools, FunctionGuardrail, Guardrail, TextPatterns
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage, TextMessage
from symposia.agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    GroupChat,
    RoundRobinGroupChat,
    RuleContext,
    SelectorGroupChat,
    Speak,
    Stop,
    Swarm,
    TeamRule,
    Transcript,
)
from symposia.agentchat.tools import AgentTool, TeamTool
from symposia.core import CancellationToken
from symposia.core.code_executor import SandboxResult
from symposia.core.models import ModelInfo
from symposia.core.tools import FunctionTool, StaticWorkbench, ToolResult, ToolSchema, Workbench
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.sandboxes import FakeSandboxBackend, printed

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


def model() -> ReplayChatCompletionClient:
    """A model that is never asked: it has no answer."""
    return ReplayChatCompletionClient([], model_info=ABLE)


def agent(name: str, prompt: str = "Help.", **options: Any) -> AssistantAgent:
    return AssistantAgent(name, model(), system_message=prompt, description=f"Is {name}.", **options)


async def runs(_code: str) -> SandboxResult:
    return printed("")


def found(check: TeamCheck, severity: str | None = None) -> list[tuple[str, str]]:
    """Where and what, of one severity or all."""
    return [(each.where, each.what) for each in check.findings if severity in {None, each.severity}]


async def forecast(city: str) -> str:
    """Say what the weather will be."""
    return city


def test_a_team_in_order_has_no_findings() -> None:
    team = RoundRobinGroupChat([agent("writer"), agent("critic")], max_turns=6)

    check = team.check("Write.")

    assert check.findings == []
    assert check.errors == []
    check.raise_for_errors()


def test_a_team_without_an_end_is_an_error_that_says_what_to_give() -> None:
    check = RoundRobinGroupChat([agent("writer")], name="talk").check()

    assert found(check, "error") == [
        ("talk", "No run ends by itself: there is neither a termination condition nor max_turns.")
    ]
    with pytest.raises(TeamCheckError, match="max_turns=20") as raised:
        check.raise_for_errors()
    assert raised.value.check is check


@pytest.mark.parametrize(
    "condition",
    [
        MaxMessageTermination(10),
        TimeoutTermination(60),
        TokenUsageTermination(1_000),
        ReasonedTermination(MaxMessageTermination(10), "long"),
        MaxMessageTermination(10) | TextMentionTermination("done"),
        MaxMessageTermination(10) & TimeoutTermination(60),
    ],
    ids=["messages", "timeout", "tokens", "reasoned", "or", "and"],
)
def test_a_limit_that_is_always_met_is_an_end(condition: TerminationCondition) -> None:
    team = RoundRobinGroupChat([agent("writer", "Say done.")], termination_condition=condition)

    assert found(team.check()) == []


@pytest.mark.parametrize(
    "condition",
    [TextMentionTermination("done"), ExternalTermination(), TextMentionTermination("done") & MaxMessageTermination(5)],
    ids=["text", "outside", "and"],
)
def test_a_condition_that_agents_decide_about_limits_nothing(condition: TerminationCondition) -> None:
    team = RoundRobinGroupChat([agent("writer", "Say done.")], name="talk", termination_condition=condition)

    assert found(team.check(), "note") == [("talk", "Nothing limits the number of turns.")]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (TextMentionTermination("done", sources=["critc"]), "sources are ['critc']"),
        (TextMessageTermination("critc"), "sources are ['critc']"),
        (SourceMatchTermination(["critc"]), "sources are ['critc']"),
        (HandoffTermination("user"), "no agent has a handoff to 'user'"),
        (FunctionCallTermination("approve"), "no agent has a tool 'approve'"),
        (HandoffTermination("user") & MaxMessageTermination(5), "no agent has a handoff to 'user'"),
        (HandoffTermination("user") | FunctionCallTermination("approve"), "no agent has a handoff to 'user'"),
    ],
    ids=["text", "answer", "source", "handoff", "call", "and", "or"],
)
def test_a_condition_that_is_never_met_is_an_error_where_nothing_else_ends_the_run(
    condition: TerminationCondition, reason: str
) -> None:
    agents = [agent("writer", "Say done."), agent("critic")]
    endless = RoundRobinGroupChat(agents, name="talk", termination_condition=condition).check()
    limited = RoundRobinGroupChat(agents, name="talk", termination_condition=condition, max_turns=4).check()

    ((where, what),) = found(endless, "error")
    assert where == "talk/termination_condition"
    assert reason in what
    assert found(limited, "warning") == [(where, what)]
    assert found(limited, "error") == []


def test_one_of_several_conditions_that_is_never_met_is_a_warning() -> None:
    condition = HandoffTermination("user") | MaxMessageTermination(5)

    check = RoundRobinGroupChat([agent("writer")], name="talk", termination_condition=condition).check()

    assert found(check) == [
        ("talk/termination_condition", "The condition is never met: no agent has a handoff to 'user'.")
    ]


def test_a_text_that_no_prompt_mentions_is_a_note() -> None:
    condition = TextMentionTermination("APPROVE") | MaxMessageTermination(9)
    silent = RoundRobinGroupChat([agent("a"), agent("b")], termination_condition=condition)
    told = RoundRobinGroupChat([agent("a"), agent("b", "Say APPROVE.")], termination_condition=condition)

    assert "'APPROVE', which no prompt mentions" in found(silent.check(), "note")[0][1]
    assert found(told.check()) == []


def test_what_a_condition_waits_for_may_be_in_a_nested_team_or_a_tool() -> None:
    inner = RoundRobinGroupChat([agent("x", "Say FINAL.", tools=[forecast])], name="inner", max_turns=1)
    condition = (
        (TextMentionTermination("FINAL", sources=["x"]) | FunctionCallTermination("forecast"))
        & SourceMatchTermination(["y"])
    ) | MaxMessageTermination(20)
    outer = RoundRobinGroupChat([inner, agent("y")], termination_condition=condition)

    assert found(outer.check()) == []


def test_nothing_is_said_about_agents_that_say_nothing_of_themselves() -> None:
    class Own(BaseChatAgent):
        @property
        def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
            return (TextMessage, HandoffMessage)

        async def on_messages(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> Response:
            return Response(chat_message=TextMessage(content="", source="another name"))

        async def on_reset(self, cancellation_token: CancellationToken) -> None: ...

    condition = (
        TextMentionTermination("x", sources=["another name"])
        & HandoffTermination("user")
        & FunctionCallTermination("call")
    ) | MaxMessageTermination(3)
    check = Swarm([Own("own", "Own."), agent("other")], termination_condition=condition).check()

    assert found(check) == []
    assert check.forecast is not None
    assert check.forecast.unknown_agents == ["own"]


def test_agents_of_a_swarm_to_whom_nobody_hands_off_never_speak() -> None:
    agents = [
        agent("triage", handoffs=["billing"]),
        agent("billing", handoffs=["triage"]),
        agent("legal", handoffs=["press"]),
        agent("press"),
    ]

    check = Swarm(agents, max_turns=9).check()

    assert [where for where, _ in found(check, "warning")] == ["Swarm/legal", "Swarm/press"]
    assert "legal can never speak: no participant that can speak has a handoff to it" in found(check)[0][1]


def test_a_handoff_to_nobody_is_an_error_in_a_swarm_that_names_the_likely_target() -> None:
    agents = [agent("triage", handoffs=["biling", "billing", "user"]), agent("billing")]

    check = Swarm(agents, termination_condition=HandoffTermination("user") | MaxMessageTermination(9)).check()

    (error,) = check.errors
    assert error.where == "Swarm/triage"
    assert "'biling', which is no participant of 'Swarm'" in error.what
    assert error.advice == "Was 'billing' meant?"


def test_a_handoff_to_a_person_is_an_end_where_a_condition_waits_for_it() -> None:
    agents = [agent("triage", handoffs=["user"])]

    assert "HandoffTermination('user')" in Swarm(agents, max_turns=3).check().errors[0].advice
    assert found(Swarm(agents, termination_condition=HandoffTermination("user"), max_turns=3).check()) == []


def test_a_handoff_in_a_team_whose_rule_does_not_follow_handoffs_is_told() -> None:
    agents = [agent("a", handoffs=["b", "nobody"]), agent("b")]

    check = RoundRobinGroupChat(agents, max_turns=3).check()

    assert [each.severity for each in check.findings] == ["warning", "note"]


def test_participants_that_are_no_node_of_the_graph_never_speak() -> None:
    a, b, c = agent("a"), agent("b"), agent("c")
    graph = DiGraphBuilder().add_node(a).add_node(b).add_edge(a, b).build()

    assert found(GraphFlow([a, b, c], graph).check()) == [
        ("GraphFlow/c", "c can never speak: it is no node of the graph.")
    ]


def test_candidates_that_a_function_never_names_never_speak() -> None:
    agents = [agent("planner"), agent("coder"), agent("tester")]

    def check(candidates: Callable[[Messages], list[str]]) -> list[tuple[str, str]]:
        return found(SelectorGroupChat(agents, model(), candidate_func=candidates, max_turns=3).check())

    everybody = [each.name for each in agents]
    others = {"coder": ["planner"], "planner": ["coder"]}

    assert check(lambda messages: ["planner", "coder"] if len(messages) > 3 else ["planner"]) == [
        ("SelectorGroupChat/tester", "tester can never speak: candidate_func names coder, planner only.")
    ]
    assert check(lambda messages: others[messages[-1].source])[0][0] == "SelectorGroupChat/tester"
    assert check(lambda messages: ["planner"] if not messages else everybody) == []
    assert check(lambda messages: ["planner"] if not messages else [each.name for each in agents]) == []
    assert check(lambda messages: messages[-1].to_text().split()) == []


def test_descriptions_that_are_alike_and_a_prompt_without_names_are_found() -> None:
    agents = [AssistantAgent("a", model()), AssistantAgent("b", model())]
    text_only = ReplayChatCompletionClient(["a"])

    alike = SelectorGroupChat(agents, model(), max_turns=3).check()
    unnamed = SelectorGroupChat([agent("ann"), agent("bob")], text_only, selector_prompt="Choose.", max_turns=3).check()

    assert "a, b have the same description" in found(alike, "warning")[0][1]
    assert "does not name ann, bob" in found(unnamed, "error")[0][1]


def test_tools_of_one_name_are_an_error() -> None:
    workbench = StaticWorkbench([FunctionTool(forecast, "", name="transfer_to_b"), FunctionTool(forecast, "")])
    other = StaticWorkbench([FunctionTool(forecast, "")])

    check = Swarm([agent("a", workbench=[workbench, other], handoffs=["b"]), agent("b")], max_turns=3).check()

    assert found(check, "error") == [
        ("Swarm/a", "2 tools are named 'transfer_to_b', one of them a handoff."),
        ("Swarm/a", "2 tools are named 'forecast'."),
    ]


def test_a_workbench_that_has_to_be_asked_is_not_asked() -> None:
    class Server(Workbench):
        async def list_tools(self) -> list[ToolSchema]:
            raise AssertionError("asked")

        async def call_tool(
            self,
            name: str,
            arguments: Mapping[str, object] | None = None,
            cancellation_token: CancellationToken | None = None,
            call_id: str | None = None,
        ) -> ToolResult:
            raise AssertionError("called")

        async def start(self) -> None: ...
        async def stop(self) -> None: ...
        async def reset(self) -> None: ...
        async def save_state(self) -> Mapping[str, Any]:
            return {}

        async def load_state(self, state: Mapping[str, object]) -> None: ...

    check = RoundRobinGroupChat([agent("a", workbench=Server())], max_turns=1).check()

    assert found(check) == [
        ("RoundRobinGroupChat/a", "The tools of Server are known only once it runs, so they are not checked.")
    ]


def test_a_prompt_that_does_not_fit_is_an_error_and_so_is_a_task() -> None:
    long = "word " * 10_001  # the replay client has room for 10,000 words
    team = RoundRobinGroupChat([agent("a", long)], max_turns=1, name="talk")
    short = RoundRobinGroupChat([agent("a")], max_turns=1, name="talk")

    assert found(team.check(), "error") == [
        (
            "talk/a",
            "The system message and the tools take 10,001 tokens, and ReplayChatCompletionClient has room for 10,000.",
        )
    ]
    assert found(short.check("say"), "error") == []
    assert "and the task take" in found(short.check(long), "error")[0][1]


def test_teams_agents_and_tools_are_checked_at_every_depth() -> None:
    lost = agent("lost", "word " * 10_001)
    deep = RoundRobinGroupChat([lost], name="deep")
    tool_team = RoundRobinGroupChat([agent("helper")], name="tool_team")
    user = agent("user", tools=[TeamTool(tool_team, "ask", "Asks."), AgentTool(agent("expert", "word " * 10_001))])
    society = SocietyOfMindAgent("society", RoundRobinGroupChat([deep], name="middle"), model())
    filtered = MessageFilterAgent("filtered", user, MessageFilterConfig(per_source=[]))

    check = RoundRobinGroupChat([society, filtered, UserProxyAgent("person")], max_turns=3, name="top").check()

    assert [where for where, _ in found(check, "error")] == [
        "top/society/middle",
        "top/society/middle/deep",
        "top/society/middle/deep/lost",
        "top/filtered/tool_team",
        "top/filtered/expert",
    ]


def test_a_rule_an_agent_and_a_condition_of_ones_own_take_part() -> None:
    class Reader(AssistantAgent):
        def check_outline(self) -> AgentOutline:
            finding = Finding(severity="warning", where="library", what="It is closed.", advice="Come tomorrow.")
            return AgentOutline(models=(), handoffs=(), tools=(), findings=[finding])

    class Never(Condition):
        async def look(self, messages: Messages) -> str | None:
            return None

        def check_outline(self, team: TeamProfile) -> ConditionOutline:
            return ConditionOutline(impossible=f"it waits for {sorted(team.sources)}")

    class First(TeamRule):
        async def decide(self, transcript: Transcript, context: RuleContext, /) -> Speak | Stop:
            return Speak(("reader",)) if not context.turns else Stop("done")

        def check_outline(self, participants: Outlines, /) -> RuleOutline:
            silent = dict.fromkeys([*participants][1:], "only the first one reads")
            return RuleOutline(silent=silent, turns=Bounds(1, 1), can_end=True, models=())

        def save_state(self) -> Mapping[str, Any]:
            return {}

        def load_state(self, state: Mapping[str, Any], /) -> None: ...
        def reset(self) -> None: ...

    team = GroupChat(
        [Reader("reader", model()), agent("late")], rule=First(), termination_condition=Never(), name="hall"
    )
    check = team.check()

    assert found(check) == [
        ("hall/late", "late can never speak: only the first one reads."),
        ("hall/termination_condition", "The condition is never met: it waits for ['late', 'reader']."),
        ("hall/reader/library", "It is closed."),
    ]
    assert check.forecast is not None
    assert check.forecast.turns == (1, 1)


class Failing(AssistantAgent):
    def check_outline(self) -> AgentOutline:
        raise LookupError("no prompts")


class Wrong(AssistantAgent):
    def check_outline(self) -> Any:
        return 7


class FailingRule(TeamRule):
    async def decide(self, transcript: Any, context: RuleContext, /) -> Stop:
        return Stop("done")

    def save_state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: Any, /) -> None:
        """There is none."""

    def reset(self) -> None:
        """There is nothing to forget."""

    def check_outline(self, participants: Outlines) -> RuleOutline:
        raise LookupError("no rounds")


class FailingCondition(MaxMessageTermination):
    def check_outline(self, team: TeamProfile) -> ConditionOutline:
        raise LookupError("no limit")


@pytest.mark.parametrize("kind", [Failing, Wrong])
def test_an_agent_whose_outline_fails_is_a_finding_and_the_check_goes_on(kind: type[AssistantAgent]) -> None:
    society = SocietyOfMindAgent("soc", RoundRobinGroupChat([kind("odd", model())], max_turns=1), model())
    team = GroupChat([society, kind("odd", model())], rule=FailingRule(), termination_condition=FailingCondition(3))
    found = team.check()
    assert [(each.severity, each.what.split(" cannot be checked")[0]) for each in found.findings] == [
        *(("warning", name) for name in ("The rule", "The condition", "odd", "odd")),
    ]
    assert found.forecast is not None
    assert found.forecast.unknown_agents == ["odd", "odd"]


class NeverCounts(ReplayChatCompletionClient):
    def count_tokens(self, *arguments: Any, **options: Any) -> int:
        raise NotImplementedError

    def remaining_tokens(self, *arguments: Any, **options: Any) -> int:
        raise NotImplementedError


def test_a_client_that_does_not_count_is_estimated_and_its_window_is_not_known() -> None:
    team = RoundRobinGroupChat([AssistantAgent("ann", NeverCounts([]), system_message="word " * 100_000)], max_turns=1)
    found = team.check()
    assert found.findings == []
    assert found.forecast is not None
    assert found.forecast.per_run.prompt_tokens.low > 90_000


def test_an_agent_that_is_a_tool_of_itself_is_checked_once() -> None:
    tools: list[Any] = []

    class OwnTools(StaticWorkbench):
        """A workbench whose tools are added later."""

        @property
        def tools(self) -> list[Any]:
            return tools

    ann = AssistantAgent("ann", model(), workbench=OwnTools([]))
    tools.append(AgentTool(ann))
    assert RoundRobinGroupChat([ann], max_turns=1).check().findings == []
    assert TextMessage in ann.produced_message_types


def test_a_condition_on_a_stop_message_that_no_agent_sends_is_never_met() -> None:
    def check(*agents: BaseChatAgent) -> list[tuple[str, str]]:
        end = StopMessageTermination()
        return found(RoundRobinGroupChat(agents, termination_condition=end, name="talk").check(), "error")

    never = [("talk/termination_condition", "The condition is never met: no agent produces a StopMessage.")]
    guarded = GuardedAgent(agent("critic"), [TextPatterns(["sk-"])])
    nested = RoundRobinGroupChat([agent("inner")], max_turns=1, name="inner_team")
    coder = CodeExecutorAgent("coder", SandboxCodeExecutor(FakeSandboxBackend(runs)))
    assert check(agent("writer"), UserProxyAgent("user"), coder) == never
    assert check(SocietyOfMindAgent("society", nested, model())) == never
    assert check(agent("writer"), guarded) == []
    assert check(agent("writer", guardrails=[TextPatterns(["sk-"])])) == []
    assert check(agent("lead", tools=[AgentTool(guarded)])) == []
    assert check(OfUnknownTypes("writer", model())) == []


class OfUnknownTypes(AssistantAgent):
    """A subclass, which may answer with messages that it does not declare."""


@pytest.mark.parametrize(
    ("guardrails", "what"),
    [
        ([AllowedTools(["forecast"])], ["handoff 'transfer_to_bob'"]),
        ([AllowedTools(["transfer_to_bob"])], ["tool 'forecast'"]),
        ([AllowedTools(["forcast", "transfer_to_bob"]) & TextPatterns(["x"])], ["tool 'forecast'"]),
        ([AllowedTools([]) | AllowedTools(["forecast"])], ["handoff 'transfer_to_bob'"]),
        ([AllowedTools(["forecast", "transfer_to_bob"])], []),
        ([AllowedTools([]) | FunctionGuardrail("f", on_tool_call=lambda _call: None)], []),
    ],
    ids=["handoff", "tool", "typo", "or", "allowed", "or-function"],
)
def test_a_guardrail_that_blocks_the_only_tool_or_a_handoff_is_a_warning(
    guardrails: list[Guardrail], what: list[str]
) -> None:
    ann = agent("ann", tools=[forecast], handoffs=["bob"], guardrails=guardrails)
    team = Swarm([ann, agent("bob")], termination_condition=MaxMessageTermination(9), name="talk")

    assert [text for where, text in found(team.check(), "warning") if where == "talk/ann"] == [
        f"Its guardrails block every call of its {each}." for each in what
    ]
    silent = [where for where, text in found(team.check(), "warning") if "can never speak" in text]
    assert silent == (["talk/bob"] if "handoff 'transfer_to_bob'" in what else [])


def test_a_guardrail_may_block_some_of_the_tools() -> None:
    def other(city: str) -> str:
        return city

    ann = agent("ann", tools=[forecast, other], guardrails=[AllowedTools(["other"])])
    assert found(RoundRobinGroupChat([ann], max_turns=2).check()) == []


def test_a_name_of_a_tool_that_vendors_refuse_is_a_warning() -> None:
    def add(a: int) -> int:
        return a

    tools = [FunctionTool(add, "Adds.", name="add numbers"), FunctionTool(add, "Adds.", name="add-2_Numbers")]
    ann = AssistantAgent("ann", model(), tools=[*tools])
    (finding,) = RoundRobinGroupChat([ann], max_turns=1, name="talk").check().findings
    assert (finding.severity, finding.where) == ("warning", "talk/ann")
    assert finding.what == "Vendors of models refuse the name of its tool 'add numbers'."


def test_a_rule_that_says_nothing_of_itself_is_taken_to_end_and_to_follow_handoffs() -> None:
    class Own:
        async def decide(self, transcript: Transcript, context: RuleContext, /) -> Stop:
            return Stop("done")

        def save_state(self) -> Mapping[str, Any]:
            return {}

        def load_state(self, state: Mapping[str, Any], /) -> None: ...
        def reset(self) -> None: ...

    assert found(GroupChat([agent("a", handoffs=["user"])], rule=Own()).check()) == []


def test_the_report_is_text_and_json() -> None:
    check = RoundRobinGroupChat([agent("writer")], name="talk").check("Write.")

    assert TeamCheck.model_validate_json(check.model_dump_json()) == check
    assert str(check).splitlines()[0].startswith("Team 'talk': 1 error; a run takes 1 or more turns, ")
    assert "  error: talk: No run ends by itself" in str(check)


def test_an_agent_or_a_team_that_takes_part_twice_is_a_warning() -> None:
    shared, pair = agent("ann"), RoundRobinGroupChat([agent("bob")], max_turns=1, name="pair")
    inner = RoundRobinGroupChat([shared, pair], max_turns=1, name="inner")
    other = RoundRobinGroupChat([agent("ann"), agent("bob")], max_turns=1, name="other")  # of the same names only
    asks = [agent(name, tools=[TeamTool(other, "ask", "Asks.")]) for name in ("cleo", "dan")]  # a tool may be shared

    check = RoundRobinGroupChat([shared, inner, pair, *asks], max_turns=3, name="top").check()

    mixed = "it has one conversation, in which those of both teams mix."
    assert found(check, "warning") == [
        ("top/inner/ann", f"ann takes part as top/ann too: {mixed}"),
        ("top/pair", f"pair takes part as top/inner/pair too: {mixed}"),
    ]
