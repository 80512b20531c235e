"""Semantic Kernel needs mcp below 2, and is in an environment of its own: its tests run where it is installed."""

import warnings
from importlib import import_module
from importlib.util import find_spec

if find_spec("semantic_kernel") is not None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what pydantic deprecates and Semantic Kernel uses
        import_module("semantic_kernel.functions")
collect_ignore_glob = [] if find_spec("semantic_kernel") is not None else ["test_*.py"]
