"""The address of a Jupyter server."""

from __future__ import annotations

from symposia.ext.code_executors.docker_jupyter import JupyterConnectable, JupyterConnectionInfo

__all__ = ["JupyterConnectable", "JupyterConnectionInfo"]
