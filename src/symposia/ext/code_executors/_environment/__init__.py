"""The Python environment that code has in the sandboxes: its folder, and the packages pinned in it."""

from symposia.ext.code_executors._environment._additions import described, identity_of, install_allowed_packages
from symposia.ext.code_executors._environment._cache import (
    is_unused,
    make_cache_folder,
    mark_used,
    one_set_up_at_a_time,
)
from symposia.ext.code_executors._environment._folder import (
    find_sandbox_python,
    ignore_progress,
    make_sandbox_python,
    remove_unused_environments,
    sandbox_python_folder,
    set_up_problem,
)
from symposia.ext.code_executors._environment._packages import (
    PINNED_NAMES,
    PINNED_PACKAGES,
    TargetPython,
    environment_key,
    install_pinned_packages,
)

__all__ = [
    "PINNED_NAMES",
    "PINNED_PACKAGES",
    "TargetPython",
    "described",
    "environment_key",
    "find_sandbox_python",
    "identity_of",
    "ignore_progress",
    "install_allowed_packages",
    "install_pinned_packages",
    "is_unused",
    "make_cache_folder",
    "make_sandbox_python",
    "mark_used",
    "one_set_up_at_a_time",
    "remove_unused_environments",
    "sandbox_python_folder",
    "set_up_problem",
]
