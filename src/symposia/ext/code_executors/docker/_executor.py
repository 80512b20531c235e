"""AutoGen's Docker executor, on a Docker sandbox."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, cast

from pydantic import JsonValue

from symposia.core.argument_checks import check_text
from symposia.core.code_executor import OutputListener, SandboxMount, SandboxPolicy, UserFunction
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError
from symposia.ext.code_executors._environment import PINNED_NAMES
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor
from symposia.ext.code_executors.docker._backend import DockerBackend
from symposia.ext.code_executors.docker._image import BASE_IMAGE, prepared_image

ALWAYS_REMOVED: Final = (
    "{name}=False would leave a container behind. A sandbox is gone as soon as it is stopped, or its program has "
    "ended; what it made is in work_dir. Leave the argument out."
)
CONTAINER_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")  # as the engine takes them
HOST_NAME: Final = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?")
VOLUMES_EXAMPLE: Final = "{'/srv/tables': {'bind': '/data/tables', 'mode': 'ro'}}"
HOSTS_EXAMPLE: Final = "{'tables.test': '192.0.2.7'}"
HOST_GATEWAY: Final = "host-gateway"  # the engine's word for its machine
NOT_READ_ONLY: Final = (
    "extra_volumes: {source} would be mounted at {target} with the mode {mode!r}. Code in a sandbox only reads files "
    "of the host: say {{'bind': {target!r}, 'mode': 'ro'}}. What it is to change belongs into work_dir."
)
NO_DEVICES: Final = (
    "device_requests opens the sandbox to a device's driver, which is a way out of it. Say unsafe_devices=True to "
    "allow that."
)


class DockerCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in a Docker container without network, rights or lasting files, which starts on the first use.

    Args:
        image: A stock ``python`` image, on which numpy, pandas and matplotlib are put, or one of your own, which is
            used as it is and needs a ``python3``.
        container_name: The container's name; made up when None.
        timeout: Seconds that a block may run; by default, the `time_limit` of the policy, which is 60.
        work_dir: The folder of the host whose files the code sees and where its files go to; made where it is missing.
            None: a folder of its own, removed by `stop`.
        bind_dir: An existing folder of the host that the code sees, read-only, as ``/data/<its name>``. One that is
            `work_dir` is not mounted: the code works in it anyway.
        auto_remove: Only True.
        stop_container: Only True.
        device_requests: ``docker.types.DeviceRequest`` for a GPU; needs `unsafe_devices`.
        functions: Functions of the user that the code may call. The packages that they need have to be among
            `packages`, or in the image anyway.
        functions_module: The module that the code imports them from, written to the work folder.
        packages: Packages that the code may import beside those that a stock image gets, such as ``scipy`` or
            ``scipy==1.14``; they are put into an image of their own. Not with an image of yours.
        wheels: A folder of the host that is searched for them, instead of the package registry.
        extra_volumes: As the ``docker`` SDK takes them, ``{source: {"bind": target, "mode": "ro"}}``: read-only, and
            not where the sandbox has something of its own; see `SandboxMount`.
        extra_hosts: Names with their addresses, as the ``docker`` SDK takes them. The names that the network of
            `policy` allows lead there; without a network they have no effect. An address that is not public takes a
            `NetworkRule` with ``private=True``.
        init_command: A shell command that runs in the new container before the first block.
        delete_tmp_files: Whether the source of a block that does not name its file is removed when it has run.
        policy: The limits of the code.
        mounts: More files and folders of the host that the code sees, read-only.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each program that runs, and for each connection that it tries.
        trust_results: Whether files of the code may replace those of `work_dir`; see `SandboxOptions`.
        unsafe_devices: Allows `device_requests`.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: An argument would weaken the sandbox; the text says what to do instead.
        MissingExtraError: The ``docker`` SDK is not installed.
    """

    def __init__(
        self,
        image: str = BASE_IMAGE,
        container_name: str | None = None,
        *,
        timeout: float | None = None,
        work_dir: Path | str | None = None,
        bind_dir: Path | str | None = None,
        auto_remove: bool = True,
        stop_container: bool = True,
        device_requests: Sequence[Mapping[str, JsonValue]] | None = None,
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        packages: Sequence[str] = (),
        wheels: Path | str | None = None,
        extra_volumes: Mapping[str, Mapping[str, str]] | None = None,
        extra_hosts: Mapping[str, str] | None = None,
        init_command: str | None = None,
        delete_tmp_files: bool = False,
        policy: SandboxPolicy | None = None,
        mounts: Sequence[SandboxMount] = (),
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
        trust_results: bool = False,
        unsafe_devices: bool = False,
    ) -> None:
        if find_spec("docker") is None:  # told here, and not with the first block, when a team already runs
            raise MissingExtraError(type(self).__name__, "docker")
        _check_arguments(image, container_name, extra_volumes)
        hosts = _checked_hosts(extra_hosts)
        _refuse_unless_removed(auto_remove=auto_remove, stop_container=stop_container)
        if device_requests and not unsafe_devices:
            raise InvalidArgumentError(NO_DEVICES)
        self._bind_dir = None if bind_dir is None else Path(bind_dir)
        super().__init__(
            DockerBackend(image, container_name=container_name, device_requests=device_requests or ()),
            work_dir=work_dir,
            timeout=timeout,
            policy=_with_addresses(policy, hosts),
            bind_dir=bind_dir,
            mounts=[*mounts, *_volumes(extra_volumes or {})],
            on_output=on_output,
            audit_log=audit_log,
            delete_tmp_files=delete_tmp_files,
            trust_results=trust_results,
            init_command=init_command,
            functions=functions,
            functions_module=functions_module,
            packages=packages,
            wheels=wheels,
            installed=None if prepared_image(image) == image else PINNED_NAMES,
        )

    @classmethod
    def _from_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: as in `Component`
        """Drop the container name that AutoGen generates and saves."""
        made_up = str(config.get("container_name")).startswith("autogen-code-exec-")
        return {name: value for name, value in config.items() if not (made_up and name == "container_name")}

    @property
    def bind_dir(self) -> Path:
        """The folder that the code sees below ``/data``; the work folder where none was given."""
        return self._bind_dir or self.work_dir


