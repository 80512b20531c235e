"""Running code in bubblewrap sandboxes."""

from symposia.ext.code_executors.bubblewrap._backend import BubblewrapBackend
from symposia.ext.code_executors.bubblewrap._executor import BubblewrapCommandLineCodeExecutor

__all__ = ["BubblewrapBackend", "BubblewrapCommandLineCodeExecutor"]
