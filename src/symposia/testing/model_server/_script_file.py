"""Scripts as files: YAML, checked, with errors that name the file, the line and the rule."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    model_validator,
)
from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError
from symposia.testing.model_server._answers import (
    IMAGES_REFUSED,
    LOGIN_PAGE,
    Answer,
    Failure,
    Raw,
    Reply,
    Reset,
    Stop,
    Thinking,
    ToolCall,
)
from symposia.testing.model_server._rules import Rule, When
from symposia.testing.model_server._yaml_values import YamlValues, as_json

FILE_LIMIT: Final = 2**20
"""Bytes."""
SHOWN_ERRORS: Final = 10
REPEAT_LIMIT: Final = 1000
TIMES: Final[Mapping[object, int | None]] = {"once": 1, "always": None}

_Seconds: TypeAlias = Annotated[float, Field(ge=0, le=3600)]
_Times: TypeAlias = Annotated[int, Field(ge=1, le=REPEAT_LIMIT)]


@dataclass(frozen=True)
class Script:
    """What a script says: the rules in their order, and the models that the server lists."""

    rules: Sequence[Rule] = ()
    models: Sequence[str] = ()


def read_script(path: Path) -> Script:
    """Read a script's file.

    Raises:
        InvalidArgumentError: The file cannot be read, or is no script. The text says where and why.
        MissingExtraError: PyYAML is not installed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise InvalidArgumentError(f"The script {path} cannot be read: {error.strerror}.") from error
    if len(data) > FILE_LIMIT:
        raise InvalidArgumentError(f"The script {path} has more than {FILE_LIMIT:,} bytes. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidArgumentError(f"{path}:{line}: it is not UTF-8. Save the script in this encoding.") from None
    return parse_script(text, str(path))


def parse_script(text: str, name: str = "script") -> Script:
    """Read the text of a script.

    Args:
        text: YAML.
        name: The name of its file, for errors.

    Raises:
        InvalidArgumentError: It is no script. The text says where and why.
        MissingExtraError: PyYAML is not installed.
    """
    values = YamlValues(name)
    value = values.of_text(text)
    if not isinstance(value, dict):
        raise InvalidArgumentError(f"{name}:1: a script is a mapping with `rules`, a list.")
    try:
        file = _ScriptFile.model_validate(value)
    except ValidationError as error:
        raise InvalidArgumentError(_explained(error, value, values)) from None
    for index, rule in enumerate(file.rules):
        if rule.name and any(rule.name == other.name for other in file.rules[:index]):
            line = values.line(("rules", index, "name"))
            raise InvalidArgumentError(f"{name}:{line}: another rule is named {rule.name!r} too. Rename one.")
    return file.script


def _explained(error: ValidationError, value: JsonValue, values: YamlValues) -> str:
    """The text of an error: a line for each fault, with the file, the line and the rule."""
    faults = error.errors(include_url=False, include_context=False)
    places = [(fault["loc"], fault["msg"]) for fault in faults[:SHOWN_ERRORS]]
    lines = [
        f"{values.name}:{values.line(where)}: {_rule_of(where, value)}{_fault(where, words)}" for where, words in places
    ]
    return "\n".join([*lines, *([f"… and {len(faults) - SHOWN_ERRORS} more"] if len(faults) > SHOWN_ERRORS else [])])


def _fault(location: Sequence[str | int], message: str) -> str:
    names = [name for name in location if isinstance(name, str)]
    words = re.sub(r" or instance of \w+", "", message.removeprefix("Value error, "))
    words = re.sub(r"a valid dictionary", "a mapping", words)
    words = re.sub(r"'\w+' instances are not allowed as a Sequence value", "Input should be a valid list", words)
    if names and words in {"Extra inputs are not permitted", "Unexpected keyword argument"}:
        known = _fields_in(names[-2] if len(names) > 1 else "")
        return f"{names[-1]!r} is no field here. The fields are {', '.join(known)}."
    is_of_field = isinstance(location[-1], str) or words.startswith("Input should")  # an item of a list, by the list
    return f"{names[-1]}: {words.removesuffix('.')}." if is_of_field else words


def _fields_in(place: str) -> Iterable[str]:
    """The names of the fields of a mapping, by the field or the kind of answer that it is."""
    if place == "when":
        return [each.name for each in fields(When)]
    return _MAPPINGS[place].model_fields


def _rule_of(location: Sequence[str | int], value: JsonValue) -> str:
    match location, value:
        case ["rules", int(index), *_], {"rules": [*rules]}:
            rule = rules[index]
            name = rule.get("name") if isinstance(rule, dict) else None
            return f"rule {name!r}: " if name else f"rule {index + 1}: "
        case _:
            return ""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?|", value):
            raise ValueError(f"{name!r}: {value!r} is no HTTP header.")
        if name.lower() in {"content-length", "transfer-encoding", "connection"}:
            raise ValueError(f"{name!r} is set by the server. Leave it out.")
    return headers


def _checked_content_type(content_type: str) -> str:
    return _checked_headers({"content-type": content_type})["content-type"]


_Headers: TypeAlias = Annotated[dict[str, str], AfterValidator(_checked_headers)]


class _AnswerFile(_Strict, ABC):
    times: _Times = 1
    delay: _Seconds = 0

    @abstractmethod
    def answer(self, ids: Iterator[int]) -> Answer:
        """The answer. `ids` numbers the calls of tools of the script."""


class _CallFile(_Strict):
    name: str
    arguments: Annotated[dict[str, JsonValue], BeforeValidator(as_json)] = Field(default_factory=dict[str, JsonValue])
    raw_arguments: str | None = None
    id: str | None = None

    def call(self, ids: Iterator[int]) -> ToolCall:
        arguments = json.dumps(self.arguments) if self.raw_arguments is None else self.raw_arguments
        return ToolCall(id=self.id or f"call_{next(ids)}", name=self.name, arguments=arguments)


class _UsageFile(_Strict):
    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)


