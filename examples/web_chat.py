"""A team behind a web page. Each browser talks to a team of its own, speaks in between, and approves its tool calls.

    python examples/web_chat.py          then open http://127.0.0.1:8000

Needs `pip install fastapi uvicorn websockets`, and no key: the model's answers are scripted.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import TaskResult
from symposia.agentchat.conditions import ExternalTermination, TextMentionTermination
from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.agentchat.ui import OpenQuestions
from symposia.core import FunctionCall
from symposia.core.effects import HumanQuestion
from symposia.core.exceptions import HumanInputError
from symposia.core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage, RequestUsage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench
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
        self._questions = OpenQuestions(self._show)
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
        tools = ApprovedWorkbench(StaticWorkbench([FunctionTool(pay, "Pay.")]), self._questions.ask)
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
        except* (WebSocketDisconnect, HumanInputError):  # it may leave while a question is sent to it
            print(f"A browser has left, questions open: {len(self._questions.pending)}", flush=True)

    async def _listen(self) -> None:
        while True:
            match _message(await self._socket.receive_text()):
                case {"type": "say", "text": str(text)}:
                    self._interruption.set()  # the person speaks in between: the run ends after the present turn
                    self._said.put_nowait(text)
                case {"type": "answer", "id": str(question_id), "approved": bool(approved)}:
                    self._questions.answer(question_id, approved)  # without effect if it is late or of another session
                case _:
                    pass  # not from this page

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

    async def _show(self, question_id: str, question: HumanQuestion) -> None:
        """Show the very call to the person, who answers this question and no other."""
        await self._send("approve", "clerk", question, id=question_id)

    async def _send(self, kind: str, source: str, text: str, **more: str) -> None:
        await self._socket.send_json({"type": kind, "source": source, "text": text, **more})


def _message(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


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
