"""A model server on loopback that answers from a script, for tests over the vendors' real SDKs and real HTTP.

It speaks the vendors' wire formats, streamed and not, and refuses what the vendors refuse. Answers are written
in neutral terms; the path of each request decides which wire format they take::

    async with MockModelServer() as server:
        server.script(Reply(text="Hello!"))
        client = OpenAIChatCompletionClient(model="gpt-4o", api_key="test", base_url=server.openai_url)
        ...
        assert server.requests[0].conversation.last_message.text == "Hi!"

Nothing here sleeps unless an answer has a delay: a `Hold` stops an answer at a chosen place until the test lets it go.
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.testing.model_server._answers import (
    IMAGES_REFUSED,
    LOGIN_PAGE,
    Answer,
    Failure,
    Hold,
    Raw,
    Reply,
    Reset,
    Thinking,
    ToolCall,
)
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool
from symposia.testing.model_server._rules import Rule, When
from symposia.testing.model_server._script_file import Script, parse_script, read_script
from symposia.testing.model_server._server import MockModelServer, RecordedRequest

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "IMAGES_REFUSED",
    "LOGIN_PAGE",
    "Answer",
    "Conversation",
    "Failure",
    "Hold",
    "Message",
    "MockModelServer",
    "OfferedTool",
    "Raw",
    "RecordedRequest",
    "Reply",
    "Reset",
    "Rule",
    "Script",
    "Thinking",
    "ToolCall",
    "When",
    "parse_script",
    "read_script",
]
