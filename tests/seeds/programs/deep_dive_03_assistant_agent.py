# From seed 002, "Framework Deep Dive: AutoGen", section "AssistantAgent".
# Needs: a model server.

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
# Define tools as async functions
async def search_database(query: str) -> str:
    """Search the product database for matching items."""
    # Your implementation
    return f"Found 3 products matching '{query}'"
async def calculate_shipping(
    weight: float,
    destination: str
) -> str:
    """Calculate shipping cost based on weight and destination."""
    base_rate = 5.0
    per_kg = 2.5
    cost = base_rate + (weight * per_kg)
    return f"Shipping to {destination}: ${cost:.2f}"
# Create agent with tools
model_client = OpenAIChatCompletionClient(model="gpt-4o")
sales_agent = AssistantAgent(
    name="SalesAssistant",
    model_client=model_client,
    tools=[search_database, calculate_shipping],
    system_message="""You are a sales assistant.
Help customers find products and calculate shipping costs.
Always provide accurate pricing information."""
)
