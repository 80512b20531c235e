"""Assistants without tools: words, thoughts, streams, schemas, memories, pictures, and what the model is shown."""

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import (
    PIXEL,
    SEEING,
    USAGE,
    RecordingHandler,
    asks_for,
    collected,
    kinds,
    model,
    says,
    shown,
)

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import (
    HandoffMessage,
    MemoryQueryEvent,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    StructuredMessage,
    TextMessage,
    ThoughtEvent,
)
from symposia.core import CancellationToken
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ModelAnswerError
from symposia.core.memory import ListMemory, MemoryContent
from symposia.core.model_context import BufferedChatCompletionContext
from symposia.core.models import AssistantMessage, ModelRequest, SystemMessage, UserMessage


class Verdict(BaseModel):
    score: int


async def test_the_answer_is_the_models_text_with_its_usage() -> None:
    result = await AssistantAgent("ann", model(says("hi"))).run(task="hello")

    answer = result.messages[-1]
    assert isinstance(answer, TextMessage)
    assert (answer.content, answer.source, answer.models_usage) == ("hi", "ann", USAGE)


async def test_the_model_is_shown_the_system_message_and_the_conversation_so_far() -> None:
    client = model(says("hi"), says("fine"))
    agent = AssistantAgent("ann", client, system_message="Be kind.")

    await agent.run(task="hello")
    await agent.run(task="how are you?")

    assert shown(client) == [
        SystemMessage(content="Be kind."),
        UserMessage(content="hello", source="user"),
        AssistantMessage(content="hi", source="ann"),
        UserMessage(content="how are you?", source="user"),
    ]


async def test_without_a_system_message_the_model_is_told_nothing_first() -> None:
    client = model(says("hi"))

    await AssistantAgent("ann", client, system_message=None).run(task="hello")

    assert shown(client) == [UserMessage(content="hello", source="user")]


async def test_the_model_context_chooses_what_the_model_is_shown() -> None:
    client = model(says("1"), says("2"))
    agent = AssistantAgent(
        "ann", client, system_message=None, model_context=BufferedChatCompletionContext(buffer_size=1)
    )

    await agent.run(task="first")
    await agent.run(task="second")

    assert shown(client) == [UserMessage(content="second", source="user")]


async def test_a_thought_comes_before_the_answer_and_stays_with_it_in_the_context() -> None:
    agent = AssistantAgent("ann", model(says("hi", thought="greet back")))

    result = await agent.run(task="hello")

    assert kinds(result.messages) == ["TextMessage", "ThoughtEvent", "TextMessage"]
    assert isinstance(thought := result.messages[1], ThoughtEvent)
    assert thought.content == "greet back"
    assert (await agent.model_context.get_messages())[-1] == AssistantMessage(
        content="hi", thought="greet back", source="ann"
    )


async def test_streamed_pieces_name_the_message_that_they_add_up_to() -> None:
    agent = AssistantAgent("ann", model("a b c"), model_client_stream=True)

    items = await collected(agent.run_stream(task="hello"))

    pieces = [item for item in items if isinstance(item, ModelClientStreamingChunkEvent)]
    assert isinstance(answer := items[-2], TextMessage)
    assert "".join(piece.content for piece in pieces) == answer.content == "a b c"
    assert {piece.full_message_id for piece in pieces} == {answer.id}
    assert answer.models_usage is not None
    assert answer.models_usage.completion_tokens == 3


async def test_an_answer_in_a_schema_is_a_structured_message() -> None:
    client = model(says('{"score": 3}'))
    agent = AssistantAgent("ann", client, output_content_type=Verdict, output_content_type_format="Score: {score}")

    answer = (await agent.run(task="judge")).messages[-1]

    assert isinstance(answer, StructuredMessage)
    assert answer.dump()["content"] == {"score": 3}
    assert answer.to_text() == "Score: 3"
    assert client.create_calls[0]["json_output"] is Verdict
    assert StructuredMessage[Verdict] in agent.produced_message_types


async def test_an_answer_that_does_not_fit_its_schema_is_an_error_that_names_the_agent_and_is_not_remembered() -> None:
    agent = AssistantAgent("ann", model(says("three"), says('{"score": 3}')), output_content_type=Verdict)

    with pytest.raises(ModelAnswerError, match=r"Agent 'ann'.*Verdict") as caught:
        await agent.run(task="judge")
    assert isinstance(caught.value, ValueError)  # as programs for AutoGen catch it
    assert await agent.model_context.get_messages() == [UserMessage(content="judge", source="user")]

    result = await agent.run()
    assert result.messages[-1].to_text() == '{"score":3}'


async def test_memories_are_shown_to_the_model_and_told_as_an_event() -> None:
    memory = ListMemory()
    await memory.add(MemoryContent(content="likes tea", mime_type="text/plain"))
    client = model(says("tea?"))

    result = await AssistantAgent("ann", client, memory=[memory]).run(task="drink?")

    assert isinstance(event := result.messages[1], MemoryQueryEvent)
    assert [content.content for content in event.content] == ["likes tea"]
    assert any("likes tea" in str(message.content) for message in shown(client))


async def test_an_empty_memory_is_no_event() -> None:
    result = await AssistantAgent("ann", model(says("tea?")), memory=[ListMemory()]).run(task="drink?")

    assert kinds(result.messages) == ["TextMessage", "TextMessage"]


async def test_a_handoff_brings_its_context_along() -> None:
    client = model(says("ok"))
    earlier = AssistantMessage(content="I looked it up: 7.", source="bob")

    await AssistantAgent("ann", client, system_message=None).run(
        task=HandoffMessage(content="over to you", source="bob", target="ann", context=[earlier])
    )

    assert shown(client) == [earlier, UserMessage(content="over to you", source="bob")]


async def test_a_model_that_sees_is_shown_pictures_and_another_one_placeholders() -> None:
    seeing, blind = model(says("a dot"), info=SEEING), model(says("?"), says("?"))
    task = MultiModalMessage(content=["look", PIXEL], source="user")
    blind_agent = AssistantAgent("ann", blind, system_message=None)

    await AssistantAgent("ann", seeing, system_message=None).run(task=task)
    await blind_agent.run(task=task)
    await blind_agent.run(task="and now?")

    assert shown(seeing) == [task.to_model_message()]
    assert shown(blind)[0] == UserMessage(content="look\n<image>", source="user")
    assert (await blind_agent.model_context.get_messages())[0] == task.to_model_message()


async def test_a_blind_model_follows_a_context_that_was_cleared() -> None:
    client = model(says("1"), says("2"))
    agent = AssistantAgent("ann", client, system_message=None)

    await agent.run(task="first")
    await agent.on_reset(CancellationToken())
    await agent.run(task="second")

    assert shown(client) == [UserMessage(content="second", source="user")]


async def test_a_model_that_asks_for_tools_it_was_not_given_is_told_so() -> None:
    result = await AssistantAgent("ann", model(asks_for(("add", "{}")))).run(task="go")

    assert "There is no tool 'add'. The tools are: none." in result.messages[-1].to_text()


async def test_every_model_call_is_an_effect_whose_request_has_all_that_decides_it() -> None:
    handler = RecordingHandler()

    with handle_effects(handler):
        await AssistantAgent("ann", model(says("hi")), system_message=None).run(task="hello")
        await AssistantAgent("bob", model("hi"), model_client_stream=True).run(task="hello")

    assert handler.seen == ["agent:ann model", "agent:bob model"]
    assert isinstance(request := handler.effects[0].request, ModelRequest)
    assert request.messages == [UserMessage(content="hello", source="user")]
