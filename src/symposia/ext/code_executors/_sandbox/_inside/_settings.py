"""What the host says in its first frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast


class Settings(NamedTuple):
    """The policy, and where things are; the names are those of the host's ``open`` request."""

    python: str
    environment: dict[str, str]
    work_folder: str
    scratch_folders: list[str]
    memory_counters: list[str]
    memory_bytes: int
    processes: int
    open_files: int
    file_bytes: int
    inodes: int
    output_limit_bytes: int
    artifacts: int
    artifact_bytes: int


def read_settings(header: Mapping[str, object]) -> Settings:
    """The settings in an ``open`` request, as the host made it."""
    values = {name: header[name] for name in Settings._fields}
    return Settings(**cast("dict[str, object]", values))  # type: ignore[arg-type]
