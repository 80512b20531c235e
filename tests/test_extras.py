"""The command that errors name for an optional dependency that is missing."""

import sys
from pathlib import Path

import pytest

from symposia.core.exceptions import MissingExtraError
from symposia.ext.models.vendors import find_vendor


@pytest.mark.parametrize(
    ("configuration", "command"),
    [
        ("home = /usr/bin\nuv = 0.9.2\nversion_info = 3.13.1\n", "uv pip install 'symposia[openai]'"),
        ("home = /usr/bin\ncommand = /opt/uv/python -m venv x\n", "pip install 'symposia[openai]'"),
        (None, "pip install 'symposia[openai]'"),
    ],
    ids=["uv", "venv", "none"],
)
def test_a_missing_extra_is_installed_by_the_tool_that_made_the_environment(
    configuration: str | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if configuration is not None:
        (tmp_path / "pyvenv.cfg").write_text(configuration)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setitem(sys.modules, "openai", None)
    assert str(MissingExtraError("It", "openai")).endswith(f" Install it with: {command}")
    vendor, _ = find_vendor("openai/gpt-5.5")
    assert vendor.problems({"OPENAI_API_KEY": "k"}) == [f"the SDK is not installed: {command}"]
