import asyncio

import pytest
from tests.support.sandboxes import require

from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment import TargetPython
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.docker._image import BASE_IMAGE, PullProgress, image_python, prepared_image

WAIT = 60.0


@pytest.mark.parametrize("image", ["python:3.11-slim", "python:3-slim", "docker.io/library/python:3.12", "python"])
def test_a_stock_image_gets_the_packages_on_top(image: str) -> None:
    assert prepared_image(image).startswith("symposia-sandbox:")
    assert image_python(image) == "/opt/symposia/bin/python"


@pytest.mark.parametrize("image", ["mine:latest", "registry.example/python:3.11", "someone/python"])
def test_an_image_of_ones_own_is_used_as_it_is(image: str) -> None:
    assert prepared_image(image) == image
    assert image_python(image) == ""


def test_each_stock_image_has_a_prepared_form_of_its_own() -> None:
    assert prepared_image("python:3.11-slim") != prepared_image("python:3.12-slim")


def test_wheels_are_asked_for_every_older_c_library_too() -> None:
    arguments = TargetPython(version="3.12", machine="aarch64", glibc_minor=19).pip_arguments()
    assert arguments[:4] == ["--python-version", "3.12", "--implementation", "cp"]
    assert arguments[4:] == [
        *("--platform", "manylinux_2_19_aarch64"),
        *("--platform", "manylinux_2_18_aarch64"),
        *("--platform", "manylinux_2_17_aarch64"),
        *("--platform", "manylinux2014_aarch64"),
    ]


async def test_an_image_that_cannot_be_had_is_told_with_what_to_do() -> None:
    await asyncio.to_thread(require, DockerBackend())
    backend = DockerBackend("localhost:1/no-such-image:1")
    async with asyncio.timeout(WAIT):
        reason = await backend.unavailable_reason()
        assert reason is not None
        assert "does not have the image localhost:1/no-such-image:1" in reason
        with pytest.raises(SandboxUnavailableError, match="cannot be pulled") as raised:
            await backend.create(SandboxPolicy())
    assert f"The engine has {BASE_IMAGE}: DockerBackend({BASE_IMAGE!r}) runs it" in str(raised.value)
    assert "docker save -o image.tar localhost:1/no-such-image:1" in str(raised.value)


def test_the_progress_of_a_pull_is_told_in_steps() -> None:
    said: list[str] = []
    progress = PullProgress("python:3.11-slim", said.append)
    progress.add({"status": "Pulling fs layer", "id": "a", "progressDetail": {}})
    for there in range(0, 31_000_000, 1_000_000):
        progress.add({"status": "Downloading", "id": "a", "progressDetail": {"current": there, "total": 30_000_000}})
        progress.add({"status": "Downloading", "id": "b", "progressDetail": {"current": 1, "total": 14_500_000}})
    progress.add({"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 30_000_000}})
    progress.add({"status": "Downloading", "id": "a", "progressDetail": {"current": "1"}})
    assert said == [f"pulling the image python:3.11-slim: {there} of 45 MB" for there in (10, 20, 30)]


async def test_setting_up_twice_does_nothing_the_second_time() -> None:
    await asyncio.to_thread(require, DockerBackend())
    async with asyncio.timeout(WAIT):
        await DockerBackend().set_up()
        said: list[str] = []
        await DockerBackend().set_up(said.append)
    assert said == []
