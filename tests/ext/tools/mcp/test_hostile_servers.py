"""Servers and callers at the wrong moment: dying among many calls, answering late, flooding, being cancelled."""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from symposia.core import CancellationToken
from symposia.core.effects import HumanQuestion
from symposia.core.exceptions import HumanInputError
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.mcp import McpWorkbench, StdioServerParams, mcp_server_tools

SERVER = Path(__file__).parents[3] / "support" / "mcp_broken_server.py"


def server(how: str = "fine", seconds: float = 60) -> StdioServerParams:
    return StdioServerParams(command=sys.executable, args=[str(SERVER), how], read_timeout_seconds=seconds)


async def evaluated(workbench: McpWorkbench, code: str) -> str:
    return (await workbench.call_tool("weigh", {"code": code})).to_text()


async def test_of_a_hundred_calls_those_that_a_dying_server_has_answered_are_answered() -> None:
    async with McpWorkbench(server()) as workbench:
        await workbench.list_tools()
        codes = ["1"] * 50 + ["__import__('os')._exit(3)"] + ["1"] * 49
        results = await asyncio.gather(*(evaluated(workbench, code) for code in codes))
        assert Counter(results[:50]) == {"1": 50}
        assert all("ended during the tool 'weigh'" in result for result in results[50:])
        assert all("Its process ended with exit status 3." in result for result in results[50:])
        assert await evaluated(workbench, "2") == "2"


async def test_of_a_hundred_calls_thirty_are_cancelled_and_the_others_answered(tmp_path: Path) -> None:
    async with McpWorkbench(server()) as workbench:
        await workbench.list_tools()
        begun, go_on = tmp_path / "begun", tmp_path / "go_on"
        going = f"iter(lambda: os.path.exists({str(go_on)!r}), True)"
        held = f"open({str(begun)!r}, 'w') and [time.sleep(0.01) for _ in {going}] and 0"
        calls = [asyncio.create_task(evaluated(workbench, held))]
        await until(begun.exists)  # the others wait behind it
        calls += [asyncio.create_task(evaluated(workbench, str(number))) for number in range(1, 100)]
        await asyncio.sleep(0)
        for call in calls[10:40]:
            call.cancel()
        go_on.touch()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[10:40])
        assert results[1:10] + results[40:] == [str(number) for number in range(1, 100) if not 10 <= number < 40]
        assert await evaluated(workbench, "2") == "2"


async def test_of_several_answers_to_one_call_the_first_counts() -> None:
    first = {"content": [{"type": "text", "text": "first"}], "structuredContent": {"grams": 1}}
    async with McpWorkbench(server()) as workbench:
        answer = f"send(id=number, result={first!r})"
        assert await evaluated(workbench, f"({answer}, {answer}, 'third')") == "first"
        assert await evaluated(workbench, "2") == "2"


