"""Models in chats: what they are sent, what their answers become, and what they cost."""

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from tests.support.v02_agents import Recorder, speaker, texts
from tests.support.v02_models import Scripted, scripted_config

from symposia.v02 import AssistantAgent, ConversableAgent, GroupChat, GroupChatManager
from symposia.v02.io import IOStream


class Model:
    """An agent with a scripted model."""

    def __init__(self, *answers: Any, **options: Any) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()
        config = {**scripted_config(), **options.pop("config", {})}
        self.agent = ConversableAgent("model", llm_config=config, human_input_mode="NEVER", **options)
        self.register(self.agent)

    def register(self, agent: ConversableAgent) -> None:
        agent.register_model_client(Scripted, answers=self.answers, asked=self.asked)

    def reply(self, *messages: dict[str, Any], form: str = "plain") -> Any:
        if form == "async":
            return asyncio.run(self.agent.a_generate_reply(list(messages)))
        return self.agent.generate_reply(list(messages))


HELLO = {"content": "hello", "role": "user"}
SYSTEM = {"content": "You are a helpful AI Assistant.", "role": "system"}


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_model_is_sent_the_system_message_and_the_conversation(form: str) -> None:
    model = Model("answer")
    assert model.reply(HELLO, form=form) == "answer"
    assert model.asked[0]["messages"] == [SYSTEM, HELLO]


def test_a_context_fills_the_template_only_if_it_is_allowed() -> None:
    templated = {"content": "{x}", "role": "user", "context": {"x": "filled"}}
    for allowed, sent in ((False, "{x}"), (True, "filled")):
        model = Model("answer", config={"allow_format_str_template": allowed})
        model.reply(dict(templated))
        assert model.asked[0]["messages"][-1] == {"content": sent, "role": "user"}


@pytest.mark.parametrize(("role", "also"), [("tool", []), ("user", [{"content": "stop", "role": "user"}])])
def test_t07_a_model_is_sent_a_message_for_each_result_of_a_tool(role: str, also: list[Any]) -> None:
    model = Model("answer")
    responses = [{"role": "tool", "tool_call_id": "1", "content": "r"}]
    model.reply(HELLO, {"content": "stop", "role": role, "tool_responses": responses})
    assert model.asked[0]["messages"] == [SYSTEM, HELLO, *responses, *also]


def test_calls_of_a_model_have_names_that_functions_can_have() -> None:
    function = {"name": "a b" + "é" * 70, "arguments": ""}
    answer = {"content": None, "role": "assistant", "tool_calls": [{"id": "1", "function": function}]}
    reply = Model(SimpleNamespace(**answer, model_dump=lambda: answer, function_call=None)).reply(HELLO)
    assert reply["tool_calls"][0]["function"] == {"name": "a_b" + "_" * 61, "arguments": "{}"}


@pytest.mark.parametrize(
    "config",
    [{}, {"config_list": []}, {"config_list": [{"model": ""}]}],
    ids=["empty", "no configurations", "empty name"],
)
def test_a_configuration_names_a_model(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="specify a non-empty 'model'"):
        ConversableAgent("a", llm_config=config)


@pytest.mark.parametrize(
    "config",
    [
        {"config_list": [{"model_client_cls": "Scripted"}]},
        {"config_list": [{"model": "a"}, {"model": ""}], "api_key": "k"},
        {"config_list": [], "api_key": "k"},
        {"temperature": 0, "api_key": "k"},
        {
            "config_list": [
                {
                    "api_type": "azure",
                    "azure_deployment": "d",
                    "api_version": "2024-02-01",
                    "base_url": "http://127.0.0.1",
                }
            ],
            "api_key": "k",
        },
    ],
    ids=["own client", "one of two", "no configurations", "options alone", "deployment of Azure"],
)
def test_other_configurations_may_leave_the_model_to_what_answers(config: dict[str, Any]) -> None:
    assert ConversableAgent("a", llm_config=config).client is not None


