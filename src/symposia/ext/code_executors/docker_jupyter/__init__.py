"""Running code in a Jupyter kernel in a Docker container, or on another Jupyter server."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.code_executors.docker_jupyter._client import (
    DataItem,
    ExecutionResult,
    JupyterClient,
    JupyterConnectable,
    JupyterConnectionInfo,
    JupyterKernelClient,
)
from symposia.ext.code_executors.docker_jupyter._executor import DockerJupyterCodeExecutor, DockerJupyterCodeResult
from symposia.ext.code_executors.docker_jupyter._server import DockerJupyterServer

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "DataItem",
    "DockerJupyterCodeExecutor",
    "DockerJupyterCodeResult",
    "DockerJupyterServer",
    "ExecutionResult",
    "JupyterClient",
    "JupyterConnectable",
    "JupyterConnectionInfo",
    "JupyterKernelClient",
]
