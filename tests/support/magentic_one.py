"""What the models of Magentic-One teams say in tests."""

import json
from collections.abc import Callable, Sequence

from symposia.core.models import LLMMessage


def ledger(
    speaker: str = "ann",
    say: str = "go on",
    *,
    done: bool = False,
    loop: bool = False,
    progress: bool = True,
    reason: str = "because",
) -> str:
    """A ledger of progress, as a model writes it."""
    answers = {
        "is_request_satisfied": done,
        "is_in_loop": loop,
        "is_progress_being_made": progress,
        "next_speaker": speaker,
        "instruction_or_question": say,
    }
    return json.dumps({key: {"reason": reason, "answer": answer} for key, answer in answers.items()})


def leads(*names: str, turns: int) -> Callable[[Sequence[LLMMessage]], str]:
    """A model that plans, lets the participants act in turn, and answers when they have taken so many turns.

    What it says depends on what it is shown alone.
    """

    def answer(messages: Sequence[LLMMessage]) -> str:
        question = str(messages[-1].content)
        if "is_request_satisfied" not in question:
            return f"written of {len(messages)}"
        acted = sum(str(message.content).startswith(tuple(f"{name}:" for name in names)) for message in messages)
        return ledger(names[acted % len(names)], f"step {acted + 1}", done=acted >= turns)

    return answer
