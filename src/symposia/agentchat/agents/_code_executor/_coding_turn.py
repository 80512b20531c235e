"""One turn of an agent that writes code and runs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from symposia.agentchat.agents._code_executor._code_blocks import code_blocks
from symposia.agentchat.agents._code_executor._code_runner import CodeRunner
from symposia.agentchat.agents._code_executor._report import with_images
from symposia.agentchat.agents._conversation import Conversation
from symposia.agentchat.agents._model_turn import ModelCall, ModelTurn
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseChatMessage,
    CodeExecutionEvent,
    CodeGenerationEvent,
    Item,
    MultiModalMessage,
    OutputRejectedEvent,
    TextMessage,
)
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeResult
from symposia.core.exceptions import ModelAnswerError
from symposia.core.models import ChatCompletionClient, CreateResult, UserMessage

_STOPPED = "The code was stopped before it ended."
_SHALL_WE_RETRY = (
    "The code failed. Say whether another attempt can succeed (`retry`), and in `reason` what went wrong and, if it"
    " can, exactly what to change."
)
_TRY_AGAIN = "Write the whole code again, corrected like this:"


class RetryDecision(BaseModel):
    """The decision of a model about code that failed."""

    model_config = ConfigDict(defer_build=True)

    reason: str = Field(description="What went wrong, and what to change in the next attempt.")
    retry: bool = Field(description="Whether another attempt can succeed.")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingConfiguration:
    """The configuration of the turns of an agent that writes code and runs it.

    Attributes:
        name: The agent's.
        client: The model.
        conversation: The messages for the model.
        runner: Runs the code.
        languages: Those of the blocks that are run.
        stream: Whether the model's text is shown as it comes.
        retries: The most attempts after the first one.
    """

    name: str
    client: ChatCompletionClient
    conversation: Conversation
    runner: CodeRunner
    languages: Collection[str]
    stream: bool
    retries: int


class CodingTurn(ModelTurn):
    """One turn: the model writes code, the code runs, the model reports the result.

    Code that fails goes back to the model, as often as there are retries and as the model expects another attempt to
    succeed. An answer without code ends the turn. Code is added to the model context only together with its result.
    """

    def __init__(self, configuration: CodingConfiguration, token: CancellationToken) -> None:
        super().__init__(
            configuration.name,
            configuration.client,
            configuration.conversation,
            token,
            stream=configuration.stream,
        )
        self._configuration = configuration

    async def run(self, messages: Sequence[BaseChatMessage]) -> AsyncGenerator[Item | Response, None]:
        """Take the turn; the last item is the response."""
        await self._configuration.runner.start_ahead()
        await self.conversation.receive(messages)
        result = CodeResult(exit_code=0, output="")
        attempt, may_run = 0, True
        while True:
            call = await self.model_call({})
            async with aclosing(self.make(call)) as items:
                async for item in items:
                    yield item
            # Code in the last words does not run: the attempts are used up, or the model expects none to succeed.
            blocks = code_blocks(call.text, self._configuration.languages) if may_run else []
            if not blocks:
                yield await self._answer(call, result)
                return
            yield self.note(self._generated(attempt, call, blocks))
            async with aclosing(self._execute(call.result, blocks)) as items:
                async for item in items:
                    if isinstance(item, CodeResult):
                        result = item
                    else:
                        yield item
            yield self.note(CodeExecutionEvent(retry_attempt=attempt, result=result, source=self.agent))
            may_run = False
            if result.exit_code != 0 and attempt < self._configuration.retries:
                async with aclosing(self._correction(attempt)) as corrections:
                    async for correction in corrections:
                        yield self.note(correction)
                        may_run = True
            attempt += 1

    def _generated(self, attempt: int, call: ModelCall, blocks: list[CodeBlock]) -> CodeGenerationEvent:
        return CodeGenerationEvent(
            retry_attempt=attempt,
            content=call.text,
            code_blocks=blocks,
            source=self.agent,
            models_usage=call.result.usage,
        )

    async def _execute(self, answer: CreateResult, blocks: list[CodeBlock]) -> AsyncGenerator[Item | CodeResult, None]:
        """Run the code; the last item is the result, whose output says in words how the code ended.

        The answer and its result are added to the context together and last, however the run ends. An answer whose
        result is missing would read, in the next turn, as if the code had still to run.
        """
        said = answer.to_message(self.agent)
        told = UserMessage(content=_STOPPED, source=self.agent)
        context = [*await self.conversation.context.get_messages(), said]
        try:
            async with aclosing(self._configuration.runner.run_described(blocks, context, self.token)) as items:
                async for item in items:
                    if isinstance(item, CodeResult):
                        told = UserMessage(content=with_images(item.output, item), source=self.agent)
                    yield item
        finally:
            await self.conversation.remember(said, told)

    async def _correction(self, attempt: int) -> AsyncGenerator[CodeGenerationEvent | OutputRejectedEvent]:
        """Ask the model whether and how to go on after an attempt that failed; nothing if not.

        The question is not kept in the context, and of the answer only the instruction for the next attempt: an answer
        in JSON in the conversation is an example that the answers after it would follow.

        Raises:
            ModelAnswerError: The answer is no `RetryDecision`; its event is yielded before.
        """
        question = UserMessage(content=_SHALL_WE_RETRY, source=self.agent)
        call = await self.model_call({"json_output": RetryDecision}, then=[question], stream=False)
        usage = (await call.complete()).usage
        try:
            decision = RetryDecision.model_validate_json(call.text)
        except ValidationError as error:
            reason = f"the model's answer whether to try again is not a RetryDecision: {error}"
            yield OutputRejectedEvent(
                content=call.text, reason=reason, attempt=0, source=self.agent, models_usage=usage
            )
            raise ModelAnswerError(f"Agent '{self.agent}': {reason}") from error
        if not decision.retry:
            return
        instruction = UserMessage(content=f"{_TRY_AGAIN} {decision.reason}", source=self.agent)
        await self.conversation.context.add_message(instruction)
        text = f"Attempt number: {attempt + 1}\nProposed correction: {decision.reason}"
        yield CodeGenerationEvent(
            retry_attempt=attempt, content=text, code_blocks=[], source=self.agent, models_usage=usage
        )

    async def _answer(self, call: ModelCall, result: CodeResult) -> Response:
        """End the turn with the model's answer."""
        response = self.response(_answer_message(self.agent, call, result))
        await self.conversation.context.add_message(call.result.to_message(self.agent))
        return response


def _answer_message(agent: str, call: ModelCall, result: CodeResult) -> TextMessage | MultiModalMessage:
    """The model's text, and the images that its code made last."""
    content, usage = with_images(call.text, result), call.result.usage
    if isinstance(content, str):
        return TextMessage(id=call.message_id, content=content, source=agent, models_usage=usage)
    return MultiModalMessage(id=call.message_id, content=content, source=agent, models_usage=usage)
