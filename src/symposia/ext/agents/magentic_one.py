"""The programmer of a Magentic-One team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import explained_names
from symposia.agentchat.agents import AssistantAgent
from symposia.core.models import ChatCompletionClient

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["MagenticOneCoderAgent"]

_DESCRIPTION: Final = (
    "Programs, and reasons in words. Writes Python or shell code for others to run, reads what it printed, and "
    "corrects it. Cannot run code, and has no access to files or the web."
)

_SYSTEM_MESSAGE: Final = """\
You are the programmer of a team. You write code, another member runs it, and you are shown what it printed.

- Give one program, whole and ready to run, in one ```python block, or ```sh for a shell script. It runs as it stands. \
Put nothing into a block that is only an example.
- Each run starts anew: write everything that is needed into it, imports and data included. Files that an earlier run \
wrote into the working folder are still there.
- Print what the team has to know: results with their units, and the intermediate values by which one can check them.
- When a run has failed, say what the cause was before you write the corrected program. After two failures of one \
approach, take another.
- When nothing has to be computed, answer in words and without a block. Say what you know, what you infer, and what \
you are not sure of.\
"""


class MagenticOneCoderAgent(AssistantAgent):
    """An assistant that writes code for another agent to run, as the programmer of a Magentic-One team.

    Args:
        name: Unique within a team; a Python identifier.
        model_client: The model.
        description: Describes the agent to the orchestrator.
        system_message: The instructions of the model.
        options: The other arguments of an `AssistantAgent`.

    Raises:
        InvalidArgumentError: As `AssistantAgent`.
        ArgumentTypeError: As `AssistantAgent`.
    """

    def __init__(
        self,
        name: str,
        model_client: ChatCompletionClient,
        *,
        description: str = _DESCRIPTION,
        system_message: str | None = _SYSTEM_MESSAGE,
        **options: Any,  # Any: each is checked by AssistantAgent
    ) -> None:
        super().__init__(name, model_client, description=description, system_message=system_message, **options)
