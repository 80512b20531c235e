"""One turn of an assistant, and the messages with which it can end."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from symposia.agentchat.agents._assistant._configuration import AssistantConfiguration
from symposia.agentchat.agents._assistant._tool_calls import AvailableTools, ToolRound, decide, made_handoff
from symposia.agentchat.agents._model_turn import Item, ModelCall, ModelTurn
from symposia.agentchat.base import Handoff, Response
from symposia.agentchat.messages import (
    BaseChatMessage,
    HandoffMessage,
    MemoryQueryEvent,
    OutputRejectedEvent,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from symposia.core import CancellationToken, FunctionCall
from symposia.core.memory import update_context
from symposia.core.models import (
    AssistantMessage,
    CreateOptions,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)

_IMAGES: Final = "The pictures that the tools gave, in order:"


class AssistantTurn(ModelTurn):
    """One turn: from the messages that are new to one response.

    The model is called. While it asks for tools they are called and the model is called again, up to the assistant's
    limit of rounds; a handoff ends the turn at once. At the limit the model reflects on the results, or they are the
    answer. An answer in a schema that is not accepted is sent back, as often as there are retries.

    A round of calls is added to the model context only together with its results, so that the model can be called again
    however the turn ends. Answers that were sent back are not kept in the context, unless a round of calls follows: the
    accepted answer says all that they say.
    """

    def __init__(self, configuration: AssistantConfiguration, token: CancellationToken) -> None:
        super().__init__(
            configuration.name,
            configuration.client,
            configuration.conversation,
            token,
            stream=configuration.stream,
        )
        self._configuration = configuration
        self._rejected: list[LLMMessage] = []
        self._rejections = 0

    async def run(self, messages: Sequence[BaseChatMessage]) -> AsyncGenerator[Item | Response, None]:
        """Take the turn; the last item is the response."""
        configuration = self._configuration
        await self.conversation.receive(messages)
        for event in await self._recall():
            yield self.note(event)
        rounds = 0
        while True:
            may_call = rounds < configuration.rounds
            tools = await AvailableTools.of(self.agent, configuration.workbenches)
            call = await self.model_call(self._options(tools, may_call=may_call), then=self._rejected)
            async with aclosing(self.make(call)) as items:
                async for item in items:
                    yield item
            calls = call.result.content
            if isinstance(calls, str) or not may_call:
                answer = await self._answer(call, messages)
                yield answer
                if isinstance(answer, Response):
                    return
                continue
            rounds += 1
            tool_round = ToolRound(calls, decide(calls, tools, configuration.handoffs), self.token)
            async with aclosing(self._call_tools(call.result, tool_round)) as items:
                async for item in items:
                    yield item
            results = tool_round.results
            if (made := made_handoff(calls, results, configuration.handoffs)) is not None:
                yield self.response(self._handoff(*made, call.result, results))
                return
            if rounds == configuration.rounds and not configuration.reflect:
                yield self.response(self._summary(calls, results))
                return

    async def _recall(self) -> list[MemoryQueryEvent]:
        """Let the memories add to the context what fits the conversation."""
        updates = [await update_context(memory, self.conversation.context) for memory in self._configuration.memories]
        return [
            MemoryQueryEvent(content=update.memories.results, source=self.agent)
            for update in updates
            if update.memories.results
        ]

    def _options(self, tools: AvailableTools, *, may_call: bool) -> CreateOptions:
        output = self._configuration.output
        json_output = None if output is None else output.mode(self._configuration.client)
        if may_call:  # ``auto`` is not said: clients written before there was a choice work too
            return {"tools": tools.schemas, "json_output": json_output}
        return {"tools": (), "tool_choice": "none", "json_output": json_output}  # some servers ignore the choice alone

    async def _answer(self, call: ModelCall, received: Sequence[BaseChatMessage]) -> Response | OutputRejectedEvent:
        """The response that ends the turn, or the event of an answer that is sent back."""
        message: BaseChatMessage
        output = self._configuration.output
        if output is None:
            message = TextMessage(
                id=call.message_id, content=call.text, source=self.agent, models_usage=call.result.usage
            )
        else:
            verdict = await output.judge(call, received)
            if verdict.complaint and self._rejections < output.retries:
                return self._reject(call.result, verdict.complaint)
            message = output.settle(verdict, call)
        response = self.response(message)
        if isinstance(call.result.content, str):
            await self.conversation.context.add_message(call.result.to_message(self.agent))
        return response

    def _reject(self, answer: CreateResult, complaint: str) -> OutputRejectedEvent:
        """Send an answer back."""
        if isinstance(answer.content, str):  # calls without results must not be shown to a model again
            self._rejected.append(answer.to_message(self.agent))
        self._rejected.append(UserMessage(content=f"{complaint} Answer again.", source="user"))
        event = OutputRejectedEvent(
            content=answer.content if isinstance(answer.content, str) else "",
            reason=complaint,
            attempt=self._rejections,
            source=self.agent,
            models_usage=answer.usage,
        )
        self._rejections += 1
        self.note(event)
        return event

    async def _call_tools(self, answer: CreateResult, tools: ToolRound) -> AsyncGenerator[Item, None]:
        request = ToolCallRequestEvent(content=list(tools.calls), source=self.agent, models_usage=answer.usage)
        try:
            yield self.note(request)
            async with aclosing(tools.events()) as events:
                async for event in events:
                    yield self.note(event)
        finally:
            await self.conversation.remember(*self._round_messages(answer, tools))
        yield self.note(ToolCallExecutionEvent(content=tools.results, source=self.agent))

    def _round_messages(self, answer: CreateResult, tools: ToolRound) -> list[LLMMessage]:
        """What the context keeps of a round of calls."""
        rejected, self._rejected = self._rejected, []
        messages: list[LLMMessage] = [
            *rejected,
            answer.to_message(self.agent),
            FunctionExecutionResultMessage(content=tools.results),
        ]
        if tools.images and self._configuration.client.model_info["vision"]:  # a result itself holds text only
            messages.append(UserMessage(content=[_IMAGES, *tools.images], source=self.agent))
        return messages

    def _summary(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> ToolCallSummaryMessage:
        """The answer that is made of the tool results, a line for each."""
        lines = [self._configuration.summary(call, result) for call, result in zip(calls, results, strict=True)]
        return ToolCallSummaryMessage(
            content="\n".join(lines), source=self.agent, tool_calls=list(calls), results=list(results)
        )

    def _handoff(
        self,
        handoff: Handoff,
        made: FunctionExecutionResult,
        answer: CreateResult,
        results: Sequence[FunctionExecutionResult],
    ) -> HandoffMessage:
        """The answer that passes the turn on. Its context is the thought and the tool results of this turn.

        Args:
            handoff: The handoff.
            made: The result of its tool, which is the text for the other agent.
            answer: The answer in which the model asked for it.
            results: The results of all calls in that answer.
        """
        used = [result for result in results if result.name not in self._configuration.handoffs]
        ids = {result.call_id for result in used}
        calls = [call for call in answer.content if isinstance(call, FunctionCall) and call.id in ids]
        context: list[LLMMessage] = []
        if calls:
            said = AssistantMessage(content=calls, thought=answer.thought, source=self.agent)
            context = [said, FunctionExecutionResultMessage(content=used)]
        elif answer.thought:
            context = [AssistantMessage(content=answer.thought, source=self.agent)]
        return HandoffMessage(content=made.content, target=handoff.target, source=self.agent, context=context)
