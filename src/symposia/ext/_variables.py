"""The environment variables of this process, as sandboxes and their set-up read them and hand them on.

Variables that name a folder are read by one rule: one that is empty or relative counts as unset. The XDG Base
Directory Specification says so of ``XDG_CACHE_HOME``. An empty ``HOME`` would make the cache ``/.cache``, and a
relative one would make another cache in each working directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

FOLDER_VARIABLES: Final = ("HOME", "TMPDIR", "XDG_CACHE_HOME")
HARMLESS_VARIABLES: Final = (
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TERM", "TMPDIR", "TZ", "USER", "XDG_CACHE_HOME",
)  # fmt: skip
"""What programs need to run at all. An allow-list: keys are kept in variables of any name."""


def folder_variable(name: str) -> Path | None:
    """The folder that an environment variable names; None where it is unset, empty or relative."""
    folder = Path(os.environ.get(name, ""))
    return folder if folder.is_absolute() else None


def inherited_environment() -> dict[str, str]:
    """The environment of this process, without the variables of folders that count as unset."""
    unset = {name for name in FOLDER_VARIABLES if folder_variable(name) is None}
    return {name: value for name, value in os.environ.items() if name not in unset}


def harmless_environment() -> dict[str, str]:
    """The variables of this process that code on this machine gets: none that could hold a key."""
    return {name: value for name, value in inherited_environment().items() if name in HARMLESS_VARIABLES and value}
