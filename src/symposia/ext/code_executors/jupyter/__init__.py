"""Running code in a Jupyter kernel on this machine, without a sandbox: for code that you trust."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.code_executors.jupyter._executor import JupyterCodeExecutor, JupyterCodeResult

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["JupyterCodeExecutor", "JupyterCodeResult"]
