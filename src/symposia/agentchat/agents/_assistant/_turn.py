from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal, TypeAlias

from symposia.agentchat.agents._assistant._answers import handoff_answer, model_answer, summary_answer
from symposia.agentchat.agents._assistant._decisions import decide, made_handoff
from symposia.agentchat.agents._assistant._setup import AssistantSetup
from symposia.agentchat.agents._assistant._tool_round import ToolRound
from symposia.agentchat.agents._assistant._toolbox import Toolbox
from symposia.agentchat.agents._cancellation import to_the_end
from symposia.agentchat.agents._effects import ModelRequest
from symposia.agentchat.agents._intake import Intake
from symposia.agentchat.agents._model_call import ModelCall
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MemoryQueryEvent,
    ModelClientStreamingChunkEvent,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.core import CancellationToken, FunctionCall
from symposia.core.models import CreateResult, FunctionExecutionResult, FunctionExecutionResultMessage, UserMessage

Shown: TypeAlias = BaseAgentEvent | BaseChatMessage

_PICTURES = "The pictures that the tools gave, in order:"


class Turn:
    """One turn of an assistant: from the messages that are new to one response.

    The model is asked. While it asks for tools they are called and it is asked again, up to the assistant's limit of
    rounds; a handoff ends the turn at once. At the limit the model reflects on the results, or they are the answer.

    The model context only ever gets a round of calls together with its results, so that it can be asked again however
    the turn ends.
    """

    def __init__(self, setup: AssistantSetup, intake: Intake, token: CancellationToken) -> None:
        self._setup = setup
        self._intake = intake
        self._token = token
        self._inner: list[Shown] = []

    async def run(self, messages: Sequence[BaseChatMessage]) -> AsyncGenerator[Shown | Response, None]:
        """Take the turn; the last item is the response."""
        setup = self._setup
        await self._intake.take(messages)
        for event in await self._recall():
            yield self._noted(event)
        results: list[FunctionExecutionResult] = []
        calls: list[FunctionCall] = []
        for number in range(setup.rounds + setup.reflect):
            toolbox = await Toolbox.open(setup.name, setup.workbenches)
            question = await self._question(toolbox, "auto" if number < setup.rounds else "none")
            async with aclosing(self._listen(question)) as heard:
                async for event in heard:
                    yield event
            answer = question.result
            if isinstance(answer.content, str) or number == setup.rounds:
                yield await self._answered(question)
                return
            calls = answer.content
            tools = ToolRound(setup.name, calls, decide(calls, toolbox, setup.handoffs), self._token)
            async with aclosing(self._act(answer, tools)) as seen:
                async for event in seen:
                    yield event
            results = tools.results
            if (made := made_handoff(calls, results, setup.handoffs)) is not None:
                yield self._response(handoff_answer(setup, *made, answer, results))
                return
        yield self._response(summary_answer(setup, calls, results))

    async def _recall(self) -> list[MemoryQueryEvent]:
        """Let the memories add what they know to the context."""
        updates = [await memory.update_context(self._setup.context) for memory in self._setup.memories]
        return [
            MemoryQueryEvent(content=update.memories.results, source=self._setup.name)
            for update in updates
            if update.memories.results
        ]

    async def _question(self, toolbox: Toolbox, tool_choice: Literal["auto", "none"]) -> ModelCall:
        setup = self._setup
        request = ModelRequest(
            messages=await setup.view.messages(),
            tools=toolbox.schemas if tool_choice == "auto" else (),  # some servers ignore a choice of "none"
            tool_choice=tool_choice,
            json_output=setup.output_type,
        )
        return ModelCall(setup.name, setup.client, request, self._token, stream=setup.stream)

    async def _listen(self, question: ModelCall) -> AsyncGenerator[Shown, None]:
        async with aclosing(question.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
        if question.result.thought:
            yield self._noted(ThoughtEvent(content=question.result.thought, source=self._setup.name))

    async def _act(self, answer: CreateResult, tools: ToolRound) -> AsyncGenerator[Shown, None]:
        name = self._setup.name
        try:
            yield self._noted(ToolCallRequestEvent(content=list(tools.calls), source=name, models_usage=answer.usage))
            async with aclosing(tools.events()) as events:
                async for event in events:
                    yield self._noted(event)
        finally:
            await to_the_end(self._remember(answer, tools))
        yield self._noted(ToolCallExecutionEvent(content=tools.results, source=name))

    async def _remember(self, answer: CreateResult, tools: ToolRound) -> None:
        context, name = self._setup.context, self._setup.name
        await context.add_message(answer.to_message(name))
        await context.add_message(FunctionExecutionResultMessage(content=tools.results))
        if tools.images and self._setup.client.model_info["vision"]:  # a result itself holds text only
            await context.add_message(UserMessage(content=[_PICTURES, *tools.images], source=name))

    async def _answered(self, question: ModelCall) -> Response:
        message = model_answer(self._setup, question)
        response = self._response(message)
        await self._setup.context.add_message(question.result.to_message(self._setup.name))
        return response

    def _response(self, message: BaseChatMessage) -> Response:
        self._intake.answered()
        return Response(chat_message=message, inner_messages=self._inner)

    def _noted(self, event: Shown) -> Shown:
        """Keep what belongs to the response; the pieces of a stream do not."""
        if not isinstance(event, ModelClientStreamingChunkEvent):
            self._inner.append(event)
        return event