class _ReplyFile(_AnswerFile):
    text: str = ""
    data: Annotated[JsonValue, BeforeValidator(as_json)] = None
    reasoning: str = ""
    refusal: str = ""
    tool_calls: list[_CallFile] = Field(default_factory=list[_CallFile])
    usage: _UsageFile | None = None
    stop: Stop | None = None
    piece_delay: _Seconds = 0
    cut_after: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_one_text(self) -> Self:
        if self._has_data and self.text:
            raise ValueError("`data` is sent as the text. Give only one of `text` and `data`.")
        return self

    @property
    def _has_data(self) -> bool:
        return "data" in self.model_fields_set

    @override
    def answer(self, ids: Iterator[int]) -> Answer:
        return Reply(
            text=json.dumps(self.data) if self._has_data else self.text,
            thinking=(Thinking(text=self.reasoning),) if self.reasoning else (),
            refusal=self.refusal,
            tool_calls=tuple(call.call(ids) for call in self.tool_calls),
            usage=(self.usage.input, self.usage.output) if self.usage else Reply.usage,
            estimate_usage=self.usage is None,
            cached_tokens=self.usage.cached if self.usage else 0,
            stop=self.stop,
            delay=self.delay,
            piece_delay=self.piece_delay,
            cut_after=self.cut_after,
        )


class _FailureFile(_AnswerFile):
    status: int = Field(ge=400, le=599)
    message: str = "scripted failure"
    headers: _Headers = Field(default_factory=dict[str, str])
    retry_after: _Seconds | None = None

    @override
    def answer(self, ids: Iterator[int]) -> Answer:
        return Failure(
            status=self.status,
            message=self.message,
            headers=self.headers,
            retry_after=self.retry_after,
            delay=self.delay,
        )


