"""The front matter of a SKILL.md: YAML, of which texts are read, and lists and mappings of texts.

The YAML is composed and not loaded. What loading makes of a text is never wanted here: it takes a version 1.10 for the
number 1.1. And a skill may come from a stranger: loading resolves tags, which raise any error, and merges, with which a
small file can fill the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias, cast

import yaml

from symposia.core.exceptions import InvalidArgumentError

Field: TypeAlias = str | list[str | None] | dict[str | None, str | None]
"""The value of a field. What is nested deeper is None, so that YAML's aliases cannot make it endless."""


def read_front_matter(text: str) -> Mapping[str, Field]:
    """The fields of a front matter.

    Raises:
        InvalidArgumentError: It is no YAML, no mapping, or has a field twice. The text says only what is wrong.
    """
    try:
        node = cast("yaml.Node | None", yaml.compose(text, Loader=yaml.BaseLoader))  # pyright: ignore[reportUnknownMemberType] - untyped
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidArgumentError(f"its front matter is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(node, yaml.MappingNode):
        raise InvalidArgumentError("its front matter has to be a mapping with a name and a description")
    names = [str(_scalar(name)) for name, _ in node.value]
    name, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise InvalidArgumentError(f"its front matter has {name[:100]!r} {times} times: leave one")
    return {name: _field(value) for name, (_, value) in zip(names, node.value, strict=True)}


def _field(node: yaml.Node) -> Field:
    if isinstance(node, yaml.SequenceNode):
        return [_scalar(each) for each in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_scalar(name): _scalar(each) for name, each in node.value}
    return str(_scalar(node))


def _scalar(node: yaml.Node) -> str | None:
    return node.value if isinstance(node, yaml.ScalarNode) else None
