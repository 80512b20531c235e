"""What extensions say in a Python without their libraries. `tests/ext/tools` has those of tools that send requests."""

from textwrap import dedent

from tests.support.interpreter import printed

PROGRAM = dedent(
    '''
    import asyncio
    import sys
    from importlib.machinery import PathFinder

    LIBRARIES = """apsw av azure chromadb cv2 diskcache langchain_core mcp mem0 numpy playwright redis
        sentence_transformers sqlite_vec whisper"""
    found = PathFinder.find_spec
    PathFinder.find_spec = lambda name, *rest: None if name in LIBRARIES.split() else found(name, *rest)

    from symposia.core.exceptions import MissingExtraError
    from symposia.core.models import ModelInfo
    from symposia.core.memory import MemoryContent
    from symposia.ext.agents.azure import AzureAIAgent
    from symposia.ext.agents.video_surfer import VideoSurfer
    from symposia.ext.agents.web_surfer import MultimodalWebSurfer
    from symposia.ext.auth.azure import AzureTokenProvider
    from symposia.ext.cache_store.diskcache import DiskCacheStore
    from symposia.ext.cache_store.redis import RedisStore
    from symposia.ext.experimental.task_centric_memory import MemoryController
    from symposia.ext.memory.chromadb import ChromaDBVectorMemory
    from symposia.ext.memory.embedders import FunctionEmbedder, HashingEmbedder, SentenceTransformerEmbedder
    from symposia.ext.memory.mem0 import Mem0Memory
    from symposia.ext.memory.redis import RedisMemory
    from symposia.ext.memory.sqlite import SQLiteMemory
    from symposia.ext.models.replay import ReplayChatCompletionClient
    from symposia.ext.tools.azure import AzureAISearchTool
    from symposia.ext.tools.browser import BrowserWorkbench
    from symposia.ext.tools.mcp import McpWorkbench, StdioServerParams, mcp_server_tools, serve_mcp_tools

    ABLE = ModelInfo(
        vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True
    )
    content = MemoryContent(content="x", mime_type="text/plain")
    embedder = FunctionEmbedder(lambda texts: [[1.0] for _ in texts], "one")
    memory = SQLiteMemory(":memory:", embedder=embedder)
    model = ReplayChatCompletionClient(["x"], model_info=ABLE)
    server = StdioServerParams(command=sys.executable)
    service = dict(name="a", description="d", project_client=None, deployment_name="m", instructions="i")
    search = dict(name="t", endpoint="https://localhost", index_name="i", credential={"api_key": "k"})

    USES = {
        "SQLiteMemory.add": lambda: memory.add(content),
        "SQLiteMemory.query": lambda: memory.query("x"),
        "SQLiteMemory.newest": lambda: memory.query(""),
        "SQLiteMemory.forget": lambda: memory.forget([1]),
        "SQLiteMemory.count": lambda: memory.count(),
        "SQLiteMemory.clear": lambda: memory.clear(),
        "HashingEmbedder": lambda: HashingEmbedder().embed(["x"]),
        "SentenceTransformerEmbedder": lambda: SentenceTransformerEmbedder().embed(["x"]),
        "ChromaDBVectorMemory": lambda: ChromaDBVectorMemory().add(content),
        "RedisMemory": lambda: RedisMemory(embedder=embedder).add(content),
        "RedisMemory without an embedder": lambda: RedisMemory().add(content),
        "Mem0Memory": lambda: Mem0Memory(is_cloud=False, config={"path": ":memory:"}).add(content),
        "MemoryController": lambda: MemoryController(reset=True, client=model).add_memo("x", task="t"),
        "McpWorkbench": lambda: McpWorkbench(server).start(),
        "mcp_server_tools": lambda: mcp_server_tools(server),
        "serve_mcp_tools": lambda: serve_mcp_tools([]),
        "AzureAISearchTool": lambda: AzureAISearchTool.create_full_text_search(**search),
        "BrowserWorkbench": lambda: BrowserWorkbench().start(),
        "MultimodalWebSurfer": lambda: MultimodalWebSurfer("a", model).run(task="x"),
        "VideoSurfer": lambda: VideoSurfer("a", model).run(task="x"),
        "AzureAIAgent": lambda: AzureAIAgent(**service).run(task="x"),
        "AzureTokenProvider": lambda: AzureTokenProvider(None, "scope")(),
        "DiskCacheStore": lambda: DiskCacheStore._from_config({"directory_path": "x"}),
        "RedisStore": lambda: RedisStore._from_config({}),
    }


    async def main():
        for name, use in USES.items():
            try:
                done = use()
                if asyncio.iscoroutine(done):
                    await done
                print(name, "is used")
            except MissingExtraError as error:
                print(name, error.extra)
            except Exception as error:
                print(name, repr(error))


    asyncio.run(main())
    '''
)

EXTRAS = {
    "SQLiteMemory.add": "sqlite-memory",
    "SQLiteMemory.query": "sqlite-memory",
    "SQLiteMemory.newest": "sqlite-memory",
    "SQLiteMemory.forget": "sqlite-memory",
    "SQLiteMemory.count": "sqlite-memory",
    "SQLiteMemory.clear": "sqlite-memory",
    "HashingEmbedder": "sqlite-memory",
    "SentenceTransformerEmbedder": "sentence-transformers",
    "ChromaDBVectorMemory": "chromadb",
    "RedisMemory": "redis-memory",
    "RedisMemory without an embedder": "sentence-transformers",
    "Mem0Memory": "mem0",
    "MemoryController": "task-centric-memory",
    "McpWorkbench": "mcp",
    "mcp_server_tools": "mcp",
    "serve_mcp_tools": "mcp",
    "AzureAISearchTool": "azure-search",
    "BrowserWorkbench": "web-surfer",
    "MultimodalWebSurfer": "web-surfer",
    "VideoSurfer": "video-surfer",
    "AzureAIAgent": "azure-agents",
    "AzureTokenProvider": "azure",
    "DiskCacheStore": "diskcache",
    "RedisStore": "redis",
}


def test_each_extension_names_its_extra() -> None:
    told = dict(line.rsplit(" ", 1) for line in printed(PROGRAM).splitlines())
    assert told == EXTRAS
