"""Which files are looked at, how they are read, and that they are written whole or not at all."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest

from symposia.migration import FindingKind, plan_migration

IMPORT = "import autogen_core\n"
NEW = "import symposia.core\n"


def test_folders_are_searched_without_hidden_ones_environments_and_links_that_lead_out(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside.py"
    outside.write_text(IMPORT)
    for name in ("a.py", "b/c.pyi", ".git/d.py", "venv/lib/e.py", "node_modules/f.py", "__pycache__/g.py", "h.txt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(IMPORT)
    (project / "venv/pyvenv.cfg").touch()
    (project / "out.py").symlink_to(outside)
    (project / "again.py").symlink_to(project / "a.py")
    plan = plan_migration([project, project / "a.py"])
    assert [change.path.relative_to(project).as_posix() for change in plan.changes] == ["a.py", "b/c.pyi"]


def test_a_link_stays_and_its_target_is_changed(tmp_path: Path) -> None:
    target, link = tmp_path / "target.py", tmp_path / "link.py"
    target.write_text(IMPORT)
    target.chmod(0o640)
    link.symlink_to(target)
    [change] = plan_migration([link]).changes
    change.write()
    assert link.is_symlink()
    assert target.read_text() == NEW
    assert target.stat().st_mode & 0o777 == 0o640
    assert set(tmp_path.iterdir()) == {link, target}


def test_a_file_that_is_not_writable_or_has_changed_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(IMPORT)
    [change] = plan_migration([path]).changes
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="is not writable"):
        change.write()
    path.chmod(0o644)
    path.write_text("x = 1")
    with pytest.raises(OSError, match="has changed since it was read"):
        change.write()
    assert path.read_text() == "x = 1"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_pipes_circles_of_links_and_folders_that_cannot_be_read_are_told_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text(IMPORT)
    (tmp_path / "circle.py").symlink_to("circle.py")
    (tmp_path / "closed").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    scan = os.scandir

    def refusing(path: str) -> object:  # root may read every folder
        if path == str(tmp_path / "closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    plan = plan_migration([tmp_path, tmp_path / "pipe.py"])
    assert [change.path.name for change in plan.changes] == ["a.py"]
    assert {finding.path.name: finding.kind for finding in plan.findings} == dict.fromkeys(
        ("closed", "pipe.py"), FindingKind.UNREADABLE
    )


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
def test_a_file_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(IMPORT)
    os.chown(path, 12345, 12346)
    [change] = plan_migration([path]).changes
    change.write()
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_diff_has_the_lines_of_the_file_and_its_name_on_one(tmp_path: Path) -> None:
    path = tmp_path / "a\n+b.py"
    path.write_bytes(b"x = 1 \x0c# y\r\nimport autogen_core")
    [change] = plan_migration([path]).changes
    assert change.diff() == (
        f"--- a/{tmp_path}/a␊+b.py\n+++ b/{tmp_path}/a␊+b.py\n@@ -1,2 +1,2 @@\n"
        " x = 1 \x0c# y\n-import autogen_core\n+import symposia.core\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "cp1252"])
def test_the_encoding_of_a_program_stays(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.py"
    declared = "" if encoding == "utf-8-sig" else f"# -*- coding: {encoding} -*-\r\n"
    path.write_bytes(f"{declared}import autogen_core  # é\r\n".encode(encoding))
    [change] = plan_migration([path]).changes
    assert change.after == f"{declared}import symposia.core  # é\r\n".encode(encoding)
    assert "+import symposia.core  # é" in change.diff()


def test_json_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"provider": "autogen_core.AgentId", "config": ' + "[" * 100_000)
    [finding] = plan_migration([path]).findings
    assert (finding.kind, finding.text) == (FindingKind.UNREADABLE, "It is nested too deeply to be read.")


@pytest.mark.parametrize("data", [b"import autogen # \xff", b"# coding: nothing\nimport autogen", b"\x00autogen"])
def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.py").write_bytes(data)
    (tmp_path / "b.py").write_text(IMPORT)
    plan = plan_migration([tmp_path])
    assert [finding.kind for finding in plan.findings] == [FindingKind.UNREADABLE]
    assert [change.path.name for change in plan.changes] == ["b.py"]


def test_providers_in_component_json_are_renamed_and_the_layout_stays(tmp_path: Path) -> None:
    path = tmp_path / "team.json"
    before = """\
{"provider" :"autogen_agentchat.teams.RoundRobinGroupChat",  "config": {"participants": [
    {"provider": "autogen_core.Nothing", "config": {}}],
  "note": "autogen_core", "provider": "autogen_core.no_component"} }"""
    path.write_text(before)
    plan = plan_migration([path])
    [change] = plan.changes
    assert change.after.decode() == before.replace("autogen_agentchat.teams", "symposia.agentchat.teams")
    [finding] = plan.findings
    assert (finding.line, finding.name) == (2, "autogen_core.Nothing")
    json.loads(change.after)


@pytest.mark.parametrize(
    ("name", "line", "wanted"),
    [
        ("requirements-dev.txt", "autogen-agentchat==0.7.5", "symposia in place of autogen-agentchat"),
        (
            "requirements.txt",
            "autogen-ext[openai, magentic-one]>=0.4",
            "symposia[documents,openai,web-surfer] in",
        ),
        ("pyproject.toml", 'dependencies = ["pyautogen~=0.2"]', "symposia[openai] in place of pyautogen"),
        ("requirements.txt", "autogen-ext[grpc]", "Nothing corresponds to the extra grpc."),
    ],
)
def test_requirements_are_not_rewritten_and_it_is_told_what_to_require(
    tmp_path: Path, name: str, line: str, wanted: str
) -> None:
    (tmp_path / name).write_text(f"# autogen-core\n{line}\nmy-autogen-core-x\n")
    plan = plan_migration([tmp_path])
    assert not plan.changes
    [finding] = plan.findings
    assert (finding.line, finding.kind, wanted in finding.text) == (2, FindingKind.NOTE, True), finding.text
