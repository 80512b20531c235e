"""How far a conversation is in its thread, which each answer keeps as `VendorBlocks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from symposia.core.models import AssistantMessage, LLMMessage, VendorBlocks


class Place(NamedTuple):
    """How far a conversation is in a thread.

    Attributes:
        thread: The thread.
        run: The run that gave the last answer.
        message: The last message of the thread; None if it is not known.
    """

    thread: str
    run: str
    message: str | None


def place_of(message: LLMMessage, service: str) -> Place | None:
    """The place after a message; None for one that is no answer of the service."""
    blocks = message.vendor_blocks if isinstance(message, AssistantMessage) else None
    if not blocks or not (kept := blocks.get(_key(service))):
        return None
    block = cast("Mapping[str, Any]", kept[0])
    return Place(block["thread_id"], block["run_id"], block.get("message_id"))


def blocks_of(service: str, place: Place, images: Sequence[tuple[str, str]]) -> VendorBlocks:
    """What an answer keeps.

    Args:
        service: The name of the service.
        place: The place after the answer.
        images: The images of the answer: the ids of their files, and their bytes in base64.
    """
    block: dict[str, object] = {"thread_id": place.thread, "run_id": place.run, "message_id": place.message}
    if images:
        block |= {"images": [encoded for _, encoded in images], "image_files": [file for file, _ in images]}
    return {_key(service): [block]}


def images_of(blocks: VendorBlocks | None, service: str) -> list[str]:
    """The images that an answer keeps, in base64."""
    kept = (blocks or {}).get(_key(service), [])
    return [image for block in kept for image in cast("Sequence[str]", block.get("images", ()))]


def _key(service: str) -> str:
    """Threads of one service are unknown to the others."""
    return f"{service} threads"
