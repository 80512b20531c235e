"""When a person is asked, and what the answer means: a reply, an automatic reply, or the end of the conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symposia.v02.agentchat._auto_replies import AutoReplies
from symposia.v02.agentchat._conversable import Attended
from symposia.v02.agentchat._effects import ask_person
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream

_STOP = "exit"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What decides whether a person is asked.

    Attributes:
        mode: `ALWAYS`, `NEVER` or `TERMINATE`. Any other counts as `TERMINATE`, as in AutoGen 0.2.
        terminates: Whether the message ends the conversation, for the agent.
        at_limit: Whether the agent has replied to the sender as often as it may without a person.
        agent_name: The name of the agent.
        sender_name: The name of the sender.
    """

    mode: str
    terminates: bool
    at_limit: bool
    agent_name: str
    sender_name: str

    def prompt(self) -> str | None:
        """The question to a person; None if nobody is asked."""
        if self.mode == "ALWAYS":
            return (
                f"Replying as {self.agent_name}. Provide feedback to {self.sender_name}. Press enter to skip and use "
                "auto-reply, or type 'exit' to end the conversation: "
            )
        if self.mode == "NEVER" or not (self.at_limit or self.terminates):
            return None
        skip = "" if self.terminates else "to skip and use auto-reply, "
        return (
            f"Please give feedback to {self.sender_name}. Press enter {skip}or type 'exit' to stop the conversation: "
        )

    def decide(self, words: str | None) -> str:
        """What is said instead of an automatic reply: a person's words, `exit`, or nothing.

        Args:
            words: What a person answered; None if nobody was asked.
        """
        if words:
            return words
        ends = self.terminates or (self.mode == "NEVER" and self.at_limit)
        return _STOP if ends else ""


async def ask_or_stop(
    form: Form,
    agent: Attended,
    message: Message,
    sender: Agent | None,
    *,
    terminates: Callable[[Message], bool],
    auto_replies: AutoReplies,
) -> tuple[bool, Message | None]:
    """Ask the person where the mode wants it, and say whether the conversation ends.

    Returns:
        Whether the reply is final, and the reply: None ends the conversation.
    """
    limit = auto_replies.limit_of(sender)
    situation = Situation(
        mode=agent.human_input_mode,
        terminates=bool(terminates(message)),
        at_limit=auto_replies.counts[sender] >= limit,
        agent_name=agent.name,
        sender_name="the sender" if sender is None else sender.name,
    )
    prompt = situation.prompt()
    words = None if prompt is None else await ask_person(form, agent, prompt)
    said = situation.decide(words)
    if prompt is not None and not words:
        _print_notice("NO HUMAN INPUT RECEIVED.")
    if said == _STOP:
        auto_replies.counts[sender] = 0
        return True, None
    if said or limit == 0:
        auto_replies.counts[sender] = 0
        return True, {"role": "user", "content": said, **_interrupted(message)}
    auto_replies.counts[sender] += 1
    if agent.human_input_mode != "NEVER":
        _print_notice("USING AUTO REPLY...")
    return False, None


def _print_notice(text: str) -> None:
    IOStream.get_default().print(colored(f"\n>>>>>>>> {text}", "red"), flush=True)


def _interrupted(message: Message) -> Message:
    """Results for the calls in a message that a person answers instead, so that a model accepts the conversation."""
    responses: list[Message] = []
    if function_call := message.get("function_call"):
        responses.append({"role": "function", "name": function_call.get("name", ""), "content": "USER INTERRUPTED"})
    responses += [
        {"role": "tool", "tool_call_id": call.get("id", ""), "content": "USER INTERRUPTED"}
        for call in message.get("tool_calls") or ()
    ]
    return {"tool_responses": responses} if responses else {}
