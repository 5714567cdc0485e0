"""``nnlite lab``: JupyterLab on a working copy, for this machine alone, stopped by itself alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from nnlite.cli import lab, main

HANG = 1800  # seconds after which a test that hangs is ended; nothing is claimed about speed


@pytest.fixture
def started(monkeypatch):
    """Commands that would have been started, with what they would have found."""
    runs = []

    def run(command, environment):
        spec = Path(environment["JUPYTER_PATH"].split(os.pathsep)[0], "kernels/python3/kernel.json")
        runs.append((command, environment, json.loads(spec.read_text(encoding="utf-8"))))
        return 0

    monkeypatch.setattr(lab, "_run_child", run)
    monkeypatch.setattr(lab, "require", lambda *names, extra: None)
    monkeypatch.setattr(lab, "_without_screen", lambda: False)
    monkeypatch.setattr(lab.os, "geteuid", lambda: 1000, raising=False)
    return runs


@pytest.fixture
def checkout(tmp_path, monkeypatch, write_lecture):
    """A checkout with one lecture and a page to begin with; we stand in it."""
    path = write_lecture(tmp_path / "lectures", "01_gradients")
    path.with_name("Welcome.ipynb").write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _root(command):
    [option] = [x for x in command if x.startswith("--ServerApp.root_dir=")]
    return Path(option.partition("=")[2])


def test_a_copy_is_opened_and_never_the_lectures_themselves(checkout, started, capsys):
    assert main(["lab", "--", "--no-browser"]) == 0
    [(command, _, _)] = started
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert command[-1] == "--no-browser"
    assert _root(command) == checkout / "nnlite-lectures"
    said = capsys.readouterr().out
    assert "Files: 2 new." in said
    assert f"where all edits are kept: {checkout / 'nnlite-lectures'}" in said


def test_it_opens_on_the_welcome_page_for_this_machine_alone_and_asks_nobody(checkout, started):
    main(["lab"])
    command = started[0][0]
    assert "--LabApp.default_url=/lab/tree/Welcome.ipynb" in command
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--LabApp.news_url=None" in command
    assert "--allow-root" not in command


@pytest.mark.parametrize("option", ["--ServerApp.ip=::1", "--ip=::1", "--LabApp.default_url=/lab"])
def test_an_option_of_the_user_takes_the_place_of_ours(option, checkout, started):
    main(["lab", "--", option])
    long = option.replace("--ip", "--ServerApp.ip").partition("=")[0]
    given = [x for x in started[0][0] if x.startswith((long, option))]
    assert given == [option]


def test_without_a_welcome_page_the_launcher_is_opened(checkout, started):
    (checkout / "lectures" / "Welcome.ipynb").unlink()
    main(["lab"])
    assert not any("default_url" in option for option in started[0][0])


def test_from_anywhere_in_a_checkout_it_is_the_same_copy(checkout, started, monkeypatch):
    (checkout / "docs").mkdir()
    for folder in (checkout / "docs", checkout / "lectures", checkout):
        monkeypatch.chdir(folder)
        main(["lab"])
    assert {_root(command) for command, _, _ in started} == {checkout / "nnlite-lectures"}


def test_an_edit_is_kept_and_what_changed_upstream_is_shown(checkout, started, capsys):
    main(["lab"])
    mine = checkout / "nnlite-lectures" / "01_gradients.ipynb"
    mine.write_text(mine.read_text().replace("What you will learn", "My notes"))
    main(["lab"])
    assert "Files: 1 edited by you." in capsys.readouterr().out
    upstream = checkout / "lectures" / "01_gradients.ipynb"
    upstream.write_text(upstream.read_text().replace("expected_failure", "expected_failure as ef"))
    main(["lab"])
    said = capsys.readouterr().out
    assert "01_gradients.ipynb was edited by you and stays; the new version is" in said
    assert "    cell 2 is changed: from nnlite import closed_form" in said
    assert "My notes" in mine.read_text()


def test_the_kernel_is_this_python_with_one_thread_for_blas(checkout, started, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "elsewhere")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    main(["lab"])
    _, environment, spec = started[0]
    assert spec["argv"][0] == sys.executable
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["JUPYTER_PATH"].endswith(os.pathsep + "elsewhere")
    assert not Path(environment["JUPYTER_PATH"].split(os.pathsep)[0]).exists()  # cleared away


def test_copies_are_trusted(checkout, started, tmp_path):
    upstream = checkout / "lectures" / "01_gradients.ipynb"
    notebook = nbformat.read(upstream, as_version=4)
    notebook.cells[1].outputs = [new_output("display_data", {"text/html": "<script></script>"})]
    nbformat.write(notebook, upstream)
    main(["lab"])
    copy = nbformat.read(checkout / "nnlite-lectures" / "01_gradients.ipynb", as_version=4)
    assert nbformat.sign.NotebookNotary().check_signature(copy)


def test_the_superuser_is_let_in_and_told(checkout, started, monkeypatch, capsys):
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0, raising=False)
    main(["lab"])
    assert "--allow-root" in started[0][0]
    assert "You are root" in capsys.readouterr().out


def test_without_a_screen_no_textual_browser_takes_the_terminal(
    checkout, started, monkeypatch, capsys
):
    monkeypatch.setattr(lab, "_without_screen", lambda: True)
    main(["lab"])
    assert "--no-browser" in started[0][0]
    assert "open the address below" in capsys.readouterr().out


@pytest.fixture
def wheel(tmp_path, monkeypatch, write_lecture):
    """Lectures inside the installed package, and the folder in which we stand."""
    packaged = tmp_path / "nnlite" / "_lectures"
    write_lecture(packaged, "01_gradients")
    write_lecture(packaged, "02_pca")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setattr(lab, "lectures_folder", lambda given: given or packaged)
    monkeypatch.setattr(lab, "packaged_folder", lambda: packaged)
    return home


def test_from_a_wheel_the_copy_is_in_the_current_folder(wheel, started, capsys):
    (wheel / "nnlite-lectures").mkdir()
    (wheel / "nnlite-lectures" / "01_gradients.ipynb").write_text("my notes")
    assert main(["lab"]) == 0
    assert (wheel / "nnlite-lectures" / "01_gradients.ipynb").read_text() == "my notes"
    assert "01_gradients.ipynb was edited by you and stays" in capsys.readouterr().out
    assert _root(started[0][0]) == wheel / "nnlite-lectures"


def test_started_inside_a_working_copy_it_opens_that_one(wheel, started, monkeypatch):
    main(["lab"])
    copy = wheel / "nnlite-lectures"
    monkeypatch.chdir(copy)
    main(["lab"])
    monkeypatch.chdir(wheel)
    main(["lab", "--lectures-dir", str(copy)])
    assert [_root(command) for command, _, _ in started] == [copy] * 3
    assert not (copy / "nnlite-lectures").exists()


def test_the_copy_may_be_elsewhere_but_not_inside_the_lectures(checkout, started, capsys):
    assert main(["lab", "--work", str(checkout / "my work")]) == 0
    assert _root(started[0][0]) == checkout / "my work"
    for inside in ("lectures", "lectures/copy"):
        assert main(["lab", "--work", str(checkout / inside)]) == 2
        assert "must not be inside the lectures" in capsys.readouterr().err
    assert len(started) == 1


def test_a_copy_that_cannot_be_written_is_a_problem_with_a_way_out(
    checkout, started, monkeypatch, capsys
):
    main(["lab"])
    monkeypatch.setattr(lab.os, "access", lambda path, mode: False)
    assert main(["lab"]) == 2
    assert "--work DIR" in capsys.readouterr().err
    assert len(started) == 1


def test_where_jupyter_cannot_keep_its_own_files_the_variable_is_named(
    checkout, started, monkeypatch, capsys
):
    (checkout / "file").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(checkout / "file" / "jupyter"))
    assert main(["lab"]) == 2
    assert "in the environment variable JUPYTER_DATA_DIR." in capsys.readouterr().err
    assert started == []


def test_in_the_browser_the_advice_can_be_followed(monkeypatch, capsys):
    monkeypatch.setattr(lab.sys, "platform", "emscripten")
    assert main(["lab"]) == 2
    said = capsys.readouterr().err
    assert "cannot start JupyterLab" in said
    assert "pip" not in said


def test_without_jupyterlab_the_pip_command_is_named(monkeypatch, capsys):
    monkeypatch.setattr("nnlite.cli.problems.find_spec", lambda name: None)
    assert main(["lab"]) == 2
    assert "python -m pip install jupyterlab" in capsys.readouterr().err


# --- Ctrl-C ---------------------------------------------------------------------------------------

# In place of JupyterLab: outlives the first SIGINT, ends at the second, and says what it heard.
CHILD = """
import signal, sys, time
heard = []
for number in (signal.SIGINT, signal.SIGTERM):
    assert signal.getsignal(number) != signal.SIG_IGN
    signal.signal(number, lambda number, frame: heard.append(number))
print("ready", flush=True)
while len(heard) < 2 and signal.SIGTERM not in heard:
    time.sleep(0.01)
    if len(heard) == 1 and heard[0] == signal.SIGINT:
        print("asks", flush=True)
        signal.pause()
sys.exit(7)
"""
PARENT = """
import os, sys
from nnlite.cli import lab
sys.exit(lab._run_child([sys.executable, "-c", sys.argv[1]], dict(os.environ)))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to send a group a Ctrl-C")
@pytest.mark.parametrize("how", ["Ctrl-C twice", "SIGTERM"])
def test_ctrl_c_is_the_childs_to_answer_and_sigterm_reaches_it(how):
    run = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert run.stdout.readline() == "ready\n"
        if how == "SIGTERM":
            run.terminate()
        else:
            os.killpg(run.pid, signal.SIGINT)
            assert run.stdout.readline() == "asks\n"
            time.sleep(0.2)
            assert run.poll() is None, "the parent went first"
            os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=HANG) == 7
    finally:
        run.kill()
