"""Wheels, written by hand: tests that install packages need neither a registry nor a build."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from symposia.ext.code_executors._environment import sandbox_python_folder


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, str], requires: Sequence[str] = ()) -> None:
    """Write a wheel of pure Python. Equal wheels are equal in their times, too."""
    stem = f"{name}-{version}"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    texts = {
        **files,
        f"{stem}.dist-info/METADATA": about + "".join(f"Requires-Dist: {other}\n" for other in requires),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/RECORD": "",
    }
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in texts.items():
            wheel.writestr(zipfile.ZipInfo(file), text)
    os.utime(path, (0, 0))


def use_cache_of_its_own(folder: Path, pinned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use another cache, with the environment of the pinned packages in it; return where the environments are."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    place = sandbox_python_folder()
    place.parent.mkdir(parents=True)
    place.symlink_to(pinned)
    return place.parent


def names_in(folder: Path) -> list[str]:
    """The names of what is in a folder, sorted."""
    return sorted(entry.name for entry in folder.iterdir())
