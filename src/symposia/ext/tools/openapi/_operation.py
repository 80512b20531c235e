"""Operations of an OpenAPI document: what their arguments are, and how arguments become a request.

The decisions are pure. `_tool.py` sends the requests.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast
from urllib.parse import quote, urlencode

from pydantic import JsonValue
from pydantic_core import to_json

from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.ext.tools._exchange import FRAMING, Call
from symposia.ext.tools._request_parts import path_segment, plain_text, with_query
from symposia.ext.tools.openapi._document import Json, json_schema, resolve

_STYLES: Final = {
    "path": ("simple", {"simple"}),
    "query": ("form", {"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
    "header": ("simple", {"simple"}),
    "cookie": ("form", {"form"}),
}
"""By the place of a parameter: the style that is meant where none is given, and those that are known here."""
_IGNORED_HEADERS: Final = FRAMING | {"accept", "authorization", "content-type", "connection", "host"}
"""Headers that are no parameters: the specification ignores three of them, and the others are those of the message."""
_SEPARATORS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}
_FORM: Final = "application/x-www-form-urlencoded"
Pairs: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Attributes:
        name: Its name in the request.
        argument: The argument of the tool that it takes.
        place: ``path``, ``query``, ``header`` or ``cookie``.
        required: Whether it must be given.
        schema: Its schema in the document.
        description: Its purpose.
        style: How lists and objects are written.
        explode: Whether each of their items is written as a parameter of its own.
        is_json: Whether its value is written as JSON.
    """

    name: str
    argument: str
    place: str
    required: bool
    schema: JsonValue
    description: str
    style: str
    explode: bool
    is_json: bool


@dataclass(frozen=True)
class RequestBody:
    """The body of an operation's request.

    Attributes:
        argument: The argument of the tool that it takes.
        media_type: How it is written.
        required: Whether it must be given.
        schema: Its schema in the document.
        description: Its purpose.
    """

    argument: str
    media_type: str
    required: bool
    schema: JsonValue
    description: str


@dataclass(frozen=True)
class Operation:
    """An operation.

    Attributes:
        id: Its ``operationId``, or the method and the path.
        path: Its path, with parameters in braces.
        method: Its method, in lower case.
        description: Its summary and its description.
        server: The address before the path; empty if the document names none.
        parameters: Its parameters.
        body: The body of its request, if it has one.
        security: The alternatives of names of security schemes that allow it; empty if it needs none. An alternative
            without a name allows it to everybody.
    """

    id: str
    path: str
    method: str
    description: str
    server: str
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    security: tuple[tuple[str, ...], ...]


def read_operation(document: Json, path: str, method: str) -> Operation:
    """Read one operation.

    Raises:
        InvalidArgumentError: It has something that is unknown here, or is broken; the text names it.
    """
    item = resolve(document, cast("Json", document["paths"])[path], f"The path {path}")
    if not path.startswith("/"):  # behind an address, "@other.host" and ".other.host" lead to another host
        raise InvalidArgumentError(f"The path {path!r} of the document has to begin with a slash.")
    given = cast("Json", item[method])
    id_ = str(given.get("operationId") or f"{method} {path}")
    where = f"The operation {id_!r}"
    listed = [
        *cast("list[JsonValue]", item.get("parameters", [])),
        *cast("list[JsonValue]", given.get("parameters", [])),
    ]
    resolved = [resolve(document, each, f"A parameter of {id_!r}") for each in listed]
    # Those of the operation come later, and replace those of its path.
    unique = list({(each.get("name"), each.get("in")): each for each in resolved}.values())
    names = [each.get("name") for each in unique]
    parameters = tuple(
        _parameter(each, where, is_alone=names.count(each.get("name")) == 1)
        for each in unique
        if not (each.get("in") == "header" and str(each.get("name")).lower() in _IGNORED_HEADERS)
    )
    named = set(re.findall(r"\{([^{}]*)\}", path))
    if missing := named - {each.name for each in parameters if each.place == "path"}:
        raise InvalidArgumentError(
            f"{where} has {', '.join(sorted(missing))} in its path, and no such parameter: describe it with in='path', "
            "or leave the operation out with operations=[…]."
        )
    texts = [str(given[key]).strip() for key in ("summary", "description") if given.get(key)]
    security = cast("list[dict[str, JsonValue]]", given.get("security", document.get("security", [])))
    return Operation(
        id=id_,
        path=path,
        method=method,
        description="\n".join(dict.fromkeys(texts)) or f"{method.upper()} {path}",
        server=_server(given.get("servers") or item.get("servers") or document.get("servers")),
        parameters=parameters,
        body=_body(document, given, where, {each.argument for each in parameters}),
        security=tuple(tuple(each) for each in security),
    )


