from importlib import import_module

# An HTTP client imports it when it is made, and a constructor cannot await: programs do so before their loop runs, or
# once in it.
import_module("httpcore2")
