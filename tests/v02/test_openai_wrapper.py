"""`OpenAIWrapper` over HTTP with the SDKs: requests, answers, prices, usage, caches, and models that fail."""

import asyncio
import json
import logging
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from pydantic import BaseModel
from tests.support.interpreter import python
from tests.support.journal import Journal
from typing_extensions import override

from symposia.core.effects import handle_effects
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient
from symposia.ext.models.openai import BaseOpenAIChatCompletionClient
from symposia.testing.model_server import Failure, MockModelServer, Raw, Reply, ToolCall
from symposia.v02.cache import Cache
from symposia.v02.cache.in_memory_cache import InMemoryCache
from symposia.v02.io import IOStream
from symposia.v02.oai import OpenAIWrapper

Entry = dict[str, Any]  # Any: JSON

HELLO = [{"role": "user", "content": "hi"}]
TOOL: Entry = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


def entry(server: MockModelServer, model: str = "gpt-4o", **more: object) -> Entry:
    return {"model": model, "api_key": "test", "base_url": server.openai_url, "max_retries": 0, **more}


def uncached(*entries: Entry) -> OpenAIWrapper:
    return OpenAIWrapper(config_list=list(entries), cache_seed=None)


def text_of(response: Any) -> Any:  # Any: an answer, and what it says
    [text] = OpenAIWrapper.extract_text_or_completion_object(response)
    return text


class Printed(IOStream):
    def __init__(self) -> None:
        self.text = ""

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        self.text += sep.join(map(str, objects)) + end

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        raise EOFError


# Requests and answers -------------------------------------------------------------------------------------------------


def test_an_answer_is_an_object_of_openais_sdk(server: MockModelServer) -> None:
    server.script(Reply(text="Hello!", usage=(10, 5)))
    response = uncached(entry(server)).create(messages=HELLO)
    assert response.__class__ == ChatCompletion
    assert text_of(response) == "Hello!"
    assert (response.model, response.config_id, response.pass_filter) == ("gpt-4o", 0, True)
    assert response.usage is not None
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (10, 5)


def test_what_the_program_wrote_is_sent_as_it_is_and_the_entry_wins(server: MockModelServer) -> None:
    server.script(Reply(text="ok"))
    messages = [{"role": "user", "content": "hi", "name": "ann"}, {"role": "assistant", "content": "x", "name": "bob"}]
    uncached(entry(server, temperature=0.5, tags=["a"])).create(messages=messages, temperature=1, top_p=0.1)
    body = server.requests[0].body
    assert body == {"model": "gpt-4o", "messages": messages, "temperature": 0.5, "top_p": 0.1}


def test_a_call_of_a_tool_is_a_message(server: MockModelServer) -> None:
    server.script(Reply(tool_calls=(ToolCall(id="1", name="look", arguments='{"a": 1}'),)))
    message = text_of(uncached(entry(server)).create(messages=HELLO, tools=[TOOL]))
    assert isinstance(message, ChatCompletionMessage)
    assert message.model_dump()["tool_calls"] == [
        {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    ]
    assert server.requests[0].body["tools"] == [TOOL]


def test_functions_are_asked_for_as_tools_and_answered_as_functions(server: MockModelServer) -> None:
    server.script(Reply(tool_calls=(ToolCall(id="2", name="look"),)))
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "function", "name": "look", "content": "seen"},
    ]
    message = text_of(uncached(entry(server)).create(messages=messages, functions=[TOOL["function"]]))
    assert message.function_call.name == "look"
    assert message.tool_calls is None
    body = server.requests[0].body
    assert "functions" not in body
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "tool"]
    assert body["messages"][2]["tool_call_id"] == body["messages"][1]["tool_calls"][0]["id"]


