"""What is said in a sound, with its times."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from symposia.core import ComponentBase, call_function, run_in_worker_thread
from symposia.core.argument_checks import check_text
from symposia.core.exceptions import MissingExtraError
from symposia.core.terminal_text import printable_name
from symposia.ext._temporary_folders import owned_prefix
from symposia.ext.agents.video_surfer._media import samples

WHISPER_EXTRA: Final = "whisper"


@dataclass(frozen=True, kw_only=True, slots=True)
class TranscriptSegment:
    """A part of what is said, such as a sentence.

    Attributes:
        start: Where it begins, in seconds.
        end: Where it ends.
        text: The words.
    """

    start: float
    end: float
    text: str


class Transcriber(ComponentBase, ABC):
    """Writes down what is said in a sound."""

    component_type = "transcriber"

    @abstractmethod
    async def transcribe(self, sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        """Write down what is said.

        Args:
            sound: The content of a file of sound, such as MP3.
            name: The name of the file; services tell its kind by the suffix.
        """


_Function: TypeAlias = (
    Callable[[bytes, str], Sequence[TranscriptSegment]] | Callable[[bytes, str], Awaitable[Sequence[TranscriptSegment]]]
)


class FunctionTranscriber(Transcriber):
    """Calls a function of the program, such as the client of a service.

    Args:
        function: See `Transcriber.transcribe`. A plain function is called in a worker thread.
    """

    def __init__(self, function: _Function) -> None:
        self._function = function

    async def transcribe(self, sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        """See `Transcriber.transcribe`."""
        segments: Sequence[TranscriptSegment] = await call_function(self._function, sound, name)
        return segments


class WhisperTranscriber(Transcriber):
    """Runs OpenAI's Whisper on this machine, by the extra ``whisper``, in a worker thread.

    The library downloads a model that the machine does not have.

    Args:
        model_name: The model, such as ``base`` or ``large-v3``.
        language: The code of the language; None lets the model find it.
    """

    def __init__(self, model_name: str = "base", language: str | None = None) -> None:
        check_text("The model_name", type(self).__name__, model_name)
        self._model_name = model_name
        self._language = language

    async def transcribe(self, sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        """See `Transcriber.transcribe`.

        Raises:
            MediaError: It is no sound.
            MissingExtraError: The library is not installed.
        """
        return await run_in_worker_thread(self.transcribe_now, sound, name)

    def transcribe_now(self, sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        """The same in this thread."""
        with tempfile.TemporaryDirectory(prefix=owned_prefix("sound")) as folder:
            file = Path(folder, "sound")
            file.write_bytes(sound)
            waves = samples(str(file), name)
        found = self._model.transcribe(waves, language=self._language, verbose=None)["segments"]
        return [
            TranscriptSegment(start=float(each["start"]), end=float(each["end"]), text=str(each["text"]).strip())
            for each in found
        ]

    @cached_property
    def _model(self) -> Any:  # Any: of an optional dependency without types
        try:
            whisper = import_module("whisper")
        except ImportError as error:
            raise MissingExtraError("WhisperTranscriber", WHISPER_EXTRA) from error
        return whisper.load_model(self._model_name)


def transcript(segments: Sequence[TranscriptSegment]) -> str:
    """A line for each segment, with its times in seconds."""
    return "\n".join(f"[{each.start:.2f} - {each.end:.2f}] {printable_name(each.text)}" for each in segments)
