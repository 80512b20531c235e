"""The executors on Jupyter kernels of AutoGen 0.2.40."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.jupyter_server import jupyter_server
from tests.support.sandboxes import require

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors.docker import DockerBackend
from symposia.v02.coding import CodeBlock, CodeExecutorFactory
from symposia.v02.coding.jupyter import (
    DockerJupyterServer,
    EmbeddedIPythonCodeExecutor,
    JupyterCodeExecutor,
    LocalJupyterServer,
)

pytestmark = pytest.mark.filterwarnings("ignore:JupyterCodeExecutor runs code on this machine")


def block(code: str, language: str = "python") -> CodeBlock:
    return CodeBlock(code=code, language=language)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[EmbeddedIPythonCodeExecutor]:
    executor = EmbeddedIPythonCodeExecutor(timeout=30, output_dir=tmp_path)
    yield executor
    executor.stop()


def test_variables_live_until_the_kernel_is_restarted(kernel: EmbeddedIPythonCodeExecutor) -> None:
    assert kernel.execute_code_blocks([block("x = 3"), block("x"), block("x + 1", "")]).output == "\n3\n4"
    kernel.restart()
    result = kernel.execute_code_blocks([block("x")])
    assert result.exit_code == 1
    assert result.output.startswith("ERROR: ")
    assert "NameError: name 'x' is not defined" in result.output


def test_what_cells_show_is_saved_and_named(kernel: EmbeddedIPythonCodeExecutor, tmp_path: Path) -> None:
    result = kernel.execute_code_blocks([block("from IPython.display import HTML, display\ndisplay(HTML('<b>'))")])
    [file] = result.output_files
    assert Path(file).parent == tmp_path
    assert Path(file).read_text() == "<b>"
    assert result.output.endswith(f"HTML data saved to {file}")


def test_no_blocks_are_no_output(kernel: EmbeddedIPythonCodeExecutor) -> None:
    assert kernel.execute_code_blocks([]).model_dump() == {"exit_code": 0, "output": "", "output_files": []}


def test_the_output_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Output directory .* does not exist"):
        EmbeddedIPythonCodeExecutor(output_dir=tmp_path / "missing")


def test_a_factory_makes_one_by_name(tmp_path: Path) -> None:
    options = {"timeout": 9, "output_dir": tmp_path}
    made = CodeExecutorFactory.create({"executor": "ipython-embedded", "ipython-embedded": options})
    assert isinstance(made, EmbeddedIPythonCodeExecutor)
    assert made.timeout == 9


def test_code_runs_in_a_kernel_of_a_server(tmp_path: Path) -> None:
    with jupyter_server(tmp_path) as address, JupyterCodeExecutor(address, output_dir=tmp_path) as executor:
        assert executor.execute_code_blocks([block("print(1)")]).output == "1\n"


def test_a_server_on_this_machine_starts_with_its_object_and_is_warned_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="LocalJupyterServer runs code on this machine"):
        server = LocalJupyterServer(log_file=tmp_path / "server.log")
    with server, JupyterCodeExecutor(server, output_dir=tmp_path) as executor:
        code = "import os\nprint('OPENAI_API_KEY' in os.environ)"
        assert executor.execute_code_blocks([block(code)]).output == "False\n"
    server.stop()
    assert (tmp_path / "server.log").read_text()


def test_a_server_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.warns(UserWarning, match="LocalJupyterServer"),
        pytest.raises(SandboxUnavailableError, match=r"does not start\. .*server\.log says why"),
    ):
        LocalJupyterServer(ip="127.0.0.1", log_file=tmp_path / "server.log", log_level="NONE")


def test_a_server_in_docker_starts_with_its_object(tmp_path: Path) -> None:
    require(DockerBackend())
    with DockerJupyterServer() as server, JupyterCodeExecutor(server, output_dir=tmp_path) as executor:
        assert executor.execute_code_blocks([block("import os; print(os.getuid() != 0)")]).output == "True\n"
