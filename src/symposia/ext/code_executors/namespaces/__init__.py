from symposia.ext.code_executors.namespaces._backend import NamespaceBackend as NamespaceBackend

__all__ = ["NamespaceBackend"]
