"""A team can be used in one event loop after another, as by a script that calls `asyncio.run` for each of its steps."""

import asyncio

from tests.support.agents import let_others_run
from tests.support.interpreter import printed
from tests.support.team_members import Member, lines

from symposia.agentchat.teams import RoundRobinGroupChat


def test_a_team_pauses_and_resumes_in_one_loop_after_another() -> None:
    team = RoundRobinGroupChat([Member("ann")], max_turns=1)

    async def play() -> list[str]:
        await team.pause()
        run = asyncio.create_task(team.run(task="go"))
        await let_others_run()
        await team.resume()
        return lines((await run).messages)

    assert [asyncio.run(play()) for _ in range(2)] == [["user: go", "ann: hello"]] * 2


def test_a_team_that_was_paused_in_a_loop_that_has_ended_is_resumed_in_the_next() -> None:
    team = RoundRobinGroupChat([Member("ann")], max_turns=1)

    async def leave_paused() -> None:
        await team.pause()
        run = asyncio.create_task(team.run(task="go"))
        await let_others_run()
        assert not run.done()

    async def resume() -> list[str]:
        run = asyncio.create_task(team.run())
        await let_others_run()
        await team.resume()
        return lines((await run).messages)

    asyncio.run(leave_paused())  # which cancels the run
    assert asyncio.run(resume()) == ["ann: hello"]


def test_a_team_is_saved_by_several_at_once_in_one_loop_after_another() -> None:
    ann = Member("ann")
    team = RoundRobinGroupChat([ann], max_turns=3)

    async def play() -> bool:
        run = asyncio.create_task(team.run(task="go"))
        states = await asyncio.gather(*(team.save_state() for _ in range(3)))
        await run
        return states[0] == states[1]

    assert [asyncio.run(play()) for _ in range(2)] == [True, True]


LEFT = """
import asyncio
from tests.support.interpreter import printed
from tests.support.team_members import Member, lines
from symposia.agentchat.teams import RoundRobinGroupChat

team = RoundRobinGroupChat([Member("ann", asyncio.Event(), "fine")], max_turns=1)
loop = asyncio.new_event_loop()
stream = team.run_stream(task="go")
loop.run_until_complete(anext(stream))
loop.close()
print(lines(asyncio.run(team.run(task="on")).messages))
"""


def test_a_stream_that_was_left_in_a_closed_loop_does_not_hold_the_team() -> None:
    assert printed(LEFT) == "['user: on', 'ann: fine']"


STOPPED = """
import asyncio
from tests.support.interpreter import printed
from tests.support.team_members import Member, lines
from symposia.agentchat.teams import RoundRobinGroupChat

team = RoundRobinGroupChat([Member("ann", asyncio.Event(), "fine")], max_turns=1)
loop = asyncio.new_event_loop()
stream = team.run_stream(task="go")

async def show():
    await anext(stream)

loop.run_until_complete(show())
del stream
try:
    print(lines(asyncio.run(team.run(task="on")).messages))
except Exception as error:
    print(type(error).__name__)
"""


def test_a_stream_that_was_dropped_in_a_loop_that_stands_still_is_an_error_and_no_wait() -> None:
    assert printed(STOPPED) == "TeamRunningError"


CLOSED_LATE = """
import asyncio
from tests.support.interpreter import printed
from tests.support.team_members import Member, lines
from symposia.agentchat.teams import RoundRobinGroupChat

team = RoundRobinGroupChat([Member("ann", asyncio.Event(), asyncio.Event())], max_turns=1)
loop = asyncio.new_event_loop()
stream = team.run_stream(task="go")
loop.run_until_complete(anext(stream))
loop.close()

async def play():
    run = asyncio.create_task(team.run(task="on"))
    await asyncio.sleep(0)
    await asyncio.gather(stream.aclose(), return_exceptions=True)
    try:
        await team.run(task="beside")
    except Exception as error:
        print(type(error).__name__)
    run.cancel()
    await asyncio.wait([run])

asyncio.run(play())
"""


def test_a_stream_of_a_closed_loop_that_is_closed_late_does_not_free_the_team_of_its_next_run() -> None:
    assert printed(CLOSED_LATE) == "TeamRunningError"