async def test_clients_of_options_that_vary_are_closed_when_there_are_many_and_never_in_a_request(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[ChatCompletionClient] = []
    close = BaseOpenAIChatCompletionClient.close

    async def noting(client: BaseOpenAIChatCompletionClient) -> None:
        closed.append(client)
        await close(client)

    monkeypatch.setattr(BaseOpenAIChatCompletionClient, "close", noting)
    wrapper = uncached(entry(server))
    server.script(*[Reply(text="ok")] * 40)
    answers = await asyncio.gather(*(wrapper.a_create(messages=HELLO, seed=seed) for seed in range(20)))
    answers += [await wrapper.a_create(messages=HELLO, seed=seed) for seed in range(20)]
    assert [text_of(answer) for answer in answers] == ["ok"] * 40
    assert {request.body["seed"] for request in server.requests} == set(range(20))
    assert len(closed) > 20


def test_each_of_several_choices_is_asked_for(server: MockModelServer) -> None:
    server.script(Reply(text="one", usage=(10, 1)), Reply(text="two", usage=(10, 2)))
    response = uncached(entry(server)).create(messages=HELLO, n=2)
    assert sorted(OpenAIWrapper.extract_text_or_completion_object(response)) == ["one", "two"]
    assert response.usage.total_tokens == 23


def test_a_streamed_answer_is_printed_in_green_and_is_one_answer(server: MockModelServer) -> None:
    server.script(Reply(text="Hello there"))
    printed = Printed()
    with IOStream.set_default(printed):
        response = uncached(entry(server)).create(messages=HELLO, stream=True)
    assert printed.text == "\x1b[32mHello there\x1b[0m\n\n"
    assert text_of(response) == "Hello there"


def test_an_interruption_of_a_streamed_answer_is_raised_and_ends_the_green(server: MockModelServer) -> None:
    class Interrupted(Printed):
        @override
        def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
            super().print(*objects, sep=sep, end=end, flush=flush)
            if flush:
                signal.raise_signal(signal.SIGINT)

    server.script(Reply(text="Hello"))
    printed = Interrupted()
    with IOStream.set_default(printed), pytest.raises(KeyboardInterrupt):
        uncached(entry(server)).create(messages=HELLO, stream=True)
    assert printed.text.endswith("\033[0m\n\n")


@pytest.mark.parametrize("request_", [{}, {"messages": None}, {"messages": HELLO, "prompt": "x"}, {"messages": "x"}])
def test_a_request_has_a_list_of_messages_or_a_prompt(server: MockModelServer, request_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Either prompt or messages|messages are a list"):
        uncached(entry(server)).create(**request_)


def test_messages_are_templates_of_a_context(server: MockModelServer) -> None:
    server.script(*[Reply(text="ok")] * 3)
    wrapper = uncached(entry(server))

    def sent(content: object, **more: object) -> object:
        wrapper.create(messages=[{"role": "user", "content": content}], context={"who": "Ann"}, **more)
        return server.requests[-1].body["messages"][0]["content"]

    assert sent("hi {who}", allow_format_str_template=True) == "hi Ann"
    assert sent("hi {who}") == "hi {who}"
    assert sent("bye {0[who]}".format) == "bye Ann"
    assert OpenAIWrapper.instantiate("hi {who}", {"who": "Ann"}, allow_format_str_template=True) == "hi Ann"
    assert OpenAIWrapper.instantiate(None) is None


async def test_the_asynchronous_form_runs_in_the_running_loop_and_the_other_works_there_too(
    server: MockModelServer,
) -> None:
    server.script(Reply(text="one"), Reply(text="two"))
    wrapper = uncached(entry(server))
    assert text_of(await wrapper.a_create(messages=HELLO)) == "one"
    assert text_of(wrapper.create(messages=HELLO)) == "two"


def test_model_calls_are_effects(server: MockModelServer) -> None:
    server.script(*[Reply(text="ok")] * 2)
    journal = Journal()
    with handle_effects(journal):
        uncached(entry(server)).create(messages=HELLO)
        again = uncached(entry(server)).create(messages=HELLO)
    assert [each.kind for each in journal.records if each.what == "result"] == ["model", "model"]
    assert text_of(again) == "ok"


# Vendors --------------------------------------------------------------------------------------------------------------


def test_azure_is_asked_by_a_deployment_without_dots(server: MockModelServer) -> None:
    server.script(Reply(text="ok"))
    azure = {"model": "gpt-3.5-turbo", "api_key": "k", "api_type": "azure", "api_version": "2024-02-01"}
    response = uncached({**azure, "base_url": server.url}).create(messages=HELLO)
    assert server.requests[0].path == "/openai/deployments/gpt-35-turbo/chat/completions"
    assert response.model == "gpt-3.5-turbo"


@pytest.mark.parametrize(
    ("api_type", "model", "address", "vendor"),
    [
        ("anthropic", "claude-sonnet-4-5", "base_url", "anthropic"),
        ("google", "gemini-2.5-flash", "base_url", "gemini"),
        ("mistral", "mistral-large-latest", "base_url", "mistral"),
        ("ollama", "llama3.2", "client_host", "ollama"),
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "base_url", "bedrock"),
    ],
)
def test_an_api_type_chooses_the_vendor(
    server: MockModelServer, api_type: str, model: str, address: str, vendor: str
) -> None:
    server.script(Reply(tool_calls=(ToolCall(id="call12345", name="look"),)), Reply(text="done"))
    url = server.mistral_url if vendor == "mistral" else server.url
    login = {"aws_region": "us-east-1", "aws_access_key": "a", "aws_secret_key": "s"}
    login = login if vendor == "bedrock" else {"api_key": "k"}
    wrapper = uncached({"model": model, **login, "api_type": api_type, address: url, "temperature": 0.5})
    call = text_of(wrapper.create(messages=HELLO, tools=[TOOL])).tool_calls[0]
    messages = [
        {"role": "system", "content": "Be brief."},
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "seen"},
    ]
    assert text_of(wrapper.create(messages=messages, tools=[TOOL])) == "done"
    assert [request.vendor for request in server.requests] == [vendor, vendor]


