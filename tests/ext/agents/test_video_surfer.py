"""The agent that answers questions about videos, and its tools, with OpenCV and PyAV."""

import asyncio
import json
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.journal import Journal
from tests.support.videos import write_video

from symposia.agentchat.messages import ToolCallSummaryMessage
from symposia.core import CancellationToken, FunctionCall, Image
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage, UserMessage
from symposia.core.tools import FunctionTool, ImageResultContent, call_tool
from symposia.ext.agents.video_surfer import (
    FunctionTranscriber,
    MediaError,
    TranscriptSegment,
    VideoSurfer,
    VideoWorkbench,
    WhisperTranscriber,
)
from symposia.ext.agents.video_surfer.tools import (
    extract_audio,
    get_screenshot_at,
    get_video_length,
    save_screenshot,
    transcribe_audio_with_timestamps,
    transcribe_video_screenshot,
)
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no files relative to a folder")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos, and of what is none; nothing is written into it."""
    folder = tmp_path_factory.mktemp("videos") / "folder"
    folder.mkdir()
    write_video(folder / "tone.mp4")
    write_video(folder / "silent.avi", sound=False, side=2_048, seconds=1)
    (folder.parent / "outside.mp4").write_bytes((folder / "tone.mp4").read_bytes())
    (folder / "text.mp4").write_text("I am no video.")
    (folder / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:3,\n{folder.parent / 'outside.mp4'}\n#EXT-X-ENDLIST\n")
    (folder / "cut.mp4").write_bytes((folder / "tone.mp4").read_bytes()[:3_000])
    (folder / "link.mp4").symlink_to(folder.parent / "outside.mp4")
    write_claim(folder / "huge.avi", 8_000)
    return folder


def write_claim(path: Path, side: int) -> None:
    """A video of one picture, which claims to have so many lines and columns: the AVI, and the JPEG in it."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    video.write(np.zeros((48, 64, 3), np.uint8))
    video.release()
    data = bytearray(path.read_bytes())
    struct.pack_into("<ii", data, data.index(b"strf") + 12, side, side)
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, side, side)
    path.write_bytes(data)


@pytest.fixture
def folder(videos: Path, tmp_path: Path) -> Path:
    """A folder with the video, to write into."""
    (tmp_path / "tone.mp4").write_bytes((videos / "tone.mp4").read_bytes())
    return tmp_path


def model(*answers: CreateResult | str, vision: bool = True) -> ReplayChatCompletionClient:
    able = ModelInfo(vision=vision, function_calling=True, json_output=True, structured_output=True, family="unknown")
    return ReplayChatCompletionClient(list(answers), model_info=able)


def calls(name: str, **arguments: object) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", name=name, arguments=json.dumps(arguments))],
        usage=RequestUsage(prompt_tokens=3, completion_tokens=2),
        cached=False,
    )


async def run(workbench: VideoWorkbench, name: str, **arguments: object) -> str:
    result = await call_tool(workbench, name, arguments)
    assert not result.is_error, result.to_text()
    return result.to_text()


async def failure(workbench: VideoWorkbench, name: str, **arguments: object) -> str:
    result = await call_tool(workbench, name, arguments)
    assert result.is_error, result.to_text()
    return result.to_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.*"))


def brightness(picture: Image) -> float:
    return float(np.asarray(picture.image).mean())


def test_the_functions_of_autogen_read_length_pictures_and_sound(folder: Path) -> None:
    video = str(folder / "tone.mp4")
    assert get_video_length(video) == "The video is 3.00 seconds long."
    pictures = get_screenshot_at(video, [0.0, 1.5, 3.0])
    assert [second for second, _ in pictures] == [0.0, 1.5, 3.0]
    assert [round(float(picture.mean()) / 8) for _, picture in pictures] == [0, 15, 29]
    save_screenshot(video, 1.5, str(folder / "scene.png"))
    assert brightness(Image.from_file(folder / "scene.png")) == pytest.approx(120, abs=4)
    assert extract_audio(video, str(folder / "sound.mp3")) == f"Audio extracted and saved to {folder / 'sound.mp3'}."
    assert (folder / "sound.mp3").read_bytes().startswith(b"ID3")
    data = (folder / "tone.mp4").read_bytes()
    (folder / "latin.mp4").write_bytes(data.replace(b"Lavf", b"\xe4\xf6\xfc\xff"))  # the program that wrote it
    assert extract_audio(str(folder / "latin.mp4"), str(folder / "sound.mp3")).startswith("Audio extracted")
    with pytest.raises(OSError, match="is no video or sound of a known kind"):
        get_video_length(str(folder / "scene.png"))
    with pytest.raises(MediaError, match=r"missing\.mp4' cannot be read: No such file"):
        get_video_length(str(folder / "missing.mp4"))


async def test_the_tools_work_in_the_folder(folder: Path) -> None:
    client = model("A gray field.")
    workbench = VideoWorkbench(client, root=folder)
    assert await run(workbench, "get_video_length", video_path="tone.mp4") == "The video is 3.00 seconds long."
    shown = await call_tool(workbench, "get_screenshot_at", {"video_path": "tone.mp4", "timestamps": [0, 1.5]})
    pictures = [piece.content for piece in shown.result if isinstance(piece, ImageResultContent)]
    assert [round(brightness(picture) / 8) for picture in pictures] == [0, 15]
    arguments = {"video_path": "tone.mp4", "timestamp": 1.5}
    assert await run(workbench, "vs_transribe_video_screenshot", **arguments) == "A gray field."
    [message] = client.create_calls[0]["messages"]
    assert isinstance(message, UserMessage)
    assert isinstance(message.content[1], Image)
    assert await run(workbench, "save_screenshot", **arguments, output_path="out/a.jpg") == (
        "Screenshot saved to out/a.jpg."
    )
    assert await run(workbench, "extract_audio", video_path="tone.mp4", audio_output_path="a.mp3") == (
        "Audio extracted and saved to a.mp3."
    )
    assert names(folder) == ["a.jpg", "a.mp3", "tone.mp4"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../outside.mp4", "is outside of the folder"),
        ("link.mp4", "is a link"),
        ("http://127.0.0.1/a.mp4", "does not exist"),
        ("text.mp4", "is no video or sound of a known kind"),
        ("list.mp4", "is no video or sound of a known kind"),  # FFmpeg would open the file that it names
        ("cut.mp4", "is damaged"),
        ("huge.avi", "has "),  # pictures of too many pixels, and no sound
        (".", "is a folder"),
    ],
)
async def test_what_is_no_video_of_the_folder_is_one_clear_result(videos: Path, path: str, said: str) -> None:
    workbench = VideoWorkbench(model(), root=videos, transcriber=WhisperTranscriber())
    for name, arguments in (
        ("get_video_length", {}),
        ("get_screenshot_at", {"timestamps": [0]}),
        ("save_screenshot", {"timestamp": 0, "output_path": "x.png"}),
        ("extract_audio", {"audio_output_path": "x.mp3"}),
    ):
        assert said in await failure(workbench, name, video_path=path, **arguments)
    assert {"x.png", "x.mp3"}.isdisjoint(names(videos))


async def test_what_a_video_does_not_have_is_one_clear_result(videos: Path) -> None:
    workbench = VideoWorkbench(model(), root=videos)
    video = {"video_path": "tone.mp4"}
    for name, arguments, said in (
        ("get_screenshot_at", {**video, "timestamps": [9]}, "has no second 9: it is 3.00 seconds long"),
        ("get_screenshot_at", {**video, "timestamps": [float("nan")]}, "has no second nan"),
        ("get_screenshot_at", {**video, "timestamps": [0] * 11}, "At most 10 pictures"),
        ("get_screenshot_at", video, "timestamps"),
        ("save_screenshot", {**video, "timestamp": 0, "output_path": "a.exe"}, "no pictures of the kind '.exe'"),
        ("save_screenshot", {**video, "timestamp": 0, "output_path": "../a.png"}, "is outside of the folder"),
        ("extract_audio", {**video, "audio_output_path": "../a.mp3"}, "is outside of the folder"),
        ("extract_audio", {"video_path": "silent.avi", "audio_output_path": "a.mp3"}, "has no sound"),
        ("get_video_length", {"video_path": "huge.avi"}, "64,000,000 pixels, and 50,000,000 are allowed"),
    ):
        assert said in await failure(workbench, name, **arguments)
    assert "a.mp3" not in names(videos.parent)
    assert "a.png" not in names(videos.parent)
    blind = VideoWorkbench(model(vision=False), root=videos)
    assert "cannot read pictures" in await failure(blind, "vs_transribe_video_screenshot", **video, timestamp=0)
    large = await call_tool(workbench, "get_screenshot_at", {"video_path": "silent.avi", "timestamps": [0]})
    [picture] = [piece.content for piece in large.result if isinstance(piece, ImageResultContent)]
    assert picture.image.size == (1_024, 1_024)


class FakeWhisper:
    """The functions of the library that are called; the library needs PyTorch."""

    def __init__(self) -> None:
        self.waves: list[NDArray[np.float32]] = []

    def load_model(self, name: str) -> SimpleNamespace:
        assert name == "base"
        return SimpleNamespace(transcribe=self.transcribe)

    def transcribe(self, waves: NDArray[np.float32], **_options: object) -> dict[str, object]:
        self.waves.append(waves)
        return {"segments": [{"start": 0.0, "end": 1.5, "text": " Hi\nthere "}]}


async def test_whisper_is_given_the_samples_of_the_sound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whisper = FakeWhisper()
    monkeypatch.setitem(sys.modules, "whisper", whisper)  # pyright: ignore[reportArgumentType] - has its functions
    workbench = VideoWorkbench(model(), root=folder)
    said = await run(workbench, "transcribe_audio_with_timestamps", audio_path="tone.mp4")
    assert said == "[0.00 - 1.50] Hi\u240athere"
    assert await asyncio.to_thread(transcribe_audio_with_timestamps, str(folder / "tone.mp4")) == f"{said}\n"
    waves = whisper.waves[0]
    assert waves.dtype == np.float32
    assert len(waves) / 16_000 == pytest.approx(3, abs=0.2)
    loudest = int(np.argmax(np.abs(np.fft.rfft(waves[:16_000]))))
    assert loudest == pytest.approx(440, abs=2)


async def test_a_transcript_comes_in_parts_and_is_made_once(folder: Path) -> None:
    asked: list[str] = []

    def transcribe(sound: bytes, name: str) -> Sequence[TranscriptSegment]:
        assert sound
        asked.append(name)
        return [TranscriptSegment(start=n, end=n + 1, text=f"sentence {n}") for n in range(2_000)]

    workbench = VideoWorkbench(model(), root=folder, transcriber=FunctionTranscriber(transcribe))
    lines: list[str] = []
    first_second = 0.0
    while True:
        part = await run(
            workbench, "transcribe_audio_with_timestamps", audio_path="tone.mp4", first_second=first_second
        )
        assert len(part) < 32_100
        *shown, last = part.split("\n")
        lines += shown
        if not last.startswith("[The next part: first_second="):
            break
        first_second = float(last.removeprefix("[The next part: first_second=").removesuffix("]"))
    assert [line.rpartition(" ")[2] for line in [*lines, last]] == [str(number) for number in range(2_000)]
    assert asked == ["tone.mp4"]


async def test_a_transcription_that_takes_too_long_or_is_cancelled_ends(folder: Path) -> None:
    entered = asyncio.Event()

    async def transcribe(_sound: bytes, _name: str) -> Sequence[TranscriptSegment]:
        entered.set()
        await asyncio.Event().wait()
        return []

    slow = VideoWorkbench(model(), root=folder, transcriber=FunctionTranscriber(transcribe), timeout=0.05)
    arguments = {"audio_path": "tone.mp4"}
    assert "not ended after 0.05 s" in await failure(slow, "transcribe_audio_with_timestamps", **arguments)
    entered.clear()
    patient = VideoWorkbench(model(), root=folder, transcriber=FunctionTranscriber(transcribe))
    token = CancellationToken()
    waiting = asyncio.create_task(call_tool(patient, "transcribe_audio_with_timestamps", arguments, token))
    async with asyncio.timeout(60):
        await entered.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_missing_libraries_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "whisper", None)
    said = await failure(
        VideoWorkbench(model(), root=folder, transcriber=WhisperTranscriber("tiny")),
        "transcribe_audio_with_timestamps",
        audio_path="tone.mp4",
    )
    assert "pip install 'symposia[whisper]'" in said
    monkeypatch.setitem(sys.modules, "cv2", None)
    for needs in (lambda: VideoSurfer("surfer", model()), lambda: get_video_length(str(folder / "tone.mp4"))):
        with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[video-surfer\]'"):
            needs()


async def test_the_agent_calls_the_tools_and_a_resumed_run_reads_no_video_again(folder: Path) -> None:
    async def ask() -> str:
        surfer = VideoSurfer("surfer", model(calls("get_video_length", video_path="tone.mp4")), base_path=folder)
        last = (await surfer.run(task="How long is it?")).messages[-1]
        assert isinstance(last, ToolCallSummaryMessage)
        return last.content

    journal = Journal()
    with handle_effects(journal):
        assert await ask() == "The video is 3.00 seconds long."
    await asyncio.to_thread((folder / "tone.mp4").unlink)
    again = Journal(records=journal.records)
    with handle_effects(again):
        assert await ask() == "The video is 3.00 seconds long."
    assert again.performed == []


async def test_a_surfer_is_saved_has_the_names_of_autogen_and_takes_other_tools(folder: Path) -> None:
    surfer = VideoSurfer("surfer", model("A gray field.", "A gray field."), base_path=folder)
    loaded = VideoSurfer.load_component(json.loads(surfer.dump_component().model_dump_json()))
    assert loaded.description == "An agent that can answer questions about a local video."
    assert await loaded.vs_transribe_video_screenshot("tone.mp4", 1) == "A gray field."
    assert await transcribe_video_screenshot(str(folder / "tone.mp4"), 1, model("Gray.")) == "Gray."
    assert [tool["name"] for tool in await VideoWorkbench(model(), root=folder).list_tools()] == [
        *("get_video_length", "get_screenshot_at", "save_screenshot", "vs_transribe_video_screenshot"),
        *("extract_audio", "transcribe_audio_with_timestamps"),
    ]
    client = model(calls("get_video_length", video_path="tone.mp4"))
    other = VideoSurfer("surfer", client, tools=[FunctionTool(lambda: "mine", "Mine.", "mine")], base_path=folder)
    await other.run(task="How long is it?")
    assert [tool["name"] if isinstance(tool, dict) else tool.name for tool in client.create_calls[0]["tools"]] == [
        "mine"
    ]
    with pytest.raises(InvalidArgumentError, match="timeout"):
        VideoSurfer("surfer", model(), timeout=0)
