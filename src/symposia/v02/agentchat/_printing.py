"""Received messages as they are printed."""

from __future__ import annotations

from symposia.v02._code_text import content_str
from symposia.v02._templates import instantiate
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream


def print_received(
    message: Message, sender: Agent, recipient_name: str, *, allow_format_str_template: bool | None
) -> None:
    """Print a message, with its sender, its calls and the results of tools in it, to the current stream.

    Args:
        message: The message.
        sender: Its sender.
        recipient_name: The name of its recipient.
        allow_format_str_template: Whether a text with a context is formatted.
    """
    stream = IOStream.get_default()
    stream.print(colored(sender.name, "yellow"), "(to", f"{recipient_name}):\n", flush=True)
    for response in message.get("tool_responses") or ():
        print_received(response, sender, recipient_name, allow_format_str_template=allow_format_str_template)
    if message.get("tool_responses") and message.get("role") == "tool":
        return
    if message.get("role") in ("function", "tool"):
        _print_response(stream, message)
    else:
        _print_content(stream, message, allow_format_str_template)
    stream.print("\n", "-" * 80, flush=True, sep="")


def _print_response(stream: IOStream, message: Message) -> None:
    key = "name" if message["role"] == "function" else "tool_call_id"
    header = f"***** Response from calling {message['role']} ({message.get(key, 'No id found')}) *****"
    stream.print(colored(header, "green"), flush=True)
    stream.print(message["content"], flush=True)
    stream.print(colored("*" * len(header), "green"), flush=True)


def _print_content(stream: IOStream, message: Message, allow_format_str_template: bool | None) -> None:
    content = message.get("content")
    if content is not None:
        shown = instantiate(content, message.get("context"), is_format=allow_format_str_template)
        stream.print(content_str(shown), flush=True)
    if message.get("function_call"):
        _print_call(stream, "Suggested function call", message["function_call"])
    for call in message.get("tool_calls") or ():
        _print_call(
            stream, f"Suggested tool call ({call.get('id', 'No tool call id found')})", call.get("function") or {}
        )


def _print_call(stream: IOStream, title: str, call: Message) -> None:
    header = f"***** {title}: {call.get('name', '(No function name found)')} *****"
    stream.print(colored(header, "green"), flush=True)
    stream.print("Arguments: \n", call.get("arguments", "(No arguments found)"), flush=True, sep="")
    stream.print(colored("*" * len(header), "green"), flush=True)
