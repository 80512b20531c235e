import gc

from symposia.core.models import UserMessage
from symposia.ext.models._wire_format import ConversionCache


def said(text: str) -> UserMessage:
    return UserMessage(content=text, source="user")


def test_each_message_is_converted_once() -> None:
    seen: list[UserMessage] = []

    def convert(message: UserMessage) -> str:
        seen.append(message)
        return str(message.content)

    conversions = ConversionCache(convert)
    one, other = said("one"), said("one")
    assert [conversions(one), conversions(other), conversions(one)] == ["one", "one", "one"]
    assert len(seen) == 2
    assert seen[0] is one
    assert seen[1] is other


def test_wire_format_end_with_their_messages() -> None:
    conversions = ConversionCache[UserMessage, str](repr)
    for number in range(100):
        conversions(said(str(number)))
    gc.collect()
    assert len(conversions) == 0
