import asyncio
import contextvars
import threading
from typing import Any

import pytest
from tests.support.chat_agents import RecordingHandler, collected, kinds

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.messages import HandoffMessage, TextMessage, UserInputRequestedEvent
from symposia.core import CancellationToken
from symposia.core.effects import handle_effects
from symposia.core.exceptions import HumanInputError

WAIT = 10


async def test_a_plain_function_asks_in_a_thread_with_the_callers_context() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        assert threading.current_thread() is not threading.main_thread()
        return variable.get()

    result = await UserProxyAgent("me", input_func=ask).run(task="well?")

    assert prompts == ["Enter your response: "]
    assert (result.messages[-1].to_text(), result.messages[-1].source) == ("set", "me")


async def test_a_coroutine_function_is_given_the_token() -> None:
    token = CancellationToken()

    async def ask(prompt: str, cancellation_token: CancellationToken | None) -> str:
        assert cancellation_token is token
        return "yes"

    result = await UserProxyAgent("me", input_func=ask).run(task="well?", cancellation_token=token)

    assert result.messages[-1].to_text() == "yes"


async def test_the_standard_input_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt="": f"typed after {prompt!r}")

    result = await UserProxyAgent("me").run(task="well?")

    assert result.messages[-1].to_text() == "typed after 'Enter your response: '"


async def test_a_stream_says_that_a_person_is_asked_and_the_function_knows_the_request() -> None:
    requests: list[str] = []

    def ask(prompt: str) -> str:
        requests.append(UserProxyAgent.InputRequestContext.request_id())
        return "yes"

    items = await collected(UserProxyAgent("me", input_func=ask).run_stream(task="well?"))

    assert kinds(items) == ["TextMessage", "UserInputRequestedEvent", "TextMessage", "TaskResult"]
    assert isinstance(event := items[1], UserInputRequestedEvent)
    assert requests == [event.request_id]


def test_there_is_no_request_outside_of_an_input_function() -> None:
    with pytest.raises(RuntimeError, match="within the input callback"):
        UserProxyAgent.InputRequestContext.request_id()


async def test_a_handoff_to_the_person_is_answered_by_one_back() -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "here you are"

    handoff = HandoffMessage(content="need help", source="ann", target="me")

    answer = (await UserProxyAgent("me", input_func=ask).run(task=handoff)).messages[-1]

    assert prompts == ["Handoff received from ann. Enter your response: "]
    assert isinstance(answer, HandoffMessage)
    assert (answer.target, answer.content) == ("ann", "here you are")


async def test_a_handoff_to_another_name_is_an_ordinary_message() -> None:
    handoff = HandoffMessage(content="need help", source="ann", target="bob")

    answer = (await UserProxyAgent("me", input_func=lambda _: "hm").run(task=handoff)).messages[-1]

    assert isinstance(answer, TextMessage)


async def test_a_function_that_fails_is_an_error_that_names_the_agent() -> None:
    def ask(prompt: str) -> str:
        raise EOFError("no terminal")

    with pytest.raises(HumanInputError, match=r"Failed to get user input: no terminal \(agent 'me'\)") as caught:
        await UserProxyAgent("me", input_func=ask).run(task="well?")

    assert isinstance(caught.value.__cause__, EOFError)


@pytest.mark.parametrize(
    ("error", "reason"), [(EOFError(), "the input ended without an answer"), (ConnectionError(), "ConnectionError")]
)
async def test_an_error_without_a_text_has_a_reason(error: Exception, reason: str) -> None:
    def ask(_prompt: str) -> str:
        raise error

    with pytest.raises(HumanInputError, match=rf"Failed to get user input: {reason} \(agent 'me'\)"):
        await UserProxyAgent("me", input_func=ask).run(task="well?")


@pytest.mark.parametrize("answer", [5, None])
async def test_an_input_function_has_to_return_a_text(answer: Any) -> None:
    async def ask(_prompt: str) -> Any:
        return answer

    def ask_in_a_thread(_prompt: str) -> Any:
        return answer

    functions: list[Any] = [ask, ask_in_a_thread]  # Any: of the wrong type
    for function in functions:
        with pytest.raises(HumanInputError, match=rf"the reply is {answer}, and has to be a str or .* \(agent 'me'\)"):
            await UserProxyAgent("me", input_func=function).run(task="well?")


async def test_d02_stop_iteration_out_of_an_input_function_is_an_error_that_names_the_agent() -> None:
    def ask(prompt: str) -> str:
        return next(iter(()))

    async with asyncio.timeout(WAIT):
        with pytest.raises(HumanInputError, match=r"ask raised StopIteration \(agent 'me'\)"):
            await UserProxyAgent("me", input_func=ask).run(task="well?")


@pytest.mark.parametrize("by_token", [True, False], ids=["token", "task"])
@pytest.mark.parametrize("in_thread", [True, False], ids=["thread", "coroutine"])
async def test_a_question_without_an_answer_can_be_cancelled(by_token: bool, in_thread: bool) -> None:
    asked, loop, token = asyncio.Event(), asyncio.get_running_loop(), CancellationToken()
    release = threading.Event()

    def wait(prompt: str) -> str:
        loop.call_soon_threadsafe(asked.set)
        release.wait(WAIT)
        return "too late"

    async def wait_here(prompt: str, cancellation_token: CancellationToken | None) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    agent = UserProxyAgent("me", input_func=wait if in_thread else wait_here)

    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(agent.run(task="well?", cancellation_token=token))
        await asked.wait()
        _ = token.cancel() if by_token else run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    release.set()


async def test_a_persons_answer_is_an_effect() -> None:
    handler = RecordingHandler()

    with handle_effects(handler):
        await UserProxyAgent("me", input_func=lambda _: "yes").run(task="well?")

    assert handler.seen == ["agent:me human"]
