"""`ChatCompletionClientRecorder`: records what a model is asked and answers, and replays it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final, Literal, NotRequired

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from symposia.core.argument_checks import check_path
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.json_values import validation_faults
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage
from symposia.ext.experimental.task_centric_memory.utils.page_logger import PageLogger, checked_logger
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper

__all__ = ["ChatCompletionClientRecorder"]


class _Turn(TypedDict):
    """A question and its answer, as the file has them: the format is AutoGen's."""

    mode: Literal["create", "create_stream"]
    messages: list[LLMMessage]
    response: NotRequired[CreateResult | None]
    stream: NotRequired[list[str | CreateResult]]


_TURNS: Final = TypeAdapter(list[_Turn], config=ConfigDict(defer_build=True))


class ChatCompletionClientRecorder(ModelClientWrapper):
    """A model client that records a session with another one, or replays it.

    To record, it asks the other client, and `finalize` writes the file. To replay, it answers from the file, and asks
    no model: each question has to be the next one of the file. `ReplayChatCompletionClient` gives answers whatever it
    is asked, and `ChatCompletionCache` asks the model what it has not been asked yet, in any order.

    Args:
        client: The other client.
        mode: What it does.
        session_file_path: The file: JSON.
        logger: Logs questions that differ from the recorded ones.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: `mode` is another one, or there is no session in the file that is to be replayed.
    """

    component_type = "chat_completion_client"
    component_transient = frozenset({"logger"})

    def __init__(
        self,
        client: ChatCompletionClient,
        mode: Literal["record", "replay"],
        session_file_path: str,
        logger: PageLogger | None = None,
    ) -> None:
        super().__init__(client)
        check_path("session_file_path", type(self).__name__, session_file_path)
        if mode not in ("record", "replay"):
            raise InvalidArgumentError(f"The mode of a {type(self).__name__} is 'record' or 'replay', not {mode!r}.")
        self.base_client = client
        self.mode = mode
        self.logger = checked_logger(type(self).__name__, logger)
        self._path = Path(session_file_path)
        self._turns: list[_Turn] = _read(self._path) if mode == "replay" else []
        self._next = 0

    def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """Ask the other client, or answer from the file.

        Raises:
            ValueError: The question is not the next one of the file.
        """
        return self._recorded(call) if self.mode == "record" else self._replayed(call)

    async def _recorded(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        items: list[str | CreateResult] = []
        messages = list(call.messages)  # the caller may go on with its own list
        async for item in call.ask(self._client):
            items.append(item)
            yield item
        if call.streamed:
            self._turns.append(_Turn(mode="create_stream", messages=messages, stream=items))
        elif isinstance(result := items[-1], CreateResult):
            self._turns.append(_Turn(mode="create", messages=messages, response=result, stream=[]))

    async def _replayed(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        for item in self._answers(call):
            yield item if isinstance(item, str) else item.model_copy(update={"cached": True})

    def _answers(self, call: ModelCall) -> Sequence[str | CreateResult]:
        if self._next == len(self._turns):
            raise InvalidArgumentError(
                f"\nNo more recorded turns to check: {self._path} has {len(self._turns)}, and this is one more. Record "
                "the session anew."
            )
        turn, number = self._turns[self._next], self._next + 1
        recorded, asked = _as_json(turn["messages"]), _as_json(call.messages)
        mode = "create_stream" if call.streamed else "create"
        if turn["mode"] != mode:
            raise InvalidArgumentError(
                f"Turn {number} of {self._path} was recorded by {turn['mode']}, and not by {mode}. Record the session "
                "anew if the program was changed."
            )
        if recorded != asked:
            self.logger.error(f"Recorded: {recorded}\n\nAsked: {asked}")
            raise InvalidArgumentError(
                f"\nCurrent message list doesn't match the recorded message list of turn {number} in {self._path}. "
                f"{_difference(recorded, asked)} Record the session anew if the program was changed."
            )
        self._next += 1
        response = turn.get("response")
        return turn.get("stream", []) if call.streamed or response is None else [response]

    def finalize(self) -> None:
        """Write the file; or, of a session that was replayed, check that all of it was asked.

        It waits for the disk: in a coroutine, call it in a thread.

        Raises:
            ValueError: Not all of it was asked.
        """
        if self.mode == "record":
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._path.with_suffix(f"{self._path.suffix}.unfinished")  # a full disk keeps the former file
            unfinished.write_bytes(_TURNS.dump_json(self._turns, indent=2))
            unfinished.replace(self._path)
        elif self._next < len(self._turns):
            raise InvalidArgumentError(
                f"\nEarly termination. Only {self._next} of the {len(self._turns)} recorded turns were checked: the "
                "program asks its model less than it did. Record the session anew if that is right."
            )


def _read(path: Path) -> list[_Turn]:
    try:
        return _TURNS.validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidArgumentError(
            f"\nFailed to load recorded session: '{path}': {error}. Record it first, with the mode 'record'."
        ) from error
    except ValidationError as error:
        faults = "; ".join(validation_faults(error, "the file")[:3])
        raise InvalidArgumentError(
            f"\nFailed to load recorded session: '{path}' is none: {faults}. Record it anew."
        ) from error


def _as_json(messages: Sequence[LLMMessage]) -> list[str]:
    return [json.dumps(message.model_dump(mode="json"), sort_keys=True, ensure_ascii=False) for message in messages]


def _difference(recorded: Sequence[str], asked: Sequence[str]) -> str:
    """Where two conversations differ first."""
    for number, (one, other) in enumerate(zip(recorded, asked, strict=False), start=1):
        if one != other:
            return f"Message {number} was {one[:200]}, and is {other[:200]}."
    return f"It had {len(recorded)} messages, and has {len(asked)}."
