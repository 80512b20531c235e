"""The image of a run in the README shows what a run shows."""

import asyncio
from pathlib import Path

import pytest
from tests.support.run_image import IMAGE, draw, text_of
from tests.support.working_sandbox import working_sandbox


def test_the_image_of_a_run_shows_what_a_run_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = asyncio.run(working_sandbox())
    monkeypatch.chdir(tmp_path)
    drawn = draw(sandbox.name)
    assert text_of(IMAGE.read_text(encoding="utf-8")) == text_of(drawn), "scripts/docs draw writes the image anew"
