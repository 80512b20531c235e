"""A component's configuration is derived from its constructor."""

import copy
import gc
import inspect
import pickle
import weakref
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from pydantic import BaseModel, SecretStr
from tests.support.components import (
    HERE,
    Answer,
    Box,
    Caller,
    Desk,
    InAutogensWay,
    Locked,
    LongWord,
    NamedPen,
    Pen,
    Printer,
    Reader,
    RedPen,
    Speaker,
    Stamp,
    TooLittleSchema,
    Unrecorded,
    Vault,
    WithSchema,
    Word,
    a_function,
)

from symposia.agentchat.agents import ApprovalResponse, AssistantAgent, CodeExecutorAgent, UserProxyAgent
from symposia.agentchat.messages import BaseTextChatMessage, StructuredMessage
from symposia.agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat, SelectorGroupChat
from symposia.core import (
    Component,
    ComponentBase,
    ComponentLoader,
    ComponentModel,
    FunctionCall,
    SingleThreadedAgentRuntime,
    is_component_class,
    is_component_instance,
)
from symposia.core.exceptions import ComponentError
from symposia.core.models import FunctionExecutionResult
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient

T = TypeVar("T", bound=Component | ComponentBase)


def loaded(component: T) -> T:
    """Written down as JSON text, and made again."""
    text = component.dump_component().model_dump_json()
    return type(component).load_component(ComponentModel.model_validate_json(text), allow=[HERE])


def test_a_component_is_written_down_with_all_that_autogen_writes() -> None:
    assert Pen("blue").dump_component().model_dump() == {
        "provider": f"{HERE}.Pen",
        "component_type": "pen",
        "version": 1,
        "component_version": 1,
        "description": "Writes.",
        "label": "Pen",
        "config": {"colour": "blue", "width": 0.5},
    }


def test_arguments_come_back_however_they_were_passed() -> None:
    for pen in (Pen("blue", 2), Pen("blue", width=2), Pen(width=2, colour="blue")):
        again = loaded(pen)
        assert (again.ink, again.width) == ("blue", 2)


def test_components_among_the_arguments_are_written_down_with_it() -> None:
    desk = Desk("ann", [Pen("red"), Pen("blue")], best=Pen("gold"), labels={"x": Pen("green")})
    again = loaded(desk)
    assert [pen.ink for pen in again.pens] == ["red", "blue"]
    assert again.best is not None
    assert again.best.ink == "gold"
    assert again.labels is not None
    assert again.labels["x"].ink == "green"
    assert again.dump_component() == desk.dump_component()


def test_items_and_options_of_a_signature_come_back() -> None:
    assert [pen.ink for pen in loaded(Box(Pen("a"), Pen("b"), lid=False)).pens] == ["a", "b"]
    assert loaded(Printer("p", size=3, paper="a5")).options == {"size": 3, "paper": "a5"}


def test_a_subclass_is_written_down_by_its_own_constructor() -> None:
    red = RedPen(2)
    assert red.dump_component().config == {"width": 2.0}
    assert (loaded(red).ink, loaded(red).width) == ("red", 2)


def test_keywords_that_are_passed_on_are_those_of_the_next_constructor() -> None:
    pen = NamedPen("n", colour="blue", width=3)
    assert pen.dump_component().config == {"name": "n", "colour": "blue", "width": 3.0}
    assert loaded(pen).ink == "blue"


def test_a_dataclass_can_be_a_component() -> None:
    assert loaded(Stamp("paid", times=2)) == Stamp("paid", times=2)


def test_what_changes_later_is_not_configuration() -> None:
    pens = [Pen("red")]
    desk = Desk("ann", pens)
    pens.append(Pen("blue"))
    desk.pens.clear()
    desk.owner = "bob"
    config = desk.dump_component().config
    assert config["owner"] == "ann"
    assert len(config["pens"]) == 1


def test_none_is_kept_where_it_is_not_the_default() -> None:
    config = Desk("ann", motto=None).dump_component().config
    assert config["motto"] is None
    assert "best" not in config
    assert loaded(Desk("ann", motto=None)).motto is None


def test_a_model_class_is_written_down_as_its_schema() -> None:
    reader = loaded(Reader(Answer, Path("here"), timedelta(seconds=2), "b"))
    assert reader.kind.model_json_schema() == Answer.model_json_schema()
    assert (reader.folder, reader.wait, reader.mode) == (Path("here"), timedelta(seconds=2), "b")


