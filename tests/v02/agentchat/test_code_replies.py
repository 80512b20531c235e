"""Replies of AutoGen 0.2.40 agents to messages with code, in both layouts."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.sandboxes import require

from symposia.ext.code_executors import AutoBackend
from symposia.v02 import ConversableAgent, UserProxyAgent
from symposia.v02.coding import LocalCommandLineCodeExecutor

pytestmark = [
    pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine"),
    pytest.mark.filterwarnings("ignore:use_docker is False"),
]
FENCE = "```"
ONE, TWO = f"{FENCE}python\nprint(1)\n{FENCE}", f"{FENCE}sh\necho 2\n{FENCE}"
FAILING = f"{FENCE}python\nprint(5)\n1/0\n{FENCE}\n{ONE}"


@pytest.fixture
def legacy(tmp_path: Path) -> dict[str, Any]:
    return {"work_dir": str(tmp_path), "use_docker": False, "timeout": 20}


@pytest.fixture
def executor(tmp_path: Path) -> dict[str, Any]:
    return {"executor": LocalCommandLineCodeExecutor(work_dir=tmp_path)}


def said(content: object, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


def reply(config: dict[str, Any], *messages: dict[str, Any]) -> Any:
    agent = ConversableAgent(
        "runner", code_execution_config=config, human_input_mode="NEVER", default_auto_reply="DEFAULT"
    )
    return agent.generate_reply(messages=list(messages), sender=ConversableAgent("writer"))


def test_trap_6_an_executor_gives_its_output_as_it_is(
    executor: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reply(executor, said(ONE + TWO)) == "exitcode: 0 (execution succeeded)\nCode output: 1\n2\n"
    assert ">>>>>>>> EXECUTING 2 CODE BLOCKS (inferred languages are [python, sh])..." in capsys.readouterr().out


def test_trap_6_without_an_executor_each_output_follows_a_line_break(
    legacy: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reply(legacy, said(ONE + TWO)) == "exitcode: 0 (execution succeeded)\nCode output: \n1\n\n2\n"
    assert ">>>>>>>> EXECUTING CODE BLOCK 1 (inferred language is sh)..." in capsys.readouterr().out


def test_the_reply_to_code_that_fails_says_so(legacy: dict[str, Any], executor: dict[str, Any]) -> None:
    assert reply(executor, said(FAILING)).endswith("ZeroDivisionError: division by zero\n5\n")
    answer = reply(legacy, said(FAILING))
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
    assert reply(legacy, said(text)) == f"exitcode: 1 (execution failed)\nCode output: {output}"


def test_the_newest_message_with_code_is_run(legacy: dict[str, Any], executor: dict[str, Any]) -> None:
    for config in (legacy, executor):
        assert reply(config, said(ONE), said(f"{FENCE}python\nprint('new')\n{FENCE}"), said("and")).endswith("new\n")


def test_messages_before_the_agents_own_last_one_are_not_looked_at(
    legacy: dict[str, Any], executor: dict[str, Any]
) -> None:
    for config in (legacy, executor):
        assert reply(config, said(ONE), said("x", "assistant"), said("and")) == "DEFAULT"
        assert reply({**config, "last_n_messages": 3}, said(ONE), said("x", "assistant"), said("and")).endswith("1\n")
        assert reply({**config, "last_n_messages": 2}, said(ONE), said("x", "assistant"), said("and")) == "DEFAULT"


def test_no_last_messages_are_none_without_an_executor_and_all_with_one(
    legacy: dict[str, Any], executor: dict[str, Any]
) -> None:
    assert reply({**legacy, "last_n_messages": 0}, said(ONE)) == "DEFAULT"
    assert reply({**executor, "last_n_messages": 0}, said(ONE)).endswith("1\n")


@pytest.mark.parametrize("last", [-1, "x", 1.5])
def test_another_number_of_messages_is_refused(legacy: dict[str, Any], last: object) -> None:
    with pytest.raises(ValueError, match="last_n_messages must be either a non-negative integer, or the string 'auto'"):
        reply({**legacy, "last_n_messages": last}, said(ONE))


@pytest.mark.parametrize("option", ["use_docker", "work_dir", "timeout"])
def test_an_executor_takes_no_options_of_running_without_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"'{option}' in code_execution_config is not valid when 'executor' is set"):
        ConversableAgent("a", code_execution_config={"executor": "commandline-local", option: None})


@pytest.mark.parametrize("config", ["x", True])
def test_a_configuration_is_a_dictionary_or_false(config: Any) -> None:
    with pytest.raises(ValueError, match="code_execution_config must be a dict or False"):
        ConversableAgent("a", code_execution_config=config)


def test_trap_14_dangerous_shell_code_raises_out_of_the_reply(executor: dict[str, Any], legacy: dict[str, Any]) -> None:
    dangerous = said(f"{FENCE}sh\nrm -rf nothing\n{FENCE}")
    with pytest.raises(ValueError, match="Potentially dangerous command detected"):
        reply(executor, dangerous)
    assert reply(legacy, dangerous) == "exitcode: 0 (execution succeeded)\nCode output: \n"


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


def test_trap_3_a_user_proxy_runs_code_in_a_sandbox_unless_it_is_told_otherwise(
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
