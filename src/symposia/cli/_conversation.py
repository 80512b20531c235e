"""`symposia chat` and `symposia support`: a conversation in the terminal, or from a script."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from symposia.agentchat.agents import UserProxyAgent
from symposia.cli._advice import advised_error
from symposia.cli._conversation_view import ConversationView
from symposia.cli._exit import Status, fail, status_of_error
from symposia.cli._line_reader import LineReader
from symposia.cli._notes import note
from symposia.cli._planning import recorded_pace
from symposia.cli._view import tokens
from symposia.core.effects import HumanQuestion
from symposia.core.exceptions import ModelError, SymposiaError
from symposia.core.memory import Memory
from symposia.core.terminal_text import printable
from symposia.ext.models import MissingKeyError, default_model_name
from symposia.presets import (
    NamedModel,
    RecordedConversation,
    close_models,
    model_named,
    recorded_model,
)
from symposia.presets.chat import (
    ASSISTANT,
    CHAT_PROMPT,
    DOCUMENTS_PROMPT,
    Partner,
    bundled_chat,
    chat_agent,
    converse,
)
from symposia.presets.support import AGENTS, COLLEAGUE, Shop, bundled_support, support_team

YOU: Final = "you"
RECORDED: Final = "The models' answers are recorded, and so is what the people say. Talk yourself with --model M."
END: Final = "An empty input (Ctrl-D) ends the conversation."


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationArguments:
    """The arguments of the command line.

    Attributes:
        model: The name of the model.
        script: A file with the lines of the people.
        history: A file that the conversation continues, and is written to.
        example: Whether to show the recorded conversation, even with a key.
        system: The instructions of the assistant of a chat.
        docs: A folder of documents, or one of them, from which the assistant of a chat answers.
    """

    model: str | None = None
    script: Path | None = None
    history: Path | None = None
    example: bool = False
    system: str | None = None
    docs: Path | None = None


def chat_and_show(arguments: ConversationArguments) -> None:
    """Talk with an assistant, and exit with the status of the conversation.

    Raises:
        typer.Exit: The conversation failed, or was interrupted.
        typer.BadParameter: An argument is wrong.
    """

    def partner(models: Callable[[str], NamedModel], _read: Callable[[str], Awaitable[str | None]]) -> Partner:
        default = CHAT_PROMPT if arguments.docs is None else CHAT_PROMPT + DOCUMENTS_PROMPT
        system = default if arguments.system is None else arguments.system
        memory = None if arguments.docs is None else [_documents(arguments.docs)]
        return chat_agent(models(ASSISTANT), system, memory=memory)

    _show(arguments, (ASSISTANT,), bundled_chat, partner)


def _documents(folder: Path) -> Memory:
    """The documents of a folder. A note on standard error names each that cannot be read.

    Raises:
        DocumentError: None can be read.
        MissingExtraError: One needs an extra that is not installed.
    """
    from symposia.ext.documents import DocumentError, add_documents  # noqa: PLC0415 - few chats have some
    from symposia.ext.memory.sqlite import SQLiteMemory  # noqa: PLC0415

    def note_error(error: DocumentError) -> None:
        note(printable(str(error)))

    memory = SQLiteMemory(":memory:", limit=6)
    loaded = asyncio.run(add_documents(memory, folder, on_error=note_error))
    typer.echo(f"Documents: {len(loaded.documents)}. Passages: {len(loaded.passages)}.")
    return memory


def support_and_show(arguments: ConversationArguments) -> None:
    """Talk with the support team, as the customer and as the colleague.

    Raises:
        typer.Exit: The conversation failed, or was interrupted.
        typer.BadParameter: An argument is wrong.
    """

    def partner(models: Callable[[str], NamedModel], read: Callable[[str], Awaitable[str | None]]) -> Partner:
        async def answer(question: HumanQuestion) -> str:
            line = await read(COLLEAGUE if question.approval_of is None else f"{COLLEAGUE}: {question} (yes or no)")
            if line is None:
                raise EOFError
            return line

        colleague = UserProxyAgent(COLLEAGUE, description="A person who can decide.", input_func=answer)
        return support_team({agent: models(agent) for agent in AGENTS}, Shop.bundled(answer), colleague)

    _show(arguments, AGENTS, bundled_support, partner)


def _show(
    arguments: ConversationArguments,
    agents: Sequence[str],
    bundled: Callable[[], RecordedConversation],
    make_partner: Callable[[Callable[[str], NamedModel], Callable[[str], Awaitable[str | None]]], Partner],
) -> None:
    """Carry out a conversation.

    Args:
        arguments: The command line.
        agents: The names of the agents that have a model.
        bundled: Reads the recorded conversation.
        make_partner: Makes the agent or the team from a function that returns the model of an agent, and one that reads
            the next line of a person.
    """
    view = ConversationView(sys.stdout)
    try:
        lines = None if arguments.script is None else _script(arguments.script)
        recorded = _recorded(arguments, bundled)
        if recorded is None:
            model = model_named(arguments.model or default_model_name())
            models = dict.fromkeys(agents, model)
        else:
            lines = list(recorded.lines) if lines is None else lines
            models = {agent: recorded_model(recorded.reply, agent, pace=recorded_pace()) for agent in agents}
        reader = LineReader(view, lines)
        view.note(RECORDED if recorded is not None else f"Model: {next(iter(models.values())).label}. {END}")
        partner = make_partner(models.__getitem__, reader.read)
        # Ctrl-C ends the process at once, by the handler of `_start.py`: there is nothing to stop, and Python
        # would end with a fatal error while a thread waits for standard input.
        asyncio.run(_carry_out(partner, reader, view, arguments.history, list(models.values())))
    except ModelError as error:
        view.end()
        fail(str(error), Status.MODEL_FAILED)
    except SymposiaError as error:
        view.end()
        fail(advised_error(error, {MissingKeyError: "Without any key: --example"}), status_of_error(error))


async def _carry_out(
    partner: Partner, reader: LineReader, view: ConversationView, history: Path | None, models: Sequence[NamedModel]
) -> None:
    def show_error(error: ModelError) -> None:
        view.end()
        view.note(str(error))

    try:
        # A person at the terminal may try again, and keeps the conversation. A script ends with its status.
        on_model_error = show_error if reader.is_typed else None
        await converse(partner, lambda: reader.read(YOU), view.show, history=history, on_model_error=on_model_error)
    finally:
        view.end()
        if view.usage.total_tokens and not any(model.recorded for model in models):
            view.note(tokens(view.usage, recorded=False))
        await close_models(models)


def _script(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8-sig").split("\n")  # not `splitlines`, for which U+2028 ends a line, too
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--script {file} cannot be read: {error}") from error


def _recorded(
    arguments: ConversationArguments, bundled: Callable[[], RecordedConversation]
) -> RecordedConversation | None:
    """The recorded conversation, if it is requested or there is neither a model nor a key; else None."""
    if arguments.docs is not None and arguments.example:
        raise typer.BadParameter("Give --docs or --example, not both: the example's answers are recorded.")
    if arguments.example:
        if arguments.model:
            raise typer.BadParameter("Give --model or --example, not both: the example has recorded models.")
        return bundled()
    if arguments.model or arguments.docs is not None:  # a recorded model knows nothing of the documents
        return None
    try:
        default_model_name()
    except MissingKeyError:
        return bundled()
    return None
