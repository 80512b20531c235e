import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.testing import MockModelServer
from symposia.testing.model_server import (
    IMAGES_REFUSED,
    LOGIN_PAGE,
    Failure,
    Raw,
    Reply,
    Reset,
    Rule,
    Thinking,
    ToolCall,
    When,
    parse_script,
    read_script,
)

FULL = """\
models: [gpt-4o, claude-sonnet-4-6]
rules:
  - name: weather
    when: {system: plan, last: /oslo|bergen/, role: user, tools: [weather], turn: 1, images: no, vendor: openai}
    times: once
    answer:
      reasoning: Let me see.
      tool_calls:
        - {name: weather, arguments: {city: Oslo, days: 3, exact: true, hint: null, version: 1.10, code: "7"}}
        - {name: clock, raw_arguments: "{broken", id: mine}
  - when: {output_schema: true}
    answer: {data: {sum: 3, texts: [a, no, 1:30]}, usage: {input: 10, output: 5, cached: 2}, stop: stop}
  - answers:
      - {status: 429, retry_after: 0.5, times: 2}
      - {fault: malformed_json}
      - {fault: cut, delay: 0.1}
      - {fault: login_page}
      - {fault: images_refused}
      - {fault: reset, refuse_for: 2}
      - {raw: <html>, status: 502, content_type: text/html, headers: {x-odd: a b}, cut: true}
      - {refusal: I will not., piece_delay: 0.5, cut_after: 9}
      - 1.10
"""


def text(said: str, **others: object) -> Reply:
    return Reply(**{"text": said, "estimate_usage": True, **others})  # pyright: ignore[reportArgumentType] - fields of a reply


