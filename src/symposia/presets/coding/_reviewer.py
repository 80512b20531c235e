"""The reviewer, whose approval counts only with evidence: lines that the program has really printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import CancellationToken, Image
from symposia.core.models import ChatCompletionClient, LLMMessage, UserMessage
from symposia.presets.coding._messages import ExecutionMessage
from symposia.presets.coding._plan import Review
from symposia.presets.coding._prompts import REVIEWER_PROMPT
from symposia.presets.coding._rule import EXECUTOR, REVIEWER
from symposia.presets.coding._schema_agent import SchemaAgent

PICTURE_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG begin. Other bytes are not pictures to us, whatever they are called: nothing here decodes them."""
PICTURES_SHOWN: Final = 4
PICTURE_BYTES: Final = 3 * 1024 * 1024
"""Anthropic takes pictures of up to 5 MB, counted in base64."""


def without_ground(review: Review, execution: ExecutionMessage) -> list[str]:
    """List the evidence that is not in the real output and names no file that was made.

    Blanks and backticks around a line are taken loosely; everything else has to agree letter for letter.
    """
    output = _one_blank(execution.output)
    files = {file.path for file in execution.files}
    return [line for line in review.evidence if line.strip() not in files and not _stands_in(line, output)]


def _stands_in(line: str, output: str) -> bool:
    looked_for = _one_blank(line).strip("` ")
    return bool(looked_for) and looked_for in output


def _one_blank(text: str) -> str:
    return " ".join(text.split())


def pictures_of(execution: ExecutionMessage) -> list[Image]:
    """Give the first few of the pictures that a vendor takes."""
    small = (file.data for file in execution.files if file.size <= PICTURE_BYTES)
    pictures = [data for data in small if data.startswith(PICTURE_SIGNATURES)]
    return [Image(data) for data in pictures[:PICTURES_SHOWN]]


class Reviewer(SchemaAgent[Review]):
    """Holds the latest real output against the task.

    An approval without an answer, without evidence, or with evidence that the program has not printed is sent back to
    the model; if it stays so, it becomes a rejection, so that "verified" always rests on the real output.
    """

    def __init__(self, client: ChatCompletionClient) -> None:
        super().__init__(
            REVIEWER,
            "Checks a program's real output against the task.",
            client=client,
            prompt=REVIEWER_PROMPT,
            schema=Review,
        )
        self._execution = ExecutionMessage(source="nobody")

    @override
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Review the latest execution among the messages."""
        self._execution = next((m for m in reversed(messages) if isinstance(m, ExecutionMessage)), self._execution)
        return await super().on_messages(messages, cancellation_token)

    @override
    def heard(self, messages: Sequence[BaseChatMessage]) -> list[LLMMessage]:
        """As they are, and the pictures that the program made, for a model that can see."""
        heard = super().heard(messages)
        pictures = pictures_of(self._execution) if self._client.model_info["vision"] else []
        if pictures:
            heard.append(UserMessage(content=["The pictures that the program made:", *pictures], source=EXECUTOR))
        return heard

    @override
    def complaint(self, content: Review) -> str:
        """Say what an approval lacks, or that a rejection gives no reason."""
        if not content.approved:
            return "" if content.reasons else "You do not approve: say in `reasons` what is wrong and how to mend it."
        if not content.answer.strip():
            return "You approve: write the answer to the task into `answer`."
        if not content.evidence:
            return "You approve: copy the lines of the output that the answer rests on into `evidence`."
        missing = without_ground(content, self._execution)
        return f"The program has not printed this evidence: {'; '.join(missing)}." if missing else ""

    @override
    def settle(self, content: Review | None, complaint: str) -> Review:
        """Turn an approval without ground into a rejection."""
        if content is None:
            return super().settle(content, complaint)
        reason = f"The review has no ground in the output. {complaint} Print each figure on a line that names it."
        return Review(approved=False, reasons=[*content.reasons, reason], evidence=[], answer="")
