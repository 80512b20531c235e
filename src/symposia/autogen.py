"""Programs written for AutoGen run on Symposia, unmodified.

::

    import symposia.autogen                            # from here on, autogen_core and its kin are Symposia's
    python -m symposia.autogen SCRIPT [ARGUMENTS]      # also: -m MODULE, -c CODE, - for standard input
    pytest -p symposia.autogen                         # an unmodified test suite

`autogen_core`, `autogen_agentchat`, `autogen_ext`, and `autogen` of AutoGen 0.2, with their public submodules, become
second names of the modules `symposia.core`, `symposia.agentchat`, `symposia.ext` and `symposia.v02`: the same objects,
executed once, whichever name is imported first. A name that Symposia does not have raises an `ImportError` that says so
and names the nearest one.

Where AutoGen itself is installed, Symposia is used in its place and a `UserWarning` says so, once; silence it with
``python -W "ignore:AutoGen is installed"``. Processes that a program starts with a fresh interpreter are on their own:
they import this module, or are started with ``-m symposia.autogen``, too.
"""

from __future__ import annotations

import sys

from symposia._autogen._hook import install, uninstall

__all__ = ["install", "uninstall"]

install()

if __name__ == "__main__":
    from symposia._autogen._program import run

    run(sys.argv[1:])