def test_a_script_states_rules_with_answers_of_all_kinds() -> None:
    script = parse_script(FULL)
    weather, data, several = script.rules
    assert script.models == ["gpt-4o", "claude-sonnet-4-6"]
    assert weather.when == When(
        system="plan", last="/oslo|bergen/", role="user", tools=["weather"], turn=1, images=False, vendor="openai"
    )
    arguments = {"city": "Oslo", "days": 3, "exact": True, "hint": None, "version": 1.1, "code": "7"}
    calls = (
        ToolCall(id="call_1", name="weather", arguments=json.dumps(arguments)),
        ToolCall(id="mine", name="clock", arguments="{broken"),
    )
    assert weather.answers == [text("", thinking=(Thinking(text="Let me see."),), tool_calls=calls)]
    assert (weather.name, weather.times, several.times) == ("weather", 1, None)
    structured = Reply(text='{"sum": 3, "texts": ["a", "no", "1:30"]}', usage=(10, 5), cached_tokens=2, stop="stop")
    assert data == Rule([structured], when=When(output_schema=True))
    damaged = "This answer is damaged on purpose."
    assert several.answers == [
        *[Failure(status=429, retry_after=0.5)] * 2,
        text(damaged, damage="malformed_json"),
        text(damaged, cut_after=3, delay=0.1),
        LOGIN_PAGE,
        IMAGES_REFUSED,
        Reset(refuse_for=2),
        Raw(
            body=b"<html>",
            status=502,
            content_type=None,
            headers={"content-type": "text/html", "x-odd": "a b"},
            cut=True,
        ),
        text("", refusal="I will not.", piece_delay=0.5, cut_after=9),
        text("1.10"),
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", ":1: a script is a mapping with `rules`"),
        ("- answer: x", ":1: a script is a mapping with `rules`"),
        ("rules: 3", ":1: rules: Input should be a valid list"),
        (
            "rules:\n- answer: x\n  when:\n    laast: y",
            ":4: rule 1: 'laast' is no field here. The fields are system, last, role, ",
        ),
        ("rules: []\nrul: 1", ":2: 'rul' is no field here. The fields are rules, models."),
        ("rules:\n- answer: {txt: x}", ":2: rule 1: 'txt' is no field here. The fields are times, delay, text, data, "),
        ("rules:\n- answer: {status: 429, text: x}", "'text' is no field here. The fields are times, delay, status, "),
        ("rules:\n- answer: {raw: '', text: x}", "'text' is no field here. The fields are times, delay, raw, "),
        (
            "rules:\n- answers: [{fault: cut, after: 1}]",
            "'after' is no field here. The fields are times, delay, fault, ",
        ),
        ("rules:\n- answer: {tool_calls: [{args: {}, name: f}]}", "'args' is no field here. The fields are name, arg"),
        ("rules:\n- answer: {usage: {in: 1, input: 1, output: 1}}", "The fields are input, output, cached."),
        ("rules:\n- answer: x\n  when: {tools: add}", ":3: rule 1: tools: Input should be a valid list."),
        ("rules:\n- answer: {tool_calls: [add]}", ":2: rule 1: tool_calls: Input should be a mapping."),
        ("rules:\n- name: b\n  answer: [1]", ":3: rule 'b': answer: an answer is a text, or a mapping"),
        ("rules:\n- answer: {status: 200}", ":2: rule 1: status: Input should be greater than or equal to 400"),
        ("rules:\n- {}", ":2: rule 1: A rule has one `answer`"),
        ("rules:\n- answer: x\n  answers: [y]", ":2: rule 1: A rule has one `answer`"),
        ("rules:\n- answer: x\n  when: {last: /(/}", r":3: rule 1: when: last: '\(' is no regular expression"),
        ("rules:\n- answer: {fault: no}", ":2: rule 1: fault: Input should be 'malformed_json'"),
        ("rules:\n- answer: {fault: cut, refuse_for: 2}", ":2: rule 1: fault: `refuse_for` belongs"),
        ("rules:\n- answer: x\n  when: {vendor: acme}", ":3: rule 1: when: vendor: 'acme' is none of openai"),
        ("rules:\n- answer: x\n  times: 0", ":3: rule 1: times: Input should be greater"),
        ("rules:\n- answer: {text: a, data: 1}", ":2: rule 1: text: `data` is sent as the text"),
        ("rules:\n- answer: {status: 500, headers: {'a b': c}}", "'a b': 'c' is no HTTP header"),
        ("rules:\n- answer: {status: 500, headers: {Connection: c}}", "set by the server"),
        ("rules:\n- answer: x\n  name: a\n- answer: y\n  name: a", ":5: another rule is named 'a' too"),
        ("rules:\n- answer: x\n  answer: y", ":3: 'answer' is given twice"),
        ("rules: !!python/object:os.system x", ":1: rules: Input should be a valid list"),
        ("rules:\n\t- x", ":2: this is no YAML: found character"),
        ("a: 1\n---\nb: 2", ":2: this is no YAML: but found another document"),
        ("rules:\n\x00", r":2: this is no YAML: the character U\+0000 is not allowed in it"),
        ("rules:\n- answer: x\n  times: [1]", ":3: rule 1: times: Input should be a valid integer"),
        ("rules:\n- answer:\n    raw: x\n    content_type: é", ":4: rule 1: content_type: .* is no HTTP header"),
        ('rules: []\n"\\ud800": 1', ":2: half of a surrogate pair"),
        ("? [a]\n: b", ":1: a key has to be a text"),
        ('rules: [{answer: "\\ud800"}]', ":1: half of a surrogate pair"),
        ("rules: &a [*a]", "nested more than 60 deep"),
        ("[" * 1200, "nested too deeply"),
    ],
)
def test_an_error_names_the_file_the_line_and_the_rule(script: str, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^script.yaml.*{words}"):
        parse_script(script, "script.yaml")


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    with pytest.raises(InvalidArgumentError, match="Aliases count as what they stand for"):
        parse_script("\n".join(lines))


def test_all_errors_are_told_at_once_up_to_ten() -> None:
    script = "rules:\n" + "- {}\n" * 13
    with pytest.raises(InvalidArgumentError) as caught:
        parse_script(script)
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (11, "… and 3 more")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"rules:\n- answer: \xff", r"s\.yaml:2: it is not UTF-8"),
        (b"#" * (2**20 + 1), "has more than 1,048,576 bytes"),
        (None, "cannot be read: No such file"),
    ],
    ids=["bytes", "size", "missing"],
)
def test_a_file_that_cannot_be_read_is_an_error(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=words):
        read_script(path)


