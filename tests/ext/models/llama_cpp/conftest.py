"""llama.cpp is loaded before its tests."""

from importlib import import_module
from importlib.util import find_spec

if find_spec("llama_cpp") is not None:  # it reads files, which must not be in a test
    import_module("llama_cpp")