def test_a_configuration_is_a_dict_that_is_copied() -> None:
    with pytest.raises(AssertionError, match="llm_config must be a dict or False or None"):
        ConversableAgent("a", llm_config="x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - what is refused
    config = scripted_config()
    agent = ConversableAgent("a", llm_config=config)
    config["config_list"].clear()
    assert agent.llm_config == scripted_config()

    class Uncopied:
        def __deepcopy__(self, memo: object) -> None:
            raise TypeError("no")

    with pytest.raises(TypeError, match="implement __deepcopy__"):
        ConversableAgent("a", llm_config={**scripted_config(), "http_client": Uncopied()})


def add(a: int) -> str:
    return str(a)


def test_t08_telling_a_model_of_a_function_makes_its_client_again() -> None:
    model = Model("one", "two")
    assert model.reply(HELLO) == "one"
    model.agent.register_for_llm(description="adds")(add)
    with pytest.raises(RuntimeError, match=r"Model client\(s\) \['Scripted'\] are not activated"):
        model.reply(HELLO)
    model.register(model.agent)
    assert model.reply(HELLO) == "two"
    (tool,) = model.asked[1]["tools"]
    assert tool["function"]["name"] == "add"


def test_functions_of_a_model_are_replaced_and_removed() -> None:
    agent = Model().agent
    config: Any = agent.llm_config
    agent.register_for_llm(description="adds")(add)
    with pytest.warns(UserWarning, match="Function 'add' is being overridden"):
        agent.register_for_llm()(add)  # with the description of the first time
    agent.register_for_llm(name="old", description="d", api_style="function")(add)
    assert [tool["function"]["description"] for tool in config["tools"]] == ["adds"]
    assert [function["name"] for function in config["functions"]] == ["old"]
    agent.update_tool_signature("add", is_remove=True)
    agent.update_function_signature("old", is_remove=True)
    assert config.keys().isdisjoint({"tools", "functions"})
    with pytest.raises(AssertionError, match="The agent config doesn't have tool add"):
        agent.update_tool_signature("add", is_remove=True)
    with pytest.raises(ValueError, match="Unsupported API style: x"):
        agent.register_for_llm(description="d", api_style="x")(add)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - what is refused


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(("arguments", "role"), [({}, "system"), ({"summary_role": "user"}, "user")])
def test_a_model_reflects_on_a_chat(arguments: dict[str, Any], role: str, form: str) -> None:
    model, other = Model("a summary"), speaker("b")
    options: dict[str, Any] = {
        "message": "go",
        "max_turns": 1,
        "silent": True,
        "summary_method": "reflection_with_llm",
        "summary_args": {"summary_prompt": "Sum up.", **arguments},
    }
    if form == "async":
        result = asyncio.run(model.agent.a_initiate_chat(other, **options))
    else:
        result = model.agent.initiate_chat(other, **options)
    assert result.summary == "a summary"
    assert [(m["content"], m["role"]) for m in model.asked[0]["messages"]] == [
        ("go", "user"),
        ("b", "assistant"),
        ("Sum up.", role),
    ]
    usage = {
        "total_cost": 0.5,
        "scripted": {"cost": 0.5, "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    assert result.cost == {"usage_including_cached_inference": usage, "usage_excluding_cached_inference": usage}


def test_the_prompt_of_a_summary_is_a_text() -> None:
    model = Model()
    options: dict[str, Any] = {"summary_method": "reflection_with_llm", "summary_args": {"summary_prompt": 3}}
    with pytest.raises(ValueError, match="The summary_prompt must be a string"):
        model.agent.initiate_chat(speaker("b"), message="x", max_turns=1, silent=True, **options)


def test_usage_is_counted_and_printed() -> None:
    model, stream = Model("answer"), Recorder()
    model.reply(HELLO)
    with IOStream.set_default(stream):
        model.agent.print_usage_summary()
        speaker("b").print_usage_summary()
    assert (model.agent.get_actual_usage() or {})["total_cost"] == 0.5
    assert stream.printed.startswith("Agent 'model':\n")
    assert stream.printed.endswith("No cost incurred from agent 'b'.\n")
    assert speaker("b").get_total_usage() is None


def test_an_assistant_has_instructions_for_code_and_a_description() -> None:
    assistant = AssistantAgent("a", llm_config=False)
    assert "TERMINATE" in assistant.system_message
    assert assistant.description == AssistantAgent.DEFAULT_DESCRIPTION
    assert AssistantAgent("a", "S").description == "S"


TEMPLATES: dict[str, Any] = {
    "select_speaker_message_template": "roles {roles} of {agentlist}",
    "select_speaker_prompt_template": "who of {agentlist}",
    "select_speaker_auto_multiple_template": "several of {agentlist}",
    "select_speaker_auto_none_template": "none of {agentlist}",
}


def chosen(
    answers: list[str], form: str = "plain", message: Any = "go", **options: Any
) -> tuple[list[str], list[list[dict[str, Any]]]]:
    """The speakers of a group chat whose next speaker a model chooses, and what the model was asked."""
    agents: list[Any] = [speaker("a", description="Da"), speaker("b", description="Db"), speaker("c_x")]
    model = Model(*answers)
    chat = GroupChat(agents, [], max_round=2, **{**TEMPLATES, **options})
    manager = GroupChatManager(chat, llm_config=scripted_config())
    model.register(manager)
    if form == "async":
        asyncio.run(agents[0].a_initiate_chat(manager, message=message, silent=True))
    else:
        with IOStream.set_default(Recorder()):
            agents[0].initiate_chat(manager, message=message, silent=True)
    return [message["name"] for message in chat.messages], [asked["messages"] for asked in model.asked]


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (["b"], "b"),
        (["I say b, then."], "b"),
        (["c x"], "c_x"),
        ([r"c\_x"], "c_x"),
        (["B", "bb", "c_x"], "c_x"),
        (["a or b", "nobody", "x"], "b"),  # the next in order
    ],
)
def test_the_name_in_an_answer_is_the_next_speaker(answers: list[str], name: str) -> None:
    assert chosen(answers)[0] == ["a", name]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_model_is_asked_again_with_what_was_wrong(form: str) -> None:
    with IOStream.set_default(Recorder()):
        _, asked = chosen(["a or b", "nobody", "b"], form)
    names = "['a', 'b', 'c_x']"
    assert texts(asked[0]) == [
        f"roles a: Da\nb: Db\nc_x: You are a helpful AI Assistant. of {names}",
        "go",
        f"who of {names}",
    ]
    assert [message["role"] for message in asked[0]] == ["system", "user", "system"]
    assert texts(asked[2])[3:] == ["a or b", f"several of {names}", "nobody", f"none of {names}"]


@pytest.mark.parametrize("content", [None, "I call."])
def test_a_model_that_chooses_is_not_sent_calls_that_nobody_has_answered(content: str | None) -> None:
    function = {"name": "f", "arguments": "{}"}
    call = {"content": content, "tool_calls": [{"id": "1", "type": "function", "function": function}]}
    names, asked = chosen(["b"], message=call, func_call_filter=False)
    assert names == ["a", "b"]
    assert asked[0][1]["content"] == (content or "")
    assert not any("tool_calls" in message for message in asked[0])


def test_a_program_has_the_model_choose_among_some_agents() -> None:
    asked: list[Any] = []
    a, b, c = (speaker(name) for name in "abc")
    chat = GroupChat([a, b, c], [], speaker_selection_method="round_robin", max_retries_for_selecting_speaker=0)
    manager = GroupChatManager(chat, llm_config=scripted_config())
    manager.register_model_client(Scripted, answers=["c", "nobody"], asked=asked)
    shown = [{"role": "user", "content": "Who knows?", "name": "a"}]
    assert asyncio.run(chat.a_auto_select_speaker(a, manager, shown, [b, c])) is c
    assert asyncio.run(chat.a_auto_select_speaker(a, manager, None, None)) is b
    assert texts(asked[0]["messages"])[1] == "Who knows?"


def test_a_model_is_not_asked_again_without_retries() -> None:
    names, asked = chosen(["nobody"], max_retries_for_selecting_speaker=0)
    assert (names, len(asked)) == (["a", "b"], 1)


def test_the_question_has_another_role_or_is_left_out() -> None:
    assert chosen(["b"], role_for_select_speaker_messages="user")[1][0][-1]["role"] == "user"
    assert texts(chosen(["b"], select_speaker_prompt_template=None)[1][0])[-1] == "go"


def test_the_conversation_with_the_model_is_printed_if_asked() -> None:
    model, stream = Model("b"), Recorder()
    chat = GroupChat([speaker("a"), speaker("b"), speaker("c")], [], max_round=2, select_speaker_auto_verbose=True)
    manager = GroupChatManager(chat, llm_config=scripted_config())
    model.register(manager)
    with IOStream.set_default(stream):
        speaker("u").initiate_chat(manager, message="go")
    assert "speaker_selection_agent (to checking_agent):\n\nb\n" in stream.printed


class Chooser(Scripted):
    """A client whose answers and requests are its class's own, since a group chat makes it."""

    shared: ClassVar[list[Any]] = []
    requests: ClassVar[list[Any]] = []

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config, self.shared, self.requests)


