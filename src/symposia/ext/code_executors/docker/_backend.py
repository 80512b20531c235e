"""Sandboxes in Docker containers: the shared server as the container's first process, over its attach stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from symposia.core import Component, uninterrupted
from symposia.core.code_executor import (
    Progress,
    RunningSandbox,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
)
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, SandboxError, SandboxUnavailableError
from symposia.ext._temporary_folders import temporary_folder
from symposia.ext.code_executors._sandbox._connection import SandboxConnection
from symposia.ext.code_executors._sandbox._mounts import NO_FILES_OF_ITS_OWN, Data, data_bind
from symposia.ext.code_executors._sandbox._program import ServerSettings, bootstrap_arguments, server_program
from symposia.ext.code_executors._sandbox._seccomp import seccomp_program
from symposia.ext.code_executors.docker._address import connect_engine, is_remote
from symposia.ext.code_executors.docker._container import (
    GVISOR,
    SHARED_USER_ID,
    ContainerConfig,
    container_config,
    own_user_id,
)
from symposia.ext.code_executors.docker._data import (
    copied_mounts,
    copy_data,
    is_in_container,
    open_parents,
    private_mounts,
    shared_data,
)
from symposia.ext.code_executors.docker._engine import (
    EngineClient,
    Json,
    engine_machine,
    engine_runtimes,
    maps_users,
)
from symposia.ext.code_executors.docker._image import (
    BASE_IMAGE,
    has_image,
    image_python,
    image_with_packages,
    make_image,
    prepared_image,
    remove_unused_images,
)
from symposia.ext.code_executors.docker._reaper import (
    owner_labels,
    remove_left_over,
    running_containers,
)
from symposia.ext.code_executors.docker._transport import Attachment, DockerTransport, start_attached

Configure = partial[ContainerConfig]


class DockerBackend(Component, SandboxBackend):
    """A `SandboxBackend` on the Docker engine that ``DOCKER_HOST`` names, else the one at the default socket.

    Contexts of the ``docker`` command are not read.

    Args:
        image: A stock ``python`` image, on which the pinned packages are put, or another image, which is used
            as it is and needs a ``python3``.
        container_name: Of the next sandbox; made up for each when None.
        device_requests: Devices for the sandbox, in the engine API's JSON. A device's driver is a way out of a sandbox.
        packages: What code can import beside what a stock image gets; see `with_packages`.
        runtime: The engine's runtime that runs the containers, such as ``runc``. None: gVisor (``runsc``) where the
            engine has it, which puts a kernel of its own between code and the host's; else the engine's default.
    """

    component_type = "sandbox_backend"
    name = "docker"

    def __init__(
        self,
        image: str = BASE_IMAGE,
        *,
        container_name: str | None = None,
        device_requests: Sequence[Json] = (),
        packages: SandboxPackages | None = None,
        runtime: str | None = None,
    ) -> None:
        self._image = image
        self._runtime = runtime
        self._container_name = container_name
        self._device_requests = tuple(device_requests)
        self._packages = packages

    def with_packages(self, packages: SandboxPackages) -> DockerBackend:
        """A backend whose image has these packages, too; see `SandboxBackend.with_packages`.

        Raises:
            InvalidArgumentError: The image is one of the user's own.
        """
        if prepared_image(self._image) == self._image:
            raise InvalidArgumentError(
                f"{self._image} is an image of your own, which is used as it is. Install the packages in it, or take a "
                f"stock Python image, such as {BASE_IMAGE}."
            )
        return DockerBackend(
            self._image,
            container_name=self._container_name,
            device_requests=self._device_requests,
            packages=packages,
            runtime=self._runtime,
        )

    async def runtime(self) -> str:
        """The engine's runtime that runs the sandboxes; empty for its default.

        Raises:
            SandboxUnavailableError: No engine answers, or it has no runtime of the name that was given.
        """
        client = await connect_engine()
        try:
            return await chosen_runtime(client, self._runtime)
        finally:
            await asyncio.to_thread(client.close)

    async def unavailable_reason(self) -> str | None:
        """Return what is missing, the SDK, the engine or the image; see `SandboxBackend.unavailable_reason`."""
        try:
            client = await connect_engine()
        except (MissingExtraError, SandboxUnavailableError) as error:
            return str(error)
        try:
            await chosen_runtime(client, self._runtime)
            if await has_image(client, prepared_image(self._image)) or await has_image(client, self._image):
                return None
        except SandboxUnavailableError as error:  # it has no such runtime
            return str(error)
        else:
            return f"The Docker engine does not have the image {self._image}. Make it ready with: symposia setup"
        finally:
            await asyncio.to_thread(client.close)

    async def is_set_up(self) -> bool:
        """Whether the engine has the image with the pinned packages."""
        client = await connect_engine()
        try:
            return await has_image(client, await image_with_packages(self._image, self._packages))
        finally:
            await asyncio.to_thread(client.close)

    async def set_up(self, progress: Progress | None = None) -> None:
        """Make the image ahead of the first sandbox; see `make_image`."""
        client = await connect_engine()
        try:
            await make_image(client, self._image, progress, self._packages)
        finally:
            await asyncio.to_thread(client.close)

    async def running(self) -> Sequence[RunningSandbox]:
        """List the containers of processes of this machine; see `SandboxBackend.running`."""
        client = await connect_engine()
        try:
            return await running_containers(client, self.name)
        finally:
            await asyncio.to_thread(client.close)

    async def clean(self) -> Sequence[str]:
        """Remove what processes that have ended have left, and unused images; see `SandboxBackend.clean`."""
        client = await connect_engine()
        try:
            return [*await remove_left_over(client), *await remove_unused_images(client)]
        finally:
            await asyncio.to_thread(client.close)

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a container; see `SandboxBackend.create`. The first one on a machine makes the image."""
        data = await asyncio.to_thread(lambda: [data_bind(mount, reader=NO_FILES_OF_ITS_OWN) for mount in mounts])
        program = await asyncio.to_thread(server_program)
        python = image_python(self._image)
        client = await connect_engine()
        try:
            runtime = await chosen_runtime(client, self._runtime)
            image = await make_image(client, self._image, packages=self._packages)
            await remove_left_over(client)
            settings = ServerSettings(
                python=python,
                limit_processes=runtime == GVISOR,
                seccomp=seccomp_program(
                    await engine_machine(client), tcp=policy.network is not None, stateful=policy.stateful
                ),
                data=[each.target for each in data],
            )
            labels = await asyncio.to_thread(owner_labels)
            config = partial(
                container_config,
                image=image,
                command=[python or "python3", *bootstrap_arguments(program)],
                policy=policy,
                labels=labels,
                user=SHARED_USER_ID if await maps_users(client) else own_user_id(),
                device_requests=self._device_requests,
                parents=open_parents(data) if python else (),
                runtime=runtime,
            )
            attachment, container = await self._start_with(client, config, data, labels)
        except BaseException:
            await asyncio.to_thread(client.close)
            raise
        attachment.writer.write(program)  # ahead of the conversation, to the reader of `bootstrap_arguments`
        transport = DockerTransport(client, container, attachment)
        return await SandboxConnection.open(transport, policy, settings)

    async def _start_with(
        self, client: EngineClient, config: Configure, data: Sequence[Data], labels: Mapping[str, str]
    ) -> tuple[Attachment, str]:
        """Start a container with data that shares no inode with the host; where the engine cannot, as it is."""
        if not data:
            return await start_attached(client, config(mounts=[]), labels, self._container_name)
        if is_remote(client):
            return await self._start_with_copies(client, config, data, labels)
        async with temporary_folder("data") as folder:
            private = await uninterrupted(asyncio.to_thread(private_mounts, data, folder))
            try:
                return await start_attached(client, config(mounts=private), labels, self._container_name)
            except SandboxError:
                if await asyncio.to_thread(is_in_container):
                    return await self._start_with_copies(client, config, data, labels)
                shared = await asyncio.to_thread(shared_data, data)
                return await start_attached(client, config(mounts=shared), labels, self._container_name)

    async def _start_with_copies(
        self, client: EngineClient, config: Configure, data: Sequence[Data], labels: Mapping[str, str]
    ) -> tuple[Attachment, str]:
        fill = partial(copy_data, client, data)
        mounts = await asyncio.to_thread(copied_mounts, data)
        return await start_attached(client, config(mounts=mounts), labels, self._container_name, fill)


async def chosen_runtime(client: EngineClient, wanted: str | None) -> str:
    """The runtime for a container: the wanted one, else gVisor where the engine has it, else its default, as "".

    Raises:
        SandboxUnavailableError: The engine does not have the wanted one.
    """
    there = await engine_runtimes(client)
    if wanted is None:
        return GVISOR if GVISOR in there else ""
    if wanted not in there:
        raise SandboxUnavailableError(
            f"The Docker engine has no runtime {wanted!r}; it has {', '.join(sorted(there))}. Install it and name it "
            "in the engine's daemon.json (gVisor: runsc install), or leave runtime out."
        )
    return wanted
