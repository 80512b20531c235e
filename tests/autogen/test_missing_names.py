import importlib
from pathlib import Path

import pytest
from tests.support.autogen_names import IMPORTED, MISSING, has_module, has_name
from tests.support.interpreter import python

from symposia._autogen_names import PAGE_02, PAGES_02, PREVIEW_MODULES


@pytest.fixture(autouse=True)
def _models_are_imported() -> None:
    importlib.import_module("symposia.core.models")


def error_of(statement: str) -> ImportError:
    with pytest.raises(ImportError) as caught:
        exec(statement)
    return caught.value


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    error = error_of("from autogen_agentchat.teams import RoundRobbinGroupChat")
    assert str(error) == (
        "Neither AutoGen 0.7.5 nor Symposia has autogen_agentchat.teams.RoundRobbinGroupChat. "
        "The nearest name in autogen_agentchat.teams is RoundRobinGroupChat."
    )


@pytest.mark.parametrize(
    ("statement", "nearest"),
    [
        (
            "from autogen_agentchat.teams import RoundRobinTeam",
            "RoundRobinGroupChat",
        ),  # and not RoundRobinRule, of ours
        ("from autogen_agentchat.teams import GraphFlows", "GraphFlow"),  # which is planned
        ("import autogen_agentchat.team", "teams"),
        ("import autogen_ext.code_executor", "code_executors"),
    ],
)
def test_the_nearest_name_is_one_of_autogens(statement: str, nearest: str) -> None:
    assert f" is {nearest}." in str(error_of(statement))


def test_a_name_that_lives_elsewhere_is_answered_with_where() -> None:
    error = error_of("from autogen_core import ChatCompletionClient")
    assert str(error) == (
        "Neither AutoGen 0.7.5 nor Symposia has autogen_core.ChatCompletionClient. There is one in autogen_core.models."
    )


def test_a_name_unlike_any_other_is_answered_with_what_there_is() -> None:
    error = error_of("from autogen_ext.models import zzz")
    assert "nor Symposia has autogen_ext.models.zzz. autogen_ext.models has " in str(error)


@pytest.mark.parametrize(
    "statement",
    [
        "import autogen_core.zzz",
        "import autogen_core.zzz.yyy",
        "import autogen_core.zzz as z",
        "from autogen_core.zzz import yyy",
        "from autogen_core import zzz",
        "from symposia.core import zzz",
        "import importlib; importlib.import_module('autogen_core.zzz')",
    ],
)
def test_every_form_of_import_says_what_is_missing(statement: str) -> None:
    error = error_of(statement)
    assert isinstance(error, ModuleNotFoundError)
    assert error.name == "autogen_core.zzz"
    assert str(error).startswith("Neither AutoGen 0.7.5 nor Symposia has autogen_core.zzz. ")


@pytest.mark.parametrize("name", MISSING)
def test_n05_a_name_that_autogen_has_is_said_to_be_planned_and_nothing_else_is_suggested(name: str) -> None:
    module, _, leaf = name.rpartition(".")
    of_02 = f"Symposia does not have {name}, which AutoGen 0.2 has. {PAGE_02}"
    of_04 = f"Symposia does not have {name} yet. AutoGen has it, and it is planned."
    assert str(error_of(f"from {module} import {leaf}")) == (of_02 if module.split(".")[0] == "autogen" else of_04)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            "import autogen.coding.kubernetes",
            f"Symposia does not have autogen.coding.kubernetes, which AutoGen 0.2 has. {PAGE_02}",
        ),
        (
            "from autogen import AssistentAgent",
            (
                "Neither AutoGen 0.2.40 nor Symposia has autogen.AssistentAgent. The nearest name in autogen is "
                f"AssistantAgent. {PAGES_02}"
            ),
        ),
        (
            "from autogen import Teachability",
            (
                "Neither AutoGen 0.2.40 nor Symposia has autogen.Teachability. There is one in "
                f"autogen.agentchat.contrib.capabilities.teachability. {PAGES_02}"
            ),
        ),
    ],
)
def test_a_name_of_version_02_that_is_missing_is_explained_with_the_page_about_it(statement: str, text: str) -> None:
    assert str(error_of(statement)) == text


def test_a_name_of_both_versions_is_looked_for_in_the_one_that_was_asked() -> None:
    assert str(error_of("from autogen_core import AssistantAgent")).endswith(
        "There is one in autogen_agentchat.agents."
    )


def test_n05_an_invented_name_is_not_said_to_come() -> None:
    error = error_of("from autogen_agentchat.teams import GroupChatOfGhosts")
    assert str(error).startswith("Neither AutoGen 0.7.5 nor Symposia has autogen_agentchat.teams.GroupChatOfGhosts. ")
    assert " yet" not in str(error)


