"""A model server on loopback that answers from a script, for tests of the vendors' real SDKs over real HTTP.

It speaks the vendors' wire formats, streamed and not, and refuses what the vendors refuse. A test writes down the
answers in neutral terms; the path of each request decides which wire format they take::

    async with MockModelServer() as server:
        server.script(Reply(text="Hello!"))
        client = OpenAIChatCompletionClient(model="gpt-4o", api_key="test", base_url=server.openai_url)
        ...
        assert server.requests[0].body["messages"] == [...]

Nothing here sleeps: a `Hold` stops an answer at a chosen place until the test lets it go.
"""

from symposia.testing.model_server._answers import Failure, Hold, Raw, Reply, Thinking, ToolCall
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool
from symposia.testing.model_server._server import MockModelServer, RecordedRequest

__all__ = [
    "Conversation", "Failure", "Hold", "Message", "MockModelServer", "OfferedTool", "Raw", "RecordedRequest", "Reply",
    "Thinking", "ToolCall",
]  # fmt: skip