def test_a_copy_of_a_component_can_be_written_down() -> None:
    pen = Pen("blue", width=2)
    for again in (copy.copy(pen), copy.deepcopy(pen), pickle.loads(pickle.dumps(pen))):
        assert again.dump_component() == pen.dump_component()


def test_the_signature_of_a_component_is_that_of_its_constructor() -> None:
    assert str(inspect.signature(Pen)) == "(colour: str, width: float = 0.5) -> None"


def test_a_component_without_constructor_takes_no_arguments() -> None:
    class Plain(Component):
        pass

    with pytest.raises(TypeError, match="takes no arguments"):
        Plain(1)  # pyright: ignore[reportCallIssue] - that is the point


def test_the_schema_of_a_configuration_says_what_the_constructor_takes() -> None:
    schema = Desk.component_config_schema.model_json_schema()
    assert schema["required"] == ["owner"]
    assert schema["properties"]["pens"]["items"] == {"$ref": "#/$defs/ComponentModel"}
    assert schema["properties"]["motto"]["default"] == "Write!"


def test_secrets_are_never_written_down() -> None:
    vault = Vault("k-123", SecretStr("p-456"))
    text = vault.dump_component().model_dump_json()
    assert "k-123" not in text
    assert "p-456" not in text
    assert vault.dump_component().config == {"api_key": "**********", "password": "**********"}


def test_a_masked_secret_counts_as_not_given() -> None:
    again = loaded(Vault("k-123", SecretStr("p-456")))
    assert (again.api_key, again.password) == (None, None)


def test_asterisks_that_are_no_secret_are_kept() -> None:
    assert loaded(Pen("**********")).ink == "**********"


