"""Everything but the sandboxes that are made of Linux's namespaces can be imported on macOS and Windows."""

from pathlib import Path

import pytest
from tests.support.interpreter import python

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_everything_but_the_linux_sandboxes_is_importable_on(system: str) -> None:
    done = python("-m", "tests.support.other_system", system, folder=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("body", ["import fcntl", "from pwd import getpwuid", "import os\nos.geteuid()"])
def test_a_module_that_needs_what_windows_lacks_is_found(body: str) -> None:
    code = (
        "from tests.support.other_system import become\n"
        "become('win32')\n"
        f"exec({body!r}, {{'__name__': 'symposia.somewhere'}})\n"
    )
    done = python("-c", code, folder=ROOT)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(("ModuleNotFoundError", "AttributeError"))
