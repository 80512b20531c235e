"""Running code on this machine without a sandbox: for code that you trust."""

from symposia.ext.code_executors.local._backend import LocalBackend
from symposia.ext.code_executors.local._executor import LocalCommandLineCodeExecutor

__all__ = ["LocalBackend", "LocalCommandLineCodeExecutor"]
