"""The hosts that a program asks for: it runs in a process of its own, where all but this machine is refused."""

import asyncio
import sys

AUDIT = """
import sys

def refuse_others(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in {None, "127.0.0.1", "::1", "localhost"}:
        print("HOST", host, flush=True)
        raise OSError(f"{host} is not this machine")

sys.addaudithook(refuse_others)
"""


async def hosts_of(program: str, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The other hosts that a program asked for until it ended. It has to end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", AUDIT + program, *arguments, stdout=asyncio.subprocess.PIPE, env=env
    )
    output, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0
    return {line.split()[1] for line in output.decode().splitlines() if line.startswith("HOST ")}