@pytest.mark.parametrize("api_type", ["groq", "together", "cerebras", "cohere"])
def test_other_vendors_take_openais_format_with_a_key_of_their_own(
    server: MockModelServer, api_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(Reply(text="ok"))
    monkeypatch.setenv(f"{api_type.upper()}_API_KEY", "theirs")
    wrapper = uncached({"model": "llama-3.3-70b", "api_type": api_type, "base_url": server.openai_url})
    wrapper.create(messages=HELLO)
    assert server.requests[0].headers["authorization"] == "Bearer theirs"


def _service_account() -> dict[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    token_uri = "http://127.0.0.1:1/token"
    return {"type": "service_account", "client_email": "a@b.c", "token_uri": token_uri, "private_key": pem}


@pytest.mark.parametrize(
    ("api_type", "options", "sent"),
    [
        ("cohere", {"p": 0.5}, {"top_p": 0.5}),
        ("ollama", {"num_predict": 9, "native_tool_calls": True}, {"options": {"num_predict": 9}}),
        ("google", {"max_tokens": 9, "response_validation": True}, {"generationConfig": {"maxOutputTokens": 9}}),
        ("bedrock", {"top_k": 4, "supports_system_prompts": True}, {"additionalModelRequestFields": {"top_k": 4}}),
    ],
)
def test_options_have_the_names_of_autogen_0_2(
    server: MockModelServer, api_type: str, options: dict[str, Any], sent: dict[str, Any]
) -> None:
    server.script(Reply(text="ok"))
    models = {"google": "gemini-2.5-flash", "bedrock": "anthropic.claude-3-haiku-20240307-v1:0"}
    login = {"aws_region": "us-east-1", "aws_access_key": "a", "aws_secret_key": "s"} if api_type == "bedrock" else {}
    place = {
        "client_host" if api_type == "ollama" else "base_url": server.openai_url if api_type == "cohere" else server.url
    }
    login = login or ({} if api_type == "ollama" else {"api_key": "k"})
    model = models.get(api_type, "m")
    uncached({"model": model, "api_type": api_type, **login, **place, **options}).create(messages=HELLO)
    assert {name: server.requests[0].body[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("api_type", "options", "reason"),
    [
        ("cohere", {"k": 5}, "Cohere takes no k here"),
        ("ollama", {"native_tool_calls": False}, "told of tools natively"),
        ("ollama", {"manual_tool_call_step1": "x"}, "told of tools natively"),
        ("bedrock", {"supports_system_prompts": False, "aws_region": "us-east-1"}, "supports_system_prompts is False"),
    ],
)
def test_an_option_without_a_counterpart_is_refused(api_type: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        uncached({"model": "m", "api_key": "k", "api_type": api_type, **options})


def test_the_service_account_of_google_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    gemini = {"model": "gemini-2.5-flash", "api_type": "google", "project_id": "p", "location": "us-central1"}
    with pytest.raises(FileNotFoundError):
        uncached({**gemini, "google_application_credentials": str(path)})
    path.write_text(json.dumps(_service_account()))
    uncached({**gemini, "google_application_credentials": str(path)})


def test_a_model_is_not_shown_tools_that_have_run_where_they_are_to_be_hidden(server: MockModelServer) -> None:
    call = {"id": "1", "type": "function", "function": {"name": TOOL["function"]["name"], "arguments": "{}"}}
    ran = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "1", "content": "seen"}]
    server.script(*[Reply(text="ok")] * 2)
    wrapper = uncached(entry(server, hide_tools="if_all_run"))
    for messages in (HELLO, [*HELLO, *ran]):
        wrapper.create(messages=messages, tools=[TOOL], tool_choice="auto")
    first, second = (request.body.keys() & {"tools", "tool_choice"} for request in server.requests)
    assert (first, second) == ({"tools", "tool_choice"}, set())
    with pytest.raises(TypeError, match="give 'never', 'if_any_run' or 'if_all_run'"):
        uncached(entry(server, hide_tools="later")).create(messages=HELLO, tools=[TOOL])


@pytest.mark.parametrize("api_type", ["openai", "groq"])
def test_an_http_client_of_the_program_is_an_asynchronous_one(server: MockModelServer, api_type: str) -> None:
    options = entry(server, api_type=api_type)
    with httpx.Client() as plain, pytest.raises(ValueError, match=r"give an httpx\.AsyncClient with the same options"):
        uncached({**options, "http_client": plain})
    server.script(Reply(text="ok"))
    own = httpx.AsyncClient(headers={"x-mine": "1"})
    assert text_of(uncached({**options, "http_client": own}).create(messages=HELLO)) == "ok"
    assert server.requests[0].headers["x-mine"] == "1"


def test_an_image_that_is_a_link_goes_to_openai_as_it_is_and_to_others_not_at_all(server: MockModelServer) -> None:
    server.script(Reply(text="ok"))
    content = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, {"type": "text", "text": "?"}]
    messages = [{"role": "user", "content": content}]
    uncached(entry(server)).create(messages=messages)
    assert server.requests[0].body["messages"] == messages
    other = uncached({"model": "claude-sonnet-4-5", "api_key": "k", "api_type": "anthropic", "base_url": server.url})
    with pytest.raises(ValueError, match=r"is a link, .* give it as a data: URI"):
        other.create(messages=messages)


def test_a_missing_key_is_an_error_of_the_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(openai.OpenAIError, match="OPENAI_API_KEY"):
        OpenAIWrapper(config_list=[{"model": "gpt-4o"}])


# Fallbacks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_the_next_model_is_asked_when_one_fails_and_the_last_error_is_openais(
    server: MockModelServer, status: int, error: type[Exception]
) -> None:
    server.script(Failure(status=status), Reply(text="second"), Failure(status=503), Failure(status=status))
    wrapper = uncached(entry(server), entry(server, "gpt-4o-mini"))
    response = wrapper.create(messages=HELLO)
    assert (text_of(response), response.config_id) == ("second", 1)
    with pytest.raises(error):
        wrapper.create(messages=HELLO)


