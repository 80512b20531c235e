from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from symposia.agentchat.agents._base_chat_agent import BaseChatAgent
from symposia.agentchat.agents._code_executor._approval import ApprovalFuncType
from symposia.agentchat.agents._code_executor._blocks import code_blocks
from symposia.agentchat.agents._code_executor._coding_turn import CodingSetup, CodingTurn
from symposia.agentchat.agents._code_executor._report import NO_CODE, with_images
from symposia.agentchat.agents._code_executor._runner import CodeRunner
from symposia.agentchat.agents._intake import Intake
from symposia.agentchat.agents._model_view import ModelView
from symposia.agentchat.agents._responses import response_of
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MultiModalMessage, TextMessage
from symposia.agentchat.state import AssistantAgentState
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from symposia.core.models import ChatCompletionClient


class CodeExecutorAgent(BaseChatAgent):
    """An agent that runs code.

    Without a model it runs the fenced blocks that it finds in the messages of its turn, in order and up to the first
    that fails, and answers with what they printed. With a model it writes the code itself, runs it, lets the model mend
    it if it fails, and answers in the model's words.

    Pictures that the code made come back with the answer, in a `MultiModalMessage`. A plain `approval_func` runs in a
    thread. Cancelling a turn ends the code.

    Args:
        name: Unique within a team; a Python identifier.
        code_executor: Where the code runs. It stays its owner's to stop.
        model_client: Writes the code, if given.
        model_context: Chooses which part of the conversation the model is shown; all of it by default.
        model_client_stream: Show the model's words as they come.
        max_retries_on_error: The most attempts after the first one, for code that fails. Needs a `model_client` with
            structured output.
        description: What the agent can do, for whoever selects the next speaker.
        system_message: What the model is told first; None tells it nothing.
        sources: The names of the agents whose messages may hold code to run; None for all. For use without a model.
        supported_languages: Those that are run; ``python`` and ``sh``, under any of their names, by default.
        approval_func: Asked before any code runs.

    Raises:
        InvalidArgumentError: `name` is no identifier, or retries are asked for that the model cannot decide on.
    """

    DEFAULT_TERMINAL_DESCRIPTION: Final = (
        "Runs code. It is given Python in ```python blocks and shell scripts in ```sh blocks, and does nothing else."
    )
    DEFAULT_AGENT_DESCRIPTION: Final = "Writes Python and shell code for a task, runs it, and tells what came of it."
    DEFAULT_SYSTEM_MESSAGE: Final = (
        "You solve tasks by writing code. Write Python in a ```python block, or a shell script in a ```sh block; it is"
        " run as it stands, and you are told what it printed and how it ended. Each run starts afresh, so write the"
        " whole code every time, and print all that you want to know. Once you know the result, answer without code."
    )
    DEFAULT_SUPPORTED_LANGUAGES: Final = ("python", "sh")
    NO_CODE_BLOCKS_FOUND_MESSAGE: Final = NO_CODE

    def __init__(
        self,
        name: str,
        code_executor: CodeExecutor,
        *,
        model_client: ChatCompletionClient | None = None,
        model_context: ChatCompletionContext | None = None,
        model_client_stream: bool = False,
        max_retries_on_error: int = 0,
        description: str | None = None,
        system_message: str | None = DEFAULT_SYSTEM_MESSAGE,
        sources: Sequence[str] | None = None,
        supported_languages: Sequence[str] | None = None,
        approval_func: ApprovalFuncType | None = None,
    ) -> None:
        own = self.DEFAULT_TERMINAL_DESCRIPTION if model_client is None else self.DEFAULT_AGENT_DESCRIPTION
        super().__init__(name, own if description is None else description)
        _check_retries(name, model_client, max_retries_on_error)
        self._model_context = model_context if model_context is not None else UnboundedChatCompletionContext()
        self._intake = Intake(self._model_context)
        self._runner = CodeRunner(name, code_executor, approval_func)
        self._sources = sources
        self._languages = supported_languages if supported_languages is not None else self.DEFAULT_SUPPORTED_LANGUAGES
        self._coding = (
            None
            if model_client is None
            else CodingSetup(
                name=name,
                client=model_client,
                context=self._model_context,
                view=ModelView(self._model_context, system_message, takes_images=model_client.model_info["vision"]),
                runner=self._runner,
                languages=self._languages,
                stream=model_client_stream,
                retries=max_retries_on_error,
            )
        )

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text, with the pictures that the code made if there are any."""
        return (TextMessage, MultiModalMessage)

    @property
    def model_context(self) -> ChatCompletionContext:
        """What the model has been told and has said; empty without a model."""
        return self._model_context

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Take one turn; see `on_messages_stream`."""
        return await response_of(self.on_messages_stream(messages, cancellation_token))

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield what happens as it happens; the last item is the response.

        Raises:
            SandboxError: The place where the code runs failed, as opposed to the code.
            ModelError: The model's answer cannot be used; or whatever the model client raises.
            asyncio.CancelledError: The token was cancelled.
        """
        if self._coding is None:
            yield await self._run_given(messages, cancellation_token)
            return
        async with aclosing(CodingTurn(self._coding, self._intake, cancellation_token).run(messages)) as items:
            async for item in items:
                yield item

    async def _run_given(self, messages: Sequence[BaseChatMessage], token: CancellationToken) -> Response:
        blocks = await self.extract_code_blocks_from_messages(messages)
        if not blocks:
            return Response(chat_message=TextMessage(content=NO_CODE, source=self.name))
        result = await self.execute_code_block(blocks, token)
        content = with_images(result.output, result)
        if isinstance(content, str):
            return Response(chat_message=TextMessage(content=content, source=self.name))
        return Response(chat_message=MultiModalMessage(content=content, source=self.name))

    async def extract_code_blocks_from_messages(self, messages: Sequence[BaseChatMessage]) -> list[CodeBlock]:
        """The code to run in `messages`: closed, fenced blocks in a supported language, said by one of the sources."""
        return [
            block
            for message in messages
            if self._sources is None or message.source in self._sources
            for text in _texts(message)
            for block in code_blocks(text, self._languages)
        ]

    async def execute_code_block(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Have `code_blocks` approved, and run them.

        Returns:
            What they did; the output is put into words that say how they ended.
        """
        return await self._runner.run(code_blocks, await self._model_context.get_messages(), cancellation_token)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:  # noqa: ARG002 - the contract's
        """Forget the conversation. Files that code has made stay where it runs."""
        self._intake.answered()
        await self._model_context.clear()

    # Any: a state is JSON that each class shapes for itself.
    async def save_state(self) -> Mapping[str, Any]:
        """The model context."""
        return AssistantAgentState(
            type="CodeExecutorAgentState", llm_context=await self._model_context.save_state()
        ).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave, in place of the conversation so far."""
        self._intake.answered()
        await self._model_context.load_state(AssistantAgentState.model_validate(state).llm_context)

    @classmethod
    def _from_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """AutoGen leaves out a system message that is None."""
        return {"system_message": None, **config}


def _texts(message: BaseChatMessage) -> list[str]:
    if isinstance(message, TextMessage):
        return [message.content]
    return (
        [piece for piece in message.content if isinstance(piece, str)] if isinstance(message, MultiModalMessage) else []
    )


def _check_retries(agent: str, client: ChatCompletionClient | None, retries: int) -> None:
    if retries < 0:
        raise InvalidArgumentError(f"max_retries_on_error of agent '{agent}' is {retries}; it cannot be less than 0.")
    if retries and client is None:
        raise InvalidArgumentError(f"Agent '{agent}' has max_retries_on_error={retries}, which needs a model_client.")
    if retries and client is not None and not client.model_info.get("structured_output"):
        raise InvalidArgumentError(
            f"Specified model_client doesn't support structured output mode, which max_retries_on_error={retries} of"
            f" agent '{agent}' needs (model_info['structured_output'])."
        )
