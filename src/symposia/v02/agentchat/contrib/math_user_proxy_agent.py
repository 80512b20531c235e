"""An agent that calculates for a model which solves a problem of mathematics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from typing_extensions import override

from symposia.v02._code_text import UNKNOWN, extract_code, infer_lang
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._conversable import HumanInputMode, Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.contrib._math_programs import continued, is_answer, printing_last_value
from symposia.v02.agentchat.contrib._wolfram_alpha import WolframAlphaAPIWrapper, get_from_dict_or_env
from symposia.v02.agentchat.user_proxy_agent import UserProxyAgent
from symposia.v02.coding import CodeBlock

__all__ = ["PROMPTS", "MathUserProxyAgent", "WolframAlphaAPIWrapper", "get_from_dict_or_env"]

_STEPS: Final = """Solve a problem of mathematics, step by step.

{how} I run it and send you what it prints, and what one query defines is there in the next.
Calculate with exact numbers where that is possible, as with fractions and roots in sympy, and not with rounded ones.
Send the queries of one step, and wait for their results before the next step. If a result is an error, or is strange,
look for the mistake in your reasoning, and correct it.
When you have the answer, write it in \\boxed{{}}.
"""
_PYTHON: Final = "For what has to be calculated, send a query: a program in a ```python block, which prints the result."
_BOTH: Final = (
    "For what has to be calculated, send a query: a program in a ```python block, which prints the result, or a "
    "question to Wolfram|Alpha in a ```wolfram block."
)
PROMPTS: Final[Mapping[str, str]] = {
    "default": _STEPS.format(how=_PYTHON)
    + """
First choose a way: one program that solves the whole problem, if it is a matter of calculating or of trying cases;
reasoning without a program, if it needs none; or steps, some of which are programs.

