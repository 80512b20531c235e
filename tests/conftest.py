"""What every test of the project runs under: nothing may block the event loop, and no model key is ever in reach.

With ``SYMPOSIA_REQUIRE_SANDBOXES=1``, as in CI, a test that was skipped fails the whole run. An id of a test that holds
an object's address fails it as well: it is another one in each process, so that tests could not be spread over several.

With ``--portable``, and always where the system is not Linux, the tests that need Linux are left out.
"""

import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from blockbuster import blockbuster_ctx
from hypothesis import settings
from pydantic import BaseModel
from tests.support.node_ids import with_addresses
from tests.support.node_servers import NODE_SERVERS

from symposia.ext.models.vendors import model_vendors

LINUX_ONLY = (
    "autogen/test_running.py",  # how a process ends by a signal
    "cli/test_terminal.py",  # pseudo-terminals, and sandboxes
    "core/effects/test_terminal_processes.py",  # pseudo-terminals and signals
    "docs/test_pages.py",  # pages run code in sandboxes, and shell commands
    "examples",  # likewise
    "ext/code_executors",
    "presets/coding/test_bundled_runs.py",  # sandboxes
    "seeds/test_programs.py",  # likewise
    "v02/coding",  # likewise
)
"""Tests of what only Linux has: files and folders below this one."""

APART = {
    "ext/models/litellm": "litellm",
    "ext/models/llama_cpp": "llama_cpp",
    "ext/memory/test_mem0_memory.py": "mem0",
    "ext/models/semantic_kernel": "semantic_kernel",
    "ext/tools/graphrag": "graphrag",
    "v02/contrib/test_qdrant.py": "qdrant_client",
    "ext/tools/semantic_kernel": "semantic_kernel",
    "v02/contrib/test_llama_index.py": "llama_index",
}
"""Tests of libraries that are extras apart from ``all``, and the module without which they are not collected:
`scripts/test --apart` has environments for them."""
MISSING = {folder: module for folder, module in APART.items() if find_spec(module) is None}
if not NODE_SERVERS.exists():
    MISSING["ext/tools/mcp/test_reference_servers.py"] = "@modelcontextprotocol/server-everything"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--portable", action="store_true", help="leave out the tests that need Linux")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    here = Path(__file__).parent
    left_out = list(MISSING)
    if config.getoption("portable") or sys.platform != "linux":
        left_out += LINUX_ONLY
    return any(collection_path == here / each for each in left_out) or None


def pytest_report_header() -> list[str]:
    """Tell the tests that are not collected here."""
    return [f"not collected: tests/{folder}, since {module} is not installed" for folder, module in MISSING.items()]


settings.register_profile("symposia", deadline=None)  # a busy machine is slow, which is no fault of a test
settings.load_profile("symposia")


# What a shell starts in the background ignores Ctrl-C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


class First(BaseModel):
    """Pydantic looks for its plugins on the disk with the first class of a process, which must not be in a test."""


@pytest.fixture(autouse=True, scope="session")
def _vendors_are_searched() -> None:
    """The first client at an address of its own searches the installed distributions, which must not be in a test."""
    model_vendors()


@pytest.fixture(autouse=True)
def _event_loop_is_never_blocked() -> Iterator[None]:
    with blockbuster_ctx("symposia") as detection:
        # A property that cannot await, for programs that read it before anything has prepared the tool.
        detection.functions["threading.Lock.acquire"].can_block_in("core/tools/_function_tool.py", "_tool_now")
        # A constructor cannot await, and refuses a skill that is wrong, a folder that is not there, or a missing extra.
        for function in detection.functions.values():
            function.can_block_in("agentchat/skills/_skill.py", "read_skills")
            function.can_block_in("ext/tools/files/_folder.py", "_existing_folder")
            function.can_block_in("ext/tools/mcp/_opening.py", "require_sdk")  # looks for a package
            function.can_block_in("symposia/_extras.py", "_installer")  # reads a small file, once in a process
            function.can_block_in(
                "ext/tools/graphrag/_library.py", ["require_graphrag", "check_tables", "completion_async"]
            )
            # What runs on the event loop of LiteLLM's thread.
            function.can_block_in("ext/tools/graphrag/_local_search.py", "_vector")
            function.can_block_in("ext/tools/graphrag/_search.py", "_joined")
        yield


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    vendors = ("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "LLAMA", "MISTRAL", "OLLAMA")
    for name in (*(f"{vendor}_API_KEY" for vendor in vendors), "OLLAMA_HOST", "SYMPOSIA_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")  # counts are estimates, whatever files this machine has


@pytest.fixture
def without_the_import_hook() -> Iterator[None]:
    """Undo at the end what importing every public module does: `symposia.autogen` installs its hook when imported.

    With the hook, components are saved under AutoGen's names, also in the tests that run after this one.
    """
    was_imported = "symposia.autogen" in sys.modules
    yield
    if not was_imported:
        from symposia.autogen import uninstall  # noqa: PLC0415 - importing it installs the hook

        uninstall()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if unstable := with_addresses(item.nodeid for item in items):
        raise pytest.UsageError("Give these parameters ids, so that every process names the tests alike:", *unstable)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = isinstance(reporter, TerminalReporter) and reporter.stats.get("skipped")
    if skipped and os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