CHOOSER = {"config_list": [{"model": "m", "model_client_cls": "Chooser"}], "cache_seed": None}


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize("given", [Chooser, [Chooser]], ids=["class", "list"])
def test_another_model_than_the_managers_may_choose(form: str, given: Any) -> None:
    Chooser.shared[:], Chooser.requests[:] = ["b"], []
    options = {"select_speaker_auto_llm_config": CHOOSER, "select_speaker_auto_model_client_cls": given}
    with IOStream.set_default(Recorder()):
        names, asked_of_manager = chosen(["c_x"], form, **options)
    assert (names, len(Chooser.requests), asked_of_manager) == (["a", "b"], 1, [])


def test_an_empty_configuration_for_the_choice_is_none() -> None:
    assert chosen(["c_x"], select_speaker_auto_llm_config={})[0] == ["a", "c_x"]


def test_a_class_without_a_configuration_for_the_choice_is_not_used() -> None:
    assert chosen(["c_x"], select_speaker_auto_model_client_cls=Chooser)[0] == ["a", "c_x"]


@pytest.mark.parametrize("given", [None, []], ids=["none", "empty"])
def test_a_configuration_for_the_choice_that_names_a_class_needs_the_class(given: Any) -> None:
    options: dict[str, Any] = {
        "select_speaker_auto_llm_config": CHOOSER,
        "select_speaker_auto_model_client_cls": given,
    }
    with pytest.raises(ValueError, match="Give the class as select_speaker_auto_model_client_cls"):
        chosen([], **options)
