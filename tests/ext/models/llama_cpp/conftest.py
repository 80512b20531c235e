"""llama-cpp-python is an extra apart from ``all``: its tests run where it is installed."""

from importlib import import_module
from importlib.util import find_spec

if find_spec("llama_cpp") is not None:  # it reads files, which must not be in a test
    import_module("llama_cpp")
collect_ignore_glob = [] if find_spec("llama_cpp") is not None else ["test_*.py"]
