"""Running code in Jupyter kernels: of this machine, and of servers."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.coding.jupyter.base import JupyterConnectable, JupyterConnectionInfo
    from symposia.v02.coding.jupyter.docker_jupyter_server import DockerJupyterServer
    from symposia.v02.coding.jupyter.embedded_ipython_code_executor import EmbeddedIPythonCodeExecutor
    from symposia.v02.coding.jupyter.jupyter_client import JupyterClient
    from symposia.v02.coding.jupyter.jupyter_code_executor import JupyterCodeExecutor
    from symposia.v02.coding.jupyter.local_jupyter_server import LocalJupyterServer
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "base": ["JupyterConnectable", "JupyterConnectionInfo"],
            "docker_jupyter_server": ["DockerJupyterServer"],
            "embedded_ipython_code_executor": ["EmbeddedIPythonCodeExecutor"],
            "jupyter_client": ["JupyterClient"],
            "jupyter_code_executor": ["JupyterCodeExecutor"],
            "local_jupyter_server": ["LocalJupyterServer"],
        },
    )

__all__ = [
    "DockerJupyterServer",
    "EmbeddedIPythonCodeExecutor",
    "JupyterClient",
    "JupyterCodeExecutor",
    "JupyterConnectable",
    "JupyterConnectionInfo",
    "LocalJupyterServer",
]
