import pytest
from pydantic import ValidationError

from symposia.core import FunctionCall
from symposia.core.models import ChatCompletionTokenLogprob, CreateResult, RequestUsage, TopLogprob


def result(**fields: object) -> CreateResult:
    given = {"finish_reason": "stop", "content": "Hi", "usage": RequestUsage(1, 2), "cached": False}
    return CreateResult.model_validate(given | fields)


def test_a_result_survives_json() -> None:
    whole = result(
        content=[FunctionCall(id="1", arguments="{}", name="add")],
        finish_reason="function_calls",
        logprobs=[
            ChatCompletionTokenLogprob(token="a", logprob=-0.5, top_logprobs=[TopLogprob(-0.5, [97])], bytes=[97])
        ],
        thought="hm",
        vendor_blocks={"openai": [{"id": "rs_1"}]},
    )
    assert CreateResult.model_validate_json(whole.model_dump_json()) == whole


def test_a_result_without_vendor_blocks_is_written_as_autogen_writes_it() -> None:
    assert result().model_dump() == {
        "finish_reason": "stop",
        "content": "Hi",
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "cached": False,
        "logprobs": None,
        "thought": None,
    }


def test_an_unknown_finish_reason_is_refused() -> None:
    with pytest.raises(ValidationError, match="finish_reason"):
        result(finish_reason="bored")
