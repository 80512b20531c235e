"""An agent that answers questions about videos: by their length, their pictures, and what is said in them."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.agents.video_surfer._agent import VideoSurfer
    from symposia.ext.agents.video_surfer._media import MediaError
    from symposia.ext.agents.video_surfer._transcription import (
        FunctionTranscriber,
        Transcriber,
        TranscriptSegment,
        WhisperTranscriber,
    )
    from symposia.ext.agents.video_surfer._workbench import VideoWorkbench
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agent": ["VideoSurfer"],
            "_media": ["MediaError"],
            "_transcription": ["FunctionTranscriber", "Transcriber", "TranscriptSegment", "WhisperTranscriber"],
            "_workbench": ["VideoWorkbench"],
        },
    )

__all__ = [
    "FunctionTranscriber",
    "MediaError",
    "Transcriber",
    "TranscriptSegment",
    "VideoSurfer",
    "VideoWorkbench",
    "WhisperTranscriber",
]
