"""The image that Docker sandboxes run: a stock Python image, and the pinned packages in an environment on top.

The wheels are fetched by the host's pip for the image's Python and copied in, so that the build itself runs without a
network. An image that is not a stock ``python`` one is the user's own and is used as it is.
"""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final, cast

from symposia.core import uninterrupted
from symposia.core.code_executor import Progress, SandboxPackages
from symposia.core.exceptions import SandboxError, SandboxUnavailableError
from symposia.ext._temporary_folders import temporary_folder
from symposia.ext.code_executors._environment import (
    TargetPython,
    described,
    environment_key,
    identity_of,
    ignore_progress,
    install_allowed_packages,
    install_pinned_packages,
    is_unused,
    mark_used,
    one_set_up_at_a_time,
)
from symposia.ext.code_executors.docker._engine import (
    EngineClient,
    EngineConflictError,
    EngineNotFoundError,
    Json,
    ask,
    follow,
)
from symposia.ext.code_executors.docker._reaper import owner_labels

BASE_IMAGE: Final = "python:3.11-slim"
Fetch = Callable[[Path, TargetPython], Awaitable[None]]
"""Puts packages for a Python into an empty folder."""
_MB: Final = 1_000_000
_PULL_STEP: Final = 10 * _MB
IMAGE_NAME: Final = "symposia-sandbox"
ENVIRONMENT: Final = "/opt/symposia"
# Compiled here, since the root of a container cannot be written: else every block would compile pandas again.
RECIPE: Final = f"""\
FROM {{base}}
USER 0
RUN python3 -m venv --without-pip {ENVIRONMENT}
COPY packages {ENVIRONMENT}/lib/python{{version}}/site-packages
RUN {ENVIRONMENT}/bin/python -m compileall -q {ENVIRONMENT}/lib
CMD ["{ENVIRONMENT}/bin/python"]
"""
# The same for packages that the user allows, on the image that the first one makes.
RECIPE_OF_LAYER: Final = f"""\
FROM {{base}}
USER 0
COPY packages {ENVIRONMENT}/lib/python{{version}}/site-packages
RUN {ENVIRONMENT}/bin/python -m compileall -q {ENVIRONMENT}/lib
"""
DESCRIBE_PYTHON: Final = """
import json, platform, sys
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "machine": platform.machine(),
                  "libc": platform.libc_ver()}))
"""


def prepared_image(image: str) -> str:
    """The image that a sandbox for `image` runs: for a stock Python image one made from it, else `image`."""
    repository = image.removeprefix("docker.io/").removeprefix("library/").partition(":")[0]
    return f"{IMAGE_NAME}:{environment_key(image, RECIPE)}" if repository == "python" else image


async def image_with_packages(image: str, packages: SandboxPackages | None) -> str:
    """The image that a sandbox for `image` runs, with the packages that the user allows.

    Raises:
        InvalidArgumentError: The folder of wheels is none.
    """
    prepared = prepared_image(image)
    if packages is None:
        return prepared
    identity = await asyncio.to_thread(identity_of, packages)
    return f"{IMAGE_NAME}:{environment_key(prepared, RECIPE_OF_LAYER, *identity)}"


def image_python(image: str) -> str:
    """The path of the interpreter for generated code in the prepared form of `image`.

    Empty for an image of the user's own: there it is the ``python3`` that the image finds for the server.
    """
    return "" if prepared_image(image) == image else f"{ENVIRONMENT}/bin/python"


async def has_image(client: EngineClient, image: str) -> bool:
    """Whether the engine has `image`. Nothing is pulled."""
    try:
        await ask(client.inspect_image, image)
    except EngineNotFoundError:
        return False
    return True


async def make_image(
    client: EngineClient,
    image: str = BASE_IMAGE,
    progress: Progress | None = None,
    packages: SandboxPackages | None = None,
) -> str:
    """Find the prepared form of `image`, or make it: half a minute, once for each image and set of pins.

    Args:
        client: The engine.
        image: A stock Python image, or one of the user's own, which is only pulled.
        progress: Called with a line of text as each part of the work begins; never called when it is there already.
        packages: What is in it beside the pinned packages.

    Returns:
        The name of the prepared image.

    Raises:
        SandboxUnavailableError: A part of it cannot be had; the text says which, and what to do.
    """
    report = progress or ignore_progress
    prepared, wanted = prepared_image(image), await image_with_packages(image, packages)
    await asyncio.to_thread(mark_used, wanted)
    if await has_image(client, wanted):
        return wanted
    async with one_set_up_at_a_time():
        if not await has_image(client, prepared):
            await _prepare(client, image, prepared, report)
        if packages is not None and not await has_image(client, wanted):
            fetch = partial(install_allowed_packages, packages)
            await build_layer(client, prepared, wanted, RECIPE_OF_LAYER, fetch, described(packages), report)
    return wanted


async def remove_unused_images(client: EngineClient) -> list[str]:
    """Remove the images that were made for packages, and no sandbox of this user runs since a month.

    The one of the default image stays, and so does one that another program's container runs.
    """
    kept = prepared_image(BASE_IMAGE)
    removed: list[str] = []
    for entry in await ask(client.images, IMAGE_NAME):
        for name in entry["RepoTags"] or ():
            if name != kept and await asyncio.to_thread(is_unused, name, entry["Created"]):
                with suppress(EngineConflictError, EngineNotFoundError):
                    await ask(client.remove_image, name)
                    removed.append(name)
    return removed


async def _prepare(client: EngineClient, image: str, prepared: str, report: Progress) -> None:
    if not await has_image(client, image):
        report(f"pulling the image {image}")
        await _pull(client, image, report)
    if not await has_image(client, prepared):
        contents = "numpy, pandas and matplotlib"
        await build_layer(client, image, prepared, RECIPE, install_pinned_packages, contents, report)