def test_n05_all_missing_names_of_a_statement_are_said() -> None:
    error = error_of("from autogen_core import Zzz, AgentId, Yyy")
    assert str(error).endswith("Also missing among the imports of this file: autogen_core.Yyy (not in AutoGen).")


def test_n05_all_missing_names_of_a_file_are_said(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import autogen_core\n"
        "from autogen_core import AgentId, Zzz\n"
        "from autogen_core._agent_id import AgentId, _helper\n"
        "def later():\n"
        "    from autogen_agentchat.teams import RoundRobinGroupChat, Robin\n"
        "    import autogen_ext.nothing\n"
        "    from nowhere import something\n"
    )
    done = python("-m", "symposia.autogen", "program.py", folder=tmp_path)
    assert done.stderr.splitlines()[-1].endswith(
        "Also missing among the imports of this file: autogen_core._agent_id._helper (private in AutoGen), "
        "autogen_agentchat.teams.Robin (not in AutoGen), autogen_ext.nothing (not in AutoGen)."
    )


def test_a_missing_name_in_a_module_that_is_no_package_is_explained_too() -> None:
    assert str(error_of("from autogen_core.exceptions import CantHandleExeption")) == (
        "Neither AutoGen 0.7.5 nor Symposia has autogen_core.exceptions.CantHandleExeption. "
        "The nearest name in autogen_core.exceptions is CantHandleException."
    )


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "from autogen_core.base import AgentId",
            "autogen_core.base was a module of the previews of AutoGen 0.4. Its names are in autogen_core now.",
        ),
        (
            "import autogen_core.application.logging",
            "autogen_core.application was a module of the previews of AutoGen 0.4. Its names are in autogen_core now.",
        ),
        (
            "from autogen_core import components",
            "autogen_core.components was a module of the previews of AutoGen 0.4. Its names are in autogen_core now.",
        ),
        (
            "from autogen_agentchat.task import Console",
            (
                "autogen_agentchat.task was a module of the previews of AutoGen 0.4. "
                "Its names are in autogen_agentchat.conditions and autogen_agentchat.ui now."
            ),
        ),
    ],
)
def test_a_module_of_the_previews_is_answered_with_where_its_names_are(statement: str, message: str) -> None:
    error = error_of(statement)
    assert isinstance(error, ModuleNotFoundError)
    assert str(error).startswith(message)


def test_a_program_for_the_previews_is_given_the_module_of_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from autogen_core.base import AgentId\n"
        "from autogen_core.components.models import OpenAIChatCompletionClient, UserMessage\n"
        "from autogen_ext.models import ReplayChatCompletionClient\n"
        "from autogen_agentchat.task import Console, HumanTask\n"
    )
    done = python("-m", "symposia.autogen", "program.py", folder=tmp_path)
    assert done.stderr.splitlines()[-1].endswith(
        "Also missing among the imports of this file: autogen_core.base.AgentId (in autogen_core), "
        "autogen_core.components.models.OpenAIChatCompletionClient (in autogen_ext.models.openai), "
        "autogen_core.components.models.UserMessage (in autogen_core.models), "
        "autogen_ext.models.ReplayChatCompletionClient (in autogen_ext.models.replay), "
        "autogen_agentchat.task.Console (in autogen_agentchat.ui), "
        "autogen_agentchat.task.HumanTask (not in AutoGen)."
    )


@pytest.mark.parametrize("preview", PREVIEW_MODULES)
def test_every_module_of_the_previews_names_modules_that_exist(preview: str) -> None:
    for successor in PREVIEW_MODULES[preview]:
        importlib.import_module(successor)


def test_asking_for_an_attribute_is_not_an_import() -> None:
    teams = importlib.import_module("autogen_agentchat.teams")
    assert not hasattr(teams, "Zzz")


def test_other_missing_modules_are_missed_as_before() -> None:
    assert str(error_of("import zzz_of_nobody")) == "No module named 'zzz_of_nobody'"
    assert str(error_of("import symposia.zzz")) == "No module named 'symposia.zzz'"


def test_names_that_modules_of_version_02_import_from_each_other_are_found_there_too() -> None:
    here = [(module, name) for module, source, name in IMPORTED if has_module(module) and has_name(source, name)]
    for module, name in here:
        exec(f"from {module} import {name}")
    assert ("autogen.agentchat.conversable_agent", "OpenAIWrapper") in here
    groupchat = importlib.import_module("autogen.agentchat.groupchat")
    assert groupchat.ConversableAgent is importlib.import_module("symposia.v02").ConversableAgent
    assert not hasattr(groupchat, "OpenAIClient")