class _RawFile(_AnswerFile):
    raw: str
    status: int = Field(default=200, ge=200, le=599)
    content_type: Annotated[str, AfterValidator(_checked_content_type)] = "application/json"
    headers: _Headers = Field(default_factory=dict[str, str])
    cut: bool = False

    @override
    def answer(self, ids: Iterator[int]) -> Answer:
        return Raw(
            body=self.raw.encode(),
            status=self.status,
            headers={"content-type": self.content_type, **self.headers},
            content_type=None,
            cut=self.cut,
            delay=self.delay,
        )


_Fault: TypeAlias = Literal[
    "malformed_json", "wrong_content_type", "empty_body", "cut", "login_page", "images_refused", "reset"
]


class _FaultFile(_AnswerFile):
    fault: _Fault
    text: str = "This answer is damaged on purpose."
    refuse_for: _Seconds = 0

    @model_validator(mode="after")
    def _refuses_after_a_reset(self) -> Self:
        if self.fault != "reset" and self.refuse_for:
            raise ValueError("`refuse_for` belongs to the fault `reset`.")
        return self

    @override
    def answer(self, ids: Iterator[int]) -> Answer:
        match self.fault:
            case "login_page":
                return replace(LOGIN_PAGE, delay=self.delay)
            case "images_refused":
                return replace(IMAGES_REFUSED, delay=self.delay)
            case "reset":
                return Reset(refuse_for=self.refuse_for, delay=self.delay)
            case "cut":
                return Reply(text=self.text, estimate_usage=True, cut_after=3, delay=self.delay)
            case damage:
                return Reply(text=self.text, estimate_usage=True, damage=damage, delay=self.delay)


def _kind(value: object) -> str:
    """Which of the shapes of an answer a value has, by the field that only this one requires."""
    keys: Any = value if isinstance(value, dict) else ()  # pyright: ignore[reportUnknownVariableType] - JSON
    return next((name for name in ("raw", "fault", "status") if name in keys), "text")


def _fields_of_an_answer(value: object) -> object:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise ValueError("an answer is a text, or a mapping with fields such as `text`, `tool_calls` or `status`.")  # noqa: TRY004 - pydantic takes no TypeError
    return value  # pyright: ignore[reportUnknownVariableType] - JSON


_AnyAnswer: TypeAlias = Annotated[
    Annotated[_ReplyFile, Tag("text")]
    | Annotated[_FailureFile, Tag("status")]
    | Annotated[_RawFile, Tag("raw")]
    | Annotated[_FaultFile, Tag("fault")],
    Discriminator(_kind),
    BeforeValidator(_fields_of_an_answer),
]


def _in_numbers(times: object) -> object:
    return TIMES.get(times, times) if isinstance(times, str) else times


class _RuleFile(_Strict):
    name: str = ""
    when: When = Field(default_factory=When)
    answer: _AnyAnswer | None = None
    answers: list[_AnyAnswer] | None = None
    times: Annotated[_Times | None, BeforeValidator(_in_numbers)] = None

    @model_validator(mode="after")
    def _has_answers(self) -> Self:
        if (self.answer is None) == (not self.answers):
            raise ValueError("A rule has one `answer`, or a list of `answers`. Give one of the two.")
        return self

    def rule(self, ids: Iterator[int]) -> Rule:
        given = self.answers or [cast("_AnswerFile", self.answer)]
        answers = [answer for each in given for answer in [each.answer(ids)] * each.times]
        return Rule(answers, when=self.when, times=self.times, name=self.name)


class _ScriptFile(_Strict):
    rules: list[_RuleFile]
    models: list[str] = Field(default_factory=list[str])

    @property
    def script(self) -> Script:
        ids = count(1)
        return Script([rule.rule(ids) for rule in self.rules], self.models)


_MAPPINGS: Final[Mapping[str, type[_Strict]]] = {
    "": _ScriptFile,
    "rules": _RuleFile,
    "text": _ReplyFile,
    "status": _FailureFile,
    "raw": _RawFile,
    "fault": _FaultFile,
    "tool_calls": _CallFile,
    "usage": _UsageFile,
}
