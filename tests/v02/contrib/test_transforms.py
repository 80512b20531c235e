"""Transforms of the messages that a model sees: fewer, shorter, compressed, or with names."""

from typing import Any

import pytest
from typing_extensions import override

from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.capabilities.transform_messages import TransformMessages
from symposia.v02.agentchat.contrib.capabilities.transforms import (
    MessageHistoryLimiter,
    MessageTokenLimiter,
    MessageTransform,
    TextMessageCompressor,
    TextMessageContentName,
)
from symposia.v02.agentchat.contrib.capabilities.transforms_util import (
    cache_content_get,
    cache_content_set,
    cache_key,
    count_text_tokens,
    is_content_right_type,
    is_content_text_empty,
    is_tool_call_valid,
    min_tokens_reached,
    should_transform_message,
)
from symposia.v02.cache.in_memory_cache import InMemoryCache
from symposia.v02.io import IOStream
from symposia.v02.token_count_utils import count_token

Message = dict[str, Any]  # Any: JSON

WORDS = "one two three four five six seven eight nine ten"
CALL: Message = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WITH_TOOL: list[Message] = [
    {"role": "user", "content": "u"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "1", "content": "result"},
    {"role": "assistant", "content": "end"},
]


def said(*texts: str) -> list[Message]:
    return [{"role": "user", "content": text} for text in texts]


def contents(messages: list[Message]) -> list[object]:
    return [message["content"] for message in messages]


# The last messages ----------------------------------------------------------------------------------------------------


def test_the_last_messages_are_kept_and_the_first_if_wanted() -> None:
    messages = said("a", "b", "c", "d")
    assert contents(MessageHistoryLimiter(2).apply_transform(messages)) == ["c", "d"]
    assert contents(MessageHistoryLimiter(2, keep_first_message=True).apply_transform(messages)) == ["a", "d"]
    assert MessageHistoryLimiter().apply_transform(messages) == messages
    assert MessageHistoryLimiter(10).apply_transform(messages) == messages


def test_a_result_of_a_tool_is_not_kept_without_its_call() -> None:
    assert contents(MessageHistoryLimiter(2).apply_transform(WITH_TOOL)) == ["end"]
    assert contents(MessageHistoryLimiter(3, keep_first_message=True).apply_transform(WITH_TOOL)) == ["u", "end"]
    assert MessageHistoryLimiter(3).apply_transform(WITH_TOOL) == WITH_TOOL[1:]
    assert contents(
        MessageTokenLimiter(max_tokens=count_token("result") + count_token("end")).apply_transform(WITH_TOOL)
    ) == [
        None,
        "result",
        "end",
    ]


def test_the_log_of_a_limiter_says_what_was_removed() -> None:
    limiter = MessageHistoryLimiter(2)
    assert limiter.get_logs(said(*"abcdef"), said(*"ef")) == (
        "Removed 4 messages. Number of messages reduced from 6 to 2.",
        True,
    )
    assert limiter.get_logs(said("a"), said("a")) == ("No messages were removed.", False)


# Tokens ---------------------------------------------------------------------------------------------------------------


def test_each_message_is_cut_to_its_tokens_and_the_last_ones_that_fit_are_kept() -> None:
    [cut] = contents(MessageTokenLimiter(max_tokens_per_message=5).apply_transform(said(WORDS)))
    assert isinstance(cut, str)
    assert WORDS.startswith(cut)
    assert 0 < count_token(cut) <= 5
    whole = count_token(WORDS)
    assert len(MessageTokenLimiter(max_tokens=2 * whole + 1).apply_transform(said(*[WORDS] * 4))) == 2


def test_messages_of_few_tokens_are_left_as_they_are() -> None:
    assert MessageTokenLimiter(max_tokens_per_message=1, max_tokens=10**6, min_tokens=10**5).apply_transform(
        said(WORDS)
    ) == said(WORDS)


def test_a_filter_says_which_messages_are_cut() -> None:
    messages = [{"role": "system", "content": WORDS}, {"role": "user", "content": WORDS}]
    spared = MessageTokenLimiter(max_tokens_per_message=1, filter_dict={"role": ["system"]}).apply_transform(messages)
    assert spared[0]["content"] == WORDS != spared[1]["content"]
    cut = MessageTokenLimiter(max_tokens_per_message=1, filter_dict={"role": ["system"]}, exclude_filter=False)
    assert cut.apply_transform(messages)[1]["content"] == WORDS


def test_the_texts_of_a_message_with_images_are_cut() -> None:
    image = {"type": "image_url", "image_url": {"url": "x"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": WORDS}, image]}]
    [message] = MessageTokenLimiter(max_tokens_per_message=3).apply_transform(messages)
    assert message["content"][1] == image
    assert len(message["content"][0]["text"]) < len(WORDS)


def test_the_log_of_tokens_says_how_many_were_cut_off() -> None:
    limiter = MessageTokenLimiter(max_tokens_per_message=1)
    before = said(WORDS)
    whole, cut = count_token(WORDS), count_token(str(limiter.apply_transform(before)[0]["content"]))
    text, has_effect = limiter.get_logs(before, limiter.apply_transform(before))
    assert has_effect
    assert text == f"Truncated {whole - cut} tokens. Number of tokens reduced from {whole} to {cut}"
    assert limiter.get_logs(before, before) == ("No tokens were truncated.", False)


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": -1}, {"min_tokens": -1}, {"max_tokens_per_message": -1}, {"max_tokens": 3, "min_tokens": 5}],
)
def test_limits_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="_tokens"):
        MessageTokenLimiter(**options)
    with pytest.raises(ValueError, match="max_messages is 0: give 1 or more"):
        MessageHistoryLimiter(0)