The problem:
""",
    "python": _STEPS.format(how=_PYTHON) + "\nThe problem: ",
    "two_tools": _STEPS.format(how=_BOTH) + "\nThe problem: ",
}
"""What the model is told before the problem, by the `prompt_type`."""

LONGEST: Final = 2_000
"""The most characters of a result that is sent."""
SECONDS: Final = 5
"""How long a program runs, unless `code_execution_config` says otherwise."""
TOO_LONG: Final = "The result is too long to be sent. Check your reasoning, and have less printed."
NO_OUTPUT: Final = "The program printed nothing. Print the result."
REPEATED: Final = "\nThis is the same result as the last one. Try another way."
REVISE: Final = (
    "Several queries of this step have failed. Read the problem again, and your reasoning. If the step is right, do it "
    "without a query; otherwise correct it."
)


def is_boxed(message: Message) -> bool:
    r"""Whether a message gives an answer in ``\boxed{}``."""
    return is_answer(text_of(message))


class MathUserProxyAgent(UserProxyAgent):
    """Runs the programs of a model that solves a problem, until it gives the answer.

    Start a chat with ``message=agent.message_generator, problem=…``.

    Args:
        name: See `ConversableAgent`.
        is_termination_msg: See `ConversableAgent`; by default `is_boxed`.
        human_input_mode: See `ConversableAgent`.
        default_auto_reply: Its reply to a message without a query.
        max_invalid_q_per_step: How many queries may fail before the model is told to revise the step.
        kwargs: See `UserProxyAgent`. `code_execution_config` says where programs run.
    """

    MAX_CONSECUTIVE_AUTO_REPLY: ClassVar[int] = 15
    DEFAULT_REPLY: ClassVar[str] = (
        "Go on. Work on the problem until you need a query. If you have the answer, write it in \\boxed{}."
    )

    def __init__(
        self,
        name: str = "MathChatAgent",
        is_termination_msg: Callable[[Message], bool] | None = is_boxed,
        human_input_mode: HumanInputMode = "NEVER",
        default_auto_reply: str | Message | None = DEFAULT_REPLY,
        max_invalid_q_per_step: int = 3,
        **kwargs: Any,  # Any: see `UserProxyAgent`
    ) -> None:
        super().__init__(
            name=name,
            is_termination_msg=is_termination_msg,
            human_input_mode=human_input_mode,
            default_auto_reply=default_auto_reply,
            **kwargs,
        )
        agent = MathUserProxyAgent
        self.register_reply([Agent, None], agent.generate_math_reply, position=2)
        self.register_reply([Agent, None], agent.a_generate_math_reply, position=2, ignore_async_in_sync_chat=True)
        self._most_failures = max_invalid_q_per_step
        self._forget()

    def _forget(self) -> None:
        self._steps: list[str] = []
        self._failures = 0
        self._last_result: str | None = None

    @override
    def reset(self) -> None:
        """As `ConversableAgent.reset`, and forget what programs defined."""
        super().reset()
        self._forget()

    @staticmethod
    def message_generator(
        sender: MathUserProxyAgent,
        recipient: Agent | None,
        context: Mapping[str, Any],  # Any: arguments of a chat
    ) -> str:
        """The first message of a chat about a problem.

        Args:
            sender: The agent, which forgets the last problem.
            recipient: The agent that solves it.
            context: `problem`, and `prompt_type`, a key of `PROMPTS`, or `customized_prompt` in place of a prompt.

        Raises:
            ValueError: There is no problem, or no such prompt.
        """
        del recipient  # of every function that makes a message
        sender._forget()
        problem, kind = context.get("problem"), context.get("prompt_type", "default")
        if not isinstance(problem, str):
            raise ValueError("There is no problem. Give initiate_chat problem=…, a text.")  # noqa: TRY004 - it is missing
        prompt = context.get("customized_prompt") or PROMPTS.get(kind)
        if prompt is None:
            raise ValueError(f"There is no prompt {kind!r}. The prompts are: {', '.join(PROMPTS)}.")
        return prompt + problem

    def generate_math_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """The reply function that answers queries."""
        return run_plain(self._math_reply(PLAIN, self._history(messages, sender)))

    async def a_generate_math_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: Any | None = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """As `generate_math_reply`. The event loop goes on meanwhile."""
        return await self._math_reply(ASYNC, self._history(messages, sender))

    async def _math_reply(self, form: Form, history: list[Message]) -> tuple[bool, Reply]:
        blocks = extract_code(text_of(history[-1]))
        if blocks[0][0] == UNKNOWN:
            return True, self._default_auto_reply
        results = [await form.in_thread(self._answer, label or infer_lang(code), code) for label, code in blocks]
        result = "\n".join(text for text, _ in results).strip()
        if not all(is_valid for _, is_valid in results):
            self._failures += 1
            if self._failures > self._most_failures:
                self._failures = 0
                return True, REVISE
        is_repeated, self._last_result = result == self._last_result, result
        return True, result + REPEATED if is_repeated else result

    def _answer(self, language: str, code: str) -> tuple[str, bool]:
        if language.lower() == "python":
            text, is_valid = self.execute_one_python_code(code)
        elif language.lower() == "wolfram":
            text, is_valid = self.execute_one_wolfram_query(code)
        else:
            return f"Error: queries are in Python, and not in {language!r}.", False
        return (text, is_valid) if len(text) <= LONGEST else (TOO_LONG, False)

    def execute_one_python_code(self, pycode: str) -> tuple[str, bool]:
        """Run a program after the ones that succeeded before, whose output is left out.

        Returns:
            What it prints, with the value of its last line, or the error; and whether it succeeded and printed.
        """
        code = printing_last_value(pycode)
        exit_code, output = self._run_program(continued(self._steps, code))
        if exit_code != 0:
            return f"Error: {output}", False
        self._steps.append(pycode)
        return (output, True) if output.strip() else (NO_OUTPUT, False)

    def execute_one_wolfram_query(self, query: str) -> tuple[str, bool]:
        """Ask Wolfram|Alpha, with the id of the environment variable `WOLFRAM_ALPHA_APPID`.

        Returns:
            The answer, or what is wrong, and whether it is an answer.

        Raises:
            ValueError: There is no id.
        """
        return WolframAlphaAPIWrapper.model_validate({}).run(query.strip())

    def _run_program(self, code: str) -> tuple[int, str]:
        if self._code_executor is not None:
            result = self._code_executor.execute_code_blocks([CodeBlock(code=code, language="python")])
            return result.exit_code, result.output
        if self._code_execution_config is False:
            return 1, "this agent executes no code. Give it a code_execution_config."
        options = {key: self._code_execution_config.get(key) for key in ("work_dir", "use_docker")}
        exit_code, output, _ = self.run_code(
            code, lang="python", timeout=self._code_execution_config.get("timeout") or SECONDS, **options
        )
        return exit_code, output
