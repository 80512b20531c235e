"""A team behind a web page. Each browser talks to a team of its own, speaks in between, and approves its tool calls.

    python examples/web_chat.py          then open http://127.0.0.1:8000

Needs `pip install fastapi uvicorn websockets`, and no key: the model's answers are scripted.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import count

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import TaskResult
from symposia.agentchat.conditions import ExternalTermination, TextMentionTermination
from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import FunctionCall
from symposia.core.effects import HumanAnswer
from symposia.core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage, RequestUsage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench, ToolApprovalRequest
from symposia.ext.models.replay import ReplayChatCompletionClient

PAGE = """<!doctype html><title>Chat</title><ul id=log></ul><input id=text autofocus placeholder="pay 5, or talk">
<script>
const socket = new WebSocket(`ws://${location.host}/chat`), show = (line) => {
  log.appendChild(document.createElement("li")).textContent = line; };
socket.onmessage = ({data}) => {
  const item = JSON.parse(data);
  if (item.type !== "approve") return show(`${item.source}: ${item.text}`);
  socket.send(JSON.stringify({type: "answer", id: item.id, approved: confirm(item.text)})); };
text.onchange = () => { show(`you: ${text.value}`); socket.send(JSON.stringify({type: "say", text: text.value}));
  text.value = ""; };
</script>"""


async def scripted(messages: Sequence[LLMMessage]) -> str | CreateResult:
    """In the place of a model: pays when it is told to, talks on and on when it is told to, and else repeats."""
    last = messages[-1]
    if isinstance(last, FunctionExecutionResultMessage):
        return f"{last.content[0].content} DONE"
    said = [str(message.content) for message in messages if message.type == "UserMessage"][-1]
    if said.startswith("pay "):
        call = FunctionCall(id="1", name="pay", arguments=f'{{"amount": {int(said[4:])}}}')
        usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        return CreateResult(finish_reason="function_calls", content=[call], usage=usage, cached=False)
    if said == "talk":
        await asyncio.sleep(0.05)
        return "And another thing:"
    return f"You said: {said}. DONE"


async def pay(amount: int) -> str:
    """Pay an amount."""
    return f"{amount} paid."


class Session:
    """One browser, its team, and the questions that it has not answered yet."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._questions: dict[int, asyncio.Future[bool]] = {}
        self._ids = count()
        self._interruption = ExternalTermination()
        model = ReplayChatCompletionClient(
            scripted,
            model_info={
                "vision": False,
                "function_calling": True,
                "json_output": False,
                "structured_output": False,
                "family": "unknown",
            },
        )
        tools = ApprovedWorkbench(StaticWorkbench([FunctionTool(pay, "Pay.")]), self._approve)
        clerk = AssistantAgent("clerk", model, workbench=tools, reflect_on_tool_use=True)
        self._team = RoundRobinGroupChat(
            [clerk], termination_condition=TextMentionTermination("DONE") | self._interruption
        )

    async def run(self) -> None:
        """Talk until the browser leaves, which cancels what the team is doing."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._talk())
        except* WebSocketDisconnect:
            print(f"A browser has left, questions open: {len(self._questions)}", flush=True)

    async def _listen(self) -> None:
        while True:
            item = await self._socket.receive_json()
            if item["type"] == "say":
                self._interruption.set()  # the person speaks in between: the run ends after the present turn
                self._said.put_nowait(item["text"])
            elif question := self._questions.pop(item["id"], None):
                question.set_result(item["approved"] is True)

    async def _talk(self) -> None:
        while True:
            said = [await self._said.get()]
            while not self._said.empty():
                said.append(self._said.get_nowait())
            await self._interruption.reset()  # all that was said is in this task
            async for item in self._team.run_stream(task="\n".join(said), output_task_messages=False):
                if isinstance(item, TaskResult):
                    await self._send("message", "team", str(item.stop_reason))
                elif isinstance(item, BaseChatMessage):
                    await self._send("message", item.source, item.to_text())

    async def _approve(self, request: ToolApprovalRequest) -> HumanAnswer:
        """Show the very call to the person, and wait for the answer to this question."""
        number = next(self._ids)
        self._questions[number] = asyncio.get_running_loop().create_future()
        question = self._questions[number]
        await self._send("approve", "clerk", f"May I call {request}?", id=number)
        return HumanAnswer(text="The customer said no.", approved=await question)

    async def _send(self, kind: str, source: str, text: str, **more: int) -> None:
        await self._socket.send_json({"type": kind, "source": source, "text": text, **more})


app = FastAPI()


@app.get("/")
async def page() -> HTMLResponse:
    return HTMLResponse(PAGE)


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    # A page of another site could connect as well, and approve for the person who looks at it.
    if socket.headers.get("origin") not in {None, f"http://{socket.headers.get('host')}"}:
        await socket.close(1008)
        return
    await socket.accept()
    await Session(socket).run()


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
