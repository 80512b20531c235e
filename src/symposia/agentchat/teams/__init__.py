"""Teams of agents, and what a team of your own is made of: a rule, and the engine that carries it out."""

from symposia.agentchat.teams._effects import Effects
from symposia.agentchat.teams._rule import Decision, Speak, Stop, TeamRule, Transcript

__all__ = ["Decision", "Effects", "Speak", "Stop", "TeamRule", "Transcript"]