@pytest.mark.parametrize("answer", ["error", "no JSON", "cut"])
def test_a_streamed_answer_that_fails_is_an_error_of_openais_sdk(server: MockModelServer, answer: str) -> None:
    """What its SDK does not notice is a `ModelError` of ours: it is the cause."""
    ending = b'{"error": {"message": "overloaded"}}' if answer == "error" else b"{no"
    broken = Raw(body=b"data: " + ending + b"\n\n", content_type="text/event-stream")
    bad = Reply(text="Hello there", cut_after=2) if answer == "cut" else broken
    server.script(bad, Reply(text="second"), bad)
    printed = Printed()
    with IOStream.set_default(printed):
        response = uncached(entry(server), entry(server)).create(messages=HELLO, stream=True)
        with pytest.raises(openai.APIError) as caught:
            uncached(entry(server)).create(messages=HELLO, stream=True)
    assert text_of(response) == "second"
    assert isinstance(caught.value.__cause__, ModelError)


def test_a_filtered_prompt_is_an_error_at_once(server: MockModelServer) -> None:
    body = b'{"error": {"message": "no", "code": "content_filter"}}'
    server.script(Raw(status=400, body=body), Reply(text="second"))
    with pytest.raises(openai.BadRequestError):
        uncached(entry(server), entry(server)).create(messages=HELLO)
    assert len(server.requests) == 1


