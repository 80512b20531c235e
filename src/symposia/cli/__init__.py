"""The `symposia` command.

Nothing is imported until `main` or `app` is asked for: until `main` runs, Ctrl-C shows Python's traceback.
"""

from symposia._lazy import lazy_names

TYPE_CHECKING = False  # as in `typing`, without the time that importing it takes
if TYPE_CHECKING:
    from symposia.cli._app import app
    from symposia.cli._start import main
else:
    __getattr__, __dir__ = lazy_names(__name__, {"_app": ["app"], "_start": ["main"]})

__all__ = ["app", "main"]
