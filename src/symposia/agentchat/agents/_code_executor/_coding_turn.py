from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from symposia.agentchat.agents._cancellation import to_the_end
from symposia.agentchat.agents._code_executor._blocks import code_blocks
from symposia.agentchat.agents._code_executor._report import with_images
from symposia.agentchat.agents._code_executor._runner import CodeRunner
from symposia.agentchat.agents._effects import ModelRequest
from symposia.agentchat.agents._intake import Intake
from symposia.agentchat.agents._model_call import ModelCall
from symposia.agentchat.agents._model_view import ModelView
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeExecutionEvent,
    CodeGenerationEvent,
    MultiModalMessage,
    TextMessage,
    ThoughtEvent,
)
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeResult
from symposia.core.exceptions import ModelAnswerError
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import AssistantMessage, ChatCompletionClient, CreateResult, UserMessage

Shown: TypeAlias = BaseAgentEvent | BaseChatMessage

_STOPPED = "The code was stopped before it ended."
_SHALL_WE_RETRY = (
    "The code failed. Say whether another attempt can succeed (`retry`), and in `reason` what went wrong and, if it"
    " can, exactly what to change."
)
_TRY_AGAIN = "Write the whole code again, corrected like this:"


class RetryDecision(BaseModel):
    """What the model makes of code that failed."""

    model_config = ConfigDict(defer_build=True)

    reason: str = Field(description="What went wrong, and what to change in the next attempt.")
    retry: bool = Field(description="Whether another attempt can succeed.")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingSetup:
    """Everything that the turns of an agent go by that writes code and runs it.

    Attributes:
        name: The agent's.
        client: The model.
        context: The conversation.
        view: What of it the model is shown, and what it is told first.
        runner: Runs the code.
        languages: Those of the blocks that are run.
        stream: Whether the model's words are shown as they come.
        retries: The most attempts after the first one.
    """

    name: str
    client: ChatCompletionClient
    context: ChatCompletionContext
    view: ModelView
    runner: CodeRunner
    languages: Collection[str]
    stream: bool
    retries: int


class CodingTurn:
    """One turn: the model writes code, the code runs, the model says what came of it.

    Code that fails goes back to the model, as often as there are retries and as the model thinks that it can mend it.
    An answer without code ends the turn. The model context only ever gets code together with what came of it.
    """

    def __init__(self, setup: CodingSetup, intake: Intake, token: CancellationToken) -> None:
        self._setup = setup
        self._intake = intake
        self._token = token
        self._inner: list[Shown] = []

    async def run(self, messages: Sequence[BaseChatMessage]) -> AsyncGenerator[Shown | Response, None]:
        """Take the turn; the last item is the response."""
        await self._intake.take(messages)
        result = CodeResult(exit_code=0, output="")
        for attempt in range(self._setup.retries + 1):
            question = await self._question()
            async with aclosing(self._listen(question)) as heard:
                async for event in heard:
                    yield event
            blocks = code_blocks(question.text, self._setup.languages)
            if not blocks:
                yield await self._answered(question, result)
                return
            yield self._noted(self._generated(attempt, question, blocks))
            result = await self._execute(question.result, blocks)
            yield self._noted(CodeExecutionEvent(retry_attempt=attempt, result=result, source=self._setup.name))
            if result.exit_code == 0 or attempt == self._setup.retries:
                break
            correction = await self._correction(attempt)
            if correction is None:
                break
            yield self._noted(correction)
        question = await self._question()
        async with aclosing(self._listen(question)) as heard:
            async for event in heard:
                yield event
        yield await self._answered(question, result)

    async def _question(self) -> ModelCall:
        request = ModelRequest(messages=await self._setup.view.messages())
        return self._call(request, stream=self._setup.stream)

    def _call(self, request: ModelRequest, *, stream: bool) -> ModelCall:
        return ModelCall(self._setup.name, self._setup.client, request, self._token, stream=stream)

    async def _listen(self, question: ModelCall) -> AsyncGenerator[Shown, None]:
        async with aclosing(question.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
        if question.result.thought:
            yield self._noted(ThoughtEvent(content=question.result.thought, source=self._setup.name))

    def _generated(self, attempt: int, question: ModelCall, blocks: list[CodeBlock]) -> CodeGenerationEvent:
        return CodeGenerationEvent(
            retry_attempt=attempt,
            content=question.text,
            code_blocks=blocks,
            source=self._setup.name,
            models_usage=question.result.usage,
        )

    async def _execute(self, answer: CreateResult, blocks: list[CodeBlock]) -> CodeResult:
        name = self._setup.name
        said = answer.to_message(name)
        came_of_it = UserMessage(content=_STOPPED, source=name)
        try:
            result = await self._setup.runner.run(
                blocks, [*await self._setup.context.get_messages(), said], self._token
            )
            came_of_it = UserMessage(content=with_images(result.output, result), source=name)
        finally:
            await to_the_end(self._remember(said, came_of_it))
        return result

    async def _remember(self, said: AssistantMessage, came_of_it: UserMessage) -> None:
        await self._setup.context.add_message(said)
        await self._setup.context.add_message(came_of_it)

    async def _correction(self, attempt: int) -> CodeGenerationEvent | None:
        """Ask whether and how to go on after an attempt that failed; None for no."""
        name = self._setup.name
        asked = UserMessage(content=_SHALL_WE_RETRY, source=name)
        request = ModelRequest(messages=[*await self._setup.view.messages(), asked], json_output=RetryDecision)
        question = self._call(request, stream=False)
        usage = (await question.whole()).usage
        decision = _decision(name, question.text)
        if not decision.retry:
            return None
        await self._setup.context.add_message(UserMessage(content=f"{_TRY_AGAIN} {decision.reason}", source=name))
        text = f"Attempt number: {attempt + 1}\nProposed correction: {decision.reason}"
        return CodeGenerationEvent(retry_attempt=attempt, content=text, code_blocks=[], source=name, models_usage=usage)

    async def _answered(self, question: ModelCall, result: CodeResult) -> Response:
        self._intake.answered()
        await self._setup.context.add_message(question.result.to_message(self._setup.name))
        return Response(chat_message=_words(self._setup.name, question, result), inner_messages=self._inner)

    def _noted(self, event: Shown) -> Shown:
        self._inner.append(event)
        return event


def _words(agent: str, question: ModelCall, result: CodeResult) -> TextMessage | MultiModalMessage:
    """The model's words, and the pictures that its code made last."""
    content, usage = with_images(question.text, result), question.result.usage
    if isinstance(content, str):
        return TextMessage(id=question.message_id, content=content, source=agent, models_usage=usage)
    return MultiModalMessage(id=question.message_id, content=content, source=agent, models_usage=usage)


def _decision(agent: str, text: str) -> RetryDecision:
    try:
        return RetryDecision.model_validate_json(text)
    except ValidationError as error:
        raise ModelAnswerError(
            f"Agent '{agent}': the model's answer to whether to try again is no RetryDecision: {error}"
        ) from error
