from symposia.ext.code_executors.bubblewrap._backend import BubblewrapBackend as BubblewrapBackend

__all__ = ["BubblewrapBackend"]
