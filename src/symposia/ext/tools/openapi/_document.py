"""OpenAPI documents: reading them, following references, and their schemas as JSON Schema 2020-12.

Source: https://spec.openapis.org/oas/v3.1.1 and https://spec.openapis.org/oas/v3.0.4.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Final, TypeAlias, cast

from pydantic import JsonValue
from pydantic_core import from_json, to_jsonable_python

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError

Json: TypeAlias = dict[str, JsonValue]

_NO_SCHEMA_KEYWORDS: Final = frozenset({"discriminator", "xml", "externalDocs", "example"})
"""What OpenAPI adds to schemas, and what says nothing about a value."""
_NO_SCHEMAS_INSIDE: Final = frozenset({"enum", "const", "default", "examples", "required"})
_MOST_REFERENCES: Final = 50
"""References that lead to one another, one after the other."""


METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MOST_VALUES: Final = 2_000_000
"""Values of a document. Those of GitHub, Stripe and Microsoft Graph have up to a million."""
_DEEPEST: Final = 200


class OpenApiDocument(dict[str, JsonValue]):
    """A document that was read and checked, from which many tools may be made."""

    @cached_property
    def operations(self) -> dict[str, tuple[str, str]]:
        """The path and the method of each operation by its id, which is both where it has none of its own."""
        found: dict[str, tuple[str, str]] = {}
        for path, given in cast("Json", self["paths"]).items():
            item = resolve(self, given, f"The path {path}")
            for method in METHODS:
                operation = item.get(method)
                if isinstance(operation, dict):
                    id_ = str(operation.get("operationId") or f"{method} {path}")
                    found[f"{method} {path}" if id_ in found else id_] = path, method
        return found

    def place_of(self, operation: str) -> tuple[str, str] | None:
        """The path and the method of an operation by its id, or by both; None if there is no such operation."""
        if operation in self.operations:
            return self.operations[operation]
        return next((place for place in self.operations.values() if operation == f"{place[1]} {place[0]}"), None)


@contextmanager
def well_formed(what: str) -> Generator[None, None, None]:
    """Report parts of another kind than the specification says.

    Raises:
        InvalidArgumentError: There is one.
    """
    try:
        yield
    except InvalidArgumentError:
        raise
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"{what} is not as OpenAPI describes it: {type(error).__name__}: {error}. Correct the document, or leave "
            "the operation out with operations=[…]."
        ) from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidArgumentError(f"The document {path} cannot be read: {reason}.") from error


def read_document(source: Path | str | Mapping[str, JsonValue]) -> OpenApiDocument:
    """Read a document of OpenAPI 3.0 or later.

    Args:
        source: A file, the text of one in JSON or YAML, or the document itself.

    Raises:
        InvalidArgumentError: It is no such document, or the file cannot be read.
        MissingExtraError: It is YAML, and PyYAML is not installed.
    """
    if isinstance(source, OpenApiDocument):
        return source
    document: object = source
    if isinstance(source, Path):
        document = _parse(_text_of(source), str(source))
    elif isinstance(source, str):
        document = _parse(source, "the text")
    if not isinstance(document, Mapping):
        raise InvalidArgumentError(
            f"document is {type(document).__name__}, not an OpenAPI document: give its path as Path('api.yaml'), its "
            "text, or the mapping."
        )
    _check_size(cast("object", document))
    with well_formed("The document"):  # a text may have half of a surrogate pair
        read = OpenApiDocument(to_jsonable_python(dict(cast("Mapping[str, object]", document)), fallback=str))
    version = read.get("openapi", f"Swagger {read['swagger']}" if "swagger" in read else None)
    if not isinstance(version, str) or not version.startswith("3."):
        raise InvalidArgumentError(
            f"The document is of {version or 'no version'}: OpenAPI 3.0 and 3.1 can be read. Convert others first."
        )
    if not isinstance(read.get("paths"), dict):
        raise InvalidArgumentError(
            "The document has no paths, and so no operations. It needs an object of them, such as "
            "{'paths': {'/orders': {'get': {…}}}}."
        )
    return read


def _check_size(document: object) -> None:
    """Check the size with all aliases of YAML written out, before they are.

    Raises:
        InvalidArgumentError: It is too large, too deep, or contains itself.
    """
    sizes: dict[int, int] = {}

    def size_of(part: object, depth: int) -> int:
        if isinstance(part, Mapping):
            values: Iterable[object] = cast("Mapping[object, object]", part).values()
        elif isinstance(part, list):
            values = cast("list[object]", part)
        else:
            return 1
        key = id(cast("object", part))
        if key not in sizes:
            if depth > _DEEPEST:
                raise InvalidArgumentError(
                    f"The document is nested more than {_DEEPEST} levels deep, or contains itself: write what repeats "
                    "once, and refer to it by $ref."
                )
            sizes[key] = 1 + sum(size_of(value, depth + 1) for value in values)
        return sizes[key]

    if size_of(document, 0) > _MOST_VALUES:
        raise InvalidArgumentError(f"The document has more than {_MOST_VALUES} values: give one with fewer paths.")


def _parse(text: str, where: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return from_json(text)
        except ValueError:
            pass  # YAML may begin with a brace, and says more about the fault
    try:
        import yaml  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError("An OpenAPI document in YAML", "openapi") from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidArgumentError(
            f"{where} is neither JSON nor YAML: {error}. Give the document as Path('api.yaml'), its text, or the "
            "mapping."
        ) from error


def resolve(document: Json, part: JsonValue, where: str) -> Json:
    """A part of a document, with the references that stand in its place followed.

    Raises:
        InvalidArgumentError: They lead nowhere, in a circle, or to another document.
    """
    for _ in range(_MOST_REFERENCES):
        if not isinstance(part, dict):
            raise InvalidArgumentError(
                f"{where} is {part!r} in the document, which has to be an object. Correct the document."
            )
        reference = part.get("$ref")
        if not isinstance(reference, str):
            return part
        part = _at(document, reference)
    raise InvalidArgumentError(f"{where} is a reference that leads in a circle. Correct the document.")


def _at(document: Json, reference: str) -> JsonValue:
    if not reference.startswith("#/"):
        raise InvalidArgumentError(
            f"The document refers to another one, {reference!r}: put all into one document first."
        )
    part: JsonValue = document
    for step in _steps(reference):
        if isinstance(part, dict) and step in part:
            part = part[step]
        else:
            raise InvalidArgumentError(
                f"The document has a reference to nothing in it: {reference!r}. Add what it refers to."
            )
    return part


def _steps(reference: str) -> list[str]:
    from urllib.parse import unquote  # noqa: PLC0415 - few documents have such references

    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/")]


def json_schema(document: Json, schema: JsonValue) -> tuple[JsonValue, Json]:
    """A schema of a document as JSON Schema 2020-12, and the definitions that its references lead to.

    Properties that are read-only are left out: these schemas describe requests.

    Raises:
        InvalidArgumentError: A reference leads nowhere.
    """
    is_3_0 = str(document["openapi"]).startswith("3.0")
    names: dict[str, str] = {}
    definitions: Json = {}

    def refer(reference: str) -> str:
        if reference not in names:
            last = _steps(reference)[-1]
            taken = set(names.values())
            candidates = chain([last], (f"{last}_{number}" for number in count(2)))
            names[reference] = next(name for name in candidates if name not in taken)
            definitions[names[reference]] = {}  # taken, before what it contains is converted
            definitions[names[reference]] = _converted(_at(document, reference), refer, is_3_0=is_3_0)
        return f"#/$defs/{names[reference]}"

    return _converted(schema, refer, is_3_0=is_3_0), definitions


def _converted(schema: JsonValue, refer: Callable[[str], str], *, is_3_0: bool) -> JsonValue:
    if isinstance(schema, list):
        return [_converted(each, refer, is_3_0=is_3_0) for each in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        beside = {} if is_3_0 else {key: value for key, value in schema.items() if key != "$ref"}  # 3.0 ignores them
        return {**cast("Json", _converted(beside, refer, is_3_0=is_3_0)), "$ref": refer(reference)}
    kept: Json = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            written = {name: each for name, each in value.items() if not _is_read_only(each)}
            kept[key] = {name: _converted(each, refer, is_3_0=is_3_0) for name, each in written.items()}
        elif key == "required" and isinstance(value, list):
            properties = cast("Json", schema.get("properties", {}))
            kept[key] = [name for name in value if not _is_read_only(properties.get(str(name)))]
        elif key in _NO_SCHEMAS_INSIDE or not isinstance(value, (dict, list)):
            kept[key] = value
        elif key not in _NO_SCHEMA_KEYWORDS:
            kept[key] = _converted(value, refer, is_3_0=is_3_0)
    for key in _NO_SCHEMA_KEYWORDS & kept.keys():
        del kept[key]
    return _from_3_0(kept) if is_3_0 else kept


def _is_read_only(schema: JsonValue) -> bool:
    return isinstance(schema, dict) and schema.get("readOnly") is True


def _from_3_0(schema: Json) -> Json:
    """The keywords of 3.0 that JSON Schema 2020-12 writes in another way."""
    if schema.pop("nullable", False) is True:
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*cast("list[JsonValue]", schema["enum"]), None]
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and inclusive in schema:
                schema[exclusive] = schema.pop(inclusive)
    return schema


def only_operation(document: Json, path: str, method: str) -> Json:
    """A document with one operation, and the components that it refers to."""
    item = resolve(document, cast("Json", document["paths"])[path], path)
    shared = {key: value for key, value in item.items() if key in {"parameters", "servers", method}}
    kept: Json = {key: document[key] for key in ("openapi", "servers", "security") if key in document}
    kept["paths"] = {path: cast("JsonValue", shared)}
    components = cast("Json", document.get("components", {}))
    kept["components"] = {"securitySchemes": components.get("securitySchemes", {})}
    done: set[str] = set()
    waiting = list(_references([shared, kept["components"]]))
    while waiting:
        reference = waiting.pop()
        if reference in done:
            continue
        done.add(reference)
        found = _at(document, reference)
        place = kept
        *steps, last = _steps(reference)
        for step in steps:
            place = cast("Json", place.setdefault(step, {}))
        place.setdefault(last, found)
        waiting += _references(found)
    return kept


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in cast("Json", part).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for each in cast("list[JsonValue]", part):
            yield from _references(each)
