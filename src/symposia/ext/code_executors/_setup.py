"""Making ready what sandboxes need, ahead of their first use."""

from __future__ import annotations

from symposia.core.code_executor import SandboxBackend
from symposia.ext.code_executors._environment import Progress, make_sandbox_python
from symposia.ext.code_executors.docker import DockerBackend


async def set_up_backend(backend: SandboxBackend, progress: Progress | None = None) -> None:
    """Make the Python that code in this kind of sandbox sees, where it is not there yet.

    It takes seconds to a minute and needs the network, once on a machine; afterwards it takes milliseconds. A sandbox
    that was not set up does the same when the first one is created, without telling of its progress.

    Args:
        backend: The kind of sandbox, as `choose_backend` gives it.
        progress: Called with a line of text as each part of the work begins; never called when all is there.

    Raises:
        SandboxUnavailableError: pip, the network or the engine failed; the text says what to do. Nothing half-made
            remains.
    """
    if isinstance(backend, DockerBackend):
        await backend.set_up(progress)
    else:
        await make_sandbox_python(progress)
