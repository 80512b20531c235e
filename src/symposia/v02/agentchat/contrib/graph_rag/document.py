"""A document of which a graph is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Document", "DocumentType"]


class DocumentType(Enum):
    """The format of a document."""

    TEXT = auto()
    HTML = auto()
    PDF = auto()


@dataclass
class Document:
    """A document.

    Attributes:
        doctype: Its format.
        data: Its content; None if it is at `path_or_url`.
        path_or_url: Where it is.
    """

    doctype: DocumentType
    data: object | None = None
    path_or_url: str | None = ""
