import pytest

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import SystemMessage, UserMessage
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.testing import MockModelServer
from symposia.testing.model_server import (
    Conversation,
    Failure,
    Message,
    OfferedTool,
    Reply,
    Reset,
    Rule,
    ToolCall,
    When,
)
from symposia.testing.model_server._openai_assistants import AssistantsFormat
from symposia.testing.model_server._rules import VENDORS, Rulebook
from symposia.testing.model_server._server import WIRE_FORMATS

ASKED = Conversation(
    model="gpt-4o",
    system="You plan trips.",
    messages=(
        Message(role="user", text="Weather in Oslo?", images=1),
        Message(role="assistant", tool_calls=(ToolCall(id="1", name="weather"),)),
        Message(role="tool", text="It RAINS.\nAll day.", tool_call_id="1"),
    ),
    tools=(OfferedTool(name="weather"), OfferedTool(name="clock")),
    output_schema={"type": "object"},
)


def test_a_condition_that_states_nothing_fits_all() -> None:
    assert not list(When().mismatches(ASKED, "openai"))
    assert not list(When().mismatches(Conversation(model=""), "ollama"))


@pytest.mark.parametrize(
    ("fits", "differs"),
    [
        (When(system="PLAN"), When(system="code")),
        (When(last="rains"), When(last="Oslo")),
        (When(last="/^it .*day\\.$/"), When(last="/^rains/")),
        (When(role="tool"), When(role="user")),
        (When(tools=["clock"]), When(tools=["clock", "map"])),
        (When(turn=2), When(turn=1)),
        (When(model="gpt-*"), When(model="gpt")),
        (When(vendor="openai"), When(vendor="anthropic")),
        (When(images=True), When(images=False)),
        (When(output_schema=True), When(output_schema=False)),
        (When(system="plan", turn=2), When(tools=[])),
    ],
    ids=str,
)
def test_a_condition_is_compared_with_what_a_request_says(fits: When, differs: When) -> None:
    assert not list(fits.mismatches(ASKED, "openai"))
    assert len(list(differs.mismatches(ASKED, "openai"))) == 1


def test_no_tools_are_offered_where_an_empty_list_is_stated() -> None:
    assert not list(When(tools=[]).mismatches(Conversation(model="m"), "openai"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: When(last="/(/"), "'\\(' is no regular expression"),
        (lambda: When(vendor="acme"), "'acme' is none of openai, "),
        (lambda: When(turn=0), "The first one is 1"),
        (lambda: Rule([]), "needs an answer"),
        (lambda: Rule([Reply()], times=0), "1 or more"),
        (lambda: Rulebook([Rule([Reply()], name="a"), Rule([Reply()], name="a")]), "Two rules are named 'a'"),
    ],
    ids=["expression", "vendor", "turn", "answers", "times", "names"],
)
def test_a_rule_that_cannot_apply_is_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidArgumentError, match=words):
        make()


def test_the_first_rule_that_applies_is_used_as_often_as_it_may() -> None:
    first, second = Reply(text="first"), Reply(text="second")
    rules = Rulebook([Rule([first], times=2, name="twice"), Rule([second])])
    taken = [rules.take(ASKED, "openai") for _ in range(4)]
    assert taken == [("twice", first), ("twice", first), ("rule 2", second), ("rule 2", second)]
    assert rules.used == {"twice": 2, "rule 2": 2}


def test_the_answers_of_a_rule_come_one_after_another_and_the_last_is_repeated() -> None:
    answers = [Failure(status=429), Failure(status=503), Reply(text="now")]
    rules = Rulebook([Rule(answers)])
    taken = [rules.take(ASKED, "openai") for _ in range(4)]
    assert [each and each[1] for each in taken] == [*answers, answers[-1]]


def test_a_rule_that_is_used_once_gives_all_its_answers() -> None:
    answers = [Failure(status=429), Reply(text="now")]
    rules = Rulebook([Rule(answers, times=1)])
    taken = [rules.take(ASKED, "openai") for _ in range(3)]
    assert [each and each[1] for each in taken] == [*answers, None]


def test_an_explanation_shows_the_request_and_what_keeps_each_rule() -> None:
    rules = Rulebook(
        [
            Rule([Reply()], when=When(last="sun", turn=1), name="sunny"),
            Rule([Reply()], when=When(role="tool"), times=1, name="once"),
        ]
    )
    rules.take(ASKED, "openai")
    assert rules.explanation(ASKED, "openai").splitlines() == [
        "no rule answers this request of vendor 'openai' for model 'gpt-4o', turn 2",
        "  system prompt: 'You plan trips.'",
        "  last message: 'It RAINS.\\nAll day.' (tool)",
        "  tools: weather, clock",
        "  images: 1",
        '  output schema: \'{"type": "object"}\'',
        "rule 'sunny' does not apply: it is turn 2, not 1; the last message lacks 'sun'",
        "rule 'once' does not apply: it was used 1 times already",
    ]
    assert rules.unused == ["sunny"]


def test_a_long_text_is_cut_in_an_explanation() -> None:
    asked = Conversation(model="m", system="x" * 10_000)
    assert "(10,000 characters)" in (text := Rulebook().explanation(asked, "openai"))
    assert len(text) < 500


def test_rules_name_the_vendors_that_the_server_speaks() -> None:
    assert {*(wire.NAME for wire in WIRE_FORMATS), AssistantsFormat.NAME} == set(VENDORS)


async def test_one_script_answers_several_vendors_and_records_what_was_asked() -> None:
    rules = [
        Rule([Reply(text="A plan.")], when=When(system="plan"), name="plan"),
        Rule([Reply(text="Hello!")], when=When(vendor="anthropic", last="hi")),
    ]
    async with MockModelServer(rules) as server:
        openai = OpenAIChatCompletionClient(model="gpt-4o", api_key="k", base_url=server.openai_url)
        anthropic = AnthropicChatCompletionClient(model="claude-sonnet-4-6", api_key="k", base_url=server.url)
        planned = await openai.create([SystemMessage(content="Plan."), UserMessage(content="Go.", source="user")])
        greeted = await anthropic.create([UserMessage(content="Hi there", source="user")])
    assert (planned.content, greeted.content) == ("A plan.", "Hello!")
    assert [(request.vendor, request.rule) for request in server.requests] == [
        ("openai", "plan"),
        ("anthropic", "rule 2"),
    ]
    assert server.requests[0].conversation == Conversation(
        model="gpt-4o", system="Plan.", messages=(Message(role="user", text="Go."),)
    )
    assert (server.problems, server.unused_rules) == ([], [])


async def test_a_request_that_no_rule_answers_gets_the_explanation_at_once_and_is_listed() -> None:
    async with MockModelServer([Rule([Reset()], when=When(last="bye"))]) as server:
        client = OpenAIChatCompletionClient(model="gpt-4o", api_key="k", base_url=server.openai_url)
        with pytest.raises(Exception, match="the last message lacks 'bye'"):
            await client.create([UserMessage(content="Hi", source="user")])
        server.script(Reply(text="From the queue."))
        assert (await client.create([UserMessage(content="Hi", source="user")])).content == "From the queue."
    assert len(server.requests) == 2  # the SDK did not repeat the first
    assert len(server.problems) == 1
    assert server.unused_rules == ["rule 1"]
