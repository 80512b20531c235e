# From seed 002, "Framework Deep Dive: AutoGen", section "SelectorGroupChat".
# Needs: deep_dive_06, a model server.

from autogen_agentchat.teams import SelectorGroupChat
from autogen_agentchat.conditions import MaxMessageTermination
async def main():
    model_client = OpenAIChatCompletionClient(model="gpt-4o")
    # Create specialized agents
    researcher = AssistantAgent(
        name="Researcher",
        model_client=model_client,
        system_message="You research and gather information.",
        description="Expert at finding and synthesizing information"
    )
    analyst = AssistantAgent(
        name="Analyst",
        model_client=model_client,
        system_message="You analyze data and draw conclusions.",
        description="Expert at data analysis and interpretation"
    )
    presenter = AssistantAgent(
        name="Presenter",
        model_client=model_client,
        system_message="""You create clear presentations.
Say TERMINATE when the presentation is complete.""",
        description="Expert at presenting findings clearly"
    )
    # Selector chooses next speaker based on context
    team = SelectorGroupChat(
        [researcher, analyst, presenter],
        model_client=model_client, # Model that selects speakers
        termination_condition=TextMentionTermination("TERMINATE")
    )
    result = await team.run(
        task="Research AI agent frameworks and present key findings."
    )
