"""Addresses as errors, questions and records show them: without what may be a key.

A key may be anywhere in an address that a program gives: many services put it into the path. Of one that a model or a
server names, the path is known to the model already, and the rest may still be a signature or a password.
"""

from __future__ import annotations

from typing import Final

from symposia.core.text_limits import beginning_of

_LONGEST: Final = 500
"""Characters of an address that are shown: servers choose where a redirect leads."""


def shown_address(url: str) -> str:
    """An address that a model or a server names: without its user, its query and its fragment."""
    scheme, mark, authority, path = _parts(url)
    return beginning_of(f"{scheme}{mark}{authority}{path}", _LONGEST)


def shown_origin(url: str) -> str:
    """An address that a program gives: its host. An ellipsis stands for its path, its query and its fragment."""
    scheme, mark, authority, path = _parts(url)
    hidden = "/…" if path.strip("/") or "?" in url or "#" in url else path
    return beginning_of(f"{scheme}{mark}{authority}{hidden}", _LONGEST) if mark else "…"


def _parts(url: str) -> tuple[str, str, str, str]:
    """The scheme, what follows it, the host with its port, and the path. Any text has them, or some of them empty."""
    scheme, mark, rest = url.partition("#")[0].partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return scheme, mark, authority.rpartition("@")[2], f"{slash}{path}"
