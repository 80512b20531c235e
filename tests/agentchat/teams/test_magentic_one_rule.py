"""The rule of Magentic-One: what it decides of a transcript and its model's answers. No runtime is needed."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_agents import ABLE, PIXEL, SEEING, asks_for, model, shown
from tests.support.magentic_one import ledger

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MultiModalMessage, TextMessage
from symposia.agentchat.teams import Answered, MagenticOneRule, Restart, RuleContext, Say, Speak, Stop
from symposia.core.effects import HumanAnswer
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InvalidArgumentError
from symposia.core.models import ModelInfo, UserMessage
from symposia.ext.models.replay import Answer, ReplayChatCompletionClient

TEAM = {"ann": "Searches.", "bob": "Computes."}
PLAIN = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)
JSON_ONLY = ModelInfo(vision=False, function_calling=False, json_output=True, family="unknown", structured_output=False)


class Talk:
    """A conversation with a rule: what it decides is carried out as a team would.

    Attributes:
        client: The model of the rule.
        transcript: The conversation.
    """

    def __init__(self, *answers: Answer | Exception, info: ModelInfo = ABLE, **options: Any) -> None:
        self.client = model(*answers, info=info)
        self.rule = MagenticOneRule(TEAM, self.client, **options)
        self.transcript: list[BaseAgentEvent | BaseChatMessage] = []
        self._answered: list[Answered] = []
        self._turns = 0

    def task(self, text: str | BaseChatMessage = "How far?") -> None:
        self._turns = 0
        message = TextMessage(content=text, source="user") if isinstance(text, str) else text
        self.transcript.append(message)

    async def step(self) -> str:
        """Carry out a decision, and describe it."""
        context = RuleContext("boss", turns=self._turns, answered=self._answered)
        decision = await self.rule.decide(self.transcript, context)
        self._answered = []
        match decision:
            case Say(messages):
                self.transcript += messages
                return f"{'anew' if isinstance(decision, Restart) else 'says'}: {messages[0].to_text()}"
            case Speak((name,)):
                said = TextMessage(content=f"{name} has done it", source=name)
                self._answered = [Answered(0, name, len(self.transcript), [said])]
                self.transcript.append(said)
                self._turns += 1
                return f"speaks: {name}"
            case Stop(reason):
                return f"stops: {reason}"
            case _:
                raise AssertionError(decision)

    async def steps(self, count: int) -> list[str]:
        return [await self.step() for _ in range(count)]

    @property
    def asked(self) -> list[list[str]]:
        """What the model was shown in each call."""
        return [
            [str(message.content) for message in shown(self.client, n)] for n in range(len(self.client.create_calls))
        ]


async def test_it_plans_instructs_judges_and_answers() -> None:
    talk = Talk("FACTS", "PLAN", ledger("bob", "compute"), ledger("ann", "check"), ledger(done=True, reason="ok"), "42")
    talk.task("How far?")
    briefing, *rest = await talk.steps(7)

    assert briefing.startswith("anew: ")
    for part in ("How far?", "- ann: Searches.", "- bob: Computes.", "FACTS", "PLAN"):
        assert part in briefing
    assert rest == ["says: compute", "speaks: bob", "says: check", "speaks: ann", "says: 42", "stops: ok"]


async def test_what_the_model_is_shown_grows_at_its_end_only() -> None:
    talk = Talk("FACTS", "PLAN", ledger("bob", "compute"), ledger("ann", "check"), ledger(done=True), "42")
    talk.task()
    await talk.steps(7)

    assert len(talk.asked) == 6
    for before, after in zip(talk.asked, talk.asked[1:], strict=False):
        kept = before if len(after) > len(before) and after[len(before) - 1] == before[-1] else before[:-1]
        assert after[: len(kept)] == kept  # all but the question, which is asked again at the end
    assert talk.asked[-1][5:-1] == ["compute", "bob: bob has done it", "check", "ann: ann has done it"]


async def test_stalls_lead_to_a_new_plan_and_progress_takes_one_back() -> None:
    stalled = ledger("ann", "try", progress=False, reason="no result")
    talk = Talk(
        *("FACTS", "PLAN"),
        *(stalled, ledger("bob", "on"), stalled, ledger("ann", "again", loop=True), ledger("bob", "x", loop=True)),
        *("NEW FACTS", "NEW PLAN", ledger("bob", "another way"), ledger(done=True), "42"),
        max_stalls=3,
    )
    talk.task()
    steps = await talk.steps(9)
    assert [step.split(":")[0] for step in steps] == ["anew", *["says", "speaks"] * 4]
    briefing = await talk.step()
    assert briefing.startswith("anew: ")
    assert "NEW FACTS" in briefing
    assert "NEW PLAN" in briefing
    assert await talk.steps(4) == ["says: another way", "speaks: bob", "says: 42", "stops: because"]

    facts_request, after = talk.asked[7], talk.asked[9]
    assert "ann: ann has done it" in facts_request
    assert after[2] == "NEW FACTS"
    assert not any("ann has done it" in text for text in after)  # the conversation begins with the new plan


async def test_a_plan_on_which_nobody_has_acted_is_not_replaced() -> None:
    talk = Talk("FACTS", "PLAN", *[ledger("ann", "try", progress=False)] * 2, "NEW FACTS", "NEW PLAN", max_stalls=1)
    talk.task()
    assert [step.split(":")[0] for step in await talk.steps(4)] == ["anew", "says", "speaks", "anew"]


async def test_after_the_last_turn_it_answers_with_what_there_is() -> None:
    talk = Talk(
        "FACTS", "PLAN", ledger("ann", "a"), ledger("bob", "b"), "so far", ledger(done=True), "now", max_turns=2
    )
    talk.task()
    assert (await talk.steps(7))[3:] == ["says: b", "speaks: bob", "says: so far", "stops: Max rounds reached."]
    assert "no more turns" in talk.asked[-1][-1]


async def test_a_second_task_is_planned_with_the_first_and_its_answer() -> None:
    talk = Talk("FACTS", "PLAN", ledger(done=True), "42 km", "FACTS 2", "PLAN 2", ledger("ann", "go"))
    talk.task("How far?")
    await talk.steps(3)
    talk.task("And in miles?")

    assert (await talk.step()).startswith("anew: ")
    assert await talk.steps(2) == ["says: go", "speaks: ann"]
    assert "How far?" in talk.asked[4][1]
    assert "42 km" in talk.asked[4][1]
    assert "And in miles?" in talk.asked[4][1]


FAULTY = {
    "in a fence": f"Here it is:\n```json\n{ledger('bob', 'go')}\n```\nGood?",
    "in words": f"I think {{so}}: {ledger('bob', 'go')} is right.",
    "after a draft": f'{{"next_speaker": "ann"}} or rather {ledger("bob", "go")}',
    "with line breaks in texts": ledger("bob", "go").replace('"because"', '"be\ncause"'),
    "without reasons": json.dumps(
        {
            "is_request_satisfied": False,
            "is_in_loop": "no",
            "is_progress_being_made": "True",
            "next_speaker": "bob",
            "instruction_or_question": "go",
        }
    ),
    "with the name in other letters": ledger("**Bob**", "go"),
}


@pytest.mark.parametrize("answer", FAULTY.values(), ids=FAULTY.keys())
async def test_f36_a_ledger_that_is_written_otherwise_is_read(answer: str) -> None:
    talk = Talk("FACTS", "PLAN", answer)
    talk.task()
    assert (await talk.steps(3))[1:] == ["says: go", "speaks: bob"]


def without(key: str) -> str:
    return json.dumps({name: entry for name, entry in json.loads(ledger("bob", "go")).items() if name != key})


REJECTED = {
    "no JSON": ("I would let bob speak.", "no JSON object"),
    "cut off": (ledger("bob", "go")[:-40], "no JSON object"),
    "a wrong speaker": (ledger("carl", "go"), "next_speaker is 'carl', and has to be one of ['ann', 'bob']"),
    "no speaker": (without("next_speaker"), "next_speaker is ''"),
    "no instruction": (without("instruction_or_question"), "instruction_or_question has no answer"),
    "no progress": (without("is_progress_being_made"), "is_progress_being_made has no answer"),
    "no end": (without("is_request_satisfied"), "is_request_satisfied has no answer"),
    "a list": ("[1, 2]", "no JSON object"),
}


@pytest.mark.parametrize(("answer", "objection"), REJECTED.values(), ids=REJECTED.keys())
async def test_f36_a_ledger_that_cannot_be_read_is_asked_for_again(answer: str, objection: str) -> None:
    talk = Talk("FACTS", "PLAN", answer, answer, ledger("bob", "go"))
    talk.task()
    assert (await talk.steps(3))[1:] == ["says: go", "speaks: bob"]
    assert objection in talk.asked[-1][-1]


@pytest.mark.parametrize("answer", [case[0] for case in REJECTED.values()], ids=REJECTED.keys())
async def test_f36_a_model_that_never_writes_a_ledger_does_not_fail_the_run(answer: str) -> None:
    talk = Talk("FACTS", "PLAN", *[answer] * 12, "so far", max_turns=4, max_stalls=9)
    talk.task()
    assert {step.split(":")[0] for step in (await talk.steps(9))[1:]} == {"says", "speaks"}
    assert await talk.steps(2) == ["says: so far", "stops: Max rounds reached."]


async def test_f36_without_a_readable_ledger_the_participants_go_on_in_their_order() -> None:
    talk = Talk("FACTS", "PLAN", *["?"] * 9, max_stalls=9)
    talk.task()
    assert [step for step in await talk.steps(7) if "speaks" in step] == ["speaks: ann", "speaks: bob", "speaks: ann"]


@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from([*json.loads(ledger()), "reason", "answer"]), inner, max_size=5)
            ),
            max_leaves=12,
        ).map(json.dumps),
    )
)
def test_f36_any_answer_of_the_model_leads_to_a_next_step(answer: str) -> None:
    async def scenario() -> None:
        talk = Talk("FACTS", "PLAN", *[answer] * 6, info=PLAIN)  # a schema takes longer to make than all the rest
        talk.task()
        assert [step.split(":")[0] for step in await talk.steps(2)] == ["anew", "says"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "answer",
    ['{"a":' * 100_000, '{"' * 300_000, "{" * 500_000, ('{"a": "' + "z" * 2_000 + '", "b": ') * 900],
    ids=["nested", "quotes", "braces", "long-values"],
)
async def test_f36_an_answer_is_searched_in_a_time_in_proportion_to_its_length(answer: str) -> None:
    talk = Talk("FACTS", "PLAN", *[answer] * 3)
    talk.task()
    started = time.process_time()
    assert [step.split(":")[0] for step in await talk.steps(2)] == ["anew", "says"]
    assert time.process_time() - started < 10  # it took minutes


async def test_f36_half_a_surrogate_pair_in_a_ledger_does_not_fail_the_run() -> None:
    talk = Talk("FACTS", "PLAN", ledger("bob", "go").replace('"go"', '"go \\ud800"'))
    talk.task()
    assert (await talk.steps(2))[1] == "says: go ?"


async def test_the_ledger_is_asked_for_in_a_schema_that_names_the_participants() -> None:
    talk = Talk("FACTS", "PLAN", ledger("ann", "go"))
    talk.task()
    await talk.steps(2)

    schema = talk.client.create_calls[2]["json_output"]
    assert isinstance(schema, type)
    assert '"enum": ["ann", "bob"]' in json.dumps(schema.model_json_schema())
    assert schema.model_validate_json(ledger("ann", "go"))
    assert [call["json_output"] for call in talk.client.create_calls[:2]] == [None, None]


@pytest.mark.parametrize(("info", "output"), [(JSON_ONLY, True), (PLAIN, None)])
async def test_a_model_without_schemas_is_asked_for_json_or_for_text(info: ModelInfo, output: object) -> None:
    talk = Talk("FACTS", "PLAN", ledger("ann", "go"), info=info)
    talk.task()
    assert (await talk.steps(2))[1] == "says: go"
    assert talk.client.create_calls[2]["json_output"] is output


async def test_an_answer_that_is_a_call_is_read_as_what_it_says() -> None:
    talk = Talk("FACTS", "PLAN", asks_for(("progress", ledger("bob", "go"))))
    talk.task()
    assert (await talk.steps(2))[1] == "says: go"


@pytest.mark.parametrize("info", [SEEING, ABLE])
async def test_the_images_of_a_task_reach_the_participants_and_a_model_that_sees(info: ModelInfo) -> None:
    talk = Talk("FACTS", "PLAN", ledger("ann", "go"), info=info)
    talk.task(MultiModalMessage(content=["What is this?", PIXEL], source="user"))
    await talk.steps(2)

    briefing = talk.transcript[1]
    assert isinstance(briefing, MultiModalMessage)
    assert briefing.content[-1] == PIXEL
    request = shown(talk.client, 2)[1]
    assert isinstance(request, UserMessage)
    assert (PIXEL in list(request.content)) == info["vision"]


class Reviewer:
    def __init__(self, *answers: str | HumanAnswer) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []

    async def __call__(self, prompt: str) -> str | HumanAnswer:
        self.prompts.append(prompt)
        return self.answers.pop(0)


async def test_a_plan_is_carried_out_once_a_person_approves_it() -> None:
    person = Reviewer("Ask bob first.", HumanAnswer(text="No, cheaper.", approved=False), "OK!")
    talk = Talk("FACTS", "PLAN A", "PLAN B", "PLAN C", ledger("bob", "go"), plan_review=person)
    talk.task()
    briefing = await talk.step()

    assert "PLAN C" in briefing
    assert "PLAN B" not in briefing
    assert [next(name for name in "ABC" if f"PLAN {name}" in prompt) for prompt in person.prompts] == ["A", "B", "C"]
    assert "Ask bob first." in talk.asked[2][-1]
    assert "No, cheaper." in talk.asked[3][-1]


@pytest.mark.parametrize("answer", [" yes ", "Approved.", HumanAnswer(text="whatever", approved=True)])
async def test_a_person_approves_by_agreeing(answer: str | HumanAnswer) -> None:
    talk = Talk("FACTS", "PLAN", plan_review=Reviewer(answer))
    talk.task()
    assert "PLAN" in await talk.step()


async def test_a_new_plan_is_reviewed_as_well() -> None:
    person = Reviewer("yes", "yes")
    stalled = ledger("ann", "try", progress=False)
    talk = Talk("FACTS", "PLAN", stalled, stalled, "F2", "P2", max_stalls=1, plan_review=person)
    talk.task()
    await talk.steps(4)
    assert "P2" in person.prompts[1]


@pytest.mark.parametrize("answer", ["", "No.", HumanAnswer(text="", approved=False)])
async def test_a_refusal_that_says_nothing_ends_the_run_and_the_next_one_needs_a_task(
    answer: str | HumanAnswer,
) -> None:
    talk = Talk("FACTS", "PLAN", "FACTS", "PLAN to approve", plan_review=Reviewer(answer, "yes"))
    talk.task()
    assert await talk.step() == "stops: The plan was not approved."
    with pytest.raises(InvalidArgumentError, match="give run"):
        await talk.step()
    talk.task()
    assert "PLAN to approve" in await talk.step()


async def test_a_new_plan_whose_review_fails_is_not_carried_out_after_saving() -> None:
    def review(question: str) -> str:
        if "P2" in question:
            raise ConnectionError("gone")
        return "yes"

    stalled = ledger("ann", "try", progress=False)
    talk = Talk("FACTS", "PLAN", stalled, stalled, "F2", "P2", max_stalls=1, plan_review=review)
    talk.task()
    with pytest.raises(HumanInputError, match="gone"):
        await talk.steps(9)
    assert "P2" not in str(talk.rule.save_state())


async def test_a_review_that_is_no_answer_is_an_error() -> None:
    talk = Talk("FACTS", "PLAN", plan_review=len)
    talk.task()
    with pytest.raises(HumanInputError, match=r"the reply is .*, and has to be True, False, a str or a HumanAnswer"):
        await talk.step()


async def test_a_saved_rule_goes_on_with_what_the_model_was_shown() -> None:
    answers = ["FACTS", "PLAN", ledger("bob", "compute"), ledger("ann", "check"), ledger(done=True), "42"]
    whole = Talk(*answers)
    whole.task()
    await whole.steps(7)

    talk = Talk(*answers)
    talk.task()
    for _ in range(7):
        state = json.loads(json.dumps(talk.rule.save_state()))
        talk.rule = MagenticOneRule(TEAM, talk.client)
        talk.rule.load_state(state)
        await talk.step()
    assert talk.asked == whole.asked


async def test_a_state_of_another_team_is_refused() -> None:
    talk = Talk("FACTS", "PLAN", ledger("bob", "go"))
    talk.task()
    await talk.steps(2)
    with pytest.raises(InvalidArgumentError, match=r"it names \['bob'\]"):
        MagenticOneRule({"ann": "A."}, talk.client).load_state(talk.rule.save_state())


async def test_without_a_task_there_is_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="give run"):
        await Talk().step()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"max_turns": 0}, InvalidArgumentError, "must be greater than 0"),
        ({"max_stalls": -1}, InvalidArgumentError, "max_stalls is -1"),
        ({"max_stalls": "many"}, ArgumentTypeError, "give a whole number"),
        ({"final_answer_prompt": "{answer}"}, InvalidArgumentError, "may name {task}"),
        ({"plan_review": "yes"}, ArgumentTypeError, "plan_review of Magentic-One"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        MagenticOneRule(TEAM, ReplayChatCompletionClient([]), **options)


def test_a_team_has_participants() -> None:
    nobody: Sequence[str] = ()
    with pytest.raises(InvalidArgumentError, match="At least one participant"):
        MagenticOneRule(dict.fromkeys(nobody, ""), ReplayChatCompletionClient([]))
