"""The support team: a swarm of triage and two specialists, with a colleague who is a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from symposia.agentchat.agents import AssistantAgent, UserProxyAgent
from symposia.agentchat.base import Handoff
from symposia.agentchat.conditions import MaxMessageTermination, TextMessageTermination
from symposia.agentchat.teams import Swarm
from symposia.core.exceptions import InvalidArgumentError
from symposia.presets._models import NamedModel
from symposia.presets._recorded import RecordedConversation
from symposia.presets.support._shop import Shop

TRIAGE: Final = "triage"
BILLING: Final = "billing"
TECHNICAL: Final = "technical"
COLLEAGUE: Final = "colleague"

AGENTS: Final = (TRIAGE, BILLING, TECHNICAL)
"""The names of the agents with a model."""

MOST_MESSAGES: Final = 30
"""The limit of a run, which ends with an answer to the customer: agents might hand over without end."""

_MANNERS: Final = """
You write to a customer in a chat: friendly, short, in plain text, one question at a time. Promise nothing that no tool
has done. The customer does not see that you hand over, and does not read what the colleague writes to you.
"""

TRIAGE_PROMPT: Final = f"""\
You receive the customers of a shop for coffee machines. Find out what it is about. Hand over to billing for charges,
refunds and invoices, to technical for devices that do not work, and to the colleague for complaints about persons,
legal threats, or on request. Do not solve the matter yourself. Where you cannot tell, ask.
{_MANNERS}"""

BILLING_PROMPT: Final = f"""\
You handle charges, refunds and invoices of a shop for coffee machines. Look every order up before you say anything
about it, and pay back only what the order shows to be owed, or what the colleague has decided. Hand over to technical
for devices that do not work, and to the colleague where a decision is needed that your tools do not allow.
{_MANNERS}"""

TECHNICAL_PROMPT: Final = f"""\
You help with devices of a shop for coffee machines. Look the order up, ask what happens exactly, and give one step at a
time. When two steps have not helped, hand over to the colleague for a decision, with what was tried. Hand over to
billing when money is to be paid back.
{_MANNERS}"""


def support_team(models: Mapping[str, NamedModel], shop: Shop, colleague: UserProxyAgent) -> Swarm:
    """The team. Each line of the customer is the task of a run, which ends with an answer to the customer.

    Args:
        models: The model of each of `AGENTS`.
        shop: The orders. Billing can pay back, and technical can look up.
        colleague: The person that the agents hand over to, named `COLLEAGUE`. An answer hands back.

    Raises:
        InvalidArgumentError: An agent has no model, or the colleague another name.
    """
    if missing := [name for name in AGENTS if name not in models]:
        raise InvalidArgumentError(f"There is no model for {', '.join(missing)}: give one for each of AGENTS.")
    if colleague.name != COLLEAGUE:
        raise InvalidArgumentError(
            f"The colleague is called {colleague.name!r}: the agents hand over to {COLLEAGUE!r}."
        )

    def agent(name: str, prompt: str, description: str, targets: Sequence[str], tools: Sequence[str]) -> AssistantAgent:
        return AssistantAgent(
            name,
            models[name].client,
            description=description,
            system_message=prompt,
            tools=[getattr(shop, tool) for tool in tools] or None,
            handoffs=[_handoff(target) for target in targets],
            max_tool_iterations=5,
            reflect_on_tool_use=True,
            model_client_stream=True,
        )

    return Swarm(
        [
            agent(TRIAGE, TRIAGE_PROMPT, "Receives customers.", (BILLING, TECHNICAL, COLLEAGUE), ()),
            agent(BILLING, BILLING_PROMPT, "Charges and refunds.", (TECHNICAL, COLLEAGUE), ("find_order", "refund")),
            agent(TECHNICAL, TECHNICAL_PROMPT, "Devices.", (BILLING, COLLEAGUE), ("find_order",)),
            colleague,
        ],
        name="support",
        description="Helps the customers of a shop.",
        termination_condition=TextMessageTermination() | MaxMessageTermination(MOST_MESSAGES),
    )


def _handoff(target: str) -> Handoff:
    who = "the colleague, a person who can decide" if target == COLLEAGUE else f"the {target} agent"
    return Handoff(target=target, description=f"Hand the customer over to {who}.", message=f"Over to {target}.")


def bundled_support() -> RecordedConversation:
    """The bundled conversation, whose lines are those of the customer and of the colleague. It reads a file."""
    return RecordedConversation.read(Path(__file__).parent / "bundled.toml")
