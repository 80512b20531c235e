"""Message ids: random UUIDs, made without the system call that `uuid.uuid4` costs.

An id tells messages apart and guards nothing, so a seeded generator is enough. It is the module's own, so that a
program that seeds `random` does not repeat ids, and it is seeded again in a forked child, which would otherwise go on
with its parent's ids.
"""

import os
from random import Random

_random = Random()  # noqa: S311 - an id is no secret

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_message_id() -> str:
    """A random UUID (version 4) as text."""
    digits = f"{_random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
