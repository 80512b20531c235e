from collections.abc import AsyncIterator
from importlib import import_module

import pytest
from tests.support.scripted_site import ScriptedSite
from tests.support.web_server import serving

for module in ("azure.search.documents.aio", "httpcore2", "httpx2", "jsonschema", "langchain_core.tools", "yaml"):
    import_module(module)  # programs import them too before their loop runs, or once in it; the tests find what blocks


@pytest.fixture
async def site() -> AsyncIterator[ScriptedSite]:
    site = ScriptedSite()
    async with serving(site.serve) as site.port:
        yield site
