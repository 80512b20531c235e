"""Programs for AutoGen 0.4 to 0.7: their names become Symposia's, and nothing else changes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seeds.session import PROGRAMS

from symposia.migration import FindingKind, MigrationTarget, migrate_text


def migrated(text: str) -> str:
    result = migrate_text(text, MigrationTarget.NAMES)
    assert not result.notes
    return result.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from autogen_core import AgentId", "from symposia.core import AgentId"),
        ("from autogen_core import *", "from symposia.core import *"),
        ("from autogen_agentchat import agents as a", "from symposia.agentchat import agents as a"),
        ("import autogen_ext.models.openai as o", "import symposia.ext.models.openai as o"),
        ("import os, autogen_core  # both", "import os, symposia.core  # both"),
        ("import autogen_core\nautogen_core.AgentId", "import symposia.core\nsymposia.core.AgentId"),
        (
            "import autogen_core.models\nx = [autogen_core.models.UserMessage.model_fields]",
            "import symposia.core.models\nx = [symposia.core.models.UserMessage.model_fields]",
        ),
        ("from autogen_core._routed_agent import RoutedAgent", "from symposia.core import RoutedAgent"),
        (
            "if True:\n\tfrom autogen_core.models._types import UserMessage\n",
            "if True:\n\tfrom symposia.core.models import UserMessage\n",
        ),
        (
            "import autogen_core\nf(autogen_core=autogen_core.AgentId).autogen_core",
            "import symposia.core\nf(autogen_core=symposia.core.AgentId).autogen_core",
        ),
        (
            'import autogen_core\ndef f(x: "list[autogen_core.AgentId]"): ...',
            'import symposia.core\ndef f(x: "list[symposia.core.AgentId]"): ...',
        ),
        (
            "import autogen_core\ny = cast('list[autogen_core.AgentId]', x)  # type: autogen_core.AgentId",
            "import symposia.core\ny = cast('list[symposia.core.AgentId]', x)  # type: symposia.core.AgentId",
        ),
        (
            "import autogen_core\nx: 'autogen_core.AgentId' = f(autogen_core=1)\ndel autogen_core",
            "import symposia.core as autogen_core\nx: 'autogen_core.AgentId' = f(autogen_core=1)\ndel autogen_core",
        ),
        (
            "import autogen\nx: 'autogen.ConversableAgent' = 'see autogen_core.AgentId for it'",
            "import symposia.v02 as autogen\nx: 'autogen.ConversableAgent' = 'see autogen_core.AgentId for it'",
        ),
        (
            "import autogen_core\nfrom autogen_ext import __version__\nautogen_core.__version__",
            "import symposia.core\nfrom symposia import __version__\nsymposia.__version__",
        ),
        ("find_spec('autogen_ext')", "find_spec('symposia.ext')"),
        ("logging.getLogger('autogen_core')", "logging.getLogger('symposia.core')"),
        (
            "patch('autogen_ext.models.openai.OpenAIChatCompletionClient.create')",
            "patch('symposia.ext.models.openai.OpenAIChatCompletionClient.create')",
        ),
    ],
)
def test_imports_and_uses_are_renamed(before: str, after: str) -> None:
    assert migrated(before) == after


def test_a_name_that_the_program_binds_otherwise_keeps_its_name() -> None:
    before = "import autogen_core.models\ntry:\n    pass\nexcept ImportError:\n    autogen_core = None\n"
    after = before.replace("import autogen_core.models", "import symposia.core as autogen_core, symposia.core.models")
    assert migrated(before) == after


def test_a_missing_name_in_quotes_is_noted() -> None:
    before = "import autogen_core\nx: 'autogen_core.Nothing'\n"
    result = migrate_text(before)
    assert (result.text, [note.line for note in result.notes]) == (before, [2])


def test_a_module_that_is_imported_by_the_builtin_function_is_noted() -> None:
    before = "x = __import__('autogen_core.models')\n"
    result = migrate_text(before)
    assert result.text == before
    [note] = result.notes
    assert note.text == "__import__ returns the package of a module: use importlib.import_module."


def test_names_of_one_import_that_are_in_several_modules_here_become_several_imports() -> None:
    before = "from autogen_core import (\n    AgentId,  # who\n    Nothing,\n)\n"
    result = migrate_text(before)
    assert result.text == "# who\nfrom symposia.core import AgentId\nfrom autogen_core import Nothing\n"
    [note] = result.notes
    assert (note.kind, note.line, note.name) == (FindingKind.MISSING, 3, "autogen_core.Nothing")


def test_names_that_are_missing_stay_and_are_noted() -> None:
    before = (
        "from autogen_core.base import MessageContext\n"
        "import autogen_core\n"
        "autogen_core.AgentIdd\n"
        "from autogen_core._base_agent import _helper\n"
        "from autogen_agentchat import teams\n"
        "teams.RoundRobinTeam\n"
    )
    result = migrate_text(before)
    assert result.text == before.replace("from autogen_agentchat", "from symposia.agentchat")
    said = {note.line: note.text for note in result.notes}
    assert said[1].endswith("Its names are in autogen_core now.")
    assert said[3].endswith("The nearest name in autogen_core is AgentId.")
    assert said[4].startswith("autogen_core._base_agent._helper is private in AutoGen")
    assert said[6].endswith("The nearest name in autogen_agentchat.teams is RoundRobinGroupChat.")


def test_a_text_that_is_no_python_stays_and_is_noted() -> None:
    before = "import autogen_core\nx = (\n"
    result = migrate_text(before)
    assert result.text == before
    assert [note.kind for note in result.notes] == [FindingKind.UNREADABLE]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_everything_else_stays_byte_for_byte(newline: str) -> None:
    lines = [
        "#!/usr/bin/env python",
        "\fimport autogen_core  # é \t",
        "",
        "x = {  'a':1 ,",
        "\t'b' : 2}   ;y=3",
        "# end",
    ]
    before = newline.join(lines)
    assert migrated(before) == before.replace("import autogen_core", "import symposia.core")


WORDS = st.sampled_from(
    ["import os", "# autogen", "x = 'autogen'", "def f(): pass", "\f", "\t", "\\", "(", "é", "if x:", "    y", "'''"]
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=5))).map("\n".join))
def test_a_program_without_autogen_stays_byte_for_byte(text: str) -> None:
    assert migrate_text(text).text == text


V02 = re.compile(r"^(from|import) autogen\b", re.MULTILINE)
SEEDS = sorted(path for path in PROGRAMS.glob("*.py") if not V02.search(path.read_text()))


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_programs_of_the_seeds_lose_nothing_and_are_migrated_once(path: Path) -> None:
    before = path.read_text()
    after = migrated(before)
    for root in ("core", "agentchat", "ext"):
        before = before.replace(f"from autogen_{root}", f"from symposia.{root}")
    assert after == before
    assert migrated(after) == after
