"""Running code in Docker containers."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.code_executors.docker._backend import DockerBackend
from symposia.ext.code_executors.docker._executor import DockerCommandLineCodeExecutor
from symposia.ext.code_executors.docker._jupyter_image import jupyter_program
from symposia.ext.code_executors.docker._service import ContainerService, ServiceProgram

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "ContainerService",
    "DockerBackend",
    "DockerCommandLineCodeExecutor",
    "ServiceProgram",
    "jupyter_program",
]
