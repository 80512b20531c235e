"""The terminal as a stream."""

from __future__ import annotations

import getpass
import sys

from typing_extensions import override

from symposia.v02.io.base import IOStream

__all__ = ["IOConsole"]


class IOConsole(IOStream):
    """Standard output and input, through Python's own `print` and `input`, also where a program replaced them."""

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        """Print. Characters that standard output does not take, as half a surrogate pair, are written as escapes."""
        text = sep.join(map(str, objects))
        try:
            print(text, end=end, flush=flush)  # noqa: T201 - it is what the class is for
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding or "utf-8"
            print(text.encode(encoding, "backslashreplace").decode(encoding), end=end, flush=flush)  # noqa: T201 - see above

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        return getpass.getpass(prompt or "Password: ") if password else input(prompt)
