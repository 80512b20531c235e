"""An agent that opens and reads the files of a folder."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.agents.file_surfer._agent import FileSurfer

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["FileSurfer"]