def test_a_model_that_takes_too_long_is_a_timeout(server: MockModelServer) -> None:
    server.script(Reply(text="late", delay=30))
    with pytest.raises(TimeoutError, match="Set a longer 'timeout'"):
        uncached(entry(server, timeout=0.1)).create(messages=HELLO)


def test_the_answer_that_a_filter_takes_is_chosen_and_else_the_last(server: MockModelServer) -> None:
    server.script(*[Reply(text="ok")] * 4)
    seen: list[object] = []

    def takes_mini(context: object, response: Any) -> bool:  # Any: an answer
        seen.append(context)
        return response.model == "gpt-4o-mini"

    def rejects(**_: object) -> bool:
        return False

    wrapper = uncached(entry(server), entry(server, "gpt-4o-mini"))
    response = wrapper.create(messages=HELLO, filter_func=takes_mini, context={"a": 1})
    assert (response.config_id, response.pass_filter, seen) == (1, True, [{"a": 1}] * 2)
    response = wrapper.create(messages=HELLO, filter_func=rejects)
    assert (response.config_id, response.pass_filter) == (1, False)


# Prices and usage -----------------------------------------------------------------------------------------------------


def test_a_price_of_the_entry_is_for_a_thousand_tokens(
    server: MockModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(*[Reply(text="ok", usage=(10, 5))] * 2)
    assert uncached(entry(server, "mine", price=[1, 2])).create(messages=HELLO).cost == pytest.approx(0.02)
    assert uncached(entry(server, "mine", price=3)).create(messages=HELLO).cost == pytest.approx(0.045)
    assert "A price that is one number" in caplog.text


@pytest.mark.parametrize("price", [[1], [1, 2, 3], "free", object()])
def test_a_price_that_is_not_two_numbers_is_refused(server: MockModelServer, price: object) -> None:
    with pytest.raises(ValueError, match=r"give \[prompt_price, completion_price\]"):
        uncached(entry(server, price=price))


def test_a_model_without_a_price_costs_nothing_and_says_so_once(
    server: MockModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(*[Reply(text="ok", usage=(10, 5))] * 2)
    wrapper = uncached(entry(server, "nobody-knows-it"))
    assert [wrapper.create(messages=HELLO).cost for _ in range(2)] == [0, 0]
    assert caplog.text.count("The price of model nobody-knows-it is not known") == 1


def test_usage_is_summed_by_model_and_printed(server: MockModelServer) -> None:
    server.script(*[Reply(text="ok", usage=(10, 5))] * 2)
    wrapper, printed = uncached(entry(server, "mine", price=[1, 1])), Printed()
    with IOStream.set_default(printed):
        wrapper.print_usage_summary()
        for _ in range(2):
            wrapper.create(messages=HELLO)
        wrapper.print_usage_summary()
    of_model = {"cost": 0.03, "prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    assert wrapper.total_usage_summary == {"total_cost": 0.03, "mine": of_model} == wrapper.actual_usage_summary
    assert printed.text.splitlines() == [
        'No usage summary. Please call "create" first.',
        "-" * 100,
        "Usage summary excluding cached usage: ",
        "Total cost: 0.03",
        "* Model 'mine': cost: 0.03, prompt_tokens: 20, completion_tokens: 10, total_tokens: 30",
        "",
        "All completions are non-cached: the total cost with cached completions is the same as actual cost.",
        "-" * 100,
    ]
    wrapper.clear_usage_summary()
    assert wrapper.total_usage_summary is None


@pytest.mark.parametrize("mode", ["other", [], ["actual", "other"]])
def test_an_unknown_mode_of_the_summary_is_refused(server: MockModelServer, mode: str | list[str]) -> None:
    with pytest.raises(ValueError, match=r"Invalid mode: .*, choose from"):
        uncached(entry(server)).print_usage_summary(mode)


# Caches ---------------------------------------------------------------------------------------------------------------


def test_t02_answers_are_cached_under_the_seed_41_unless_the_program_says_otherwise(
    server: MockModelServer, folder: Path
) -> None:
    server.script(Reply(text="first"), Reply(text="second"))
    wrapper = OpenAIWrapper(config_list=[entry(server)])
    assert [text_of(wrapper.create(messages=HELLO)) for _ in range(2)] == ["first", "first"]
    assert [each.name for each in (folder / ".cache").iterdir()] == ["41"]
    assert text_of(wrapper.create(messages=HELLO, cache_seed=None)) == "second"


def test_a_cached_answer_counts_in_the_total_alone(server: MockModelServer) -> None:
    server.script(Reply(text="first", usage=(10, 5)))
    entries = [entry(server, "mine", price=[1, 1])]
    OpenAIWrapper(config_list=entries).create(messages=HELLO)
    wrapper, printed = OpenAIWrapper(config_list=entries), Printed()
    response = wrapper.create(messages=HELLO)
    assert (response.cost, response.config_id, response.pass_filter) == (pytest.approx(0.015), 0, True)
    assert wrapper.actual_usage_summary is None
    assert wrapper.total_usage_summary is not None
    with IOStream.set_default(printed):
        wrapper.print_usage_summary("actual")
    assert "No actual cost incurred (all completions are using cache)." in printed.text


def test_a_cache_comes_before_a_seed_and_its_key_holds_no_credentials(server: MockModelServer, folder: Path) -> None:
    server.script(Reply(text="first"))
    wrapper, keys = OpenAIWrapper(config_list=[entry(server)], cache_seed=7), list[str]()

    class Noting(InMemoryCache):
        @override
        def get(self, key: str, default: Any | None = None) -> Any | None:
            keys.append(key)
            return super().get(key, default)

    cache = Noting()
    wrapper.create(messages=HELLO, cache=cache)
    assert text_of(wrapper.create(messages=HELLO, cache=cache)) == "first"
    assert keys == ['{"messages": [{"content": "hi", "role": "user"}], "model": "gpt-4o"}'] * 2
    assert not (folder / ".cache").exists()


def test_a_cache_on_the_disk_is_given_for_several_calls(server: MockModelServer) -> None:
    server.script(Reply(text="first"))
    wrapper = uncached(entry(server))
    with Cache.disk(cache_seed=9) as cache:
        assert [text_of(wrapper.create(messages=HELLO, cache=cache)) for _ in range(2)] == ["first", "first"]


async def test_the_asynchronous_form_reads_caches_too(server: MockModelServer) -> None:
    server.script(Reply(text="first"))
    wrapper = OpenAIWrapper(config_list=[entry(server)])
    assert [text_of(await wrapper.a_create(messages=HELLO)) for _ in range(2)] == ["first", "first"]


def test_a_text_that_is_not_ascii_is_cached_under_the_key_of_autogen_0_2(server: MockModelServer) -> None:
    """Half a surrogate pair, as models write them as escapes, is one."""
    server.script(Reply(text="an answer"))
    wrapper = OpenAIWrapper(config_list=[entry(server)], cache_seed=7)
    for _ in range(2):
        response = wrapper.create(messages=[{"role": "user", "content": "é \ud800"}])
        assert text_of(response) == "an answer"
    with Cache.disk(7) as cache:
        key = '{"messages": [{"content": "\\u00e9 \\ud800", "role": "user"}], "model": "gpt-4o"}'
        assert cache.get(key) is not None


def test_a_schema_is_part_of_the_key_and_of_the_request(server: MockModelServer) -> None:
    class Answer(BaseModel):
        number: int

    server.script(Reply(text='{"number": 1}'))
    wrapper = OpenAIWrapper(config_list=[entry(server)])
    for _ in range(2):
        assert text_of(wrapper.create(messages=HELLO, response_format=Answer)) == '{"number": 1}'
    assert server.requests[0].body["response_format"]["json_schema"]["name"] == "Answer"


# Model clients of the program -----------------------------------------------------------------------------------------


class Custom:
    def __init__(self, config: Mapping[str, object], suffix: str = "") -> None:
        self.config, self.suffix = config, suffix
        self.params: Entry = {}

    def create(self, params: Entry) -> Any:  # Any: of the program
        self.params = params
        message = SimpleNamespace(content=params["messages"][-1]["content"] + self.suffix)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], model="custom")

    def message_retrieval(self, response: Any) -> list[str]:  # Any: see `create`
        return [choice.message.content for choice in response.choices]

    def cost(self, response: object) -> float:
        return 0.5

    @staticmethod
    def get_usage(response: Any) -> Entry:  # Any: see `create`
        counts = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        return {**counts, "cost": response.cost, "model": response.model}


def test_a_model_client_of_the_program_answers_once_it_is_registered() -> None:
    wrapper = uncached({"model": "m", "model_client_cls": "Custom", "size": 1})
    with pytest.raises(RuntimeError, match="register_model_client"):
        wrapper.create(messages=HELLO)
    wrapper.register_model_client(Custom, suffix="!")
    response = wrapper.create(messages=HELLO, top_p=1)
    assert text_of(response) == "hi!"
    assert wrapper.total_usage_summary == {
        "total_cost": 0.5,
        "custom": {"cost": 0.5, "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    client = response.message_retrieval_function.__self__
    assert client.config == {"model": "m", "model_client_cls": "Custom", "size": 1}
    assert client.params == {"messages": HELLO, "top_p": 1, "model": "m", "model_client_cls": "Custom", "size": 1}


def test_a_class_that_no_entry_names_is_refused() -> None:
    with pytest.raises(ValueError, match='"Custom" is being registered but was not found in the config_list'):
        uncached({"model": "m", "model_client_cls": "Other"}).register_model_client(Custom)


def test_an_error_of_a_model_client_of_the_program_is_raised_at_once(server: MockModelServer) -> None:
    class Broken(Custom):
        @override
        def create(self, params: Entry) -> Any:
            raise KeyError("mine")

    wrapper = uncached({"model": "m", "model_client_cls": "Broken"}, entry(server))
    wrapper.register_model_client(Broken)
    with pytest.raises(KeyError, match="mine"):
        wrapper.create(messages=HELLO)


async def test_a_model_client_of_the_program_runs_in_a_thread_of_the_asynchronous_form() -> None:
    wrapper = uncached({"model": "m", "model_client_cls": "Custom"})
    wrapper.register_model_client(Custom)
    assert text_of(await wrapper.a_create(messages=HELLO)) == "hi"


def test_registering_more_often_than_there_are_entries_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    wrapper = uncached({"model": "m", "model_client_cls": "Custom"})
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            wrapper.register_model_client(Custom)
    assert "Model client Custom is already registered" in caplog.text


LATE = """
import atexit, sys, threading
from symposia.v02.oai import OpenAIWrapper
def ask():
    entry = {"model": "gpt-4o", "api_key": "test", "base_url": sys.argv[1]}
    wrapper = OpenAIWrapper(config_list=[entry], cache_seed=None)
    print(wrapper.create(messages=[{"role": "user", "content": "hi"}]).choices[0].message.content, flush=True)
atexit.register(ask)
def ask_late():
    threading.main_thread().join()
    ask()
threading.Thread(target=ask_late).start()
"""


def test_threads_and_functions_of_the_exit_may_ask_a_model(server: MockModelServer) -> None:
    server.script(Reply(text="in a thread"), Reply(text="at the exit"))
    done = python("-c", LATE, server.openai_url)
    assert (done.stdout, done.stderr) == ("in a thread\nat the exit\n", "")
