"""AutoGen's private module paths, which editors write into imports by themselves."""

import importlib
import inspect
import pickle
import sys
from types import ModuleType

import pytest
from tests.support.autogen_names import PRIVATE, ours
from tests.support.interpreter import printed

from symposia.core import RoutedAgent
from symposia.core.models import UserMessage

HOOK = "import symposia.autogen; "


@pytest.mark.parametrize("module", sorted(PRIVATE))
def test_n07_a_private_path_resolves_to_the_public_names(module: str) -> None:
    for public, name in PRIVATE[module]:
        names: dict[str, object] = {}
        exec(f"from {module} import {name}\nimport {module} as module", names)
        assert names[name] is getattr(importlib.import_module(ours(public)), name)
        assert getattr(names["module"], name) is names[name]


@pytest.mark.parametrize(
    "program",
    [
        "import autogen_agentchat.teams._group_chat._round_robin_group_chat as m; T = m.RoundRobinGroupChat",
        (
            "import autogen_agentchat.teams._group_chat._round_robin_group_chat; import autogen_agentchat; "
            "T = autogen_agentchat.teams._group_chat._round_robin_group_chat.RoundRobinGroupChat"
        ),
        "from autogen_agentchat.teams import _group_chat; T = _group_chat._round_robin_group_chat.RoundRobinGroupChat",
        "from autogen_agentchat.teams._group_chat import _round_robin_group_chat as m; T = m.RoundRobinGroupChat",
        "from autogen_agentchat.teams._group_chat._round_robin_group_chat import *; T = RoundRobinGroupChat",
        (
            "import importlib as i; n = 'autogen_agentchat.teams._group_chat._round_robin_group_chat'; "
            "T = i.import_module(n).RoundRobinGroupChat"
        ),
        (
            "import importlib as i; i.import_module('autogen_agentchat.teams'); "
            "T = i.import_module('._group_chat._round_robin_group_chat', 'autogen_agentchat.teams').RoundRobinGroupChat"
        ),
        (
            "from importlib.util import find_spec, module_from_spec; import sys; "
            "s = find_spec('autogen_agentchat.teams._group_chat._round_robin_group_chat'); m = module_from_spec(s); "
            "s.loader.exec_module(m); T = m.RoundRobinGroupChat"
        ),
    ],
)
def test_n07_every_form_of_import_reaches_a_private_module(program: str) -> None:
    code = f"{HOOK}{program}; from symposia.agentchat.teams import RoundRobinGroupChat as R; print(T is R)"
    assert printed(code) == "True"


def test_n07_a_private_module_of_ours_is_not_replaced_by_autogens_of_the_same_name() -> None:
    own = importlib.import_module("symposia.core._routed_agent")
    theirs = importlib.import_module("autogen_core._routed_agent")
    core: ModuleType = importlib.import_module("symposia.core")
    assert own is theirs is vars(core)["_routed_agent"]
    assert own.__spec__ is not None
    assert own.__spec__.name == own.__name__ == "symposia.core._routed_agent"


def test_n07_a_name_that_is_only_private_is_refused_with_what_is_public() -> None:
    for statement in (
        "from autogen_core.models._types import CreateResultt",
        "from autogen_core.models._types import *; from autogen_core.models._types import _Hidden",
    ):
        with pytest.raises(
            ImportError, match=r"_types\.\w+ is private in AutoGen, and Symposia has .* only\."
        ) as caught:
            exec(statement)
        assert "The public names that autogen_core.models._types defines are: AssistantMessage, " in str(caught.value)


@pytest.mark.parametrize("statement", ["import autogen_core._helpers", "from autogen_core._helpers import help_out"])
def test_n07_a_private_module_without_public_names_is_refused(statement: str) -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        exec(statement)
    assert caught.value.name == "autogen_core._helpers"
    assert str(caught.value) == (
        "autogen_core._helpers is private in AutoGen, and Symposia has AutoGen's public names only. "
        "Look for a public one in autogen_core."
    )


def test_n07_asking_a_private_module_for_what_it_lacks_is_no_import_error() -> None:
    types = importlib.import_module("autogen_core.models._types")
    assert not hasattr(types, "Zzz")
    assert not hasattr(types, "__file__")
    with pytest.raises(AttributeError, match="Zzz is private in AutoGen"):
        types.Zzz  # noqa: B018 - the access is what is tested
    assert {"UserMessage", "SystemMessage"} <= set(dir(types))


def test_n07_pickles_of_autogen_are_read() -> None:
    assert pickle.loads(b"cautogen_core.models._types\nUserMessage\n.") is UserMessage
    assert pickle.loads(pickle.dumps(UserMessage)) is UserMessage


def test_n07_inspect_finds_the_module_that_really_defines_a_class() -> None:
    importlib.import_module("autogen_core._routed_agent")
    importlib.import_module("autogen_core.models._types")
    assert inspect.getmodule(RoutedAgent) is sys.modules["symposia.core._routed_agent"]
    assert inspect.getmodule(UserMessage) is sys.modules[UserMessage.__module__]
    assert inspect.getmodule(sys.modules["autogen_core.models._types"]) is sys.modules["autogen_core.models._types"]


def test_n07_uninstalling_takes_private_modules_back() -> None:
    importlib.import_module("autogen_core.models._types")
    importlib.import_module("symposia.autogen").uninstall()
    assert "autogen_core.models._types" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("autogen_core.models._types")
