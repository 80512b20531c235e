"""The agent of AutoGen 0.2 that calculates for a model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.v02_agents import speaker, texts

from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer
from symposia.testing.model_server._loop_thread import LoopThread
from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.math_user_proxy_agent import (
    PROMPTS,
    MathUserProxyAgent,
    WolframAlphaAPIWrapper,
    get_from_dict_or_env,
)
from symposia.v02.coding import LocalCommandLineCodeExecutor


def python(code: str) -> str:
    return f"```python\n{code}\n```"


@pytest.fixture
def proxy(tmp_path: Path) -> MathUserProxyAgent:
    with pytest.warns(UserWarning, match="on this machine"):
        executor = LocalCommandLineCodeExecutor(work_dir=tmp_path)
    return MathUserProxyAgent(code_execution_config={"executor": executor})


def replies(proxy: MathUserProxyAgent, *messages: str) -> list[Any]:
    return [proxy.generate_reply([{"role": "user", "content": message}]) for message in messages]


def test_the_first_message_has_the_prompt_and_the_problem(proxy: MathUserProxyAgent) -> None:
    for kind, prompt in PROMPTS.items():
        message = proxy.message_generator(proxy, None, {"problem": "1 + 1?", "prompt_type": kind})
        assert message == prompt + "1 + 1?"
        assert "\\boxed{}" in message
    assert proxy.message_generator(proxy, None, {"problem": "Q"}) == PROMPTS["default"] + "Q"
    assert proxy.message_generator(proxy, None, {"problem": "Q", "customized_prompt": "Solve: "}) == "Solve: Q"
    with pytest.raises(ValueError, match=r"no prompt 'other'\. The prompts are: default"):
        proxy.message_generator(proxy, None, {"problem": "Q", "prompt_type": "other"})
    with pytest.raises(ValueError, match="no problem"):
        proxy.message_generator(proxy, None, {})


def test_a_chat_ends_with_the_answer(proxy: MathUserProxyAgent) -> None:
    said = iter(["I wonder.", python("print(6 * 7)"), "It is \\boxed{42}."])
    solver = ConversableAgent("solver", llm_config=False, human_input_mode="NEVER")
    solver.register_reply([None, MathUserProxyAgent], lambda *_, **__: (True, next(said)))
    result = proxy.initiate_chat(solver, message=proxy.message_generator, problem="6 * 7?", silent=True)
    assert texts(result.chat_history)[2:] == [proxy.DEFAULT_REPLY, python("print(6 * 7)"), "42", "It is \\boxed{42}."]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("\\boxed{4}", True),
        ("\\boxed{\\frac{1}{2}}", True),
        ("```\nx\n``` \\boxed{2}", True),
        (python("1") + "\\boxed{4}", False),
        ("\\boxed{}", False),
        ("\\boxed 4", False),
        ("TERMINATE", False),
    ],
)
def test_an_answer_is_boxed_and_without_a_query(proxy: MathUserProxyAgent, text: str, ends: bool) -> None:
    [reply] = replies(proxy, text)
    assert (reply is None) == ends


def test_the_value_of_the_last_line_is_printed(proxy: MathUserProxyAgent) -> None:
    assert replies(proxy, python("def f():\n    return 4\nf()"), python("x = 5\n(x +\n 1)")) == ["4", "6"]


def test_a_program_sees_what_the_ones_before_defined(proxy: MathUserProxyAgent) -> None:
    steps = [python("x = 3\nprint(x)\nfor i in range(2):\n    print(i)"), python("1 / 0"), python("print(x + 1)")]
    first, second, third = replies(proxy, *steps)
    assert first == "3\n0\n1"
    assert "ZeroDivisionError" in second
    assert third == "4"
    proxy.reset()
    assert "NameError" in replies(proxy, python("x"))[0]


def test_the_blocks_of_a_message_are_queries_of_one_step(proxy: MathUserProxyAgent) -> None:
    message = f"{python('print(1)')}\n```\nprint(2)\n```\n```sh\necho 3\n```"
    assert replies(proxy, message) == ["1\n\n2\n\nError: queries are in Python, and not in 'sh'."]


def test_results_that_do_not_help_are_refused(proxy: MathUserProxyAgent) -> None:
    long, nothing, one, again = replies(
        proxy, python("print('x' * 3000)"), python("y = 1"), python("y"), python("print(1)")
    )
    assert "too long" in long
    assert "printed nothing" in nothing
    assert one == "1"
    assert again.startswith("1\n")
    assert "same result" in again


def test_after_several_failures_the_step_is_to_be_revised(proxy: MathUserProxyAgent) -> None:
    *failed, last = replies(proxy, *[python(f"{number} / 0") for number in range(4)])
    assert all("ZeroDivisionError" in each for each in failed)
    assert "Several queries of this step have failed" in last


async def test_an_asynchronous_chat_calculates(proxy: MathUserProxyAgent) -> None:
    result = await speaker("solver", python("print(2)")).a_initiate_chat(
        proxy, message=python("print(1)"), max_turns=1, silent=True
    )
    assert result.summary == "1"


def test_without_a_place_for_code_a_program_is_an_error() -> None:
    proxy = MathUserProxyAgent(code_execution_config=False)
    assert "Give it a code_execution_config" in replies(proxy, python("1"))[0]


# Wolfram|Alpha --------------------------------------------------------------------------------------------------------


@pytest.fixture
def wolfram() -> Iterator[WolframAlphaAPIWrapper]:
    async def answer(request: HttpRequest, response: HttpResponse) -> None:
        known = request.query == "appid=me&i=2%2B2"
        await response.raw(200 if known else 501, b"4", {"content-type": "text/plain"})

    thread, server = LoopThread(), HttpServer(answer, keep_alive=False)
    thread.run(server.start())
    yield WolframAlphaAPIWrapper(wolfram_alpha_appid="me", url=server.url)
    thread.run(server.stop())
    thread.stop()


def test_wolfram_alpha_answers_or_does_not_understand(wolfram: WolframAlphaAPIWrapper) -> None:
    assert wolfram.run("2+2") == ("4", True)
    text, is_valid = wolfram.run("What?")
    assert "does not understand" in text
    assert not is_valid


def test_wolfram_alpha_that_cannot_be_reached_is_no_answer() -> None:
    text, is_valid = WolframAlphaAPIWrapper(wolfram_alpha_appid="me", url="http://127.0.0.1:9").run("2")
    assert "cannot be reached" in text
    assert not is_valid


def test_wolfram_alpha_needs_an_id(proxy: MathUserProxyAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WOLFRAM_ALPHA_APPID", raising=False)
    with pytest.raises(ValueError, match="set the environment variable WOLFRAM_ALPHA_APPID"):
        replies(proxy, "```wolfram\n2+2\n``` \\boxed{4}")
    monkeypatch.setenv("WOLFRAM_ALPHA_APPID", "mine")
    assert WolframAlphaAPIWrapper.model_validate({}).wolfram_alpha_appid == "mine"
    assert get_from_dict_or_env({}, "key", "NOT_SET_HERE", "default") == "default"
