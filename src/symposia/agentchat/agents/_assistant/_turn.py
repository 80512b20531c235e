"""One turn of an assistant: the loop of asking the model, calling tools and answering.

The loop itself is `AssistantTurn.run`. What it does at each point is decided by the parts of the loop (`_parts`), which
are methods of the agent.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from symposia.agentchat.agents._assistant._configuration import AssistantConfiguration
from symposia.agentchat.agents._assistant._part_checks import CheckedParts
from symposia.agentchat.agents._assistant._parts import AssistantParts, Rejection, TurnProgress
from symposia.agentchat.agents._assistant._tool_calls import AcceptedCall, AvailableTools, ToolRound, refuse_call
from symposia.agentchat.agents._model_turn import ModelCall, ModelTurn
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    Item,
    OutputRejectedEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.core import CancellationToken
from symposia.core.json_values import as_json
from symposia.core.models import (
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)

_IMAGES: Final = "The pictures that the tools gave, in order:"


class AssistantTurn(ModelTurn):
    """One turn: from the messages that are new to one response.

    The model is called. While it asks for tools they are called and the model is called again, up to the assistant's
    limit of rounds; a handoff ends the turn at once. At the limit the model reflects on the results, or they are the
    answer. An answer that is rejected is sent back, until the part that judges answers gives one.

    A round of calls is added to the model context only together with its results, so that the model can be called again
    however the turn ends. Answers that were sent back are not kept in the context, unless a round of calls follows: the
    accepted answer says all that they say.
    """

    def __init__(self, configuration: AssistantConfiguration, parts: AssistantParts, token: CancellationToken) -> None:
        super().__init__(
            configuration.name,
            configuration.client,
            configuration.conversation,
            token,
            stream=configuration.stream,
        )
        self._configuration = configuration
        self._parts = CheckedParts(configuration.name, parts)
        self._rejected: list[LLMMessage] = []
        self._corrections = 0
        self._rejections = 0

    async def run(self, messages: Sequence[BaseChatMessage]) -> AsyncGenerator[Item | Response, None]:
        """Take the turn; the last item is the response."""
        configuration, parts = self._configuration, self._parts
        # The input is in the context before the first effect. Keeping it aside until the model has answered was
        # rejected: memories and contexts that summarise choose by what they have received.
        await self.conversation.receive(messages)
        for event in await self._recall():
            yield self.note(event)
        rounds, ignores_choice = 0, False
        while True:
            # Listed anew for each call of the model: the tools of a workbench may change with what its tools do.
            tools = await AvailableTools.of(self.agent, configuration.workbenches)
            progress = TurnProgress(
                received=messages,
                tools=tools,
                rounds=rounds,
                may_call=rounds < configuration.rounds,
                ignores_choice=ignores_choice,
                corrections=self._corrections,
                rejected=self._rejected,
            )
            call = self.call_with(*await parts.build_model_input(progress))
            async with aclosing(self.make(call)) as items:
                async for item in items:
                    yield item
            calls = call.result.content
            if isinstance(calls, str) or not progress.may_call:
                async with aclosing(self._answer(call, progress)) as items:
                    async for item in items:
                        yield item
                        if isinstance(item, Response):
                            return
                ignores_choice = not isinstance(calls, str)
                continue
            rounds += 1
            tool_round = ToolRound(calls, self.token)
            async with aclosing(self._call_tools(call.result, tools, tool_round)) as items:
                async for item in items:
                    yield item
            # A handoff is looked for among the results and not among the calls: one whose tool failed is told to the
            # model, which then has its next round, and passes on no turn.
            if (handoff := parts.make_handoff(call.result, calls, tool_round.results)) is not None:
                yield self.response(handoff)
                return
            if rounds == configuration.rounds and not configuration.reflect:
                yield self.response(await parts.summarize_results(calls, tool_round.results))
                return

    async def _recall(self) -> list[BaseAgentEvent]:
        """Let the memories add to the context what fits the conversation."""
        if not self._configuration.memories:
            return []
        from symposia.agentchat.messages import MemoryQueryEvent  # noqa: PLC0415 - most agents have no memory
        from symposia.core.memory import update_context  # noqa: PLC0415 - most agents have no memory

        updates = [await update_context(memory, self.conversation.context) for memory in self._configuration.memories]
        return [
            MemoryQueryEvent(content=update.memories.results, source=self.agent)
            for update in updates
            if update.memories.results
        ]

    async def _answer(self, call: ModelCall, progress: TurnProgress) -> AsyncGenerator[OutputRejectedEvent | Response]:
        """The event of an answer that is rejected, and the response unless the model is asked again."""
        answer = await self._parts.make_answer(call, progress)
        if isinstance(answer, Rejection):
            # Also of the last attempt: the fallback may raise, and the answer and its tokens would be in no message.
            yield self._reject(call.result, answer)
            fallback = await self._parts.fall_back(answer)
            if fallback is None:
                return
            answer = fallback
        yield await self._respond(call.result, answer)

    async def _respond(self, answer: CreateResult, message: BaseChatMessage) -> Response:
        # The input counts as answered before the answer is in the context. In the other order, a turn that is cancelled
        # while the answer is added leaves both, and the same words again would be taken for input that is there.
        response = self.response(message)
        if isinstance(answer.content, str):
            await self.conversation.context.add_message(answer.to_message(self.agent))
        return response

    def _reject(self, answer: CreateResult, rejection: Rejection) -> OutputRejectedEvent:
        """Reject an answer: if the model is asked again, it is shown the answer and its correction.

        They are not added to the context, where every later turn would pay for them, and where a turn that is cancelled
        now would leave a complaint without an answer.
        """
        if rejection.correction is not None:
            if isinstance(answer.content, str):  # calls without results must not be shown to a model again
                self._rejected.append(answer.to_message(self.agent))
            self._rejected.append(UserMessage(content=rejection.correction, source="user"))
            self._corrections += 1
        event = OutputRejectedEvent(
            content=str(answer.content),
            reason=rejection.reason,
            attempt=self._rejections,
            source=self.agent,
            models_usage=answer.usage,
        )
        self._rejections += 1
        self.note(event)
        return event

    async def _call_tools(
        self, answer: CreateResult, available: AvailableTools, tools: ToolRound
    ) -> AsyncGenerator[Item, None]:
        """Make a round of calls, and add it to the context with a result for each call, however it ends.

        Adding the calls first and each result as it comes was rejected: vendors refuse a conversation in which a call
        has no result, so a turn that is cancelled, or whose stream is closed, would make the agent useless for good. In
        the ``finally`` the calls that were cut short have results too, which say so.
        """
        request = ToolCallRequestEvent(content=list(tools.calls), source=self.agent, models_usage=answer.usage)
        try:
            yield self.note(request)
            tools.decisions = await self._parts.decide_calls(tools.calls, available)
            if self._configuration.guardrails:
                async with aclosing(self._check_calls(tools)) as events:
                    async for event in events:
                        yield event
            async with aclosing(tools.events()) as events:
                async for event in events:
                    yield event
        finally:
            await self.conversation.remember(*self._round_messages(answer, tools))
        # In the order of the calls, so that the response does not depend on how long each of them took.
        for event in tools.shown:
            self.note(event)
        yield self.note(ToolCallExecutionEvent(content=tools.results, source=self.agent))

    async def _check_calls(self, tools: ToolRound) -> AsyncGenerator[Item, None]:
        """Check the accepted calls one after another, and show the verdicts.

        Checked here and not where a tool is called: the effect of the call then has the arguments that a person has
        approved, and a resumed run finds the approval before it.
        """
        from symposia.agentchat._checked_turn import check_call  # noqa: PLC0415 - most agents have no guardrails
        from symposia.agentchat.guardrails import Block, ToolCall  # noqa: PLC0415 - likewise

        decisions = list(tools.decisions)
        for place, decision in enumerate(decisions):
            if not isinstance(decision, AcceptedCall):
                continue
            call, arguments = decision.call, decision.arguments
            asked = ToolCall(name=call.name, arguments=arguments, id=call.id)
            outcome, events = await check_call(self.agent, self._configuration.guardrails, asked, self.token)
            for event in events:
                yield self.note(event)
            if isinstance(outcome, Block):
                decisions[place] = refuse_call(call, f"The call was blocked. {outcome.reason}")
            elif outcome is not arguments:
                decisions[place] = decision._replace(arguments=as_json(outcome, f"the arguments of {call.name!r}"))
        tools.decisions = decisions

    def _round_messages(self, answer: CreateResult, tools: ToolRound) -> list[LLMMessage]:
        """What the context keeps of a round of calls, and of the answers that were sent back before it."""
        rejected, self._rejected = self._rejected, []
        messages: list[LLMMessage] = [
            *rejected,
            answer.to_message(self.agent),
            FunctionExecutionResultMessage(content=tools.results),
        ]
        if tools.images and self._configuration.client.model_info["vision"]:  # a result itself holds text only
            messages.append(UserMessage(content=[_IMAGES, *tools.images], source=self.agent))
        return messages