def _check_arguments(image: object, container_name: object, extra_volumes: object) -> None:
    owner = DockerCommandLineCodeExecutor.__name__
    check_text("image", owner, image)
    if container_name is not None:
        check_text("container_name", owner, container_name)
        if not CONTAINER_NAME.fullmatch(str(container_name)):
            raise InvalidArgumentError(
                f"container_name is {container_name!r}: give two or more letters, digits, '_', '.' and '-', beginning "
                "with a letter or a digit."
            )
    volumes = cast("Mapping[object, object]", extra_volumes) if isinstance(extra_volumes, Mapping) else {"": None}
    if extra_volumes is not None and not all(isinstance(each, Mapping) for each in volumes.values()):
        raise ArgumentTypeError(f"extra_volumes is {extra_volumes!r}: give a dict, such as {VOLUMES_EXAMPLE}.")


def _checked_hosts(extra_hosts: object) -> dict[str, str]:
    if extra_hosts is not None and not isinstance(extra_hosts, Mapping):
        raise ArgumentTypeError(f"extra_hosts is {extra_hosts!r}: give a dict, such as {HOSTS_EXAMPLE}.")
    hosts: dict[str, str] = {}
    for name, address in cast("Mapping[object, object]", extra_hosts or {}).items():
        is_given = isinstance(name, str) and HOST_NAME.fullmatch(name) and isinstance(address, str)
        if not is_given or not (address == HOST_GATEWAY or _is_address(str(address))):
            raise InvalidArgumentError(
                f"extra_hosts has {name!r} at {address!r}: give a dict, such as {HOSTS_EXAMPLE}."
            )
        hosts[str(name).lower()] = str(address)
    return hosts


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _with_addresses(policy: SandboxPolicy | None, hosts: Mapping[str, str]) -> SandboxPolicy | None:
    """The policy, whose proxy goes to these addresses: names are resolved outside of the sandbox."""
    if policy is None or policy.network is None or not hosts:
        return policy
    rules = policy.network.rules
    placed = [
        replace(rule, host=name, address="127.0.0.1" if address == HOST_GATEWAY else address)
        for name, address in hosts.items()
        for rule in rules
        if rule.fits(name, next(iter(rule.ports), 80))
    ]
    allow = [*placed, *(rule for rule in rules if rule.host not in hosts)]
    return replace(policy, network=replace(policy.network, allow=allow))


def _refuse_unless_removed(**flags: bool) -> None:
    for name, value in flags.items():
        if not value:
            raise InvalidArgumentError(ALWAYS_REMOVED.format(name=name))


def _volumes(extra_volumes: Mapping[str, Mapping[str, str]]) -> list[SandboxMount]:
    mounts: list[SandboxMount] = []
    for source, volume in extra_volumes.items():
        target, mode = volume.get("bind", ""), volume.get("mode", "rw")
        mounts.append(SandboxMount(source=Path(source), target=target))
        if mode != "ro":
            raise InvalidArgumentError(NOT_READ_ONLY.format(source=source, target=target, mode=mode))
    return mounts
