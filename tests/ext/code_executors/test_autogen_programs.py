"""Programs that were written for AutoGen's executors and tools, run unmodified."""

import asyncio
import sys
from pathlib import Path

from tests.support.jupyter_server import TOKEN, jupyter_server

WITH_A_KERNEL = """
import asyncio

from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock
from autogen_ext.code_executors.jupyter import JupyterCodeExecutor, JupyterCodeResult
from autogen_ext.tools.code_execution import CodeExecutionInput, PythonCodeExecutionTool

async def main() -> None:
    async with JupyterCodeExecutor(output_dir="shown") as executor:
        token = CancellationToken()
        blocks = [CodeBlock("x = 6", "python")]
        result = await executor.execute_code_blocks(code_blocks=blocks, cancellation_token=token)
        assert isinstance(result, JupyterCodeResult) and result.exit_code == 0 and result.output_files == []
        tool = PythonCodeExecutionTool(executor)
        answer = await tool.run(CodeExecutionInput(code="x * 7"), token)
        print(answer.success, answer.output, tool.dump_component().provider)

asyncio.run(main())
"""
WITH_A_SERVER = """
import asyncio, sys
from pathlib import Path

from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock
from autogen_ext.code_executors.docker_jupyter import DockerJupyterCodeExecutor, DockerJupyterCodeResult
from autogen_ext.code_executors.docker_jupyter import JupyterClient
from autogen_ext.code_executors.docker_jupyter._jupyter_server import JupyterConnectionInfo

async def main() -> None:
    info = JupyterConnectionInfo(host="127.0.0.1", use_https=False, port=int(sys.argv[1]), token=sys.argv[2])
    async with DockerJupyterCodeExecutor(jupyter_server=info, timeout=30, output_dir=Path("shown")) as executor:
        blocks = [CodeBlock(code="x = 6", language="python"), CodeBlock(code="x * 7", language="python")]
        result = await executor.execute_code_blocks(blocks, CancellationToken())
        assert isinstance(result, DockerJupyterCodeResult)
        print(result.exit_code, result.output.strip())
    client = JupyterClient(info)
    print(await client.list_kernels())
    await client.close()

asyncio.run(main())
"""


async def output_of(program: str, folder: Path, *arguments: str) -> list[str]:
    file = folder / "program.py"
    await asyncio.to_thread(file.write_text, program)
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore::UserWarning", "-m", "symposia.autogen", str(file), *arguments),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await run.communicate()
    assert run.returncode == 0
    return output.decode().splitlines()


async def test_a_program_with_a_kernel_and_the_python_tool(tmp_path: Path) -> None:
    provider = "autogen_ext.tools.code_execution.PythonCodeExecutionTool"
    assert await output_of(WITH_A_KERNEL, tmp_path) == [f"True 42 {provider}"]


async def test_a_program_with_a_jupyter_server(tmp_path: Path) -> None:
    with jupyter_server(tmp_path) as info:
        assert await output_of(WITH_A_SERVER, tmp_path, str(info.port), TOKEN) == ["0 42", "[]"]
