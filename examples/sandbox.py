"""Run untrusted code in the best sandbox that works on this machine, and never on the machine itself."""

import asyncio

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock
from symposia.ext.code_executors import create_default_code_executor

CODE = """
import socket
import numpy as np

print("mean:", np.array([1, 2, 3, 4]).mean())
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    print("no network:", type(error).__name__)
"""


async def main() -> None:
    async with create_default_code_executor() as executor:
        result = await executor.execute_code_blocks([CodeBlock(CODE, "python")], CancellationToken())
    print(result.output.strip())
    print("exit status:", result.exit_code)


if __name__ == "__main__":
    asyncio.run(main())
