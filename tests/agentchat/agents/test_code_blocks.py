"""Which code a code executor agent finds in messages."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_agents import PIXEL

from symposia.agentchat.agents import CodeExecutorAgent
from symposia.agentchat.messages import BaseChatMessage, MultiModalMessage, StopMessage, TextMessage
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult


class NoExecutor(CodeExecutor):
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        raise AssertionError("Nothing is to run here.")

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


async def found(*messages: BaseChatMessage | str, languages: Sequence[str] | None = None) -> list[tuple[str, str]]:
    agent = CodeExecutorAgent("runner", NoExecutor(), supported_languages=languages)
    given = [TextMessage(content=each, source="u") if isinstance(each, str) else each for each in messages]
    return [(block.language, block.code) for block in await agent.extract_code_blocks_from_messages(given)]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("Here:\n```python\nprint(1)\n```\nDone.", [("python", "print(1)\n")]),
        ("Here: ```python\nprint(1)\n```", [("python", "print(1)\n")]),
        ("```python\nprint(1)```", [("python", "print(1)\n")]),
        ("```python\na\n```\nand\n```sh\nb\n```", [("python", "a\n"), ("sh", "b\n")]),
        ("```Python\na\n```\n```py\nb\n```\n```bash\nc\n```", [("Python", "a\n"), ("py", "b\n"), ("bash", "c\n")]),
        ("```python title=x\na\n```", [("python", "a\n")]),
        ("1. So:\n   ```python\n   if a:\n       b\n   ```", [("python", "if a:\n    b\n")]),
        ("~~~python\na\n~~~", [("python", "a\n")]),
        ('````python\ns = """\n```\n"""\n````', [("python", 's = """\n```\n"""\n')]),
        ("```python\n\n\n```", [("python", "\n\n")]),
        ("```python\r\na\r\n```", [("python", "a\r\n")]),
        ("```\nplain\n```", []),
        ("```json\n{}\n```", []),
        ("```markdown\n```python\na\n```\n", []),
        ("```python\nwas cut off", []),
        ("Use the `python` command, or ```python like this``` inline.", []),
        ("no code", []),
    ],
)
async def test_closed_blocks_in_a_supported_language_are_found(text: str, blocks: list[tuple[str, str]]) -> None:
    assert await found(text) == blocks


lines = st.text(st.characters(codec="utf-8", exclude_characters="`~\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=9)


@given(st.lists(st.tuples(st.sampled_from(["python", "sh"]), st.lists(lines, max_size=4)), max_size=4), lines)
async def test_whatever_code_is_fenced_is_found_as_it_was(blocks: list[tuple[str, list[str]]], between: str) -> None:
    written = [(language, "".join(f"{line}\n" for line in "\n".join(code).split("\n"))) for language, code in blocks]

    text = f"\n{between}\n".join(f"```{language}\n{code}```" for language, code in written)

    assert await found(text) == written


@given(st.text())
async def test_any_text_can_be_searched(text: str) -> None:
    await found(text)


async def test_other_languages_are_found_when_they_are_supported() -> None:
    assert await found("```ruby\nputs 1\n```\n```python\n1\n```", languages=["ruby"]) == [("ruby", "puts 1\n")]


async def test_code_is_looked_for_in_every_message_of_text() -> None:
    messages = [
        TextMessage(content="```python\na\n```", source="u"),
        MultiModalMessage(content=["```python\nb\n```", PIXEL], source="u"),
        StopMessage(content="```python\nnever\n```", source="u"),
    ]

    assert await found(*messages) == [("python", "a\n"), ("python", "b\n")]
