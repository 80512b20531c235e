"""Semantic Kernel is loaded before its tests."""

import warnings
from importlib import import_module
from importlib.util import find_spec

if find_spec("semantic_kernel") is not None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what pydantic deprecates and Semantic Kernel uses
        import_module("semantic_kernel.functions")