def _parameter(given: Json, where: str, *, is_alone: bool) -> Parameter:
    name, place = str(given.get("name")), str(given.get("in"))
    if place not in _STYLES:
        raise InvalidArgumentError(
            f"{where} has the parameter {name!r} in {place!r}: path, query, header, cookie are known. Leave the "
            "operation out with operations=[…]."
        )
    default, known = _STYLES[place]
    style = str(given.get("style", default))
    if style not in known:
        raise InvalidArgumentError(
            f"{where} has the parameter {name!r} in the style {style!r}, which is not known in a {place}: "
            f"{', '.join(known)} are. Leave the operation out with operations=[…]."
        )
    content = given.get("content")
    schema = given.get("schema", {})
    if isinstance(content, dict) and content:
        schema = cast("Json", next(iter(content.values()))).get("schema", {})
    return Parameter(
        name=name,
        argument=name if is_alone else f"{place}_{name}",
        place=place,
        required=given.get("required") is True or place == "path",
        schema=schema,
        description=str(given.get("description") or ""),
        style=style,
        explode=bool(given.get("explode", style in {"form", "deepObject"})),
        is_json=isinstance(content, dict),
    )


def _body(document: Json, operation: Json, where: str, taken: set[str]) -> RequestBody | None:
    if "requestBody" not in operation:
        return None
    given = resolve(document, operation["requestBody"], f"The body of {where}")
    content = cast("dict[str, Json]", given.get("content", {}))
    media_type = next((each for wanted in (_is_json, _is_form, _is_text) for each in content if wanted(each)), None)
    if media_type is None:
        raise InvalidArgumentError(
            f"{where} takes a body of {' or '.join(content) or 'no type'}: JSON, forms and text are known. "
            "Leave it out with operations=[…]."
        )
    return RequestBody(
        argument="body" if "body" not in taken else "request_body",
        media_type=media_type.partition(";")[0],
        required=given.get("required") is True,
        schema=content[media_type].get("schema", {}),
        description=str(given.get("description") or ""),
    )


def _is_json(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "*/*"} or kind.endswith("+json")