class PullProgress:
    """The progress of a pull as lines of text: how much of what the engine knows of is there, in steps of a few MB.

    Args:
        image: What is pulled.
        report: Called with each line.
    """

    def __init__(self, image: str, report: Progress) -> None:
        self._image = image
        self._report = report
        self._layers: dict[str, tuple[int, int]] = {}
        self._reported = 0

    def add(self, progress: Json) -> None:
        """Take a piece of the engine's progress: of a layer that is downloaded, the bytes that are there and all."""
        detail = progress.get("progressDetail")
        if progress.get("status") != "Downloading" or not isinstance(detail, dict):
            return
        numbers = cast("Mapping[str, object]", detail)
        current, total = numbers.get("current"), numbers.get("total")
        if not isinstance(current, int) or not isinstance(total, int):
            return
        self._layers[str(progress.get("id"))] = current, total
        there, known = (sum(values) for values in zip(*self._layers.values(), strict=True))
        if there - self._reported >= _PULL_STEP:
            self._reported = there
            self._report(f"pulling the image {self._image}: {there // _MB} of {-(-known // _MB)} MB")


async def _pull(client: EngineClient, image: str, report: Progress) -> None:
    repository, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "latest")
    try:
        await follow(
            lambda: client.pull(repository, tag, stream=True, decode=True), listener=PullProgress(image, report).add
        )
        await ask(client.inspect_image, image)
    except SandboxError as error:
        raise SandboxUnavailableError(
            f"The image {image} is not there and cannot be pulled ({error}). {await _instead_of(client, image)}"
        ) from error


async def _instead_of(client: EngineClient, image: str) -> str:
    """What to do without a registry, with what the engine has."""
    stock = {name for entry in await ask(client.images, "python") for name in entry["RepoTags"] or ()}
    usable = sorted(name for name in stock if name.startswith("python:"))
    there = f"The engine has {usable[0]}: DockerBackend({usable[0]!r}) runs it. Else bring" if usable else "Bring"
    return (
        f"{there} the image from a machine with a network (there: docker pull {image}; "
        f"docker save -o image.tar {image}; here: docker load -i image.tar), or make {BASE_IMAGE} from this machine's "
        "Debian mirror with scripts/make-sandbox-image of Symposia's source, as root."
    )


async def build_layer(
    client: EngineClient, base: str, tag: str, recipe: str, fetch: Fetch, contents: str, report: Progress
) -> None:
    """Build an image from one that the engine has, with packages that the host's pip fetches.

    Args:
        client: The engine.
        base: The image that it is built from.
        tag: Its name.
        recipe: The Dockerfile, with ``{base}`` and ``{version}``, which copies the folder ``packages``.
        fetch: Puts packages for a Python into an empty folder.
        contents: The packages in words.
        report: Called with a line of text as each part of the work begins.

    Raises:
        SandboxUnavailableError: A part of it cannot be had; the text says which, and what to do.
    """
    target = await _python_of(client, base)
    try:
        async with temporary_folder("image") as folder:
            report(f"fetching {contents} for Python {target.version} on {target.machine}")
            packages = folder / "packages"
            await uninterrupted(asyncio.to_thread(packages.mkdir))
            await fetch(packages, target)
            report(f"building the image {tag} from {base}")
            text = recipe.format(base=base, version=target.version)
            await follow(lambda: _send_build(client, tag, folder, text))
    except SandboxUnavailableError:
        raise
    except SandboxError as error:
        raise SandboxUnavailableError(
            f"The image {tag} could not be built: {error}. Check the base image {base} and the packages."
        ) from error


def _send_build(client: EngineClient, tag: str, folder: Path, recipe: str) -> Iterator[Json]:
    with tempfile.TemporaryFile() as context:
        _write_context(context, folder, recipe)
        yield from client.build(
            fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True, network_mode="none", decode=True
        )


def _write_context(context: IO[bytes], folder: Path, recipe: str) -> None:
    with tarfile.open(fileobj=context, mode="w") as archive:
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(recipe.encode())
        archive.addfile(dockerfile, io.BytesIO(recipe.encode()))
        archive.add(folder / "packages", "packages", filter=_owned_by_root)
    context.seek(0)


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


async def _python_of(client: EngineClient, image: str) -> TargetPython:
    """Run the image's Python once, without a network, to learn its version and platform."""
    # Its tag need not say, and a wheel for another version or C library would fail at its first import.
    config = {
        "Image": image,
        "Entrypoint": [],
        "Cmd": ["python3", "-c", DESCRIBE_PYTHON],
        "Labels": await asyncio.to_thread(owner_labels),
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "json-file"}},
    }
    container = str((await ask(client.create_container_from_config, config))["Id"])
    try:
        await ask(client.start, container)
        await ask(client.wait, container)
        answer = await ask(client.logs, container)
    finally:
        await ask(client.remove_container, container, force=True)
    return _parse_python(image, answer)


def _parse_python(image: str, answer: bytes) -> TargetPython:
    try:
        fields = json.loads(answer)
        library, version = fields["libc"]
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxUnavailableError(
            f"The image {image} has no usable python3: {answer.decode(errors='replace').strip()}. Take one "
            f"that has it, such as {BASE_IMAGE}."
        ) from error
    if library != "glibc":
        raise SandboxUnavailableError(f"The image {image} is not built on glibc. Use a Debian one, as {BASE_IMAGE}.")
    return TargetPython(
        version=fields["version"], machine=fields["machine"], glibc_minor=int(version.partition(".")[2])
    )
