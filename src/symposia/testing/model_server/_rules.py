"""Which answer a request gets: rules that match on what it says, each with its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar, Final, Literal

from symposia.core.argument_checks import check_list
from symposia.core.exceptions import InvalidArgumentError
from symposia.testing.model_server._answers import Answer, check_answers
from symposia.testing.model_server._conversation import Conversation, Message

VENDORS: Final = (
    "openai",
    "openai-responses",
    "openai-assistants",
    "anthropic",
    "gemini",
    "ollama",
    "mistral",
    "anthropic-bedrock",
    "anthropic-vertex",
    "bedrock",
)
"""The wire formats that rules name."""
SHOWN: Final = 200
"""Characters of a text in an explanation: enough to tell two prompts apart."""


@dataclass(frozen=True, kw_only=True)
class When:
    """What a request has to say for a rule to apply: everything that is given here, so that nothing given fits all.

    A text is found anywhere in another one, whatever its case. Between two slashes it is a regular expression, which
    `re.search` looks for: ``"/^add [0-9]+/"``.

    Attributes:
        system: Is found in the system prompt.
        last: Is found in the last message.
        role: Whose the last message is: ``"tool"`` where the model was sent results of tools.
        tools: Names of tools that are all offered; none at all is offered where this is empty.
        turn: Which answer of the conversation it is, from 1.
        model: The model's name, in which ``*`` and ``?`` stand for others.
        vendor: The wire format: ``"openai"``, ``"openai-responses"``, ``"openai-assistants"``, ``"anthropic"``,
            ``"gemini"``, ``"ollama"``, ``"mistral"``, ``"anthropic-bedrock"``, ``"anthropic-vertex"`` or ``"bedrock"``.
        images: Whether a message has an image.
        output_schema: Whether an answer with a JSON schema is asked for.
    """

    system: str | None = None
    last: str | None = None
    role: Literal["user", "assistant", "tool"] | None = None
    tools: Sequence[str] | None = None
    turn: int | None = None
    model: str | None = None
    vendor: str | None = None
    images: bool | None = None
    output_schema: bool | None = None

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}  # for scripts as files

    def __post_init__(self) -> None:
        if self.vendor is not None and self.vendor not in VENDORS:
            raise InvalidArgumentError(f"vendor: {self.vendor!r} is none of {', '.join(VENDORS)}.")
        if self.turn is not None and self.turn < 1:
            raise InvalidArgumentError(f"turn: {self.turn} is no turn. The first one is 1.")
        for name in ("system", "last"):
            if expression := _expression(getattr(self, name) or ""):
                try:
                    re.compile(expression)
                except re.error as error:
                    raise InvalidArgumentError(f"{name}: {expression!r} is no regular expression: {error}") from None

    def mismatches(self, asked: Conversation, vendor: str) -> Iterator[str]:
        """Why the rule does not apply to a request. Nothing if it does."""
        last = asked.last_message or Message(role="user")
        offered = [tool.name for tool in asked.tools]
        if self.vendor not in (None, vendor):
            yield f"the vendor is {vendor!r}, not {self.vendor!r}"
        if self.model is not None and not fnmatchcase(asked.model, self.model):
            yield f"the model is {asked.model!r}, not {self.model!r}"
        if self.turn not in (None, asked.turn):
            yield f"it is turn {asked.turn}, not {self.turn}"
        if self.role not in (None, last.role):
            yield f"the last message is of the role {last.role!r}, not {self.role!r}"
        if self.system is not None and not is_found(self.system, asked.system):
            yield f"the system prompt lacks {self.system!r}"
        if self.last is not None and not is_found(self.last, last.text):
            yield f"the last message lacks {self.last!r}"
        if self.tools is not None and not (set(self.tools) <= set(offered) if self.tools else not offered):
            yield f"the tools are {offered}, not {list(self.tools)}"
        if self.images not in (None, asked.images > 0):
            yield f"it has {asked.images} images"
        if self.output_schema not in (None, asked.output_schema is not None):
            yield "a JSON schema is asked for" if asked.output_schema else "no JSON schema is asked for"


@dataclass(frozen=True)
class Rule:
    """Requests, and what they are answered.

    Args:
        answers: One after the other; the last one is repeated.
        when: The requests; by default all.
        times: How often the last answer is given before the rule is used up; by default always. Answers before the
            last do not count, since they are mostly faults that a client tries to get over.
        name: Its name in explanations and records; by default its place among the rules.

    Raises:
        ArgumentTypeError: `answers` is no list of answers.
        InvalidArgumentError: It is empty, or `times` is less than 1.
    """

    answers: Sequence[Answer]
    _: KW_ONLY
    when: When = field(default_factory=When)
    times: int | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_list("The answers of a rule", self.answers)
        if not self.answers:
            raise InvalidArgumentError("A rule needs an answer. Give one, or several.")
        check_answers(self.answers)
        if self.times is not None and self.times < 1:
            raise InvalidArgumentError(f"times= is {self.times}. Give how often the last answer is sent: 1 or more.")


class Rulebook:
    """Rules in their order, and how often each was used.

    Attributes:
        used: How often, by the name of the rule.
    """

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.used: dict[str, int] = {}
        self._rules: dict[str, Rule] = {}
        for rule in rules:
            self.add(rule)

    def add(self, rule: Rule) -> None:
        """Add a rule behind the others.

        Raises:
            InvalidArgumentError: Another one has its name.
        """
        name = rule.name or f"rule {len(self._rules) + 1}"
        if name in self._rules:
            raise InvalidArgumentError(f"Two rules are named {name!r}. Give each a name of its own.")
        self._rules[name] = rule
        self.used[name] = 0

    @property
    def unused(self) -> list[str]:
        """The names of rules that no request has used yet."""
        return [name for name, count in self.used.items() if not count]

    @property
    def models(self) -> list[str]:
        """The names of models that rules state in full."""
        named = (rule.when.model for rule in self._rules.values())
        return list(dict.fromkeys(name for name in named if name and not set(name) & set("*?[")))

    def take(self, asked: Conversation, vendor: str) -> tuple[str, Answer] | None:
        """The first rule that applies to the request and is not used up, by its name, and its next answer."""
        for name, rule in self._rules.items():
            if not self._is_used_up(name) and not any(rule.when.mismatches(asked, vendor)):
                answer = rule.answers[min(self.used[name], len(rule.answers) - 1)]
                self.used[name] += 1
                return name, answer
        return None

    def explanation(self, asked: Conversation, vendor: str) -> str:
        """Why no rule applies, for the author of the rules: the request, and what keeps each rule from it."""
        why = "no rule answers" if self._rules else "the script has ended before"
        request = f"this request of vendor {vendor!r} for model {asked.model!r}, turn {asked.turn}"
        lines = [f"{why} {request}", *(f"  {line}" for line in _description(asked))]
        for name, rule in self._rules.items():
            reasons = list(rule.when.mismatches(asked, vendor))
            if self._is_used_up(name):
                reasons.append(f"it was used {self.used[name]} times already")
            lines.append(f"rule {name!r} does not apply: {'; '.join(reasons)}")
        return "\n".join(lines)

    def _is_used_up(self, name: str) -> bool:
        times = self._rules[name].times
        before_the_last = len(self._rules[name].answers) - 1
        return times is not None and self.used[name] >= before_the_last + times


def is_found(wanted: str, text: str) -> bool:
    """Whether a text, or a regular expression between slashes, is found in another text, in any case."""
    if expression := _expression(wanted):
        return re.search(expression, text, re.IGNORECASE | re.DOTALL) is not None
    return wanted.casefold() in text.casefold()


def _expression(wanted: str) -> str | None:
    return wanted[1:-1] if len(wanted) > len("//") and wanted[0] == wanted[-1] == "/" else None


def _description(asked: Conversation) -> Iterator[str]:
    last = asked.last_message
    yield f"system prompt: {_shown(asked.system)}"
    yield f"last message: {_shown(last.text)} ({last.role})" if last else "no messages"
    yield f"tools: {', '.join(tool.name for tool in asked.tools) or 'none'}"
    if asked.images:
        yield f"images: {asked.images}"
    if asked.output_schema is not None:
        wanted: Mapping[str, object] = asked.output_schema.get("properties", {})
        yield f"output schema: {', '.join(wanted) or _shown(json.dumps(asked.output_schema))}"


def _shown(text: str) -> str:
    return repr(text) if len(text) <= SHOWN else f"{text[:SHOWN]!r}… ({len(text):,} characters)"
