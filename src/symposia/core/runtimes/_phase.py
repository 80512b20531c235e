"""The phases of a runtime, and the errors of requests that a phase does not allow."""

from __future__ import annotations

from enum import Enum
from typing import Final

from symposia.core._agent_id import AgentId
from symposia.core.exceptions import RuntimeStoppedError

STOPPED: Final = "the runtime has stopped"
"""The reason of a dead letter that was not handled before its runtime stopped."""


class Phase(Enum):
    """The phases of a runtime. `ALLOWED` has the transitions. The values are for error messages."""

    READY = "not started"
    """Not started, or stopped: messages are kept until it is started."""
    RUNNING = "started"
    """Messages are handled."""
    STOPPING = "being stopped"
    """Messages are refused."""
    CLOSED = "closed"
    """Messages are refused, for good."""

    def followed_by(self, phase: Phase) -> Phase:
        """The next phase.

        Raises:
            RuntimeError: It cannot follow this one.
        """
        if phase not in ALLOWED[self]:
            raise RuntimeError(f"The runtime is {self.value}.")
        return phase

    def require(self, *phases: Phase) -> None:
        """Raise unless this is one of some phases.

        Raises:
            RuntimeError: It is none of them.
        """
        if self not in phases:
            raise RuntimeError(f"The runtime is {self.value}, it would have to be {phases[0].value}.")

    def require_messages(self) -> None:
        """Raise unless messages are accepted.

        Raises:
            RuntimeStoppedError: The runtime is being stopped, or was closed.
        """
        if self in (Phase.STOPPING, Phase.CLOSED):
            raise RuntimeStoppedError(f"The runtime is {self.value} and takes no messages.")


ALLOWED: Final = {
    Phase.READY: {Phase.RUNNING, Phase.CLOSED},
    Phase.RUNNING: {Phase.STOPPING},
    Phase.STOPPING: {Phase.READY},
    Phase.CLOSED: {Phase.CLOSED},
}
"""The phases that can follow each phase."""


def stopped_before_answer(agent: AgentId) -> RuntimeStoppedError:
    """The error of a sender whose request was under way when the runtime stopped."""
    return RuntimeStoppedError(f"The runtime stopped before agent {agent} answered.")
