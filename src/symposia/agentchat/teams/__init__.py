"""Teams of agents, and what a team of your own is made of: a rule, and the engine that carries it out."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.teams._debate._messages import DebateCritique, DebateStatement, DebateSummary
    from symposia.agentchat.teams._debate._record import DebateSetup
    from symposia.agentchat.teams._debate._result import DebateResult, DebateRound, Dissent
    from symposia.agentchat.teams._debate._rule import DebateRule
    from symposia.agentchat.teams._debate._team import DebateGroupChat
    from symposia.agentchat.teams._debate._votes import EndingRules, Position, Vote
    from symposia.agentchat.teams._graph import DiGraph, DiGraphEdge, DiGraphNode
    from symposia.agentchat.teams._graph_builder import DiGraphBuilder
    from symposia.agentchat.teams._graph_flow import GraphFlow, GraphRule
    from symposia.agentchat.teams._group_chat import BaseGroupChat, GroupChat
    from symposia.agentchat.teams._log_entries import (
        DecisionMade,
        RunEnded,
        RunStarted,
        StateRecorded,
        TeamLogEntry,
        TeamLogListener,
        TurnEnded,
        fold_log,
    )
    from symposia.agentchat.teams._magentic_one import MagenticOneGroupChat, MagenticOneRule
    from symposia.agentchat.teams._message_bytes import share_message_types, team_message_serializers
    from symposia.agentchat.teams._messages import (
        ParticipantCommand,
        ParticipantEvents,
        ReportChanges,
        StateChanges,
        TakeTurn,
        TurnTaken,
    )
    from symposia.agentchat.teams._options import TeamOptions
    from symposia.agentchat.teams._round_robin import RoundRobinGroupChat, RoundRobinRule
    from symposia.agentchat.teams._rule import (
        Answered,
        Decision,
        OutlinedRule,
        Restart,
        RuleContext,
        Say,
        Speak,
        Stop,
        TeamRule,
        Transcript,
    )
    from symposia.agentchat.teams._selector import SelectorGroupChat, SelectorRule
    from symposia.agentchat.teams._swarm import Swarm, SwarmRule
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_debate._messages": ["DebateCritique", "DebateStatement", "DebateSummary"],
            "_debate._record": ["DebateSetup"],
            "_debate._result": ["DebateResult", "DebateRound", "Dissent"],
            "_debate._rule": ["DebateRule"],
            "_debate._team": ["DebateGroupChat"],
            "_debate._votes": ["EndingRules", "Position", "Vote"],
            "_graph": ["DiGraph", "DiGraphEdge", "DiGraphNode"],
            "_graph_builder": ["DiGraphBuilder"],
            "_graph_flow": ["GraphFlow", "GraphRule"],
            "_group_chat": ["BaseGroupChat", "GroupChat"],
            "_options": ["TeamOptions"],
            "_log_entries": [
                "DecisionMade",
                "RunEnded",
                "RunStarted",
                "StateRecorded",
                "TeamLogEntry",
                "TeamLogListener",
                "TurnEnded",
                "fold_log",
            ],
            "_magentic_one": ["MagenticOneGroupChat", "MagenticOneRule"],
            "_message_bytes": ["share_message_types", "team_message_serializers"],
            "_messages": [
                "ParticipantCommand",
                "ParticipantEvents",
                "ReportChanges",
                "StateChanges",
                "TakeTurn",
                "TurnTaken",
            ],
            "_round_robin": ["RoundRobinGroupChat", "RoundRobinRule"],
            "_rule": [
                "Answered",
                "Decision",
                "OutlinedRule",
                "Restart",
                "RuleContext",
                "Say",
                "Speak",
                "Stop",
                "TeamRule",
                "Transcript",
            ],
            "_selector": ["SelectorGroupChat", "SelectorRule"],
            "_swarm": ["Swarm", "SwarmRule"],
        },
    )

__all__ = [
    "Answered",
    "BaseGroupChat",
    "DebateCritique",
    "DebateGroupChat",
    "DebateResult",
    "DebateRound",
    "DebateRule",
    "DebateSetup",
    "DebateStatement",
    "DebateSummary",
    "Decision",
    "DecisionMade",
    "DiGraph",
    "DiGraphBuilder",
    "DiGraphEdge",
    "DiGraphNode",
    "Dissent",
    "EndingRules",
    "GraphFlow",
    "GraphRule",
    "GroupChat",
    "MagenticOneGroupChat",
    "MagenticOneRule",
    "OutlinedRule",
    "ParticipantCommand",
    "ParticipantEvents",
    "Position",
    "ReportChanges",
    "Restart",
    "RoundRobinGroupChat",
    "RoundRobinRule",
    "RuleContext",
    "RunEnded",
    "RunStarted",
    "Say",
    "SelectorGroupChat",
    "SelectorRule",
    "Speak",
    "StateChanges",
    "StateRecorded",
    "Stop",
    "Swarm",
    "SwarmRule",
    "TakeTurn",
    "TeamLogEntry",
    "TeamLogListener",
    "TeamOptions",
    "TeamRule",
    "Transcript",
    "TurnEnded",
    "TurnTaken",
    "Vote",
    "fold_log",
    "share_message_types",
    "team_message_serializers",
]
