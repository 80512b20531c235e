"""What of a project would run as it is."""

from pathlib import Path

import pytest
from tests.docs.test_differences import on_the_page

from symposia._autogen_names import catalogue
from symposia.migration import FindingKind, report_on
from symposia.migration._differences import DIFFERENCES


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
    path.write_text("import autogen\nfrom autogen_agentchat.agents import UserProxyAgent\nautogen.UserProxyAgent\n")
    old, new = sorted(report_on([path]).findings, key=lambda finding: finding.name)
    assert (old.line, old.name, "sandbox" in old.text) == (3, "autogen.UserProxyAgent", True)
    assert (new.line, "sandbox" in new.text) == (2, False)


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row[0])
def test_every_difference_is_about_a_name_of_autogen_and_a_fault_of_the_page(row: tuple[str, str, str]) -> None:
    use, number, _ = row
    names = {name for each in catalogue().exports.values() for name in each}
    assert use.startswith(".") or use.removeprefix("autogen.").partition("(")[0] in names
    assert not number or int(number[1:]) in on_the_page()
