"""The address of a Jupyter server, and its token."""

from __future__ import annotations

from symposia.ext.code_executors.docker_jupyter import JupyterConnectable, JupyterConnectionInfo

__all__ = ["JupyterConnectable", "JupyterConnectionInfo"]


class GeneratedToken:
    """Stands for a token that is made up."""
