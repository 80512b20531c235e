import importlib

import pytest

from symposia.autogen import install


@pytest.fixture(autouse=True)
def _installed() -> None:
    install()
    importlib.import_module("symposia.core.models")


def error_of(statement: str) -> ImportError:
    with pytest.raises(ImportError) as caught:
        exec(statement)
    return caught.value


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    error = error_of("from autogen_agentchat.teams import RoundRobbinGroupChat")
    assert str(error) == (
        "Symposia does not have autogen_agentchat.teams.RoundRobbinGroupChat yet. "
        "The nearest name in autogen_agentchat.teams is RoundRobinGroupChat."
    )


def test_a_name_that_lives_elsewhere_is_answered_with_where() -> None:
    error = error_of("from autogen_core import ChatCompletionClient")
    assert str(error) == (
        "Symposia does not have autogen_core.ChatCompletionClient yet. There is one in autogen_core.models."
    )


def test_a_name_unlike_any_other_is_answered_with_what_there_is() -> None:
    error = error_of("from autogen_ext.models import zzz")
    assert "Symposia does not have autogen_ext.models.zzz yet. autogen_ext.models has anthropic, " in str(error)


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
    assert str(error).startswith("Symposia does not have autogen_core.zzz yet. ")


@pytest.mark.parametrize("statement", ["import autogen_core._agent", "from autogen_core._agent import Agent"])
def test_a_private_module_of_autogen_is_refused_with_the_public_place(statement: str) -> None:
    assert str(error_of(statement)) == (
        "autogen_core._agent is a private module of AutoGen, and Symposia has AutoGen's public modules only. "
        "Import the name from autogen_core instead."
    )


def test_a_private_module_deep_inside_is_refused_too() -> None:
    error = error_of("import autogen_agentchat.teams._group_chat._base_group_chat")
    assert "Import the name from autogen_agentchat.teams instead." in str(error)


def test_the_interface_of_version_02_is_missed_by_name() -> None:
    assert str(error_of("import autogen")).startswith("Symposia does not have autogen yet. ")


def test_a_name_in_a_module_that_is_no_package_is_missed_in_pythons_own_words() -> None:
    assert "cannot import name 'Zzz' from 'symposia.core.exceptions'" in str(
        error_of("from autogen_core.exceptions import Zzz")
    )


def test_asking_for_an_attribute_is_not_an_import() -> None:
    teams = importlib.import_module("autogen_agentchat.teams")
    assert not hasattr(teams, "Zzz")


def test_other_missing_modules_are_missed_as_before() -> None:
    assert str(error_of("import zzz_of_nobody")) == "No module named 'zzz_of_nobody'"
    assert str(error_of("import symposia.zzz")) == "No module named 'symposia.zzz'"
