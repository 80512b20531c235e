import importlib
import importlib.metadata
import importlib.util
import pickle
import sys

import pytest
from tests.support.interpreter import printed

NAMES = [
    ("autogen_core", "symposia.core"),
    ("autogen_core.models", "symposia.core.models"),
    ("autogen_core.exceptions", "symposia.core.exceptions"),
    ("autogen_agentchat.teams", "symposia.agentchat.teams"),
    ("autogen_ext.models.replay", "symposia.ext.models.replay"),
]


@pytest.mark.parametrize(("theirs", "ours"), NAMES)
def test_a_module_is_one_object_under_both_names(theirs: str, ours: str) -> None:
    assert importlib.import_module(theirs) is importlib.import_module(ours)
    assert sys.modules[theirs] is sys.modules[ours]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("names", NAMES)
def test_whichever_name_is_imported_first_the_module_is_executed_once(
    names: tuple[str, str], order: tuple[int, int]
) -> None:
    first, second = names[order[0]], names[order[1]]
    code = f"""
import importlib, sys, symposia.autogen
executed = []
sys.addaudithook(lambda event, args: executed.append(args[0].co_filename) if event == "exec" else None)
one, two = importlib.import_module({first!r}), importlib.import_module({second!r})
print(one is two, executed.count(one.__file__), one.__name__, one.__spec__.name)
"""
    assert printed(code) == f"True 1 {names[1]} {names[1]}"


@pytest.mark.parametrize(
    "statement",
    [
        "import autogen_core.models as m",
        "from autogen_core import models as m",
        "import autogen_core; import autogen_core.models; m = autogen_core.models",
        "import importlib; m = importlib.import_module('.models', 'autogen_core')",
    ],
)
def test_every_form_of_import_gives_the_module(statement: str) -> None:
    assert printed(f"import symposia.autogen; {statement}; import symposia.core.models; print(m.__name__)") == (
        "symposia.core.models"
    )


def test_a_submodule_is_an_attribute_of_its_package_under_either_name() -> None:
    code = "import symposia.autogen, autogen_ext.models.replay, symposia; print(symposia.ext.models.replay.__name__)"
    assert printed(code) == "symposia.ext.models.replay"


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from autogen_core import *", names)
    core = importlib.import_module("symposia.core")
    assert all(names[name] is getattr(core, name) for name in core.__all__)


def test_a_module_keeps_its_own_name_and_spec_after_it_was_imported_as_autogens() -> None:
    module = importlib.import_module("autogen_core.tools")
    assert module.__name__ == module.__spec__.name == "symposia.core.tools"  # type: ignore[union-attr]
    assert importlib.reload(module) is module


def test_a_class_pickles_under_the_hook_and_is_read_without_it() -> None:
    code = "import symposia.autogen, pickle, autogen_core as c; print(pickle.dumps(c.AgentId('a', 'b')).hex())"
    agent_id = pickle.loads(bytes.fromhex(printed(code)))
    assert agent_id == importlib.import_module("symposia.core").AgentId("a", "b")


def test_find_spec_finds_a_module_without_importing_it() -> None:
    code = """
import importlib.util, sys, symposia.autogen
spec = importlib.util.find_spec("autogen_core")
print(spec.name, spec.origin.endswith("core/__init__.py"), bool(spec.submodule_search_locations))
print("symposia.core" in sys.modules)
"""
    assert printed(code).split("\n") == ["autogen_core True True", "False"]


@pytest.mark.parametrize(
    "name", ["autogen.nothing", "autogen_ext.nothing", "autogen_core.nothing", "symposia.core.nothing"]
)
def test_find_spec_answers_none_for_what_is_not_there(name: str) -> None:
    assert importlib.util.find_spec(name) is None


def test_threads_that_import_at_once_get_one_whole_module() -> None:
    code = """
import symposia.autogen, threading
gate, seen = threading.Barrier(8), []
def work():
    gate.wait()
    import autogen_agentchat.agents as agents
    seen.append((id(agents), hasattr(agents, "AssistantAgent")))
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(seen), len(set(seen)), all(whole for _, whole in seen))
"""
    assert printed(code) == "8 1 True"


@pytest.mark.parametrize("distribution", ["autogen-core", "autogen_agentchat", "Autogen.Ext"])
def test_programs_that_ask_for_autogens_version_get_the_one_whose_interface_we_have(distribution: str) -> None:
    assert importlib.metadata.version(distribution) == "0.7.5"
    assert importlib.import_module("autogen_core").__version__ == "0.7.5"


def test_a_distribution_that_stands_for_autogen_has_no_more_than_a_name_and_a_version() -> None:
    distribution = importlib.metadata.distribution("autogen-core")
    assert (distribution.name, distribution.files, list(distribution.entry_points)) == ("autogen-core", None, [])
    assert "autogen-core" not in [each.name for each in importlib.metadata.distributions()]


def test_other_distributions_are_found_as_before() -> None:
    assert importlib.metadata.version("pytest") == pytest.__version__
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("autogen")


def test_installing_twice_is_harmless() -> None:
    before = list(sys.meta_path)
    importlib.import_module("symposia.autogen").install()
    assert sys.meta_path == before


def test_uninstalling_takes_the_names_back_and_leaves_our_modules() -> None:
    importlib.import_module("autogen_core.models")
    importlib.import_module("symposia.autogen").uninstall()
    assert "symposia.core.models" in sys.modules
    assert "autogen_core.models" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("autogen_core")


def test_the_hook_itself_loads_nothing_else_of_ours() -> None:
    code = "import symposia.autogen, sys; print(*(m for m in sys.modules if m.startswith('symposia.')))"
    assert all(name.startswith(("symposia.autogen", "symposia._autogen")) for name in printed(code).split())


def test_n15_pillow_has_its_images_once_autogens_core_is_imported() -> None:
    code = """
import symposia.autogen, sys
import PIL, autogen_core
before = "PIL.Image" in sys.modules
print(before, PIL.Image.__name__, hasattr(PIL, "Nothing"))
"""
    assert printed(code) == "False PIL.Image False"
