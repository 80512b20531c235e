"""Running code in Docker containers."""

from symposia.ext.code_executors.docker._backend import DockerBackend
from symposia.ext.code_executors.docker._executor import DockerCommandLineCodeExecutor

__all__ = ["DockerBackend", "DockerCommandLineCodeExecutor"]
