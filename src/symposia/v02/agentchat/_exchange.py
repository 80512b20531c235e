"""Sending messages back and forth without recursion.

In AutoGen 0.2, `send` calls the recipient's `receive`, which calls `send` with its reply, and so on: a chat of a few
hundred messages exceeds Python's recursion limit. Here the reply is the last act of `receive`, so it is left to the
outermost `send`, which sends it in a loop. The methods of both agents are called as often, with the same arguments. A
method that calls `send` on its own account, as a reply function may, has an exchange of its own, which ends before that
`send` returns. An overridden `send` may send a further message: the reply to the one before is sent first.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple, cast

from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent


class _Reply(NamedTuple):
    sender: Agent
    message: Message | str
    recipient: Agent
    silent: bool | None


class _Exchange:
    """Messages that two agents send each other in turn.

    Attributes:
        sender: The sender of the message that is on its way.
        recipient: Its recipient.
        reply: What the recipient answered, if it has.
    """

    def __init__(self, sender: Agent, recipient: Agent) -> None:
        self.sender = sender
        self.recipient = recipient
        self.reply: _Reply | None = None

    def take_reply(self) -> _Reply | None:
        reply, self.reply = self.reply, None
        if reply is not None:
            self.sender, self.recipient = reply.sender, reply.recipient
        return reply

    def is_from(self, sender: Agent, recipient: Agent) -> bool:
        return self.sender is sender and self.recipient is recipient


_current: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)
"""The exchange of the message that is on its way; None while an agent generates a reply."""


def has_reply(sender: Agent, recipient: Agent) -> bool:
    """Whether the reply to what this sender has sent in the same exchange is still to be sent."""
    current = _current.get()
    return current is not None and current.reply is not None and current.is_from(sender, recipient)


async def send_reply(form: Form) -> None:
    """Send that reply, before its recipient sends more."""
    current = cast("_Exchange", _current.get())
    reply, current.reply = cast("_Reply", current.reply), None
    token = _current.set(None)
    try:
        await form.send(reply.sender, reply.message, reply.recipient, silent=reply.silent)
    finally:
        _current.reset(token)


async def deliver(
    form: Form,
    sender: Agent,
    recipient: Agent,
    message: Message | str,
    request_reply: bool | None,
    silent: bool | None,
) -> None:
    """Hand a message to its recipient, and send the replies of both until one has none.

    If the message is itself such a reply, only hand it over.
    """
    current = _current.get()
    if current is not None and current.is_from(sender, recipient):
        await form.receive(recipient, message, sender, request_reply, silent)
        return
    exchange = _Exchange(sender, recipient)
    token = _current.set(exchange)
    try:
        await form.receive(recipient, message, sender, request_reply, silent)
        while (reply := exchange.take_reply()) is not None:
            await form.send(reply.sender, reply.message, reply.recipient, silent=reply.silent)
    finally:
        _current.reset(token)


async def answer(form: Form, agent: Agent, messages: list[Message], sender: Agent, silent: bool | None) -> None:
    """Generate an agent's reply to a message that it has received, and send it, or leave that to the exchange."""
    exchange = _current.get()
    token = _current.set(None)
    try:
        reply = await form.generate_reply(agent, messages, sender)
    finally:
        _current.reset(token)
    if reply is None:
        return
    if exchange is not None and exchange.is_from(sender, agent):
        exchange.reply = _Reply(agent, reply, sender, silent)
    else:
        await form.send(agent, reply, sender, silent=silent)