def test_a_masked_secret_that_is_required_has_to_be_written_in() -> None:
    model = Locked(SecretStr("p")).dump_component()
    with pytest.raises(ComponentError, match=r"Secrets are not saved: write them in.*password"):
        Locked.load_component(model)
    model.config["password"] = "mine"
    assert Locked.load_component(model).password.get_secret_value() == "mine"


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (lambda: Caller(a_function), r"Caller cannot be saved: call: the function a_function has no form in JSON"),
        (lambda: Caller(anything=object()), r"Caller.anything cannot be saved: Unable to serialize.*object"),
        (lambda: Caller(anything=Pen("a")), r"Caller.anything holds a component.*Annotate it"),
        (lambda: Desk("a", best=Caller(a_function)), r"Caller cannot be saved: call"),  # pyright: ignore[reportArgumentType]
        (lambda: Desk("a", best=object()), r"Desk cannot be saved: best: object object has no form"),  # pyright: ignore[reportArgumentType]
        (lambda: Pen(3), r"Pen cannot be saved: colour: Input should be a valid string"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_cannot_be_saved_is_an_error_that_names_class_and_field(
    component: Callable[[], Component], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        component().dump_component()


def test_an_error_deep_inside_says_where() -> None:
    with pytest.raises(ComponentError) as caught:
        Desk("a", [Pen("b"), Caller(a_function)]).dump_component()  # pyright: ignore[reportArgumentType]
    assert caught.value.__notes__ == ["This is Desk.pens[1]."]


def test_what_would_not_come_back_whole_is_an_error() -> None:
    assert loaded(Speaker(Word(text="hi"))).word == Word(text="hi")
    with pytest.raises(ComponentError, match=r"Speaker.word cannot be saved: it would not come back as it is"):
        Speaker(LongWord(text="hello", syllables=2)).dump_component()


def test_a_class_inside_something_else_cannot_be_found_again() -> None:
    class Inner(Component):
        pass

    with pytest.raises(ComponentError, match=r"Inner.*Define it at the top of its module"):
        Inner().dump_component()


def test_a_class_whose_arguments_were_not_recorded_says_so() -> None:
    with pytest.raises(ComponentError, match=r"its __new__ does not call super\(\).__new__"):
        Unrecorded("red").dump_component()


def test_autogens_way_of_writing_a_component_works() -> None:
    old = InAutogensWay("four")
    model = old.dump_component()
    assert (model.description, model.label, model.component_type) == ("Of old.", "Old", "old")
    assert model.config == {"number": 6, "secret": "**********"}
    assert InAutogensWay.load_component(model).number == 6


def test_a_schema_of_its_own_is_enough_where_its_fields_are_the_arguments() -> None:
    assert loaded(WithSchema(4)).number == 4


def test_a_schema_of_its_own_that_lacks_an_argument_is_an_error() -> None:
    with pytest.raises(ComponentError, match=r"component_config_schema has no field for colour"):
        TooLittleSchema(4, "red").dump_component()


def test_components_are_told_from_other_things() -> None:
    assert is_component_instance(Pen("a"))
    assert is_component_class(Pen)
    assert not is_component_class(Word)
    assert not is_component_instance(Word(text="a"))


def ask(prompt: str) -> str:
    return prompt


def summary(call: FunctionCall, result: FunctionExecutionResult) -> str:
    return call.name + result.name


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Report(BaseModel):
    mood: Mood
    verdict: Literal["ok", "bad"]
    parts: list[Literal["a", "b"]] = []
    place: tuple[int, str] = (0, "")


class Note(BaseTextChatMessage):
    pass


def team(**options: Any) -> RoundRobinGroupChat:
    return RoundRobinGroupChat([UserProxyAgent("user")], **options)


def test_n06_pythons_input_is_the_default_of_a_person() -> None:
    assert UserProxyAgent("user", input_func=input).dump_component() == UserProxyAgent("user").dump_component()


@pytest.mark.parametrize(
    ("component", "lost"),
    [
        pytest.param(lambda: UserProxyAgent("user", input_func=ask), "input_func", id="person"),
        pytest.param(
            lambda: AssistantAgent("a", ReplayChatCompletionClient([]), tool_call_summary_formatter=summary),
            "tool_call_summary_formatter",
            id="assistant",
        ),
        pytest.param(
            lambda: SelectorGroupChat(
                [UserProxyAgent("a"), UserProxyAgent("b")],
                ReplayChatCompletionClient([]),
                selector_func=lambda _: "a",
                candidate_func=lambda _: ["a"],
            ),
            "candidate_func, selector_func",
            id="selector",
        ),
    ],
)
def test_n06_a_callback_is_left_out_of_what_is_saved_with_a_warning(
    component: Callable[[], Component | ComponentBase], lost: str
) -> None:
    made = component()
    with pytest.warns(UserWarning, match=rf"is saved without {lost}: JSON cannot hold a function"):
        model = made.dump_component()
    assert not model.config.keys() & set(lost.split(", "))
    assert type(ComponentLoader.load_component(model, Component)) is type(made)


def test_n06_a_runtime_is_no_part_of_what_is_saved() -> None:
    assert team(runtime=SingleThreadedAgentRuntime()).dump_component() == team().dump_component()


def test_n06_the_review_of_a_plan_is_not_left_out_either() -> None:
    coder = AssistantAgent("coder", ReplayChatCompletionClient(["1"]))
    boss = MagenticOneGroupChat([coder], ReplayChatCompletionClient(["1"]), plan_review=lambda _: False)
    with pytest.raises(ComponentError, match="plan_review: the function <lambda> has no form in JSON"):
        boss.dump_component()


def test_n06_an_approval_is_not_left_out_silently() -> None:
    agent = CodeExecutorAgent(
        "c", NamespaceCommandLineCodeExecutor(), approval_func=lambda _: ApprovalResponse(approved=True, reason="")
    )
    with pytest.raises(ComponentError, match="approval_func: the function <lambda> has no form in JSON"):
        agent.dump_component()


async def test_n06_classes_of_structured_messages_are_saved_by_the_schema_of_their_content() -> None:
    saved = team(custom_message_types=[StructuredMessage[Report]]).dump_component()
    again = RoundRobinGroupChat.load_component(ComponentModel.model_validate_json(saved.model_dump_json()))
    assert again.dump_component() == saved
    message = StructuredMessage[Report](content=Report(mood=Mood.GOOD, verdict="ok"), source="user")
    state = await team(custom_message_types=[StructuredMessage[Report]]).save_state()
    await again.load_state(state)
    factory = saved.config["custom_message_types"][0]["config"]["input_model"]["json_schema"]
    assert factory == Report.model_json_schema()
    assert message.to_model_text()


def test_n06_other_classes_of_messages_are_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="The message type Note is left out"):
        assert team(custom_message_types=[Note]).dump_component().config["custom_message_types"] == []


def test_n06_a_class_with_enumerations_keeps_its_schema() -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient([]), output_content_type=Report)
    again = loaded(agent)
    assert again.dump_component() == agent.dump_component()
    assert agent.dump_component().config["output_content_type"]["json_schema"] == Report.model_json_schema()


def test_what_is_derived_from_a_class_is_derived_once_and_goes_with_it() -> None:
    class Short(Component):
        def __init__(self, word: str) -> None:
            self.word = word

    assert Short.component_config_schema is Short.component_config_schema
    gone = weakref.ref(Short)
    del Short
    gc.collect()
    assert gone() is None
