"""Which programs run, with what around them."""

from collections.abc import Mapping, Sequence

from tests.seeds.session import Session
from tests.support.magentic_one import ledger

from symposia.testing.model_server import Failure, Reply, ToolCall


def said(*texts: str) -> Sequence[Reply]:
    return [Reply(text=text) for text in texts]


def handed_to(name: str) -> Reply:
    return Reply(tool_calls=(ToolCall(id=f"to-{name}", name=f"transfer_to_{name.lower()}"),))


def chosen(name: str) -> Reply:
    return Reply(tool_calls=(ToolCall(id=f"chose-{name}", name="select_speaker", arguments=f'{{"name": "{name}"}}'),))


ANALYSIS = """\
Let us see.

```python
revenue = {"Q1": 1200000, "Q2": 1350000, "Q3": 1180000, "Q4": 1580000}
customers = {"Q1": 340, "Q2": 380, "Q3": 350, "Q4": 430}
for quarter in revenue:
    print(quarter, round(revenue[quarter] / customers[quarter], 2))
```
"""
CODE = "```python\nimport os\nprint('sum:', sum(range(101)), os.getuid() != 0)\n```"
SALES = """\
```python
import random
random.seed(1)
products = ["Widget A", "Widget B", "Widget C"]
rows = [(random.choice(products), random.uniform(1000, 50000), random.randint(10, 500)) for _ in range(100)]
for product in products:
    mine = [row for row in rows if row[0] == product]
    print(product, round(sum(row[1] for row in mine), 2), sum(row[2] for row in mine) // len(mine))
open("revenue_by_product.png", "wb").write(b"")
```
"""
ASSISTANT = "conversational_01_assistant_agent"
ROUND_ROBIN = "conversational_03_round_robin"
DEBATE = said("Caching is stale.", "FINAL PROPOSAL: cache by ETag.")
WRITING = said("Microservices are small.", "TERMINATE")

