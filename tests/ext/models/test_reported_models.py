"""The names that servers report for a model: in the usage, where they are others than the one that was asked for."""

import json
from pathlib import Path

import pytest
from tests.support.model_clients import OpenAI, read

from symposia.agentchat.teams import Position
from symposia.core.models import CreateResult, RequestUsage, UserMessage
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets import NamedModel
from symposia.presets.debate import DebateLimits, DebateTask, run_debate
from symposia.testing.model_server import MockModelServer, Raw

HELLO = [UserMessage(content="hello", source="user")]
COUNTS = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def answered_as(model: str, *, streamed: bool) -> Raw:
    frame = {"id": "1", "created": 1, "model": model, "usage": COUNTS}
    said = {"role": "assistant", "content": "hi"}
    choice = {"index": 0, "finish_reason": "stop", "delta" if streamed else "message": said}
    answer = {**frame, "object": "chat.completion.chunk" if streamed else "chat.completion", "choices": [choice]}
    if not streamed:
        return Raw(body=json.dumps(answer).encode())
    return Raw(body=f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n".encode(), content_type="text/event-stream")


@pytest.mark.parametrize(("model", "reported"), [("gpt-4o-2024-08-06", ("gpt-4o-2024-08-06",)), ("gpt-4o", ())])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_usage_has_the_name_that_the_server_reports_where_it_is_another(
    server: MockModelServer, model: str, reported: tuple[str, ...], streamed: bool
) -> None:
    client = OpenAI().client(server, answered_as(model, streamed=streamed))
    result = (await read(client.create_stream(HELLO)))[1] if streamed else await client.create(HELLO)
    assert (result.usage.model, result.usage.reported_models) == ("gpt-4o", reported)
    assert client.total_usage().reported_models == reported


async def test_usage_json_names_a_model_by_what_was_asked_and_by_what_the_server_reports(tmp_path: Path) -> None:
    usage = RequestUsage(11, 7, model="gpt-4o", usd=0.5, reported_models=("gpt-4o-2024-08-06",))
    answer = CreateResult(finish_reason="stop", content="Yes.", usage=usage, cached=False)
    task = DebateTask(question="Tea?", positions=(Position("yes", "Tea."), Position("no", "No tea.")))
    model = NamedModel(name="gpt-4o", client=ReplayChatCompletionClient([answer] * 30))
    await run_debate(
        task, models=dict.fromkeys(task.agents, model), limits=DebateLimits(rounds=1), folder=tmp_path / "run"
    )
    document = json.loads((tmp_path / "run" / "usage.json").read_text())
    assert document["models"]["gpt-4o"]["reported_as"] == ["gpt-4o-2024-08-06"]
    assert "reported_as" not in document["total"]