async def test_a_server_reads_its_script_when_it_is_entered(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfrules:\r\n- {name: any, answer: x}\r\n")  # as editors on Windows save it
    async with MockModelServer(path) as server:
        assert server.unused_rules == ["any"]
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        await MockModelServer(tmp_path / "missing.yaml").__aenter__()


def test_a_program_without_a_loop_gets_the_error_of_its_script(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be read"), MockModelServer(tmp_path / "missing.yaml"):
        pass


PIECES = (
    "rules:\n", "- ", "  ", "answer: ", "answers:\n", "when: ", "{", "}", "[", "]", "text: a", "status: 429",
    "fault: cut", "raw: x", "times: 2", ", ", "\n", "&a ", "*a", "!!int ", "? ", ": ", "'", '"', "|", ">",
    "\t", "-1", "1e5", "null", "\ud7ff", "#", "%", "<<: ", "data: ", "tool_calls: ", "name: n",
    "usage: {input: 1, output: 2}", "last: /(/", "...",
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_a_script_or_an_error_that_says_why(text: str) -> None:
    try:
        script = parse_script(text, "f")
    except InvalidArgumentError as error:
        said = str(error)
    else:
        said = "f" if all(rule.answers for rule in script.rules) else ""
    assert said.startswith("f")
    assert "File" not in said  # the names of our classes


WHOLE = """
models: [a]
rules:
  - name: one
    when: {system: x, last: x, role: user, tools: [x], turn: 1, model: x, vendor: openai, images: no, output_schema: no}
    answer: {text: x, reasoning: x, refusal: x, stop: stop, delay: 1, piece_delay: 1, cut_after: 1, times: 1}
    times: once
  - answers:
      - {tool_calls: [{name: x, arguments: {x: 1}, id: x}, {name: x, raw_arguments: x}]}
      - {usage: {input: 1, output: 1, cached: 1}}
      - {status: 429, message: x, headers: {x: x}, retry_after: 1}
      - {raw: x, status: 200, content_type: x, headers: {x: x}, cut: no}
      - {fault: reset, refuse_for: 1}
      - {data: {x: [1]}}
"""
PLACES = tuple(re.finditer(r"(?<=[ \[{])[\w.]+(?=[:,}\]\n])", WHOLE))
VALUES = (
    "[1]", "{}", "{a: b}", "null", "~", "''", "-1", "1e999", ".nan", "9" * 30, "!!python/object:x y", "&a [*a]", "*a",
    "no", "? x", "%", "@", '"\\ud800"', '"\\0"', "[[[]]]", "{? [1]: 2}", "<<: {a: b}", "é", "\U0001f600", "/(/",
    "a b", "a\u2028b",
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES))
def test_any_value_at_any_place_is_taken_or_refused_with_its_line(place: re.Match[str], value: str) -> None:
    script = WHOLE[: place.start()] + value + WHOLE[place.end() :]
    try:
        parse_script(script, "f")
        said = ""
    except InvalidArgumentError as error:
        said = str(error)
    assert all(re.match(r"f:\d+: ", line) for line in said.splitlines())


def test_a_server_takes_a_parsed_script() -> None:
    server = MockModelServer(parse_script("rules:\n- answer: Yes."))
    with server:
        assert server.unused_rules == ["rule 1"]


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("rules:\n- answer: Yes.", "parse_script"),
        (["Yes."], "such as \\[Rule.*not 'Yes.'"),
        ({"rules": []}, "such as \\[Rule.*or the path of a file, not {'rules': \\[\\]}"),
        (Reply(text="Yes."), "such as \\[Rule"),
    ],
)
def test_a_script_of_another_type_is_refused_with_advice(given: object, advice: str) -> None:
    with pytest.raises(ArgumentTypeError, match=advice):
        MockModelServer(given)  # pyright: ignore[reportArgumentType] - the mistake


def test_an_answer_of_another_type_is_refused_before_a_request_could_meet_it() -> None:
    with pytest.raises(ArgumentTypeError, match=r"such as Reply.*, not 'Yes.'"):
        Rule(["Yes."])  # pyright: ignore[reportArgumentType] - the mistake
    with pytest.raises(ArgumentTypeError, match="The answers of a rule are given as a list"):
        Rule(Reply(text="Yes."))  # pyright: ignore[reportArgumentType] - the mistake
    with pytest.raises(ArgumentTypeError, match=r"such as Reply.*, not 'Yes.'"):
        MockModelServer().script("Yes.")  # pyright: ignore[reportArgumentType] - the mistake
