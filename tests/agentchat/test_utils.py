from tests.support.chat_agents import PIXEL

from symposia.agentchat.utils import content_to_str, remove_images
from symposia.core import FunctionCall
from symposia.core.models import LLMMessage, SystemMessage, UserMessage


def test_content_of_any_kind_reads_as_text() -> None:
    call = FunctionCall(id="1", arguments="{}", name="add")

    assert content_to_str("hi") == "hi"
    assert content_to_str(["a", PIXEL, "b"]) == "a\n<image>\nb"
    assert content_to_str([call]) == str(call)


def test_images_are_taken_out_and_the_messages_given_are_left_alone() -> None:
    with_image = UserMessage(content=["a", PIXEL], source="u")
    given: list[LLMMessage] = [SystemMessage(content="s"), with_image, UserMessage(content="t", source="u")]

    without = remove_images(given)

    assert without == [given[0], UserMessage(content="a\n<image>", source="u"), given[2]]
    assert with_image.content == ["a", PIXEL]
