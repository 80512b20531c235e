"""Ids of tests that are the same in every process."""

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{4,}")


def with_addresses(node_ids: Iterable[str]) -> list[str]:
    """The ids that hold an object's address, as ``str`` and ``repr`` write it where a class defines neither."""
    return [node_id for node_id in node_ids if _ADDRESS.search(node_id)]