SESSIONS: Mapping[str, Session] = {
    "an assistant uses its tools": Session(
        [ASSISTANT],
        then="""
import asyncio
result = asyncio.run(assistant.run(task="How much is 6 * 7?"))
print([type(m).__name__ for m in result.messages], result.messages[-1].content)
""",
        answers=[
            Reply(
                tool_calls=(
                    ToolCall(id="1", name="search_web", arguments='{"query": "6 * 7"}'),
                    ToolCall(id="2", name="run_python", arguments='{"code": "print(6 * 7)"}'),
                )
            ),
        ],
        prints=[
            "ToolCallRequestEvent",
            "ToolCallExecutionEvent",
            "ToolCallSummaryMessage",
            "Search results for '6 * 7'",
            "42",
        ],
    ),
    "a person is asked": Session(
        ["conversational_02_user_proxy_agent"],
        then="""
import asyncio
print("said:", asyncio.run(human_proxy.run(task="Shall we?")).messages[-1].content)
""",
        typed="go on\n",
        prints=["said: go on"],
    ),
    "a proposal is debated in turns": Session(
        [ASSISTANT, ROUND_ROBIN],
        answers=DEBATE,
        prints=["[user]: Evaluate", "[critic]: Caching is stale.", "[defender]: FINAL PROPOSAL: cache by ETag."],
    ),
    "a model selects the expert": Session(
        [ASSISTANT, ROUND_ROBIN, "conversational_04_selector"],
        then="""
result = asyncio.run(architecture_review("GraphQL everywhere"))
print([m.source for m in result.messages], result.stop_reason)
""",
        answers=[
            *DEBATE,
            chosen("security_expert"),
            *said("Who may query?"),
            chosen("product_manager"),
            *said("DECISION REACHED: no."),
        ],
        prints=["['user', 'security_expert', 'product_manager'] Text 'DECISION REACHED' mentioned"],
    ),
    "support is triaged by handoffs": Session(
        [ASSISTANT, ROUND_ROBIN, "conversational_05_swarm"],
        then="""
result = asyncio.run(handle_support_ticket("I was billed twice"))
print([(type(m).__name__, m.source) for m in result.messages if isinstance(m, HandoffMessage)], result.stop_reason)
""",
        answers=[*DEBATE, handed_to("billing"), handed_to("escalation"), *said("Refunded. RESOLVED")],
        prints=["[('HandoffMessage', 'triage'), ('HandoffMessage', 'billing')] Text 'RESOLVED' mentioned"],
    ),
    "code is written and run": Session(
        [ASSISTANT, "conversational_06_code_execution"],
        answers=said(ANALYSIS, "ANALYSIS COMPLETE: Q3 is the outlier."),
        prints=["=== Coding Session Transcript ===", "[code_runner]", "Q1 3529.41", "Q3 3371.43", "Q3 is the outlier."],
    ),
    "advocates debate and a moderator decides": Session(
        ["conversational_08_debate"],
        answers=said(
            "JSONB, since one system is simpler than two, and transactions come with it.",
            "Documents, since flexible schemas are what they are made for, from the start.",
            "It depends on the queries, so start with JSONB and migrate when they demand it.",
            "FINAL DECISION: start with JSONB.",
        ),
        prints=["Debate completed in 5 messages", "FINAL DECISION: start with JSONB.", "[pragmatist]: It depends"],
    ),
    "a version 0.4 program replaces one of 0.2": Session(
        ["conversational_10_migration"],
        given="import asyncio",
        answers=said(*(f"answer {n}" for n in range(1, 10))),
        prints=["answer 9"],
    ),
    "the version 0.2 program that it replaces": Session(
        ["conversational_10_before_migration"],
        answers=said(CODE, "TERMINATE"),
        prints=["user_proxy (to assistant):", "Your task here", "Code output: \nsum: 5050 True", "TERMINATE"],
        needs_docker=True,
    ),
    "conditions are combined, one of them a timedelta": Session(
        ["deep_dive_02_agentchat", "conversational_11_termination"],
        then="""
import asyncio
print(asyncio.run(RoundRobinGroupChat([assistant], termination_condition=termination).run(task="go")).stop_reason)
""",
        answers=said("on it", "TASK COMPLETE"),
        prints=["Text 'TASK COMPLETE' mentioned"],
    ),
    "a failed run is tried again": Session(
        ["deep_dive_02_agentchat", "conversational_12_error_handling"],
        then="""
class Shaky:
    team, calls = RoundRobinGroupChat([assistant], max_turns=1), 0
    async def run(self, task):
        Shaky.calls += 1
        if Shaky.calls == 1:
            raise ConnectionError("lost")
        return await self.team.run(task=task)
print(asyncio.run(safe_team_run(Shaky(), "hello")).messages[-1].content)
""",
        answers=said("hello back"),
        prints=["Attempt 1 failed: lost. Retrying in 1s...", "hello back"],
    ),
    "a run is logged": Session(
        ["deep_dive_02_agentchat", "conversational_13_observability"],
        given="import asyncio",
        then="""
print(asyncio.run(traced_team_run(RoundRobinGroupChat([assistant], max_turns=1), "hello")).stop_reason)
""",
        answers=said("hello back"),
        prints=["Maximum number of turns 1 reached."],
    ),
    "an agent of the core answers": Session(
        ["deep_dive_01_core"],
        then="""
import asyncio
from autogen_core import AgentId, SingleThreadedAgentRuntime
async def main():
    runtime = SingleThreadedAgentRuntime()
    await CustomAgent.register(runtime, "custom", lambda: CustomAgent("A custom agent"))
    runtime.start()
    print(await runtime.send_message(TextMessage("hello", "me"), AgentId("custom", "default")))
    await runtime.stop()
asyncio.run(main())
""",
        prints=["TextMessage(content='Received: hello', source='custom')"],
    ),
    "an assistant talks": Session(
        ["deep_dive_02_agentchat"],
        then="import asyncio; print(asyncio.run(assistant.run(task='hello')).messages[-1].content)",
        answers=said("hello back"),
        prints=["hello back"],
    ),
    "a sales assistant calls its functions": Session(
        ["deep_dive_03_assistant_agent"],
        then="import asyncio; print(asyncio.run(sales_agent.run(task='2 kg to Oslo?')).messages[-1].content)",
        answers=[
            Reply(
                tool_calls=(
                    ToolCall(id="1", name="calculate_shipping", arguments='{"weight": 2, "destination": "Oslo"}'),
                )
            )
        ],
        prints=["Shipping to Oslo: $10.00"],
    ),
    "a person types at the terminal": Session(
        ["deep_dive_04_user_proxy_agent"],
        then="import asyncio; print('said:', asyncio.run(human.run(task='And?')).messages[-1].content)",
        typed="yes\n",
        prints=["said: yes"],
    ),
    "an executor in Docker runs what it is told": Session(
        ["deep_dive_05_code_executor_agent"],
        then=f"""
import asyncio
async def main():
    await code_executor.start()
    print((await executor_agent.run(task={CODE!r})).messages[-1].content)
    await code_executor.stop()
asyncio.run(main())
""",
        prints=["sum: 5050 True"],
        needs_docker=True,
    ),
    "an executor in Docker works in a folder": Session(
        ["conversational_02_user_proxy_agent"],
        then=f"""
import asyncio
async def main():
    executor = await create_code_executor()
    agent = CodeExecutorAgent("runner", code_executor=executor)
    print((await agent.run(task={CODE!r})).messages[-1].content)
    await executor.stop()
asyncio.run(main())
""",
        prints=["sum: 5050 True"],
        needs_docker=True,
        needs_folders=["/workspace"],
    ),
    "an executor in Docker has a data folder beside its work folder": Session(
        ["conversational_07_docker"],
        then="import asyncio; asyncio.run(create_production_executor()); print('started and stopped')",
        prints=["started and stopped"],
        needs_docker=True,
        needs_folders=["/workspace", "/path/to/local/data"],
    ),
    "a coder and a runner in Docker take turns": Session(
        ["deep_dive_02_agentchat", "deep_dive_10_docker"],
        given="import asyncio",
        then="""
async def main():
    async for message in team.run_stream(task="Add up 0 to 100."):
        if message.source == "Executor":
            print(message.content)
            break
    await docker_executor.stop()
asyncio.run(main())
""",
        answers=said(CODE),
        prints=["sum: 5050 True"],
        needs_docker=True,
        needs_folders=["/workspace"],
    ),
    "a writer and an editor take turns": Session(["deep_dive_06_round_robin"], answers=WRITING, prints=["TERMINATE"]),
    "a model selects who researches": Session(
        ["deep_dive_06_round_robin", "deep_dive_07_selector"],
        then="asyncio.run(main()); print('over')",
        answers=[*WRITING, chosen("Researcher"), *said("Found three."), chosen("Presenter"), *said("TERMINATE")],
        prints=["over"],
    ),
    "a customer is handed on and back": Session(
        ["deep_dive_06_round_robin", "deep_dive_08_swarm"],
        then="asyncio.run(main()); print('over')",
        answers=[*WRITING, handed_to("Billing"), handed_to("Support"), *said("RESOLVED")],
        prints=["over"],
    ),
    "an executor works in a folder": Session(
        ["deep_dive_11_local"],
        then="""
import asyncio
from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock
async def main():
    await local_executor.start()
    result = await local_executor.execute_code_blocks([CodeBlock("print('here')", "python")], CancellationToken())
    print(result.exit_code, result.output)
    await local_executor.stop()
asyncio.run(main())
""",
        prints=["0 here"],
    ),
    "a summariser summarises": Session(
        ["deep_dive_02_agentchat", "deep_dive_12_memory"],
        then="import asyncio; print(asyncio.run(summarizer.run(task='...')).messages[-1].content)",
        answers=said("In short: all well."),
        prints=["In short: all well."],
    ),
    "a selector without a model": Session(
        ["deep_dive_02_agentchat", "deep_dive_07_selector", "deep_dive_13_termination"],
        given="from autogen_agentchat.conditions import TextMentionTermination; agents = [assistant, assistant]",
        fails_with="missing 1 required positional argument: 'model_client'",
    ),
    "a run gets a deadline": Session(
        ["deep_dive_02_agentchat", "deep_dive_14_error_handling"],
        then="print(asyncio.run(run_with_retry(RoundRobinGroupChat([assistant], max_turns=1), 'hello')).stop_reason)",
        answers=said("hello back"),
        prints=["Maximum number of turns 1 reached."],
    ),
    "logging is turned on": Session(
        ["deep_dive_15_observability", "deep_dive_02_agentchat"],
        then="import asyncio; print(asyncio.run(assistant.run(task='hello')).messages[-1].content)",
        answers=said("hello back"),
        prints=["hello back"],
    ),
    "a stream is shown as it comes": Session(
        [ASSISTANT, ROUND_ROBIN, "conversational_09_streaming"],
        then="asyncio.run(run_with_streaming('Which cache?'))",
        answers=[
            *DEBATE,
            Reply(tool_calls=(ToolCall(id="1", name="search_web", arguments='{"query": "cache"}'),)),
            *said("Too slow.", "Redis.", "Fine.", "Redis it is."),
        ],
        prints=[
            "[user]: Which cache?",
            "[Tool Result]: ",
            "[critic]: Too slow.",
            "Task complete. Stop reason: Maximum number",
        ],
    ),
    "Magentic-One brings its specialists": Session(
        ["deep_dive_09_magentic_one"],
        then="import asyncio; asyncio.run(main())",
        answers=said(
            "Known: nothing.",
            "1. Coder writes the report.",
            ledger("Coder", "Write report.md."),
            "```python\nprint(open('report.md', 'w').write('AutoGen, Symposia, and a third one'))\n```",
            ledger("ComputerTerminal", "Run it."),
            ledger(done=True),
            "The report is in report.md.",
        ),
    ),
    "the console shows a stream, which has no end": Session(
        ["deep_dive_02_agentchat", "deep_dive_16_streaming"],
        given="""
import asyncio
agent1, agent2 = (AssistantAgent(name=name, model_client=model_client) for name in ("agent1", "agent2"))
""",
        then="asyncio.run(main())",
        answers=[*said("one", "two"), Failure(status=400, message="enough")],
        prints=["Your task here", "agent1", "one", "agent2", "two"],
        fails_with="enough",
    ),
    "two agents of version 0.2 write and run code": Session(
        ["multi_agent_01_two_agents"],
        answers=said(SALES, "The chart is saved. TERMINATE"),
        prints=[
            "ExecutorAgent (to DataAnalystAgent):",
            "EXECUTING CODE BLOCK 0 (inferred language is python)",
            "exitcode: 0 (execution succeeded)\nCode output: \nWidget A",
            "TERMINATE",
            "Agent task completed.",
        ],
    ),
    "a model selects who speaks in a group of version 0.2": Session(
        ["multi_agent_01_two_agents", "multi_agent_02_group_chat"],
        answers=said(
            *(SALES, "TERMINATE"),
            *("DataAnalystAgent", SALES, "ReviewerAgent", "APPROVED: proceed.", "ExecutorAgent"),
            *("DataAnalystAgent", "TERMINATE"),
        ),
        prints=[
            "Agent task completed.",
            "Next speaker: DataAnalystAgent",
            "Next speaker: ReviewerAgent",
            "APPROVED: proceed.",
            "Next speaker: ExecutorAgent",
            "exitcode: 0 (execution succeeded)\nCode output: \nWidget A",
            "TERMINATE",
        ],
    ),
}
"""Programs that run, by what is seen."""
