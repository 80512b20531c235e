"""The kernels of a Jupyter server, for programs of AutoGen 0.2."""

from pathlib import Path

from tests.support.jupyter_server import jupyter_server

from symposia.v02.coding.jupyter import JupyterClient


def test_a_program_runs_cells_in_a_kernel(tmp_path: Path) -> None:
    with jupyter_server(tmp_path) as connection:
        client = JupyterClient(connection)
        assert "python3" in client.list_kernel_specs()["kernelspecs"]
        kernel_id = client.start_kernel("python3")
        assert [kernel["id"] for kernel in client.list_kernels()] == [kernel_id]
        with client.get_kernel_client(kernel_id) as kernel:
            assert kernel.wait_for_ready(60)
            assert kernel.execute("x = 2").is_ok
            assert kernel.execute("print(x)", timeout_seconds=60).output.strip() == "2"
            failed = kernel.execute("1 / 0")
            assert (failed.is_ok, "ZeroDivisionError" in failed.output) == (False, True)
        client.restart_kernel(kernel_id)
        with client.get_kernel_client(kernel_id) as kernel:
            assert kernel.wait_for_ready(60)
            assert not kernel.execute("print(x)").is_ok
        client.delete_kernel(kernel_id)
        assert client.list_kernels() == []
