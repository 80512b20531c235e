"""A small video with a tone."""

from pathlib import Path
from typing import Any, cast

import av
import numpy as np

RATE = 16_000


def write_video(path: Path, *, seconds: int = 3, sound: bool = True, side: int = 48) -> None:
    """Ten pictures a second, each brighter by 8 than the one before, and 440 Hz."""
    with av.open(str(path), "w") as opened:
        container = cast("Any", opened)  # Any: PyAV's own types are partly unknown
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = side, side, "yuv420p"
        audio = container.add_stream("aac", rate=RATE) if sound else None
        for number in range(10 * seconds):
            picture = np.full((side, side, 3), number * 8, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
        if audio is not None:
            wave = np.sin(2 * np.pi * 440 * np.arange(RATE * seconds) / RATE).astype(np.float32)
            for start in range(0, len(wave), 1_024):
                part = wave[start : start + 1_024].reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate = RATE
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
