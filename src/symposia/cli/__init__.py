from symposia.cli._app import app, main

__all__ = ["app", "main"]
