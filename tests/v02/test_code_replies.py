"""Replies with the output of code: which blocks are run, and how the output is told."""

import asyncio
from typing import Any

import pytest
from tests.support.v02_agents import Recorder
from typing_extensions import override

from symposia.v02 import ConversableAgent, UserProxyAgent
from symposia.v02.coding import CodeBlock, CodeExecutor, CodeResult, MarkdownCodeExtractor
from symposia.v02.io import IOStream

FENCE = "```"
TWO = f"{FENCE}sh\necho 1\n{FENCE}\n{FENCE}python\nprint(2)\n{FENCE}"


class Echo:
    """An executor that returns the code itself."""

    code_extractor = MarkdownCodeExtractor()

    def execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        return CodeResult(exit_code=0, output="; ".join(block.code for block in code_blocks))

    def restart(self) -> None: ...


class EchoLater(Echo):
    async def a_execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        await asyncio.sleep(0)
        return CodeResult(exit_code=3, output="later")


def reply(agent: ConversableAgent, *contents: str, form: str = "plain") -> tuple[Any, str]:
    messages = [{"content": content, "role": "user"} for content in contents]
    stream = Recorder()
    with IOStream.set_default(stream):
        if form == "async":
            return asyncio.run(agent.a_generate_reply(messages)), stream.printed
        return agent.generate_reply(messages), stream.printed


def agent_with(executor: CodeExecutor, **options: Any) -> UserProxyAgent:
    config = {"executor": executor, **options}
    return UserProxyAgent("a", human_input_mode="NEVER", default_auto_reply="no code", code_execution_config=config)


@pytest.mark.parametrize("form", ["plain", "async"])
def test_the_blocks_of_the_newest_message_with_code_are_run(form: str) -> None:
    text, printed = reply(agent_with(Echo()), f"{FENCE}sh\nold\n{FENCE}", TWO, "well?", form=form)
    assert text == "exitcode: 0 (execution succeeded)\nCode output: echo 1; print(2)"
    assert printed == "\n>>>>>>>> EXECUTING 2 CODE BLOCKS (inferred languages are [sh, python])...\n"


def test_the_asynchronous_form_awaits_an_executor_that_can_be_awaited() -> None:
    assert reply(agent_with(EchoLater()), TWO, form="async")[0].startswith("exitcode: 3 (execution failed)")
    assert reply(agent_with(EchoLater()), TWO)[0].startswith("exitcode: 0")


def test_a_message_without_code_has_another_reply() -> None:
    assert reply(agent_with(Echo()), "hello")[0] == "no code"
    assert reply(agent_with(Echo(), last_n_messages=1), TWO, "well?")[0] == "no code"


def test_an_executor_has_its_options_itself() -> None:
    with pytest.raises(ValueError, match="'use_docker' in code_execution_config is not valid when 'executor' is set"):
        agent_with(Echo(), use_docker=False)


@pytest.mark.parametrize("config", ["x", 3])
def test_the_configuration_is_a_dict_or_false(config: Any) -> None:
    with pytest.raises(ValueError, match="code_execution_config must be a dict or False"):
        UserProxyAgent("a", code_execution_config=config)


class Running(UserProxyAgent):
    """Runs code in its own way."""

    @override
    def run_code(self, code: str, **kwargs: Any) -> tuple[int, str, str | None]:
        self.given = kwargs
        return 0, f"ran {code}", None


@pytest.mark.parametrize("form", ["plain", "async"])
def test_t06_the_older_layout_has_a_line_break_before_the_output_of_each_block(form: str) -> None:
    config = {"work_dir": "w", "use_docker": False, "timeout": 7, "last_n_messages": 1}
    with pytest.warns(UserWarning, match="code in messages runs on this machine"):
        agent = Running("a", human_input_mode="NEVER", code_execution_config=config)
    text, printed = reply(agent, TWO, form=form)
    assert text == "exitcode: 0 (execution succeeded)\nCode output: \nran echo 1\nran print(2)"
    assert printed.startswith("\n>>>>>>>> EXECUTING CODE BLOCK 0 (inferred language is sh)...\n")
    assert agent.given == {"lang": "python", "filename": None, "work_dir": "w", "use_docker": False, "timeout": 7}
    assert (agent.code_executor, agent.use_docker) == (None, False)


def test_an_agent_without_code_execution_runs_none() -> None:
    agent = ConversableAgent("a", llm_config=False, human_input_mode="NEVER")
    assert (agent.code_executor, agent.use_docker, agent.generate_code_execution_reply([{"content": TWO}])) == (
        None,
        None,
        (False, None),
    )
