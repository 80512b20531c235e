from hypothesis import given
from hypothesis import strategies as st

from symposia.core import FunctionCall, Image
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    estimate_text_tokens,
    estimate_tokens,
)
from symposia.core.tools import FunctionTool

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="


def look_up(word: str) -> str:
    return word


def test_english_is_about_four_letters_a_token() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 20  # 201 tokens in o200k
    assert 0.8 * 201 <= estimate_text_tokens(text) <= 1.25 * 201


def test_other_scripts_take_more_tokens_a_character() -> None:
    assert estimate_text_tokens("a" * 100) < estimate_text_tokens("é" * 100) < estimate_text_tokens("漢" * 100)


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(text: str, more: str) -> None:
    assert 0 <= estimate_text_tokens(text) <= estimate_text_tokens(text + more)


def test_everything_that_is_sent_counts() -> None:
    messages: list[LLMMessage] = [
        SystemMessage(content="Be brief."),
        UserMessage(content=["Look:", Image.from_base64(PNG)], source="u"),
        AssistantMessage(content=[FunctionCall(id="1", arguments='{"word": "x"}', name="look_up")], source="a"),
        FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="y", name="look_up", call_id="1")]),
        AssistantMessage(content="Done.", thought="That was easy.", source="a"),
    ]
    counts = [estimate_tokens(messages[:length]) for length in range(len(messages) + 1)]
    assert counts[0] == 0
    assert counts == sorted(set(counts))


def test_a_thought_counts() -> None:
    plain, thoughtful = (
        AssistantMessage(content="Hi", source="a"),
        AssistantMessage(content="Hi", thought="Hm", source="a"),
    )
    assert estimate_tokens([plain]) < estimate_tokens([thoughtful])


def test_a_tool_counts_the_same_as_its_schema() -> None:
    tool = FunctionTool(look_up, description="Looks a word up.")
    assert estimate_tokens([], tools=[tool]) == estimate_tokens([], tools=[tool.schema]) > 10
