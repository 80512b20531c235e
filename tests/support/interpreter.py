"""A fresh Python, for what only a whole process can show."""

import os
import subprocess
import sys
from pathlib import Path


def python(
    *arguments: str, folder: Path | None = None, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python to its end in `folder`, with `given` on its standard input and these additional variables."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=given,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def printed(code: str) -> str:
    """What a program prints that has to end well."""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
