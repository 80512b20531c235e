"""Replies with the output of code, in both layouts: which blocks are run, and how the output is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.sandboxes import require
from tests.support.v02_agents import Recorder
from typing_extensions import override

from symposia.ext.code_executors import AutoBackend
from symposia.v02 import ConversableAgent, UserProxyAgent
from symposia.v02.coding import (
    CodeBlock,
    CodeExecutor,
    CodeResult,
    LocalCommandLineCodeExecutor,
    MarkdownCodeExtractor,
)
from symposia.v02.io import IOStream

pytestmark = [
    pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine"),
    pytest.mark.filterwarnings("ignore:use_docker is False"),
]
FENCE = "```"
ONE, OTHER = f"{FENCE}python\nprint(1)\n{FENCE}", f"{FENCE}sh\necho 2\n{FENCE}"
FAILING = f"{FENCE}python\nprint(5)\n1/0\n{FENCE}\n{ONE}"
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


# With code that runs -------------------------------------------------------------------------------------------------


@pytest.fixture
def legacy(tmp_path: Path) -> dict[str, Any]:
    return {"work_dir": str(tmp_path), "use_docker": False, "timeout": 20}


@pytest.fixture
def executor(tmp_path: Path) -> dict[str, Any]:
    return {"executor": LocalCommandLineCodeExecutor(work_dir=tmp_path)}


def said(content: object, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


def reply_with(config: dict[str, Any], *messages: dict[str, Any]) -> Any:
    agent = ConversableAgent(
        "runner", code_execution_config=config, human_input_mode="NEVER", default_auto_reply="DEFAULT"
    )
    return agent.generate_reply(messages=list(messages), sender=ConversableAgent("writer"))


def test_t06_an_executor_gives_its_output_as_it_is(
    executor: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reply_with(executor, said(ONE + OTHER)) == "exitcode: 0 (execution succeeded)\nCode output: 1\n2\n"
    assert ">>>>>>>> EXECUTING 2 CODE BLOCKS (inferred languages are [python, sh])..." in capsys.readouterr().out


def test_t06_without_an_executor_each_output_follows_a_line_break(
    legacy: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reply_with(legacy, said(ONE + OTHER)) == "exitcode: 0 (execution succeeded)\nCode output: \n1\n\n2\n"
    assert ">>>>>>>> EXECUTING CODE BLOCK 1 (inferred language is sh)..." in capsys.readouterr().out


def test_the_reply_to_code_that_fails_says_so(legacy: dict[str, Any], executor: dict[str, Any]) -> None:
    assert reply_with(executor, said(FAILING)).endswith("ZeroDivisionError: division by zero\n5\n")
    answer = reply_with(legacy, said(FAILING))
    assert answer.startswith(
        'exitcode: 1 (execution failed)\nCode output: \nTraceback (most recent call last):\n  File "'
    )
    assert "5\n" not in answer


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (f"{FENCE}ruby\nputs 1\n{FENCE}", "\nunknown language ruby"),
        (f"{FENCE}\nls zzz\n{FENCE}", "\nunknown language unknown"),
        (f"{FENCE}html\n<p>\n{FENCE}", "\nunknown language html"),
    ],
)
def test_without_an_executor_other_languages_are_unknown(legacy: dict[str, Any], text: str, output: str) -> None:
    assert reply_with(legacy, said(text)) == f"exitcode: 1 (execution failed)\nCode output: {output}"


def test_the_newest_message_with_code_is_run(legacy: dict[str, Any], executor: dict[str, Any]) -> None:
    for config in (legacy, executor):
        assert reply_with(config, said(ONE), said(f"{FENCE}python\nprint('new')\n{FENCE}"), said("and")).endswith(
            "new\n"
        )


def test_messages_before_the_agents_own_last_one_are_not_looked_at(
    legacy: dict[str, Any], executor: dict[str, Any]
) -> None:
    for config in (legacy, executor):
        assert reply_with(config, said(ONE), said("x", "assistant"), said("and")) == "DEFAULT"
        assert reply_with({**config, "last_n_messages": 3}, said(ONE), said("x", "assistant"), said("and")).endswith(
            "1\n"
        )
        assert reply_with({**config, "last_n_messages": 2}, said(ONE), said("x", "assistant"), said("and")) == "DEFAULT"


def test_no_last_messages_are_none_without_an_executor_and_all_with_one(
    legacy: dict[str, Any], executor: dict[str, Any]
) -> None:
    assert reply_with({**legacy, "last_n_messages": 0}, said(ONE)) == "DEFAULT"
    assert reply_with({**executor, "last_n_messages": 0}, said(ONE)).endswith("1\n")


@pytest.mark.parametrize("last", [-1, "x", 1.5])
def test_another_number_of_messages_is_refused(legacy: dict[str, Any], last: object) -> None:
    with pytest.raises(ValueError, match="last_n_messages must be either a non-negative integer, or the string 'auto'"):
        reply_with({**legacy, "last_n_messages": last}, said(ONE))


@pytest.mark.parametrize("option", ["use_docker", "work_dir", "timeout"])
def test_an_executor_takes_no_options_of_running_without_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"'{option}' in code_execution_config is not valid when 'executor' is set"):
        ConversableAgent("a", code_execution_config={"executor": "commandline-local", option: None})


def test_none_as_a_configuration_is_warned_of_where_the_agent_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGEN_USE_DOCKER", "0")
    nothing: Any = None
    with pytest.warns(UserWarning, match="Using None to signal a default code_execution_config") as warned:
        agent = ConversableAgent("a", code_execution_config=nothing)
    assert agent.use_docker is False
    assert warned[0].filename == __file__


@pytest.mark.parametrize("config", ["x", True])
def test_a_configuration_is_a_dictionary_or_false(config: Any) -> None:
    with pytest.raises(ValueError, match="code_execution_config must be a dict or False"):
        ConversableAgent("a", code_execution_config=config)


def test_t14_dangerous_shell_code_raises_out_of_the_reply(executor: dict[str, Any], legacy: dict[str, Any]) -> None:
    dangerous = said(f"{FENCE}sh\nrm -rf nothing\n{FENCE}")
    with pytest.raises(ValueError, match="Potentially dangerous command detected"):
        reply_with(executor, dangerous)
    assert reply_with(legacy, dangerous) == "exitcode: 0 (execution succeeded)\nCode output: \n"


def test_a_subclass_decides_how_code_is_run(legacy: dict[str, Any]) -> None:
    ran: list[tuple[str, dict[str, Any]]] = []

    class Own(ConversableAgent):
        def run_code(self, code: str, **kwargs: Any) -> tuple[int, str, str | None]:
            ran.append((code, kwargs))
            return 0, "own", None

    agent = Own("own", code_execution_config={**legacy, "last_n_messages": 2}, human_input_mode="NEVER")
    code = "# filename:  a.py\nx"
    assert agent.execute_code_blocks([("py", code), ("", "pip install x")]) == (0, "\nown\nown")
    assert ran == [
        (code, {"lang": "python", "filename": "a.py", **legacy}),
        ("pip install x", {"lang": "sh", **legacy}),
    ]


def test_t03_a_user_proxy_runs_code_in_a_sandbox_unless_it_is_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(AutoBackend())
    monkeypatch.delenv("AUTOGEN_USE_DOCKER", raising=False)
    proxy = UserProxyAgent("proxy", human_input_mode="NEVER", code_execution_config={"work_dir": str(tmp_path)})
    assert proxy.use_docker is True
    message = said(f"{FENCE}python\nimport os\nprint(os.getuid() != 0)\n{FENCE}")
    assert proxy.generate_reply(messages=[message], sender=ConversableAgent("writer")) == (
        "exitcode: 0 (execution succeeded)\nCode output: \nTrue\n"
    )
