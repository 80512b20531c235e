"""What is said where the library behind a tool is not installed."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from tests.support.interpreter import printed

from symposia.core.exceptions import MissingExtraError
from symposia.core.tools import FunctionTool
from symposia.ext.tools.graphrag import GlobalDataConfig, GlobalSearchTool, LocalSearchTool
from symposia.ext.tools.http import HttpTool
from symposia.ext.tools.openapi import openapi_tools
from symposia.ext.tools.semantic_kernel import KernelFunctionFromTool, KernelFunctionFromToolSchema
from symposia.ext.tools.web import BraveSearchEngine, SearxngSearchEngine, WebFetchTool

PACKAGES = ["azure", "graphrag", "http", "langchain", "openapi", "semantic_kernel", "web"]
LIBRARIES = {"azure", "graphrag", "httpx2", "jsonschema", "langchain_core", "pandas", "semantic_kernel", "yaml"}
DOCUMENT: Any = {"openapi": "3.1.0", "paths": {"/": {"get": {}}}}


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [
        (lambda: HttpTool("t", "h", 1, {}), "httpx2", "http-tool"),
        (lambda: HttpTool("t", "h", 1, {}), "jsonschema", "http-tool"),
        (lambda: openapi_tools(DOCUMENT, server="http://h"), "httpx2", "openapi"),
        (lambda: openapi_tools(DOCUMENT, server="http://h"), "jsonschema", "openapi"),
        (lambda: openapi_tools("a: b"), "yaml", "openapi"),
        (WebFetchTool, "httpx2", "web-tools"),
        (lambda: SearxngSearchEngine("http://h"), "httpx2", "web-tools"),
        (lambda: BraveSearchEngine("k"), "httpx2", "web-tools"),
        (lambda: GlobalSearchTool(None, None, GlobalDataConfig(input_dir="")), "graphrag", "graphrag"),
        (lambda: LocalSearchTool.from_settings(""), "graphrag", "graphrag"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    make: Callable[[], object], module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'symposia\[{extra}\]'"):
        make()


@pytest.mark.skipif(find_spec("semantic_kernel") is not None, reason="Semantic Kernel is installed")
def test_kernel_functions_name_their_extra() -> None:
    tool = FunctionTool(lambda: "", "d", "t")
    for make in (lambda: KernelFunctionFromTool(tool), lambda: KernelFunctionFromToolSchema(tool.schema)):
        with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[semantic-kernel\]'"):
            make()


def test_importing_the_tools_imports_no_library() -> None:
    program = (
        f"import sys\n{''.join(f'import symposia.ext.tools.{each}' + chr(10) for each in PACKAGES)}print(*sys.modules)"
    )
    assert LIBRARIES & set(printed(program).split()) == set()
