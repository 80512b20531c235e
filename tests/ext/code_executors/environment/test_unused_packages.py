"""Sets of packages that no sandbox was made with for a month are removed by `symposia sandbox clean`."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from tests.support.docker_engine import IMAGE, Engine
from tests.support.sandboxes import require

from symposia.ext.code_executors._environment import mark_used, remove_unused_environments, sandbox_python_folder
from symposia.ext.code_executors.docker import DockerBackend

DAY = 86_400
WAIT = 60.0


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "symposia"


def age(path: Path, days: int) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def make_old(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    age(folder, 40)


async def test_what_was_not_used_for_a_month_goes_and_the_rest_stays(cache: Path) -> None:
    folders = {name: cache / "python" / name for name in ("unused", "used", "new")}
    current = await asyncio.to_thread(sandbox_python_folder)
    await asyncio.to_thread(lambda: [make_old(folder) for folder in (*folders.values(), current)])
    await asyncio.to_thread(age, folders["new"], 20)
    for name in ("used", "unused"):
        await asyncio.to_thread(mark_used, name)
    await asyncio.to_thread(age, cache / "used" / "unused", 31)
    assert await remove_unused_environments() == [folders["unused"]]
    left = await asyncio.to_thread(lambda: {folder.name for folder in (cache / "python").iterdir()})
    assert left == {"used", "new", current.name}
    assert await remove_unused_environments() == []


@pytest.mark.usefixtures("cache")
async def test_images_go_likewise_but_for_one_that_a_container_runs() -> None:
    await asyncio.to_thread(require, DockerBackend())
    engine = await asyncio.to_thread(Engine)
    names = {name: f"symposia-sandbox:test-{name}" for name in ("unused", "used")}
    try:
        async with asyncio.timeout(WAIT):
            for tag in names.values():
                await asyncio.to_thread(engine.build, f"FROM {IMAGE}\nLABEL tag={tag}\n", tag)
                await asyncio.to_thread(mark_used, tag)
            mark = Path(os.environ["XDG_CACHE_HOME"]) / "symposia" / "used" / names["unused"].replace(":", "-")
            await asyncio.to_thread(age, mark, 31)
            assert names["unused"] in await DockerBackend().clean()
            assert names["used"] not in await DockerBackend().clean()
            await asyncio.to_thread(engine.remove_image, names["used"])
    finally:
        await asyncio.to_thread(engine.close)
