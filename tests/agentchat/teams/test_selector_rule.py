"""The selector's rule alone, on models that are told what to say."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from tests.support.chat_agents import USAGE, asks_for, model, says, shown
from tests.support.effect_recorder import EffectRecorder

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    SelectorEvent,
    TextMessage,
    ThoughtEvent,
)
from symposia.agentchat.teams import RuleContext, SelectorRule, Speak
from symposia.core import CancellationToken
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context import BufferedChatCompletionContext
from symposia.core.models import MODEL_EFFECT, ChatCompletionClient, CreateResult, ModelInfo
from symposia.core.tools import Tool
from symposia.ext.models.replay import ReplayChatCompletionClient

Messages: TypeAlias = Sequence[BaseAgentEvent | BaseChatMessage]

TASK = TextMessage(content="go", source="user")
HELLO = TextMessage(content="hello", source="ann")
WORDS_ONLY = ModelInfo(
    vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False
)


def chooses(name: str) -> CreateResult:
    return asks_for(("choose_speaker", json.dumps({"name": name})))


def only(*names: str) -> Callable[[Messages], list[str]]:
    return lambda _: list(names)


def rule(client: ChatCompletionClient, *names: str, **options: Any) -> SelectorRule:  # Any: the options of the rule
    described = {name: f"{name}'s\n  work" for name in names or ("ann", "bob", "cid")}
    return SelectorRule(described, client, **options)


async def choice(of: SelectorRule, *transcript: BaseChatMessage | BaseAgentEvent) -> str:
    decision = await of.decide(transcript or [TASK], RuleContext())
    assert isinstance(decision, Speak)
    (name,) = decision.names
    return name


def offered(client: ReplayChatCompletionClient, call: int = -1) -> list[str]:
    (tool,) = client.create_calls[call]["tools"]
    assert not isinstance(tool, Tool)
    return tool["parameters"]["properties"]["name"]["enum"]  # type: ignore[typeddict-item] # the schema is the test's


async def test_f29_the_model_is_offered_the_candidates_only() -> None:
    client = model(chooses("bob"))

    assert await choice(rule(client, candidate_func=only("ann", "bob"))) == "bob"
    assert offered(client) == ["ann", "bob"]
    assert client.create_calls[0].get("tool_choice") == "required"


@pytest.mark.parametrize("answer", [chooses("cid"), says("cid"), asks_for(("choose_speaker", "{"))])
async def test_f29_a_model_that_names_no_candidate_is_asked_again(answer: CreateResult) -> None:
    client = model(answer, chooses("bob"))

    assert await choice(rule(client, candidate_func=only("ann", "bob"))) == "bob"
    assert "none of the candidates" in str(shown(client)[-1].content)


async def test_f29_a_model_that_only_ever_names_others_gets_a_candidate() -> None:
    client = model(*[chooses("cid")] * 3)

    assert await choice(rule(client, candidate_func=only("bob", "ann"))) == "bob"


async def test_f30_when_the_model_fails_another_one_speaks_if_repeats_are_not_allowed() -> None:
    selector = rule(model(chooses("ann"), *[says("I cannot say")] * 3))

    assert await choice(selector) == "ann"
    assert await choice(selector) == "bob"


async def test_f30_when_the_model_fails_the_same_one_speaks_if_repeats_are_allowed() -> None:
    selector = rule(model(chooses("bob"), *[says("?")] * 3), allow_repeated_speaker=True)

    assert [await choice(selector), await choice(selector)] == ["bob", "bob"]


async def test_f30_the_previous_speaker_is_not_offered() -> None:
    client = model(chooses("ann"), chooses("cid"))
    selector = rule(client)

    assert [await choice(selector), await choice(selector)] == ["ann", "cid"]
    assert offered(client) == ["bob", "cid"]


async def test_f31_the_models_tokens_are_counted_those_of_failed_attempts_too() -> None:
    context = RuleContext()
    await rule(model(says("?"), chooses("ann"))).decide([TASK], context)

    assert context.usage is not None
    assert context.usage.prompt_tokens == 2 * USAGE.prompt_tokens
    assert context.usage.completion_tokens == 2 * USAGE.completion_tokens


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("bob", "bob"),
        (' "bob".\n', "bob"),
        ("**the_critic**", "the_critic"),
        ("The next one is the critic", "the_critic"),
        (r"the\_critic should speak", "the_critic"),
        ("bobby and bob", "bob"),
    ],
)
async def test_a_model_without_tools_answers_in_words(answer: str, name: str) -> None:
    client = model(says(answer), info=WORDS_ONLY)

    assert await choice(rule(client, "ann", "bob", "the_critic")) == name
    assert client.create_calls[0]["tools"] == []


async def test_a_model_that_names_several_is_asked_again() -> None:
    client = model(says("ann or bob"), says("bob"), info=WORDS_ONLY)

    assert await choice(rule(client)) == "bob"
    assert "You named ann, bob." in str(shown(client)[-1].content)


async def test_a_model_with_tools_may_answer_in_words() -> None:
    assert await choice(rule(model(says("bob")))) == "bob"


async def test_a_single_candidate_speaks_without_asking() -> None:
    client = model(chooses("ann"))
    selector = rule(client, "ann", "bob")

    assert [await choice(selector) for _ in range(3)] == ["ann", "bob", "ann"]
    assert len(client.create_calls) == 1


async def test_the_prompt_has_roles_participants_and_history() -> None:
    client = model(chooses("ann"))
    selector = rule(client, prompt="R {roles} P {participants} H {history} {{}}")
    await choice(selector, TASK, ThoughtEvent(content="hm", source="ann"), HELLO)

    roles = "ann: ann's work\nbob: bob's work\ncid: cid's work"
    assert shown(client)[0].content == f"R {roles} P ['ann', 'bob', 'cid'] H user: go\n\nann: hello {{}}"


async def test_the_context_decides_what_the_model_sees() -> None:
    client = model(chooses("ann"))
    selector = rule(client, prompt="{history}", model_context=BufferedChatCompletionContext(1))
    await choice(selector, TASK, HELLO)

    assert shown(client)[0].content == "ann: hello"


async def test_the_context_is_made_anew_after_loading() -> None:
    client = model(chooses("ann"), chooses("bob"))
    selector = rule(client, prompt="{history}")
    await choice(selector, TASK)
    selector.load_state(selector.save_state())
    await choice(selector, TASK, HELLO)

    assert shown(client)[0].content == "user: go\n\nann: hello"
    assert offered(client) == ["bob", "cid"]


async def test_after_reset_everybody_is_a_candidate_again() -> None:
    client = model(chooses("ann"), chooses("ann"))
    selector = rule(client)
    await choice(selector)
    selector.reset()

    assert await choice(selector) == "ann"


async def test_a_function_chooses_in_place_of_the_model() -> None:
    async def last_but_first(messages: Messages) -> str | None:
        return "cid" if len(messages) == 1 else None

    selector = rule(model(chooses("ann")), selector_func=last_but_first)

    assert await choice(selector, TASK) == "cid"
    assert await choice(selector, TASK, HELLO) == "ann"


async def test_plain_functions_are_called_in_the_event_loop_as_in_autogen() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def leave_it(_: Messages) -> None:
        loops.append(asyncio.get_running_loop())

    def candidates(_: Messages) -> list[str]:
        loops.append(asyncio.get_running_loop())
        return ["bob"]

    assert await choice(rule(model(), selector_func=leave_it, candidate_func=candidates)) == "bob"
    assert loops == 2 * [asyncio.get_running_loop()]


async def test_a_function_that_chooses_an_unknown_speaker_is_named() -> None:
    def eve(_: Messages) -> str:
        return "eve"

    with pytest.raises(InvalidArgumentError, match="Selector function returned an invalid speaker name: eve"):
        await choice(rule(model(), selector_func=eve))


@pytest.mark.parametrize(("names", "complaint"), [([], "non-empty list"), (["eve"], r"\['eve'\]")])
async def test_candidates_have_to_be_participants(names: list[str], complaint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=complaint):
        await choice(rule(model(), candidate_func=only(*names)))


async def test_the_previous_speaker_speaks_again_if_there_is_no_other_candidate() -> None:
    selector = rule(model(), candidate_func=only("ann"))

    assert [await choice(selector), await choice(selector)] == ["ann", "ann"]


async def test_the_models_answer_is_streamed_if_asked() -> None:
    emitted: list[BaseAgentEvent] = []
    client = ReplayChatCompletionClient(["I say bob"])
    await rule(client, streaming=True).decide([TASK], RuleContext("manager", emit=emitted.append))

    *chunks, whole = emitted
    assert "".join(chunk.to_text() for chunk in chunks) == "I say bob"
    assert {chunk.full_message_id for chunk in chunks if isinstance(chunk, ModelClientStreamingChunkEvent)} == {
        whole.id
    }
    assert isinstance(whole, SelectorEvent)
    assert whole.content == "I say bob"
    assert {event.source for event in emitted} == {"manager"}


async def test_each_answer_that_names_no_candidate_is_shown_too() -> None:
    emitted: list[BaseAgentEvent] = []
    client = ReplayChatCompletionClient(["I say zoe", "bob"])
    await rule(client, streaming=True).decide([TASK], RuleContext("manager", emit=emitted.append))

    assert [event.content for event in emitted if isinstance(event, SelectorEvent)] == ["I say zoe", "bob"]


async def test_asking_the_model_is_an_effect() -> None:
    recorder = EffectRecorder()
    with handle_effects(recorder):
        await rule(model(chooses("bob"))).decide([TASK], RuleContext())

    assert [effect.kind for effect in recorder.effects] == [MODEL_EFFECT]


async def test_the_model_gets_the_runs_token() -> None:
    token, client = CancellationToken(), model(chooses("ann"))
    await rule(client).decide([TASK], RuleContext(cancellation_token=token))

    assert client.create_calls[0]["cancellation_token"] is token


@pytest.mark.parametrize(
    ("names", "options", "complaint"),
    [
        (["ann"], {}, "At least two participants"),
        (["ann", "bob"], {"max_attempts": 0}, "max_selector_attempts is 0"),
        (["ann", "bob"], {"prompt": "{role}"}, "selector_prompt may name"),
        (["ann", "bob"], {"prompt": "{"}, "selector_prompt may name"),
    ],
)
def test_what_cannot_work_is_refused_at_once(names: list[str], options: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=complaint):
        rule(model(), *names, **options)
