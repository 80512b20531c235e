"""Running code in the kernel's namespaces."""

from symposia.ext.code_executors.namespaces._backend import NamespaceBackend
from symposia.ext.code_executors.namespaces._executor import NamespaceCommandLineCodeExecutor

__all__ = ["NamespaceBackend", "NamespaceCommandLineCodeExecutor"]
