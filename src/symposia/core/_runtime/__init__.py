"""The embedded runtime: all agents in one process and one event loop."""
