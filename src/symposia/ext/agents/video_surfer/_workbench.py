"""The tools: the length of a video, its pictures, its sound, and what is said in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import Field
from typing_extensions import override

from symposia.core import CancellationToken, Image, run_in_worker_thread
from symposia.core.argument_checks import check_model_client
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient
from symposia.core.tools import FunctionTool, ImageResultContent, ToolResult, failed_result
from symposia.ext.agents.video_surfer._media import Video, check_installed, encoded, extracted_sound
from symposia.ext.agents.video_surfer._transcription import (
    Transcriber,
    TranscriptSegment,
    WhisperTranscriber,
    transcript,
)
from symposia.ext.agents.video_surfer.tools import describe_picture
from symposia.ext.tools.files import ConfinedFolder, FolderWorkbench

MOST_SOUND: Final = 512 * 1024 * 1024
"""The most bytes of a sound that is transcribed or written: MP3 of a day."""

MOST_PICTURES: Final = 10
MOST_SIDE: Final = 1_024
"""The most pictures of a call, and pixels of a side: models make larger pictures smaller."""

MOST_SHOWN: Final = 32_000
"""The most characters of a transcript, some 8,000 tokens."""

_SCREENSHOTS: Final = "get_screenshot_at"

_Path = Annotated[str, Field(description="Relative to the folder, with '/'.")]
_Second = Annotated[float, Field(description="In seconds.")]
T = TypeVar("T")


class VideoWorkbench(FolderWorkbench):
    """Tools with which a model looks into the videos of one folder, and of no other; see `ConfinedFolder`.

    Videos are decoded in this process, by worker threads. A call that is cancelled or takes too long ends at once, and
    its thread when the library returns.

    Args:
        model_client: Describes pictures; it has to read them.
        root: The folder.
        transcriber: Writes down what is said; by default a `WhisperTranscriber`.
        timeout: Seconds until a call ends.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: There is no such folder, or the timeout is not positive.
        MissingExtraError: The extra ``video-surfer`` is not installed.
    """

    def __init__(
        self,
        model_client: ChatCompletionClient,
        *,
        root: Path | str = ".",
        transcriber: Transcriber | None = None,
        timeout: float = 600.0,
    ) -> None:
        check_installed("VideoSurfer")
        check_model_client("VideoWorkbench", model_client)
        self._model_client = model_client
        self._transcriber = WhisperTranscriber() if transcriber is None else transcriber
        self._last_transcript: tuple[bytes, Sequence[TranscriptSegment]] | None = None
        functions: list[Callable[..., Any]] = [
            self.get_video_length,
            self.get_screenshot_at,
            self.save_screenshot,
            self.vs_transribe_video_screenshot,
            self.extract_audio,
            self.transcribe_audio_with_timestamps,
        ]
        # Each can be repeated: those that write replace the file by the same one.
        tools = [FunctionTool(each, str(each.__doc__), idempotency="idempotent") for each in functions]
        super().__init__(tools, ConfinedFolder(root, max_file_bytes=MOST_SOUND), timeout)

    @override
    async def _answer(
        self, name: str, arguments: Mapping[str, object] | None, token: CancellationToken | None, call_id: str | None
    ) -> ToolResult:
        if name == _SCREENSHOTS:
            return await self._pictures(arguments or {}, token or CancellationToken())
        return await super()._answer(name, arguments, token, call_id)

    async def get_video_length(self, video_path: _Path) -> str:
        """The length of a video."""
        return await self._read(video_path, _length)

    async def get_screenshot_at(
        self, video_path: _Path, timestamps: Annotated[list[float], Field(description="In seconds, at most 10.")]
    ) -> list[Image]:
        """Show the pictures of a video at some times."""
        self._check_vision()
        if len(timestamps) > MOST_PICTURES:
            raise InvalidArgumentError(f"At most {MOST_PICTURES} pictures are shown. Choose among the times.")
        pictures = await self._read(
            video_path, lambda source, name: _pictures(source, name, timestamps, ".jpg", MOST_SIDE)
        )
        return [Image(picture) for picture in pictures]

    async def save_screenshot(
        self,
        video_path: _Path,
        timestamp: _Second,
        output_path: Annotated[str, Field(description="Relative to the folder, such as 'scene.png'.")],
    ) -> str:
        """Write the picture of a video at a time to a file."""
        suffix = PurePosixPath(output_path).suffix
        [picture] = await self._read(video_path, lambda source, name: _pictures(source, name, [timestamp], suffix))
        await run_in_worker_thread(self._files.write, output_path, picture)
        return f"Screenshot saved to {self._files.relative(output_path)}."

    async def vs_transribe_video_screenshot(self, video_path: _Path, timestamp: _Second) -> str:
        """Describe the picture of a video at a time, with the text that it shows."""
        self._check_vision()
        [picture] = await self._read(video_path, lambda source, name: _pictures(source, name, [timestamp], ".png"))
        return await describe_picture(picture, self._model_client)

    async def extract_audio(
        self, video_path: _Path, audio_output_path: Annotated[str, Field(description="Such as 'sound.mp3'.")]
    ) -> str:
        """Write the sound of a video to an MP3 file."""
        sound = await self._read(video_path, extracted_sound)
        await run_in_worker_thread(self._files.write, audio_output_path, sound)
        return f"Audio extracted and saved to {self._files.relative(audio_output_path)}."

    async def transcribe_audio_with_timestamps(
        self,
        audio_path: Annotated[str, Field(description="A sound or a video, relative to the folder.")],
        first_second: Annotated[float, Field(description="Leave out what was said before.")] = 0,
    ) -> str:
        """Write down what is said, with its times in seconds. A long transcript comes in parts."""
        sound = await run_in_worker_thread(self._files.read, audio_path)
        segments = await self._transcribed(sound, PurePosixPath(audio_path).name)
        later = [segment for segment in segments if segment.end > first_second]
        text = transcript(later)
        if len(text) > MOST_SHOWN:
            text = text[:MOST_SHOWN].rpartition("\n")[0] or text[:MOST_SHOWN]
            last = later[text.count("\n")]
            return f"{text}\n[The next part: first_second={last.end:.2f}]"
        return text or "Nothing is said."

    async def _pictures(self, arguments: Mapping[str, object], token: CancellationToken) -> ToolResult:
        [tool] = [each for each in self.tools if each.name == _SCREENSHOTS]
        try:
            pictures = cast("list[Image]", await tool.run_json(arguments, token))
        except Exception as error:  # noqa: BLE001 - any error of a tool becomes a result for the model
            return failed_result(_SCREENSHOTS, error)
        return ToolResult(name=_SCREENSHOTS, result=[ImageResultContent(content=each) for each in pictures])

    async def _transcribed(self, sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        """The segments of a sound. The last one is kept: its parts are asked for one after the other."""
        key = await run_in_worker_thread(lambda: sha256(sound).digest())
        if self._last_transcript is None or self._last_transcript[0] != key:
            self._last_transcript = (key, await self._transcriber.transcribe(sound, name))
        return self._last_transcript[1]

    def _check_vision(self) -> None:
        if not self._model_client.model_info["vision"]:
            raise InvalidArgumentError("The model cannot read pictures. Give one that can.")

    async def _read(self, path: str, read: Callable[[str, str], T]) -> T:
        """Read a video in a worker thread, by a function of the source and its name."""

        def run() -> T:
            with self._files.opened(path) as file:
                return read(f"/dev/fd/{file.fileno()}", path)

        return await run_in_worker_thread(run)


def _length(source: str, name: str) -> str:
    with Video(source, name) as video:
        return f"The video is {video.seconds:.2f} seconds long."


def _pictures(
    source: str, name: str, seconds: Sequence[float], suffix: str, longest: int | None = None
) -> Sequence[bytes]:
    with Video(source, name) as video:
        return [encoded(video.frame(second), suffix, longest=longest) for second in seconds]
