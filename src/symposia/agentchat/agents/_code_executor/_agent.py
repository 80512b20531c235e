"""The agent that runs code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from symposia.agentchat import base
from symposia.agentchat._arguments import check_code_executor, check_optional_texts
from symposia.agentchat.agents._base_chat_agent import declared_types
from symposia.agentchat.agents._code_executor._code_blocks import code_blocks, ends_inside_block
from symposia.agentchat.agents._code_executor._code_runner import ApprovalFuncType, CodeRunner, last_result
from symposia.agentchat.agents._code_executor._coding_turn import CodingConfiguration, CodingTurn
from symposia.agentchat.agents._code_executor._report import NO_CODE, CodeExecution, ExecutionReport, text_report
from symposia.agentchat.agents._conversation import Conversation, ConversationAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeOutputEvent,
    MultiModalMessage,
    TextMessage,
)
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_count, check_flag, check_function, check_model_client
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import ChatCompletionClient


class CodeExecutorAgent(ConversationAgent):
    """An agent that runs code.

    Without a model it runs the fenced blocks that it finds in the messages of its turn, in order and up to the first
    that fails, and answers with what they printed. With a model it writes the code itself, runs it, lets the model
    correct it if it fails, and answers in the model's words.

    Images that the code made are part of the answer, a `MultiModalMessage` then. Other files are in the result of the
    execution; an `ExecutionReport` can put them into a message. Cancelling a turn ends the code.

    Args:
        name: Unique within a team; a Python identifier.
        code_executor: Runs the code. Its owner stops it.
        model_client: Writes the code, if given.
        model_context: Chooses which part of the conversation the model is shown; by default, all of it.
        model_client_stream: Show the model's text as it comes.
        max_retries_on_error: The most attempts after the first one, for code that fails. Needs a `model_client` with
            structured output.
        description: Describes the agent to the speaker selection.
        system_message: The instructions of the model; None for none.
        sources: The names of the agents whose messages may hold code to run; None for all. For use without a model.
        supported_languages: The languages that are run; by default ``python`` and ``sh``, under any of their names.
        approval_func: Asks a person before any code runs: `input`, a function of a `HumanQuestion`, or one of an
            `ApprovalRequest`.
        stream_output: Show the output of running code as it comes, as `CodeOutputEvent`, if the executor passes it on.
        report: Makes the answer of an execution. By default it is the output in words. For use without a model.

    Raises:
        ArgumentTypeError: An argument is of another kind; the text says of which it has to be.
        InvalidArgumentError: `name` is not an identifier, retries are asked for that the model cannot decide on, or a
            report is given beside a model.
    """

    _state_type = "CodeExecutorAgentState"

    DEFAULT_TERMINAL_DESCRIPTION: Final = (
        "Runs code. It is given Python in ```python blocks and shell scripts in ```sh blocks, and does nothing else."
    )
    DEFAULT_AGENT_DESCRIPTION: Final = "Writes Python and shell code for a task, runs it, and reports the result."
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
        stream_output: bool = False,
        report: ExecutionReport | None = None,
    ) -> None:
        own = self.DEFAULT_TERMINAL_DESCRIPTION if model_client is None else self.DEFAULT_AGENT_DESCRIPTION
        super().__init__(name, own if description is None else description)
        agent = f"agent '{name}'"
        check_code_executor(agent, code_executor)
        if model_client is not None:
            check_model_client(agent, model_client)
        check_flag("model_client_stream", agent, model_client_stream)
        _check_retries(name, model_client, max_retries_on_error)
        check_optional_texts("The sources", agent, sources)
        check_optional_texts("The supported_languages", agent, supported_languages)
        check_function("approval_func", agent, approval_func, "def approve(request) -> bool")
        check_flag("stream_output", agent, stream_output)
        _check_report(agent, report)
        if report is not None and model_client is not None:
            raise InvalidArgumentError(f"Agent '{name}' has a model_client, which answers itself, and a report.")
        self._conversation = Conversation.of_agent(agent, model_client, model_context, system_message)
        self._runner = CodeRunner(name, code_executor, approval_func, stream=stream_output)
        self._stream_output = stream_output
        self._report = report
        self._sources = sources
        self._languages = supported_languages if supported_languages is not None else self.DEFAULT_SUPPORTED_LANGUAGES
        self._coding = (
            None
            if model_client is None
            else CodingConfiguration(
                name=name,
                client=model_client,
                conversation=self._conversation,
                runner=self._runner,
                languages=self._languages,
                stream=model_client_stream,
                retries=max_retries_on_error,
            )
        )

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text, with the images that the code made if there are any; or what the report makes."""
        return (TextMessage, MultiModalMessage) if self._report is None else self._report.message_types

    async def on_run_start(self) -> None:
        """Begin to start the executor, so that it has started when the first code has been written.

        A start that fails is made again by the first code, which raises its error.
        """
        await self._runner.start_ahead()

    def check_outline(self) -> base.AgentOutline:
        """The outline for `team.check()`: its model, if any, writes code, judges each failure, and answers."""
        produces = declared_types(self, CodeExecutorAgent)
        if self._coding is None:
            return base.AgentOutline(models=(), handoffs=(), tools=(), produces=produces)
        calls = base.Bounds(1, 2 + 2 * self._coding.retries)
        use = self._conversation.model_use(self._coding.client, (), calls)
        return base.AgentOutline(models=[use], handoffs=(), tools=(), produces=produces)

    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield its messages and events; the last item is the response.

        Raises:
            SandboxError: The place where the code runs failed, as opposed to the code.
            HumanInputError: The person who approves code could not be asked.
            ModelError: The model's answer cannot be used; or whatever the model client raises.
            asyncio.CancelledError: The token was cancelled.
        """
        if self._coding is None:
            return self._run_given(messages, cancellation_token)
        return CodingTurn(self._coding, cancellation_token).run(messages)

    async def _run_given(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        blocks = await self.extract_code_blocks_from_messages(messages)
        if self._report is not None:
            items = self._run_and_report(self._report, messages, blocks, token)
        elif not blocks:
            yield Response(chat_message=TextMessage(content=NO_CODE, source=self.name))
            return
        elif self._stream_output:
            items = self._runner.run_described(blocks, await self.model_context.get_messages(), token)
        else:  # by the method that subclasses written for AutoGen override
            yield Response(chat_message=text_report(self.name, await self.execute_code_block(blocks, token)))
            return
        async with aclosing(items):
            async for item in items:
                yield Response(chat_message=text_report(self.name, item)) if isinstance(item, CodeResult) else item

    async def _run_and_report(
        self,
        report: ExecutionReport,
        messages: Sequence[BaseChatMessage],
        blocks: Sequence[CodeBlock],
        token: CancellationToken,
    ) -> AsyncGenerator[CodeOutputEvent | Response, None]:
        result: CodeResult | None = None
        refusal = await self._runner.refusal(blocks, await self.model_context.get_messages(), token) if blocks else None
        if blocks and refusal is None:
            async with aclosing(self._runner.run(blocks, token)) as items:
                async for item in items:
                    if isinstance(item, CodeResult):
                        result = item
                    else:
                        yield item
        execution = CodeExecution(
            source=self.name,
            blocks=blocks,
            result=result,
            refusal=refusal,
            is_cut_off=any(ends_inside_block(text) for text in self._texts(messages)),
        )
        yield Response(chat_message=report.message(execution))

    async def extract_code_blocks_from_messages(self, messages: Sequence[BaseChatMessage]) -> list[CodeBlock]:
        """The code to run in `messages`: closed, fenced blocks in a supported language, said by one of the sources."""
        return [block for text in self._texts(messages) for block in code_blocks(text, self._languages)]

    def _texts(self, messages: Sequence[BaseChatMessage]) -> list[str]:
        """The texts in which code is looked for."""
        received = [message for message in messages if self._sources is None or message.source in self._sources]
        return [text for message in received for text in _texts_of(message)]

    async def execute_code_block(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Have `code_blocks` approved, and run them.

        Returns:
            Their result; its output says in words how they ended.

        Raises:
            ArgumentTypeError: What is given is not a list of `CodeBlock`.
        """
        context = await self.model_context.get_messages()
        return await last_result(self._runner.run_described(code_blocks, context, cancellation_token))

    @classmethod
    def _from_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """AutoGen leaves out a system message that is None."""
        return {"system_message": None, **config}


def _texts_of(message: BaseChatMessage) -> list[str]:
    if isinstance(message, TextMessage):
        return [message.content]
    return (
        [piece for piece in message.content if isinstance(piece, str)] if isinstance(message, MultiModalMessage) else []
    )


def _check_report(agent: str, report: object) -> None:
    if report is not None and (isinstance(report, type) or not hasattr(report, "message_types")):
        raise ArgumentTypeError(
            f"The report of {agent} has to be an ExecutionReport, such as BlockReport(), not {report!r}"
        )


def _check_retries(agent: str, client: ChatCompletionClient | None, retries: int) -> None:
    check_count("max_retries_on_error", f"agent '{agent}'", retries)
    if retries < 0:
        raise InvalidArgumentError(f"max_retries_on_error of agent '{agent}' is {retries}; it cannot be less than 0.")
    if retries and client is None:
        raise InvalidArgumentError(f"Agent '{agent}' has max_retries_on_error={retries}, which needs a model_client.")
    if retries and client is not None and not client.model_info.get("structured_output"):
        raise InvalidArgumentError(
            f"Specified model_client doesn't support structured output mode, which max_retries_on_error={retries} of"
            f" agent '{agent}' needs (model_info['structured_output'])."
        )
