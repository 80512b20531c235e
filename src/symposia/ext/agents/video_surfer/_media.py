"""Pictures and sound of videos, by OpenCV and PyAV. All of it blocks: call it in a worker thread.

FFmpeg, which is in both, opens what playlists name: other files, and addresses. So a file has to begin as a container
of pictures or sound does, and is not taken for a playlist whatever its name says.
"""

from __future__ import annotations

import io
import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.terminal_text import printable_name

if TYPE_CHECKING:
    import av
    import av.error
    import cv2
    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

    Picture: TypeAlias = NDArray[np.uint8]
    Samples: TypeAlias = NDArray[np.float32]
else:
    av, cv2, np = lazy_module("av"), lazy_module("cv2"), lazy_module("numpy")
    Picture = Samples = object  # their types can be read without numpy

EXTRA: Final = "video-surfer"

SAMPLE_RATE: Final = 16_000
"""Samples a second that Whisper's models take."""

MOST_SECONDS: Final = 4 * 60 * 60
"""The longest sound that is read into memory: 0.9 GB of samples."""

MOST_PIXELS: Final = 50_000_000
"""The largest picture, above 8K. A file of some bytes can claim any size, and each pixel takes three bytes and more."""

_BEGINNINGS: Final = (
    (0, b"RIFF"),  # AVI, WAV
    (0, b"\x1aE\xdf\xa3"),  # Matroska, WebM
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"FLV\x01"),
    (0, b"ID3"),  # MP3 with its tags
    (0, b"\x30\x26\xb2\x75"),  # ASF, WMV
    (0, b"\x00\x00\x01\xba"),  # MPEG, as on DVDs
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x47\x40"),  # MPEG transport stream
    *((4, kind) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),  # MP4, QuickTime
    *((0, bytes((0xFF, second))) for second in (0xF1, 0xF3, 0xF9, 0xFA, 0xFB)),  # AAC, MP3
)


class MediaError(InvalidArgumentError, OSError):
    """A video or a sound cannot be read; the text names it and says why."""


def check_installed(feature: str) -> None:
    """See whether OpenCV and PyAV are installed, without importing them.

    Raises:
        MissingExtraError: One is not.
    """
    if find_spec("cv2") is None or find_spec("av") is None:
        raise MissingExtraError(feature, EXTRA)


class Video:
    """The pictures of a video. Use it as a context manager.

    Args:
        source: The file as the system opens it, such as ``/dev/fd/3``.
        name: The file as errors name it.

    Raises:
        MediaError: It is no video.
        MissingExtraError: OpenCV is not installed.
    """

    def __init__(self, source: str, name: str) -> None:
        check_installed("Reading videos")
        _check_container(source, name)
        self._name = name
        # By FFmpeg alone: others take the path for a pattern of pictures, or for a pipeline.
        self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        pixels = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH) * self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if not self._capture.isOpened() or not pixels:
            self._capture.release()
            raise _unreadable(name, "is damaged, or has no pictures")
        if pixels > MOST_PIXELS:
            self._capture.release()
            raise _unreadable(name, f"has pictures of {pixels:,.0f} pixels, and {MOST_PIXELS:,} are allowed")

    @property
    def seconds(self) -> float:
        """Its length.

        Raises:
            MediaError: The file does not say.
        """
        rate, count = self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if not (math.isfinite(rate) and rate > 0 and count > 0):
            raise _unreadable(self._name, "does not say how long it is")
        return count / rate

    def frame(self, second: float) -> Picture:
        """The picture at a time, as rows of columns of blue, green and red.

        Raises:
            MediaError: There is none, or it is damaged.
        """
        if not 0 <= second <= self.seconds:
            raise _unreadable(self._name, f"has no second {second:g}: it is {self.seconds:.2f} seconds long")
        # The last picture begins before the end.
        last = self.seconds - 1 / self._capture.get(cv2.CAP_PROP_FPS)
        self._capture.set(cv2.CAP_PROP_POS_MSEC, max(min(second, last), 0) * 1_000)
        found, frame = self._capture.read()
        if not found:
            raise _unreadable(self._name, f"has a damaged picture at second {second:g}")
        return frame.astype(np.uint8, copy=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._capture.release()


def encoded(frame: Picture, suffix: str, *, longest: int | None = None) -> bytes:
    """A picture as a file.

    Args:
        frame: The picture.
        suffix: What kind of file, such as ``.png``.
        longest: The most pixels of a side; a larger picture is made smaller.

    Raises:
        MediaError: There is no such kind.
    """
    side = max(frame.shape[:2])
    shown: cv2.typing.MatLike = frame
    if longest is not None and side > longest:
        shown = cv2.resize(frame, None, fx=longest / side, fy=longest / side, interpolation=cv2.INTER_AREA)
    try:
        is_done, data = cv2.imencode(suffix, shown)
    except cv2.error:
        is_done, data = False, None
    if not is_done or data is None:
        raise MediaError(f"There are no pictures of the kind {printable_name(suffix)!r}: take .png or .jpg.")
    return data.tobytes()


def extracted_sound(source: str, name: str) -> bytes:
    """The sound of a video as MP3.

    Raises:
        MediaError: It is no video, is too long, or has no sound.
    """
    target = io.BytesIO()
    with _sound(source, name) as frames, av.open(target, "w", format="mp3") as container:
        output = cast("Any", container)  # Any: PyAV's own types are partly unknown
        stream = output.add_stream("libmp3lame", rate=44_100)
        for frame in frames:
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def samples(source: str, name: str) -> Samples:
    """The sound as samples from -1 to 1, `SAMPLE_RATE` a second, of one channel.

    Raises:
        MediaError: It is no sound or video, is too long, or has no sound.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with _sound(source, name) as frames:
        parts = [part.to_ndarray().reshape(-1) for frame in frames for part in resampler.resample(frame)]
        parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
    return np.concatenate(parts).astype(np.float32, copy=False)


@contextmanager
def _sound(source: str, name: str) -> Generator[Iterator[av.AudioFrame]]:
    check_installed("Reading sound")
    _check_container(source, name)
    try:
        # Titles and names may be of any encoding.
        with av.open(source, metadata_errors="replace") as container:
            if not container.streams.audio:
                raise _unreadable(name, "has no sound")
            yield _frames(container, name)
    except av.error.FFmpegError as error:
        raise _unreadable(name, f"is damaged ({error.strerror})") from error


def _frames(container: InputContainer, name: str) -> Iterator[av.AudioFrame]:
    seconds = 0.0
    for frame in container.decode(container.streams.audio[0]):
        seconds += frame.samples / frame.sample_rate
        if seconds > MOST_SECONDS:
            raise _unreadable(name, f"has more than {MOST_SECONDS // 3600} hours of sound")
        yield frame
    if not seconds:
        raise _unreadable(name, "has no sound")


def _check_container(source: str, name: str) -> None:
    try:
        with open(source, "rb") as file:  # noqa: PTH123 - "/dev/fd/3" is no path of a file
            start = file.read(16)
    except OSError as error:
        raise _unreadable(name, f"cannot be read: {error.strerror}") from error
    if not any(start[place : place + len(mark)] == mark for place, mark in _BEGINNINGS):
        raise _unreadable(name, "is no video or sound of a known kind")


def _unreadable(name: str, reason: str) -> MediaError:
    return MediaError(f"The file {printable_name(name)!r} {reason}.")
