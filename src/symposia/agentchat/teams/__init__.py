"""Teams of agents, and what a team of your own is made of: a rule, and the engine that carries it out."""

from symposia.agentchat.teams._effects import Effects
from symposia.agentchat.teams._group_chat import BaseGroupChat, GroupChat
from symposia.agentchat.teams._options import TeamOptions
from symposia.agentchat.teams._result import TeamResult
from symposia.agentchat.teams._round_robin import RoundRobinGroupChat, RoundRobinRule
from symposia.agentchat.teams._rule import Decision, Speak, Stop, TeamRule, Transcript
from symposia.agentchat.teams._selector import SelectorGroupChat
from symposia.agentchat.teams._selector_rule import SelectorRule
from symposia.agentchat.teams._swarm import Swarm, SwarmRule

__all__ = [
    "BaseGroupChat",
    "Decision",
    "Effects",
    "GroupChat",
    "RoundRobinGroupChat",
    "RoundRobinRule",
    "SelectorGroupChat",
    "SelectorRule",
    "Speak",
    "Stop",
    "Swarm",
    "SwarmRule",
    "TeamOptions",
    "TeamResult",
    "TeamRule",
    "Transcript",
]
