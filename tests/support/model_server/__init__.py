"""A model server on loopback that answers from a script, for tests of the vendors' real SDKs over real HTTP.

It speaks OpenAI Chat Completions and Anthropic Messages, streamed and not, and refuses what the vendors refuse. A test
writes down the answers in neutral terms; the path of each request decides which vendor's wire format they take::

    async with ModelServer() as server:
        server.script(Reply(text="Hello!"))
        client = OpenAIChatCompletionClient(model="gpt-4o", api_key="test", base_url=server.openai_url)
        ...
        assert server.requests[0].body["messages"] == [...]

Nothing here sleeps: a `Hold` stops an answer at a chosen place until the test lets it go.
"""

from tests.support.model_server._script import Failure, Hold, Raw, Reply, Thinking, ToolCall
from tests.support.model_server._server import ModelServer, RecordedRequest

__all__ = ["Failure", "Hold", "ModelServer", "Raw", "RecordedRequest", "Reply", "Thinking", "ToolCall"]
