"""GraphRAG is loaded before its tests."""

import asyncio
from importlib import import_module
from importlib.util import find_spec

if find_spec("graphrag") is not None:
    import_module("graphrag_llm")  # makes an event loop, which it leaves open
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)
