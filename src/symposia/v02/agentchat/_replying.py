"""Generating a reply: the hooks, and then the first reply function whose reply is final."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from symposia.core.effects import enter_scope
from symposia.v02 import runtime_logging
from symposia.v02.agentchat._conversable import Conversing, Reply, ReplyFunction
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._reply_functions import ReplyEntry, applies, is_coroutine_function
from symposia.v02.agentchat.agent import Agent


async def generate_reply(
    form: Form,
    agent: Conversing,
    entries: Sequence[ReplyEntry],
    messages: list[Message] | None,
    sender: Agent | None,
    *,
    exclude: Collection[ReplyFunction],
    twins: Mapping[ReplyFunction, ReplyFunction],
    default: str | Message,
) -> Reply:
    """Generate a reply.

    Args:
        form: The form of the call.
        agent: The agent that replies.
        entries: Its reply functions, in order.
        messages: The conversation; None for that with the sender.
        sender: The agent to which the reply goes.
        exclude: Reply functions that are left out.
        twins: The coroutine functions that stand for plain ones in the asynchronous form.
        default: The reply if none is final.

    Raises:
        AssertionError: There is neither a conversation nor a sender.
    """
    if messages is None:
        if sender is None:
            raise AssertionError(f"Either {messages=} or {sender=} must be provided.")
        messages = agent.chat_messages[sender]
    with enter_scope(f"agent:{agent.name}"):
        messages = await form.processed(agent, messages)
        awaited: list[ReplyFunction] = []
        for entry in list(entries):
            function = entry["reply_func"]
            if function in exclude or (is_coroutine_function(function) and not form.is_async):
                continue
            # AutoGen 0.2 calls both twins in the asynchronous form: it asks a person twice, and counts a reply twice.
            if form.is_async and twins.get(function) in awaited:
                continue
            if applies(entry["trigger"], sender):
                awaited.append(function)
                final, reply = await form.call(
                    function, agent, messages=messages, sender=sender, config=entry["config"]
                )
                if runtime_logging.logging_enabled():
                    runtime_logging.log_event(
                        agent,
                        "reply_func_executed",
                        reply_func_module=function.__module__,
                        reply_func_name=getattr(function, "__name__", repr(function)),
                        final=final,
                        reply=reply,
                    )
                if final:
                    return reply
        return default