def _is_form(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() == _FORM


def _is_text(media_type: str) -> bool:
    return media_type.lower().startswith("text/")


def _server(servers: JsonValue) -> str:
    """The first server, with the defaults of its variables."""
    if not isinstance(servers, list) or not servers:
        return ""
    server = cast("Json", servers[0])
    variables = cast("dict[str, Json]", server.get("variables", {}))
    url = str(server.get("url", ""))
    for name, variable in variables.items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url


def arguments_schema(document: Json, operation: Operation) -> Json:
    """The JSON schema of an operation's arguments: a property for each parameter, and one for the body."""
    wanted: Json = {}
    parts = [*operation.parameters, *([operation.body] if operation.body else [])]
    for part in parts:
        schema = cast("Json", part.schema) if isinstance(part.schema, dict) else {}
        wanted[part.argument] = (
            {"description": part.description, "allOf": [schema]} if part.description and "$ref" in schema
            else {"description": part.description, **schema} if part.description
            else schema
        )  # fmt: skip
    # As one schema, so that the definitions of all arguments have names of their own.
    converted, definitions = json_schema(document, {"type": "object", "properties": wanted})
    schema = cast("Json", converted)
    schema["required"] = [part.argument for part in parts if part.required]
    schema["additionalProperties"] = False
    return {**schema, "$defs": definitions} if definitions else schema


def request_of(
    operation: Operation, arguments: Mapping[str, JsonValue], server: str, headers: Mapping[str, str]
) -> Call:
    """The request of a call.

    Raises:
        ToolArgumentsError: An argument cannot be part of a path.
    """
    path, query, cookies, sent = operation.path, Pairs(), Pairs(), dict(headers)
    for parameter in operation.parameters:
        value = arguments.get(parameter.argument)
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", _in_path(parameter, value))
        elif value is None:
            continue
        elif parameter.place == "query":
            query += _pairs(parameter, value)
        elif parameter.place == "cookie":
            cookies += _pairs(parameter, value)
        else:
            sent[parameter.name] = _header_text(_joined(parameter, value))
    if cookies:
        sent["Cookie"] = "; ".join(f"{name}={quote(value)}" for name, value in cookies)
    url = f"{server.rstrip('/')}{path}"
    content = None
    if operation.body is not None and operation.body.argument in arguments:
        content = _content(operation.body, arguments[operation.body.argument])
        sent["Content-Type"] = "application/json" if operation.body.media_type == "*/*" else operation.body.media_type
    return Call(
        method=operation.method.upper(),
        url=with_query(url, urlencode(query, quote_via=quote)),
        headers=sent,
        content=content,
    )


def _in_path(parameter: Parameter, value: JsonValue) -> str:
    if isinstance(value, list) and value and not parameter.is_json:
        return ",".join(path_segment(parameter.name, each) for each in value)
    return path_segment(parameter.name, _joined(parameter, value) if isinstance(value, dict) else value)


def _pairs(parameter: Parameter, value: JsonValue) -> Pairs:
    """A parameter of a query, or a cookie, as its style writes it."""
    name = parameter.name
    if parameter.is_json:
        return [(name, to_json(value).decode())]
    if parameter.style == "deepObject" and isinstance(value, dict):
        return [(f"{name}[{key}]", plain_text(each)) for key, each in value.items() if each is not None]
    if parameter.explode and isinstance(value, list):
        return [(name, plain_text(each)) for each in value]
    if parameter.explode and isinstance(value, dict):
        return [(key, plain_text(each)) for key, each in value.items() if each is not None]
    return [(name, _joined(parameter, value))]


def _joined(parameter: Parameter, value: JsonValue) -> str:
    """A value as one text: the items of a list or an object, with a separator between them."""
    if parameter.is_json:
        return to_json(value).decode()
    separator = _SEPARATORS.get(parameter.style, ",")
    if isinstance(value, list):
        return separator.join(map(plain_text, value))
    if isinstance(value, dict) and parameter.explode:
        return separator.join(f"{key}={plain_text(each)}" for key, each in value.items())
    if isinstance(value, dict):
        return separator.join(text for key, each in value.items() for text in (key, plain_text(each)))
    return plain_text(value)


def _header_text(text: str) -> str:
    """A text in a header, whose characters a line of ASCII holds."""
    return text if text.isascii() and text.isprintable() else quote(text)


def _content(body: RequestBody, value: JsonValue) -> bytes:
    if _is_json(body.media_type):
        return to_json(value)
    if _is_form(body.media_type) and isinstance(value, dict):
        pairs = [
            (name, plain_text(each))
            for name, values in value.items()
            for each in (values if isinstance(values, list) else [values])
            if each is not None
        ]
        return urlencode(pairs).encode()
    return plain_text(value).encode()


def sufficient_schemes(operation: Operation, credentials: Collection[str]) -> tuple[str, ...] | None:
    """The first alternative that all credentials are given for. None if there is none, and a credential is needed.

    One without credentials is the last choice: a server may tell more to those whom it knows.
    """
    complete = [names for names in operation.security if all(name in credentials for name in names)]
    return next(filter(None, complete), None if operation.security and not complete else ())


def authorized(call: Call, document: Json, operation: Operation, credentials: Mapping[str, str]) -> Call:
    """A request with the credentials of `sufficient_schemes`.

    Raises:
        ToolServiceError: None of the alternatives is complete.
    """
    schemes = sufficient_schemes(operation, credentials)
    if schemes is None:
        wanted = " or ".join(" and ".join(names) for names in operation.security)
        raise ToolServiceError(
            f"The operation {operation.id!r} needs a credential that this tool does not have: {wanted}."
        )
    headers, url = dict(call.headers), call.url
    known = cast("Json", cast("Json", document.get("components", {})).get("securitySchemes", {}))
    for name in schemes:
        scheme = resolve(document, known.get(name), f"The security scheme {name!r}")
        secret = credentials[name]
        if scheme.get("type") == "apiKey":
            key = str(scheme.get("name"))
            if scheme.get("in") == "query":
                url = with_query(url, urlencode([(key, secret)]))
            elif scheme.get("in") == "cookie":
                headers["Cookie"] = "; ".join(filter(None, [headers.get("Cookie"), f"{key}={secret}"]))
            else:
                headers[key] = secret
        elif scheme.get("type") == "http" and str(scheme.get("scheme")).lower() == "basic":
            headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
        else:  # bearer tokens, and those of OAuth 2 and OpenID Connect, which are sent alike
            headers["Authorization"] = f"Bearer {secret}"
    return replace(call, url=url, headers=headers)
