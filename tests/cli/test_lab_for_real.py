"""``nnlite lab`` with JupyterLab itself: a page, a saved notebook, a cell that runs, Ctrl-C."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest

from nnlite.cli import lab as lab_command
from nnlite.cli.kernel import kernel_environment

pytest.importorskip("jupyterlab")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")

HANG = 1800  # seconds after which a test that hangs is ended; nothing is claimed about speed


class _Terminal:
    """``nnlite lab`` in a terminal of its own, as a user would have it."""

    def __init__(self, folder):
        import pty

        self.seen = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(HOME=str(folder), JUPYTER_CONFIG_DIR=str(folder / "config"))
            os.environ.pop("OPENBLAS_NUM_THREADS", None)
            command = ["-m", "nnlite", "lab", "--", "--no-browser", "--ServerApp.port=18900"]
            os.execv(sys.executable, [sys.executable, *command])

    def wait_for(self, pattern):
        """Read on until the pattern has been written, and forget what was before."""
        while not (found := re.search(pattern, self.seen)):
            self.seen += os.read(self._terminal, 65536).decode("utf-8", "replace")
        self.seen = self.seen[found.end() :]
        return found

    def ctrl_c(self):
        os.write(self._terminal, b"\x03")

    def exit_code(self):
        """Read what is still said, and return the exit code."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            try:
                if not os.read(self._terminal, 65536):
                    break
            except OSError:  # Linux's way to say that nobody is at the other end
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _answer(request):
    """Return what the server answers; it prints its address just before it listens."""
    end = time.monotonic() + HANG
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.fixture
def lab(tmp_path, write_lecture):
    threads = "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    path = write_lecture(tmp_path / "lectures", "01_first", threads)
    path.with_name("Welcome.ipynb").write_bytes(path.read_bytes())
    terminal = _Terminal(tmp_path)
    yield terminal
    with contextlib.suppress(ProcessLookupError):  # it has ended as it should
        os.killpg(terminal.pid, signal.SIGKILL)


def test_a_page_a_saved_notebook_a_running_cell_and_ctrl_c(lab, tmp_path):
    copy = tmp_path / "nnlite-lectures"
    lab.wait_for(f"all edits are kept: {re.escape(str(copy))}")
    address, port, token = lab.wait_for(
        r"http://127\.0\.0\.1:(\d+)/lab/tree/Welcome\.ipynb\?token=(\w+)"
    ).group(0, 1, 2)

    assert b"jupyter-config-data" in _answer(address)

    def ask(path, data=None, method="GET"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/{path}",
            None if data is None else json.dumps(data).encode(),
            {"Authorization": f"token {token}"},
            method=method,
        )
        return json.loads(_answer(request))

    before = (tmp_path / "lectures" / "01_first.ipynb").read_bytes()
    content = ask("contents/01_first.ipynb")["content"]
    content["cells"][0]["source"] = "mine"
    ask("contents/01_first.ipynb", {"type": "notebook", "content": content}, "PUT")
    assert nbformat.read(copy / "01_first.ipynb", as_version=4).cells[0].source == "mine"
    assert (tmp_path / "lectures" / "01_first.ipynb").read_bytes() == before
    spec = ask("kernelspecs")["kernelspecs"]["python3"]["spec"]
    assert spec["argv"][0] == sys.executable

    kernel = ask("kernels", {"name": "python3"}, "POST")["id"]
    lab.ctrl_c()
    lab.wait_for("Shut down this Jupyter server")
    assert [k["id"] for k in ask("kernels")] == [kernel]  # while it asks, nothing is lost
    lab.ctrl_c()
    assert lab.exit_code() == 0


def test_the_kernel_of_the_lab_is_this_python_with_one_thread_for_blas(tmp_path, monkeypatch):
    code = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
    "import os, sys; print(sys.executable, os.environ['OPENBLAS_NUM_THREADS'])")])
NotebookClient(notebook, kernel_name="python3", startup_timeout=1800).execute()
print(notebook.cells[0].outputs[0].text)
"""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    environment = {**kernel_environment(jobs=1, full=False), "JUPYTER_PATH": str(tmp_path)}
    lab_command._write_kernelspec(tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [sys.executable, "1"]
