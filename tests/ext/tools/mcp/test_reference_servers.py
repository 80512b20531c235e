"""The protocol's reference servers, of another SDK and another language: see `scripts/test --apart mcp-servers`."""

from pathlib import Path

from tests.support.node_servers import NODE_SERVERS

from symposia.core.models import ModelInfo
from symposia.core.tools import ImageResultContent, ToolResult
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.mcp import ElicitationQuestion, McpProgress, McpWorkbench, StdioServerParams

ABLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)


def reference(name: str, *arguments: str, env: dict[str, str] | None = None) -> StdioServerParams:
    program = NODE_SERVERS / f"server-{name}" / "dist" / "index.js"
    return StdioServerParams(command="node", args=[str(program), *arguments], env=env, read_timeout_seconds=60)


async def test_everything_of_the_protocol(tmp_path: Path) -> None:
    asked: dict[str, str] = {}

    async def person(question: ElicitationQuestion) -> str:
        asked[str(question.field)] = str(question)
        return {"name": "Ada", "untitledMultipleSelectEnum": "piano, Guitar", "integer": "40"}.get(
            str(question.field), ""
        )

    model = ReplayChatCompletionClient(["Paris"], model_info=ABLE)
    params = reference("everything")
    async with McpWorkbench(params, model_client=model, elicit=person, roots=[str(tmp_path)]) as workbench:
        tools = [tool["name"] for tool in await workbench.list_tools()]
        assert len(tools) == len(set(tools)) > 10
        assert (await workbench.call_tool("echo", {"message": "hello"})).to_text() == "Echo: hello"
        assert (await workbench.call_tool("get-sum", {"a": 1, "b": "x"})).is_error
        image = await workbench.call_tool("get-tiny-image")
        assert any(isinstance(piece, ImageResultContent) for piece in image.result)
        weather = await workbench.call_tool("get-structured-content", {"location": "Chicago"})
        assert "temperature" in weather.to_text()
        *reports, done = [
            item
            async for item in workbench.call_tool_stream(
                "trigger-long-running-operation", {"duration": 0.3, "steps": 3}
            )
        ]
        assert [report.progress for report in reports if isinstance(report, McpProgress)] == [1, 2, 3]
        assert isinstance(done, ToolResult)
        assert not done.is_error
        sampled = await workbench.call_tool("trigger-sampling-request", {"prompt": "Capital?", "maxTokens": 10})
        assert "Paris" in sampled.to_text()
        assert str(tmp_path) in (await workbench.call_tool("get-roots-list")).to_text()
        answered = await workbench.call_tool("trigger-elicitation-request")
        assert not answered.is_error, answered.to_text()
        assert len(asked) > 5
        assert '"integer": 40' in answered.to_text()
        assert '"Guitar"' in answered.to_text()
        assert "one of hero-1 (" in asked["titledSingleSelectEnum"]
        assert "any of " in asked["titledMultipleSelectEnum"]
        assert "an empty answer is 3.14" in asked["number"]
        links = await workbench.call_tool("get-resource-links", {"count": 2})
        assert "demo://resource" in links.to_text()
        resources = (await workbench.list_resources()).resources
        assert (await workbench.read_resource(str(resources[0].uri))).contents
        assert (await workbench.get_prompt("simple-prompt")).messages


async def test_files_below_a_folder_alone(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    async with McpWorkbench(reference("filesystem", str(inside))) as workbench:
        await workbench.call_tool("write_file", {"path": str(inside / "note.txt"), "content": "hello"})
        assert (inside / "note.txt").read_text() == "hello"
        assert (await workbench.call_tool("read_text_file", {"path": str(inside / "note.txt")})).to_text() == "hello"
        refused = await workbench.call_tool("read_text_file", {"path": str(tmp_path / "secret.txt")})
        assert refused.is_error
        assert workbench.tool_traits("read_text_file").idempotency == "idempotent"


async def test_what_one_process_remembers_the_next_one_knows(tmp_path: Path) -> None:
    params = reference("memory", env={"MEMORY_FILE_PATH": str(tmp_path / "memory.json")})
    entity = {"name": "Ada", "entityType": "person", "observations": ["likes numbers"]}
    async with McpWorkbench(params) as workbench:
        await workbench.call_tool("create_entities", {"entities": [entity]})
        await workbench.reset()
        assert "likes numbers" in (await workbench.call_tool("search_nodes", {"query": "Ada"})).to_text()
