"""A graph with a loop: a writer drafts, two readers check the draft at the same time, an editor sends it back or on.

Needs no key: the models' answers are scripted.
"""

import asyncio

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import DiGraphBuilder, GraphFlow
from symposia.agentchat.ui import Console
from symposia.ext.models.replay import ReplayChatCompletionClient


def agent(name: str, instructions: str, *answers: str) -> AssistantAgent:
    """An assistant whose model gives these answers. For a real model, give the assistant another client."""
    return AssistantAgent(name, ReplayChatCompletionClient([*answers]), system_message=instructions)


writer = agent(
    "writer",
    "You write one sentence on the topic. When it is sent back, you improve it.",
    "The Danube is the longest river of Europe.",
    "The Danube, Europe's second longest river after the Volga, passes four capitals.",
)
facts = agent(
    "facts",
    "You check the facts of the draft.",
    "The Volga is longer.",
    "Right: Vienna, Bratislava, Budapest, Belgrade.",
)
style = agent("style", "You judge how the draft reads.", "Short and clear.", "Still clear.")
editor = agent(
    "editor",
    "You read the draft and what was said about it. Answer REVISE and why, or PRINT.",
    "REVISE: the fact is wrong.",
    "PRINT",
)
printer = agent("printer", "You set the final text.", "Set in Garamond, 11 pt.")

builder = DiGraphBuilder()
for each in (writer, facts, style, editor, printer):
    builder.add_node(each)
builder.add_edge(writer, facts).add_edge(writer, style)
builder.add_edge(facts, editor).add_edge(style, editor)
builder.add_edge(editor, writer, "REVISE").add_edge(editor, printer, "PRINT")
graph = builder.set_entry_point(writer).build()
team = GraphFlow(builder.get_participants(), graph, max_turns=12)

if __name__ == "__main__":
    print(graph.to_mermaid())
    asyncio.run(Console(team.run_stream(task="Write about the Danube.")))
