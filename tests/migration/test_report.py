"""What of a project would run as it is."""

from pathlib import Path

import pytest
from tests.docs.test_differences import on_the_page

from symposia._autogen_names import catalogue
from symposia.migration import FindingKind, report_on
from symposia.migration._differences import DIFFERENCES, Difference


def test_missing_names_and_differences_are_listed_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text("from autogen_core import AgentId\n")
    (tmp_path / "none.py").write_text("# not autogen\nruntime.stop_when_idle()\n")
    (tmp_path / "some.py").write_text(
        "from autogen_core import Nothing\n"
        "from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor as Docker\n"
        "Docker(auto_remove=False)\n"
        "runtime.stop_when_idle()\n"
    )
    report = report_on([tmp_path])
    assert [path.name for path in report.programs] == ["fine.py", "some.py"]
    assert [path.name for path in report.blocked] == ["some.py"]
    assert [(each.path.name, each.line, each.kind) for each in report.findings] == [
        ("some.py", 1, FindingKind.MISSING),
        ("some.py", 2, FindingKind.DIFFERENCE),
        ("some.py", 3, FindingKind.DIFFERENCE),
        ("some.py", 4, FindingKind.DIFFERENCE),
    ]
    assert report.findings[3].text.endswith("(F5)")


def test_a_name_of_autogen_0_2_has_its_own_differences(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "import autogen\nfrom autogen_agentchat.agents import UserProxyAgent\nautogen.UserProxyAgent('u')\n"
    )
    old, new = sorted(report_on([path]).findings, key=lambda finding: finding.name)
    assert (old.line, old.name, "sandbox" in old.text) == (3, "autogen.UserProxyAgent", True)
    assert (new.line, "sandbox" in new.text) == (2, False)


@pytest.mark.parametrize(
    ("use", "differs"),
    [
        ("autogen.UserProxyAgent('u')", True),
        ("autogen.UserProxyAgent('u', code_execution_config={'work_dir': 'x'})", True),
        ("autogen.UserProxyAgent('u', **options)", True),
        ("class Proxy(autogen.UserProxyAgent): ...", True),
        ("autogen.UserProxyAgent('u', code_execution_config=False)", False),
        ("def f(user: autogen.UserProxyAgent): ...", False),
        ("autogen.AssistantAgent('a')", False),
        ("autogen.AssistantAgent('a', code_execution_config={})", True),
        ("Docker(auto_remove=False)", True),
        ("Docker(auto_remove=remove)", True),
        ("Docker(auto_remove=True)", False),
        ("Docker(**options)", True),
        ("SelectorGroupChat(agents, model)", True),
        ("SelectorGroupChat(agents, model, allow_repeated_speaker=True)", False),
    ],
)
def test_a_difference_is_told_of_an_argument_where_it_is_one(use: str, *, differs: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "import autogen\n"
        "from autogen_agentchat.teams import SelectorGroupChat\n"
        "from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor as Docker\n"
        f"{use}\n"
    )
    assert bool([finding for finding in report_on([path]).findings if finding.line == 4]) == differs


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: f"{row.use} {row.fault}")
def test_every_difference_is_about_a_name_of_autogen_and_a_fault_of_the_page(row: Difference) -> None:
    names = {name for each in catalogue().exports.values() for name in each}
    assert row.use.startswith(".") or row.name.removeprefix("autogen.") in names
    assert not row.fault or int(row.fault[1:]) in on_the_page()
