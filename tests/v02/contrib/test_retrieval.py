"""Agents of AutoGen 0.2 that answer from documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.config import Settings

from symposia.v02 import ConversableAgent
from symposia.v02.agentchat import Agent
from symposia.v02.agentchat.contrib.retrieve_assistant_agent import RetrieveAssistantAgent
from symposia.v02.agentchat.contrib.retrieve_user_proxy_agent import RetrieveUserProxyAgent
from symposia.v02.agentchat.contrib.vectordb.chromadb import ChromaVectorDB


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEach year has 30 days of leave.\n")
    (folder / "pay.md").write_text("# Pay\n\nPay comes on the last day of a month.\n")
    return folder


def proxy(docs: Path, **config: Any) -> RetrieveUserProxyAgent:
    return RetrieveUserProxyAgent(
        human_input_mode="NEVER",
        retrieve_config={"task": "qa", "docs_path": str(docs), **config},
        code_execution_config=False,
    )


def answering(*answers: str) -> ConversableAgent:
    agent = ConversableAgent("answering", human_input_mode="NEVER")
    given = iter(answers)

    def reply(_: object, **__: object) -> tuple[bool, str]:
        return True, next(given)

    agent.register_reply(Agent, reply, position=2)  # after the check for the end of the chat
    return agent


def texts(asking: RetrieveUserProxyAgent, agent: ConversableAgent, problem: str) -> list[str]:
    result = asking.initiate_chat(agent, message=asking.message_generator, problem=problem, silent=True)
    return [message["content"] for message in result.chat_history]


def test_the_first_message_has_the_question_and_what_the_documents_say(handbook: Path) -> None:
    first, answer = texts(proxy(handbook), answering("30."), "How many days of leave are there?")
    assert "How many days of leave are there?" in first
    assert "Each year has 30 days of leave." in first
    assert answer == "30."


def test_other_passages_are_given_until_there_are_none(handbook: Path) -> None:
    one_passage = 25
    asking = proxy(handbook, context_max_tokens=one_passage)
    agent = answering("UPDATE CONTEXT", "update context.")
    first, _, second, _, end = texts(asking, agent, "How many days of leave, and which day is pay?")
    assert sorted(["30 days" in first, "30 days" in second]) == [False, True]
    assert sorted(["last day" in first, "last day" in second]) == [False, True]
    assert end == "TERMINATE"


async def test_an_asynchronous_chat_does_not_block_while_documents_are_searched(handbook: Path) -> None:
    """The tests fail where the event loop is blocked, as by reading files."""
    asking = proxy(handbook, context_max_tokens=25)
    result = await asking.a_initiate_chat(
        answering("UPDATE CONTEXT", "30."),
        message=asking.message_generator,
        problem="How many days of leave, and which day is pay?",
        silent=True,
    )
    first, _, second, _ = [message["content"] for message in result.chat_history]
    assert sorted(["30 days" in first, "30 days" in second]) == [False, True]


def test_an_answer_without_its_prefix_gets_other_passages(handbook: Path) -> None:
    asking = proxy(handbook, customized_answer_prefix="the answer is", update_context=True)
    *_, end = texts(asking, answering("Perhaps 30."), "leave")
    assert end == "TERMINATE"
    assert texts(asking, answering("The answer is 30."), "leave")[-1] == "The answer is 30."


def test_a_prompt_of_the_program_is_filled(handbook: Path) -> None:
    asking = proxy(handbook, customized_prompt="Q: {input_question} D: {input_context}", context_max_tokens=25)
    [first, _] = texts(asking, answering("30."), "days of leave")
    assert first.startswith("Q: days of leave D: [leave.md")


def test_passages_have_the_text_that_is_searched_for(handbook: Path) -> None:
    found = proxy(handbook).retrieve_docs("days", search_string="Pay comes")
    assert len(found) == 1


def test_options_that_nothing_reads_are_warned_of(handbook: Path) -> None:
    with pytest.warns(UserWarning, match="collection_name, recursive, which do nothing without a database"):
        proxy(handbook, collection_name="x", recursive=False, client=None, vector_db=None)
    with pytest.warns(UserWarning, match="retrieve_config has color, which nothing reads"):
        proxy(handbook, color="red")


# Databases ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    made: Any = chromadb.PersistentClient(str(tmp_path / "database"), Settings(anonymized_telemetry=False))
    yield made
    made.close()


def test_passages_are_found_in_a_database(handbook: Path, client: Any) -> None:
    asking = proxy(handbook, vector_db="chroma", client=client, collection_name="handbook")
    first, _ = texts(asking, answering("30."), "How many days of leave are there?")
    assert "Each year has 30 days of leave." in first
    assert client.get_collection("handbook", embedding_function=None).count() == 2


def test_a_collection_is_used_as_it_is_where_no_documents_are_named(handbook: Path, client: Any) -> None:
    proxy(handbook, client=client, collection_name="handbook").retrieve_docs("leave")
    database = ChromaVectorDB(client=client)
    config = {"vector_db": database, "collection_name": "handbook"}
    again = RetrieveUserProxyAgent(retrieve_config=config, code_execution_config=False)
    [best, _] = again.retrieve_docs("days of leave")
    assert "30 days" in best.text
    assert again.retrieve_docs("days", search_string="Pay comes")[0].text.startswith("# Pay")


def test_a_collection_is_overwritten_or_refused_if_wanted(handbook: Path, client: Any) -> None:
    options = {"client": client, "collection_name": "handbook"}
    proxy(handbook, **options).retrieve_docs("leave")
    (handbook / "pay.md").unlink()
    assert len(proxy(handbook, **options).retrieve_docs("leave")) == 2
    assert len(proxy(handbook, overwrite=True, **options).retrieve_docs("leave")) == 1
    with pytest.raises(ValueError, match="Collection handbook already exists"):
        proxy(handbook, get_or_create=False, **options).retrieve_docs("leave")


def test_a_passage_of_two_documents_is_kept_once(handbook: Path, client: Any) -> None:
    (handbook / "copy.md").write_text((handbook / "leave.md").read_text())
    assert len(proxy(handbook, client=client).retrieve_docs("leave")) == 2


def test_passages_are_split_and_embedded_by_functions_of_the_program(handbook: Path, client: Any) -> None:
    def embed(given: list[str]) -> list[list[float]]:
        return [[float("Pay" in text), float("Pay" not in text)] for text in given]

    def split(text: str) -> list[str]:
        return text.split("\n\n")

    asking = proxy(handbook, client=client, embedding_function=embed, custom_text_split_function=split)
    assert asking.retrieve_docs("Pay", 2)[0].text.startswith(("# Pay", "Pay comes"))
    assert len(asking.retrieve_docs("Pay")) == 4


def test_another_task_is_refused(handbook: Path) -> None:
    with pytest.raises(ValueError, match="task poem is not implemented"):
        proxy(handbook, task="poem")


@pytest.mark.parametrize(
    ("text", "answer"),
    [("exitcode: 0 (execution succeeded)\nCode output: 1", "TERMINATE"), ("exitcode: 1 (execution failed)", "more")],
)
def test_an_assistant_ends_when_its_code_has_succeeded(text: str, answer: str) -> None:
    assistant = RetrieveAssistantAgent("assistant", default_auto_reply="more")
    messages = [{"role": "user", "content": text}]
    assert assistant.generate_reply(messages=messages, sender=ConversableAgent("runner")) == answer