NO_ANSWER = "gave no valid answer to the tool 'weigh': the server sent an answer that is none of the protocol"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ('"result": null', NO_ANSWER),
        ('"error": "no"', NO_ANSWER),
        (f'"result": {"[" * 100_000}{"]" * 100_000}', NO_ANSWER),
        (f'"error": {{"code": 1, "message": "{"no" * 1_000_000}"}}', "refused the tool 'weigh': nono"),
        (
            '"result": {"content": [{"type": "text", "text": "a\\ud800b"}], "structuredContent": {"grams": 1}}',
            "a\ufffdb",
        ),
    ],
    ids=["no object", "no error", "deep", "long", "surrogate"],
)
async def test_an_answer_that_is_none_is_told_at_once(answer: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "answer"
    file.write_text(f'"jsonrpc": "2.0", {answer}')
    async with McpWorkbench(server()) as workbench:
        async with asyncio.timeout(30):
            said = await evaluated(workbench, f"print('{{%s, \"id\": %d}}' % (open({str(file)!r}).read(), number))")
        assert told in said
        assert len(said) < 3_000
        assert await evaluated(workbench, "2") == "2"


async def test_a_server_asks_a_hundred_times_in_one_call_and_no_more() -> None:
    asked: list[str] = []

    async def answer(question: HumanQuestion) -> str:
        asked.append(str(question))
        return "yes"

    params = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    ask = f"[send(id=f'ask {{at}}', method='elicitation/create', params={params!r}) for at in range(200)]"
    async with McpWorkbench(server(), elicit=answer) as workbench, asyncio.timeout(60):
        assert await evaluated(workbench, f"{ask} and len([sys.stdin.readline() for _ in range(200)])") == "200"
    assert len(asked) == 100


async def test_a_server_that_closes_its_input_and_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._session._PING_SECONDS", 0.5)
    params = server(seconds=1)
    async with McpWorkbench(params) as workbench:
        assert "did not answer within 1 seconds" in await evaluated(workbench, "[os.close(0), time.sleep(600)]")
        params.read_timeout_seconds = 60
        assert await evaluated(workbench, "2") == "2"


async def test_a_server_that_hangs_at_its_end_and_takes_no_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._stdio._GRACE_SECONDS", 0.3)
    workbench = McpWorkbench(server())
    hang = "__import__('threading').Thread(target=time.sleep, args=(600,)).start()"
    ignore = "__import__('signal').signal(15, 1)"
    async with workbench:
        process = int(await evaluated(workbench, f"[{hang}, {ignore}, os.getpid()][2]"))
    await until(lambda: not Path(f"/proc/{process}").exists())


async def test_an_answer_that_comes_after_the_cancellation_is_nobodys() -> None:
    async with McpWorkbench(server()) as workbench:
        await workbench.start()
        token = CancellationToken()
        late = asyncio.create_task(
            workbench.call_tool("weigh", {"code": "time.sleep(0.5) or 'late'"}, cancellation_token=token)
        )
        second = asyncio.create_task(evaluated(workbench, "'second'"))
        await asyncio.sleep(0.1)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        assert await second == "'second'"


async def test_answers_that_nobody_asked_for_are_ignored() -> None:
    async with McpWorkbench(server()) as workbench:
        strange = "[send(id=each, result={}) for each in (999, 'x', None, -1, 1.5, True, [1])] and 7"
        assert await evaluated(workbench, strange) == "7"
        nested = "sys.stdout.write('{\"id\":3,\"result\":' + '[' * 100_000 + chr(10)) and 8"
        assert await evaluated(workbench, nested) == "8"


async def test_floods_of_garbage_and_of_notifications_are_read() -> None:
    async with McpWorkbench(server()) as workbench:
        note = "send(method='notifications/message', params={'level': 'info', 'data': 'x'})"
        flood = f"[(sys.stdout.write('garbage' + chr(10)), {note}) for _ in range(1000)] and 9"
        assert await evaluated(workbench, flood) == "9"


@pytest.mark.parametrize("line", ["", "garbage"])
async def test_the_event_loop_goes_on_while_a_server_floods(line: str, caplog: pytest.LogCaptureFixture) -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        while True:
            await asyncio.sleep(0)
            steps += 1

    async with McpWorkbench(server()) as workbench:
        await workbench.list_tools()
        beside = asyncio.create_task(step())
        flood = f"sys.stdout.write(({line!r} + chr(10)) * 20_000) and 9"
        assert await evaluated(workbench, flood) == "9"
        beside.cancel()
    assert steps > 200  # of 20,000 lines, a hundred at once
    assert len(caplog.records) < 50


async def test_a_server_that_closes_its_output_is_replaced() -> None:
    async with McpWorkbench(server()) as workbench:
        assert "ended during" in await evaluated(workbench, "[__import__('os').close(1), sys.stdin.read()]")
        assert await evaluated(workbench, "2") == "2"


@pytest.mark.parametrize("value", [object(), float("nan"), "\ud800"])
async def test_arguments_that_are_no_json_are_refused_and_the_session_goes_on(value: object) -> None:
    async with McpWorkbench(server()) as workbench:
        refused = await workbench.call_tool("weigh", {"x": value})
        assert refused.is_error
        assert "The arguments of the tool 'weigh' are no JSON" in refused.to_text()
        assert await evaluated(workbench, "2") == "2"


async def test_a_person_who_cannot_be_asked_is_an_error_of_the_caller_and_no_word_for_the_server() -> None:
    def no_terminal(_question: object) -> str:
        raise OSError("there is no terminal at /dev/secret")

    field = {"type": "object", "properties": {"a": {"type": "string"}}}
    ask = f"send(id='q', method='elicitation/create', params={{'message': 'm', 'requestedSchema': {field!r}}})"
    async with McpWorkbench(server(), elicit=no_terminal) as workbench:
        with pytest.raises(HumanInputError, match="no terminal"):
            await evaluated(workbench, f"[{ask}, globals().update(told=sys.stdin.readline())]")
        told = await evaluated(workbench, "told")
        assert "The request could not be answered." in told
        assert "secret" not in told


async def test_a_server_may_ask_for_nothing_while_no_call_is_under_way(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    params = server()
    params.args.append(str(answer))
    model = ReplayChatCompletionClient(["x"])
    ask = "send(id='q', method='sampling/createMessage', params={'messages': [], 'maxTokens': 5})"
    async with McpWorkbench(params, model_client=model) as workbench:
        assert await evaluated(workbench, f"__import__('threading').Timer(0.5, lambda: {ask}).start() or 5") == "5"
        await until(lambda: answer.exists() and answer.read_text().endswith("\n"))
    assert "No call is under way" in answer.read_text()
    assert not model.create_calls


async def test_progress_without_end_ends_with_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._session._PING_SECONDS", 0.5)
    params = server(seconds=2)
    params.call_timeout_seconds = 4
    report = "send(method='notifications/progress', params={'progressToken': token, 'progress': n})"
    async with McpWorkbench(params) as workbench:
        await workbench.list_tools()
        told = await evaluated(workbench, f"[time.sleep(0.2) or {report} for n in range(1_000)]")
    assert "took more than 4 seconds in all: the tool 'weigh' was cancelled" in told


async def test_a_question_of_no_form_is_refused_to_the_server_alone() -> None:
    async with McpWorkbench(server(), elicit=lambda _question: "x") as workbench:
        schema = {"type": "object", "properties": {"a": {"type": "string", "oneOf": [5]}}}
        ask = f"send(id='q', method='elicitation/create', params={{'message': 'm', 'requestedSchema': {schema!r}}})"
        assert await evaluated(workbench, f"[{ask}, globals().update(told=sys.stdin.readline())] and 1") == "1"
        assert '"error"' in await evaluated(workbench, "told")


async def test_stopping_ends_a_call_and_a_cancelled_stop_leaves_no_server(tmp_path: Path) -> None:
    workbench = McpWorkbench(server())
    await workbench.start()
    process = int(await evaluated(workbench, "__import__('os').getpid()"))
    marker = tmp_path / "started"
    call = asyncio.create_task(evaluated(workbench, f"open({str(marker)!r}, 'w') and time.sleep(600)"))
    await until(marker.exists)
    stop = asyncio.create_task(workbench.stop())
    await asyncio.sleep(0)
    stop.cancel()
    assert "ended during the tool 'weigh'" in await call
    await until(lambda: not Path(f"/proc/{process}").exists())


async def test_a_cancelled_start_leaves_no_server() -> None:
    workbench = McpWorkbench(server("silent"))
    start = asyncio.create_task(workbench.start())
    await asyncio.sleep(0.3)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await workbench.stop()
    assert workbench.initialize_result is None


def test_two_event_loops_use_one_workbench_and_the_same_adapters() -> None:
    workbench = McpWorkbench(server())
    results: list[str] = []

    async def use() -> None:
        (adapter,) = await mcp_server_tools(server())
        async with workbench:
            calls = (evaluated(workbench, str(number)) for number in range(20))
            texts = await asyncio.gather(*calls)
            await adapter.run_json({}, CancellationToken())
        results.extend(texts)

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(results) == sorted([str(number) for number in range(20)] * 2)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)