# Names and compression ------------------------------------------------------------------------------------------------


def test_names_are_written_into_texts_once() -> None:
    messages: list[Message] = [
        {"role": "user", "content": "hi", "name": "ann"},
        {"role": "user", "content": "ann:\nhi", "name": "ann"},
        {"role": "user", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "t"}], "name": "bob"},
    ]
    transform = TextMessageContentName()
    changed = contents(transform.apply_transform(messages))
    assert changed[:3] == ["ann:\nhi", "ann:\nhi", "x"]
    assert changed[3] == [{"type": "text", "text": "bob:\n"}, {"type": "text", "text": "t"}]
    assert transform.get_logs(messages, messages) == ("2 message(s) changed to incorporate name.", True)
    again = TextMessageContentName(position="end", format_string=" ({name})", deduplicate=False)
    assert contents(again.apply_transform(messages[:1])) == ["hi (ann)"]


def test_a_format_without_a_name_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"give a text with \{name\}"):
        TextMessageContentName(format_string="x")


class Halves:
    def __init__(self) -> None:
        self.calls = 0

    def compress_text(self, text: str, **compression_params: Any) -> dict[str, Any]:
        self.calls += 1
        return {"compressed_prompt": text[: len(text) // 2], "origin_tokens": 10, "compressed_tokens": 4}


def test_texts_are_compressed_and_kept_in_a_cache() -> None:
    compressor = Halves()
    transform = TextMessageCompressor(compressor, cache=InMemoryCache())
    for _ in range(2):
        assert contents(transform.apply_transform(said("abcd"))) == ["ab"]
        assert transform.get_logs([], []) == ("6 tokens saved with text compression.", True)
    assert compressor.calls == 1
    assert contents(TextMessageCompressor(compressor, min_tokens=1000).apply_transform(said("abcd"))) == ["abcd"]


def test_without_a_compressor_the_library_is_named() -> None:
    with pytest.raises(ImportError, match="pip install llmlingua"):
        TextMessageCompressor()


# On an agent ----------------------------------------------------------------------------------------------------------


class Printed(IOStream):
    def __init__(self) -> None:
        self.lines: list[str] = []

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        self.lines.append(sep.join(map(str, objects)))

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        raise EOFError


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_model_sees_transformed_messages_and_the_conversation_is_kept(*, is_async: bool) -> None:
    replying = ConversableAgent("replying", default_auto_reply="ok", human_input_mode="NEVER")
    asking = ConversableAgent("asking", default_auto_reply="more", human_input_mode="NEVER")
    TransformMessages(transforms=[MessageHistoryLimiter(2)]).add_to_agent(replying)
    seen: list[int] = []

    def look(recipient: object, messages: list[Message], sender: object, config: object) -> tuple[bool, None]:
        seen.append(len(messages))
        return False, None

    replying.register_reply(ConversableAgent, look)
    printed = Printed()
    with IOStream.set_default(printed):
        if is_async:
            await asking.a_initiate_chat(replying, message="one", max_turns=3)
        else:
            asking.initiate_chat(replying, message="one", max_turns=3)
    assert seen == [1, 2, 2]
    assert len(replying.chat_messages[asking]) == 6
    assert "Removed 3 messages. Number of messages reduced from 5 to 2." in printed.lines


def test_a_leading_system_message_stays_and_the_messages_are_copied() -> None:
    messages: list[Message] = [{"role": "system", "content": "s"}, *said(*"abc")]
    agent = ConversableAgent("agent")

    class Emptying:
        def apply_transform(self, messages: list[Message]) -> list[Message]:
            for message in messages:
                message.clear()
            return []

        def get_logs(self, pre_transform_messages: object, post_transform_messages: object) -> tuple[str, bool]:
            return "", False

    emptying: MessageTransform = Emptying()
    TransformMessages(transforms=[emptying]).add_to_agent(agent)
    assert agent.process_all_messages_before_reply(messages) == messages[:1]
    assert contents(messages) == ["s", "a", "b", "c"]


# Helpers of transforms ------------------------------------------------------------------------------------------------


def test_contents_are_kept_in_a_cache() -> None:
    cache = InMemoryCache("contents")
    key = cache_key("long text", 10)
    assert key == "long text10"
    assert cache_content_get(cache, key) is None
    cache_content_set(cache, key, "short", 3)
    assert cache_content_get(cache, key) == ("short", 3)
    cache_content_set(None, key, "short")
    assert cache_content_get(None, key) is None


def test_texts_of_contents_are_counted() -> None:
    image: Message = {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}
    parts = [{"type": "text", "text": WORDS}, image]
    assert count_text_tokens(parts) == count_text_tokens(WORDS) == count_token(WORDS)
    assert [is_content_text_empty(each) for each in ("", [], [image], None, " ", parts)] == [True] * 4 + [False] * 2
    assert [is_content_right_type(each) for each in ("", parts, None, image)] == [True, True, False, False]


def test_messages_are_judged_for_a_transform() -> None:
    assert [is_tool_call_valid(each) for each in ([], WITH_TOOL, WITH_TOOL[2:])] == [True, True, False]
    messages = said("one two", "three")
    tokens = count_token("one two") + count_token("three")
    assert [min_tokens_reached(messages, most) for most in (None, 0, tokens, tokens + 1)] == [True, True, True, False]
    message: Message = {"role": "user", "content": "x"}
    judged = [should_transform_message(message, {"role": ["user"]}, exclude) for exclude in (True, False)]
    assert judged == [False, True]
    assert should_transform_message(message, None, exclude=True)
