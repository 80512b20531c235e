"""Values of YAML, with the line of each.

The YAML is composed and not loaded. Loading takes `no` for false and 1:30 for ninety, forgets all but the last of
two equal keys, and expands aliases without a limit; and only nodes know their lines. So a value is a text, from which
pydantic makes the number that a field wants. Only where any JSON may stand, one without quotes is read as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, TypeAlias

from pydantic import JsonValue

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError

NODE_LIMIT: Final = 20_000
"""Values of a script, before its aliases are expanded and after it: thousands of rules, read in a second."""
DEPTH_LIMIT: Final = 60

NodePath: TypeAlias = tuple[str | int, ...]


class YamlValues:
    """Values of YAML, with the line of each.

    Raises:
        InvalidArgumentError: From its methods, for what is no YAML, or none that a script needs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lines: dict[NodePath, int] = {}

    def of_text(self, text: str) -> JsonValue:
        """The value of a document: mappings, lists and texts."""
        try:
            import yaml  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise MissingExtraError("Reading a script of the model server", "testing") from None
        try:
            node = self._composed(text, yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            line = 1 if error.problem_mark is None else error.problem_mark.line + 1
            raise InvalidArgumentError(f"{self.name}:{line}: this is no YAML: {error.problem}.") from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            words = f"the character U+{ord(text[error.position]):04X} is not allowed in it"
            raise InvalidArgumentError(f"{self.name}:{line}: this is no YAML: {words}.") from None
        except RecursionError:
            raise InvalidArgumentError(f"{self.name}: its values are nested too deeply.") from None
        return None if node is None else self._of(node, ())

    def _composed(self, text: str, loader_class: type[Any]) -> Any:  # Any: PyYAML has no types
        """The node of the text. Values are counted on the way, since PyYAML takes seconds for some 100,000."""
        loader = loader_class(text)
        compose, composed = loader.compose_node, count(1)

        def compose_one(parent: object, index: object) -> object:
            if next(composed) > NODE_LIMIT:
                raise self._too_large(loader.peek_event().start_mark.line + 1)
            return compose(parent, index)

        loader.compose_node = compose_one  # composing calls it for every value, from the outermost in
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()

    def _too_large(self, line: int) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"{self.name}:{line}: the script has more than {NODE_LIMIT:,} values, or values nested more than "
            f"{DEPTH_LIMIT} deep. Aliases count as what they stand for."
        )

    def line(self, location: Sequence[str | int]) -> int:
        """The line of a value.

        `location` may have more parts than its path: pydantic adds the tags of unions, which may be names of fields.
        """
        paths: list[NodePath] = [()]
        for part in location:
            paths += [(*path, part) for path in paths if (*path, part) in self._lines]
        return self._lines.get(max(reversed(paths), key=len), 1)

    def _of(self, node: Any, path: NodePath) -> JsonValue:  # Any: PyYAML has no types
        line = self._lines[path] = node.start_mark.line + 1
        if len(self._lines) > NODE_LIMIT or len(path) > DEPTH_LIMIT:
            raise self._too_large(line)
        if isinstance(node.value, str):
            return self._scalar(node, line)
        if not node.value or not isinstance(node.value[0], tuple):
            inner: list[Any] = node.value
            values = [self._of(each, (*path, index)) for index, each in enumerate(inner)]
            return {} if node.id == "mapping" else values
        fields: dict[str, JsonValue] = {}
        for key, value in node.value:
            if not isinstance(key.value, str):
                raise InvalidArgumentError(f"{self.name}:{line}: a key has to be a text.")
            if key.value in fields:
                again = key.start_mark.line + 1
                raise InvalidArgumentError(f"{self.name}:{again}: {key.value!r} is given twice. Leave one.")
            fields[self._scalar(key, key.start_mark.line + 1)] = self._of(value, (*path, key.value))
        return fields

    def _scalar(self, node: Any, line: int) -> str:  # Any: as above
        value = str(node.value) if node.style else Plain(node.value)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidArgumentError(f"{self.name}:{line}: half of a surrogate pair is no character.")
        return value


class Plain(str):
    """A scalar without quotes."""

    __slots__ = ()


def as_json(value: object) -> object:
    """A value with the scalars in it as JSON reads them."""
    if isinstance(value, Plain):
        return _plain(value)
    if isinstance(value, list):
        items: list[object] = value  # pyright: ignore[reportUnknownVariableType] - of `YamlValues`
        return [as_json(item) for item in items]
    if isinstance(value, dict):
        fields: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType] - of `YamlValues`
        return {name: as_json(item) for name, item in fields.items()}
    return value


def _plain(value: str) -> JsonValue:
    """The value of a scalar without quotes, as JSON has it; all else is text."""
    if value in {"", "~", "null"}:
        return None
    if value in {"true", "false"}:
        return value == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", value, re.ASCII):
        return int(value)
    if re.fullmatch(r"-?\d{1,17}(\.\d{1,17})?(e[+-]?\d{1,2})?", value, re.ASCII) and not re.match(r"-?0\d", value):
        return float(value)
    return str(value)
