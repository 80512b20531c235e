# From seed 001, "AutoGen Conversational Agents", section "Docker-Based Code Execution for Production".
# Needs: Docker; a folder /path/to/local/data.

from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor

async def create_production_executor():
    executor = DockerCommandLineCodeExecutor(
        image="python:3.11-slim",
        work_dir="/workspace",
        timeout=120,
        # Mount volumes for data access
        bind_dir="/path/to/local/data"
    )
    await executor.start()

    # Don't forget to stop the executor when done
    try:
        # ... use executor ...
        pass
    finally:
        await executor.stop()
