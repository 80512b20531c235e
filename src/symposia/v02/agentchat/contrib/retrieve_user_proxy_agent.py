"""A user proxy that adds passages of documents to its question."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast

from typing_extensions import override

from symposia.v02._plain import call_in_thread, run_plain
from symposia.v02._waiting import ASYNC, PLAIN, Waiting
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.chat import ChatResult
from symposia.v02.agentchat.contrib._database_search import OPTIONS, DatabaseSearch, wants_database
from symposia.v02.agentchat.contrib._documents import DocumentSearch, FoundPassage, PassageSearch
from symposia.v02.agentchat.user_proxy_agent import UserProxyAgent
from symposia.v02.code_utils import UNKNOWN, content_str, extract_code

__all__ = ["PROMPT_CODE", "PROMPT_DEFAULT", "PROMPT_QA", "UPDATE_CONTEXT_IN_PROMPT", "RetrieveUserProxyAgent"]

UPDATE: Final = "UPDATE CONTEXT"
UPDATE_CONTEXT_IN_PROMPT: Final = f"you should reply exactly `{UPDATE}`"
_ASK: Final = "\n\nThe question: {input_question}\n\nThe passages: {input_context}\n"
PROMPT_QA: Final = (
    "Answer the question of a user from the passages below, which were found in the user's documents. Keep to what "
    f"they say, and be brief. If they do not answer the question, {UPDATE_CONTEXT_IN_PROMPT}, and you are given others."
    f"{_ASK}"
)
PROMPT_CODE: Final = (
    "Write code for a user, with the help of the passages below, which were found in the user's documents. Write whole "
    "programs in fenced blocks, and install nothing. If the passages do not say enough, "
    f"{UPDATE_CONTEXT_IN_PROMPT}, and you are given others.{_ASK}"
)
PROMPT_DEFAULT: Final = (
    "Help a user with the passages below, which were found in the user's documents. If code is asked for, write whole "
    "programs in fenced blocks; else answer briefly, and keep to what the passages say. If they do not say enough, "
    f"{UPDATE_CONTEXT_IN_PROMPT}, and you are given others.{_ASK}"
)
PROMPTS: Final = {"qa": PROMPT_QA, "code": PROMPT_CODE, "default": PROMPT_DEFAULT}
READ: Final = {
    *("task", "docs_path", "context_max_tokens", "customized_prompt", "customized_answer_prefix", "update_context"),
    *("embedder", "custom_token_count_function", "model"),
}
NOT_READ: Final = (
    "retrieve_config has {names}, which do nothing without a database: the documents are kept in a memory of Symposia, "
    "and found by words and by the vectors of `embedder`. Leave them out, or name a database as 'vector_db'."
)
UNKNOWN_OPTIONS: Final = "retrieve_config has {names}, which nothing reads. Leave them out."
DEFAULT_TOKENS: Final = 3200
"""How much of the documents a message has, in tokens."""


def _estimated_tokens(text: str, model: str) -> int:  # noqa: ARG001 - as functions of programs have it
    return len(text) // 4 + 1  # OpenAI's rule of thumb for English


class RetrieveUserProxyAgent(UserProxyAgent):
    """A user proxy whose first message has what its documents say about the problem.

    It gives the agent that answers other passages when that replies ``UPDATE CONTEXT``. An answer without code ends the
    chat, unless `is_termination_msg` says otherwise::

        proxy = RetrieveUserProxyAgent(retrieve_config={"task": "qa", "docs_path": "handbook"})
        proxy.initiate_chat(assistant, message=proxy.message_generator, problem="How many days of leave are there?")

    Args:
        name: The name.
        human_input_mode: As of `UserProxyAgent`.
        is_termination_msg: Whether a received message ends the chat.
        retrieve_config: ``docs_path`` is a file or a folder, or a list of them. ``task`` is ``"qa"``, ``"code"`` or
            ``"default"``. ``context_max_tokens`` bounds the passages of a message, which
            ``custom_token_count_function(text, model)`` counts; ``customized_prompt`` has ``{input_question}`` and
            ``{input_context}``. ``customized_answer_prefix`` has to be in an answer, else other passages are given.
            ``update_context`` says whether they are. ``embedder`` is an `Embedder` of Symposia.
            With ``vector_db``, a `VectorDB` or the name of a kind of database, the passages are in its collection
            ``collection_name``; ``client`` or ``db_config`` are arguments of the kind, and ``embedding_function`` or
            ``embedding_model`` makes its vectors. ``overwrite`` deletes a collection of that name first;
            ``get_or_create=False`` refuses it. Without ``docs_path``, the collection is used as it is.
        kwargs: As of `UserProxyAgent`.

    Raises:
        ValueError: There is no such task.
    """

    def __init__(
        self,
        name: str = "RetrieveChatAgent",
        human_input_mode: Literal["ALWAYS", "NEVER", "TERMINATE"] = "ALWAYS",
        is_termination_msg: Callable[[dict[str, Any]], bool] | None = None,
        retrieve_config: Mapping[str, Any] | None = None,  # Any: options of several kinds
        **kwargs: Any,  # as of the base class
    ) -> None:
        super().__init__(
            name, is_termination_msg=is_termination_msg or self._ends, human_input_mode=human_input_mode, **kwargs
        )
        config = dict(retrieve_config or {})
        has_database = wants_database(config)
        _warn_of_unread(config, has_database=has_database)
        task = str(config.get("task", "default")).lower()
        if task not in PROMPTS:
            raise ValueError(f"task {task} is not implemented: give one of {', '.join(map(repr, PROMPTS))}.")
        self._prompt = str(config.get("customized_prompt") or PROMPTS[task])
        self._prefix = str(config.get("customized_answer_prefix", "")).upper()
        self._updates = bool(config.get("update_context", True))
        self._most_tokens = int(config.get("context_max_tokens", DEFAULT_TOKENS))
        self._model = str(config.get("model", "gpt-4"))
        self._count: Callable[[str, str], int] = config.get("custom_token_count_function", _estimated_tokens)
        paths = _paths(config.get("docs_path"))
        self._documents: PassageSearch = (
            DatabaseSearch(config, list(map(str, paths)), chunk_tokens=self._most_tokens // 2)
            if has_database
            else DocumentSearch(paths, config.get("embedder"))
        )
        self.problem = ""
        self.n_results = 20
        self._search_string = ""
        self._given: set[str] = set()
        plain, asynchronous = RetrieveUserProxyAgent._other_passages, RetrieveUserProxyAgent._a_other_passages
        self.register_reply(Agent, plain, position=2)
        self.register_reply(Agent, asynchronous, position=2, ignore_async_in_sync_chat=True)

    def retrieve_docs(self, problem: str, n_results: int = 20, search_string: str = "") -> list[FoundPassage]:
        """Find passages about a problem, the best first.

        Args:
            problem: What is asked.
            n_results: How many are found at most.
            search_string: A text that each of them has.
        """
        found = self._documents.search(problem, n_results)
        return [each for each in found if search_string in each.text]

    @staticmethod
    def message_generator(sender: Agent, recipient: Agent, context: Mapping[str, Any]) -> str:  # noqa: ARG004 - AutoGen's
        """The first message of a chat, for its `message`.

        Args:
            sender: A `RetrieveUserProxyAgent`.
            recipient: Who answers.
            context: ``problem``, and perhaps ``n_results`` and ``search_string``: the arguments of the chat.
        """
        proxy = cast("RetrieveUserProxyAgent", sender)
        proxy.problem = str(context.get("problem", ""))
        proxy.n_results = int(context.get("n_results", 20))
        proxy._search_string = str(context.get("search_string", ""))  # noqa: SLF001 - of its own class
        proxy._given.clear()  # noqa: SLF001 - as above
        return proxy._message(proxy._next_passages())  # noqa: SLF001 - as above

    @override
    async def a_initiate_chat(self, *args: Any, **kwargs: Any) -> ChatResult:  # Any: as of the base class
        """As `initiate_chat`. The event loop goes on while `message_generator` searches, in a thread."""
        if kwargs.get("message") is RetrieveUserProxyAgent.message_generator:
            kwargs["message"] = _a_message
        return await super().a_initiate_chat(*args, **kwargs)

    def _next_passages(self) -> list[FoundPassage]:
        """The best passages that were not given before, as many as there is room for."""
        found = self.retrieve_docs(self.problem, self.n_results + len(self._given), self._search_string)
        chosen: list[FoundPassage] = []
        left = self._most_tokens
        for passage in found:
            tokens = self._count(passage.text, self._model)
            if passage.id not in self._given and tokens <= left:
                chosen.append(passage)
                left -= tokens
        self._given |= {passage.id for passage in chosen}
        return chosen

    def _message(self, passages: Sequence[FoundPassage]) -> str:
        context = "\n\n".join(passage.text for passage in passages)
        return self._prompt.replace("{input_question}", self.problem).replace("{input_context}", context)

    def _ends(self, message: dict[str, Any]) -> bool:
        text = content_str(message.get("content"))
        has_code = any(language != UNKNOWN for language, _ in extract_code(text))
        return not has_code and not self._wants_others(text)

    def _wants_others(self, text: str) -> bool:
        asks = text.strip().upper().rstrip(".").endswith(UPDATE) or text.strip().upper().startswith(UPDATE)
        return self._updates and bool(self.problem) and (asks or self._prefix not in text.upper())

    def _other_passages(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Agent | None = None,
        config: Any = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, str | None]:
        """The reply function that gives other passages, and ends the chat when there are none."""
        return run_plain(self._passages_reply(PLAIN, self._history(messages, sender)))

    async def _a_other_passages(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Agent | None = None,
        config: Any = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, str | None]:
        """As `_other_passages`. The event loop goes on meanwhile."""
        return await self._passages_reply(ASYNC, self._history(messages, sender))

    async def _passages_reply(self, form: Waiting, history: list[dict[str, Any]]) -> tuple[bool, str | None]:
        if not self._wants_others(content_str(history[-1].get("content"))):
            return False, None
        passages = await form.in_thread(self._next_passages)
        return True, self._message(passages) if passages else "TERMINATE"


async def _a_message(sender: Agent, recipient: Agent, context: Mapping[str, Any]) -> str:
    return await call_in_thread(RetrieveUserProxyAgent.message_generator, sender, recipient, context)


def _warn_of_unread(config: Mapping[str, Any], *, has_database: bool) -> None:  # Any: options of several kinds
    given = {name for name, value in config.items() if value is not None} - READ
    for names, text in [(given - OPTIONS, UNKNOWN_OPTIONS), (given & OPTIONS, "" if has_database else NOT_READ)]:
        if names and text:
            warnings.warn(text.format(names=", ".join(sorted(names))), UserWarning, stacklevel=3)


def _paths(given: object) -> list[Path | str]:
    if given is None:
        return []
    return [given] if isinstance(given, str | Path) else list(cast("Sequence[Path | str]", given))
