"""``nnlite lab``: open a working copy of the lectures in JupyterLab.

The lectures themselves are never opened: JupyterLab saves by itself every two minutes, outputs and
all, into a checkout that should stay clean or into the installed package.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnlite.cli.find import lectures_folder, packaged_folder
from nnlite.cli.problems import Problem, require
from nnlite.cli.working_copy import HANDED_OUT, Update, update

__all__ = ["run", "working_copy"]

COPY = "nnlite-lectures"
WELCOME = "Welcome.ipynb"

# JupyterLab's short names of options that we set.
_LONG_NAMES = {"ip": "ServerApp.ip", "notebook-dir": "ServerApp.root_dir"}


def run(
    lectures_dir: Path | None = None, options: Sequence[str] = (), work: Path | None = None
) -> int:
    """Bring the working copy up to date, start JupyterLab on it and return its exit code.

    Parameters
    ----------
    lectures_dir : Path, optional
        Where the lectures are, if not where ``lectures_folder`` looks. A working copy is opened as
        it is.
    options : sequence of str
        For JupyterLab; they win over ours.
    work : Path, optional
        Where the working copy is kept, if not where ``working_copy`` says.

    Raises
    ------
    Problem
        If JupyterLab or the lectures are missing, or the working copy cannot be written.
    """
    if sys.platform == "emscripten":
        raise Problem(
            "a page in a browser cannot start JupyterLab. Open the lectures where this page was "
            "opened."
        )
    require("jupyterlab", "ipykernel", "nbclient", "nbformat", "matplotlib", extra="lectures")
    from nnlite.cli.kernel import kernel_environment

    _check_own_folders()
    folder = _prepare(lectures_dir, work)
    # The notebooks of a lab share the cores, and mostly one of them computes.
    environment = kernel_environment(jobs=1, full=os.environ.get("NNLITE_FULL") == "1")
    with tempfile.TemporaryDirectory(prefix="nnlite-lab-") as jupyter:
        _write_kernelspec(Path(jupyter))
        paths = (jupyter, os.environ.get("JUPYTER_PATH"))
        environment["JUPYTER_PATH"] = os.pathsep.join(p for p in paths if p)
        return _run_child(_command(folder, options), environment)


def working_copy(source: Path) -> Path:
    """The folder of the working copy of ``source``.

    Lectures of the installed package are copied to ``nnlite-lectures`` in the current folder (or
    the working copy in which we stand), those of a checkout to ``nnlite-lectures`` beside them:
    wherever one starts from, it is the same copy.
    """
    if source != packaged_folder():
        return source.parent / COPY
    here = Path.cwd()
    return next((p for p in (here, *here.parents) if (p / HANDED_OUT).is_dir()), here / COPY)


def _check_own_folders() -> None:
    """Refuse to start where JupyterLab cannot keep its own files: it would end in a traceback."""
    from jupyter_core import paths

    folders = {
        "JUPYTER_CONFIG_DIR": paths.jupyter_config_dir(),
        "JUPYTER_DATA_DIR": paths.jupyter_data_dir(),
        "JUPYTER_RUNTIME_DIR": paths.jupyter_runtime_dir(),
    }
    for variable, folder in folders.items():
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise Problem(
                f"JupyterLab keeps files of its own in {folder}, which cannot be written to "
                f"({error.strerror}). Name another folder in the environment variable {variable}."
            ) from error


def _prepare(lectures_dir: Path | None, work: Path | None) -> Path:
    """Make or update the working copy, say what was done, and return its folder."""
    source = lectures_folder(lectures_dir)
    if (source / HANDED_OUT).is_dir() and work is None:
        folder = source  # somebody pointed at a working copy
    else:
        folder = (work or working_copy(source)).expanduser().resolve()
        if source == folder or source in folder.parents:
            raise Problem(f"the working copy {folder} must not be inside the lectures themselves.")
        done = update(source, folder)
        _trust(done.written)
        _say(done)
    if not os.access(folder, os.W_OK):
        raise Problem(
            f"{folder} cannot be written to, so no work could be saved there. Choose another "
            "folder with --work DIR."
        )
    print(f"Your working copy, where all edits are kept: {folder}", flush=True)
    return folder


def _say(done: Update) -> None:
    counts = {"new": done.copied, "brought up to date": done.replaced, "edited by you": done.kept}
    said = ", ".join(f"{len(files)} {what}" for what, files in counts.items() if files)
    if said:
        print(f"Files: {said}.")
    for mine, beside, changes in done.beside:
        print(
            f"{mine.name} was edited by you and stays; the new version is beside it: {beside.name}"
        )
        for line in changes:
            print(f"    {line}")


def _trust(paths: Sequence[Path]) -> None:
    """Sign notebooks that came with nnlite, so that Jupyter shows what is active in them."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in paths:
        if path.suffix == ".ipynb":
            try:
                notary.sign(nbformat.read(path, as_version=4))
            except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
                print(f"{path.name} is not a readable notebook: {str(error).splitlines()[0]}")


def _write_kernelspec(folder: Path) -> None:
    """Make "Python 3" this very Python: one that another environment left behind has no nnlite."""
    spec = {
        "argv": [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--log-level=ERROR",
        ],
        "display_name": "Python 3 (nnlite)",
        "language": "python",
        "metadata": {"debugger": True},
    }
    kernel = folder / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(spec), encoding="utf-8")


def _command(folder: Path, options: Sequence[str]) -> list[str]:
    ours = {
        "ServerApp.root_dir": str(folder),
        "ServerApp.ip": "127.0.0.1",  # for this machine only
        # Nothing is asked of another host: no news, no look for a newer version.
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": "None",
    }
    if (folder / WELCOME).is_file():
        ours["LabApp.default_url"] = f"/lab/tree/{WELCOME}"
    # JupyterLab refuses an option that is given twice.
    theirs = {option.lstrip("-").partition("=")[0] for option in options}
    theirs = {_LONG_NAMES.get(name, name) for name in theirs}
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in ours.items() if name not in theirs]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, as in many containers: JupyterLab is told to allow it (--allow-root).")
        command.append("--allow-root")
    if _without_screen():
        print("There is no screen here: open the address below, with its token, in a browser.")
        command.append("--no-browser")
    return [*command, *options]


def _without_screen() -> bool:
    """Whether a browser, if one is found, would be a textual one that takes over the terminal."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform.startswith("linux") and not any(map(os.environ.get, screens))


def _run_child(command: list[str], environment: dict[str, str]) -> int:
    """Run JupyterLab to its end; Ctrl-C is for it alone to answer, and SIGTERM is passed on."""
    with _signals_left_to_the_child() as children:
        child = subprocess.Popen(command, env=environment)
        children.append(child)
        return child.wait()


@contextmanager
def _signals_left_to_the_child() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Do not stop at Ctrl-C, which the terminal sends to the children as well.

    JupyterLab asks whether to shut down. If we went first, we would take it and all kernels' state
    with us. A handler of Python's, unlike SIG_IGN, is not inherited by the children.
    """
    children: list[subprocess.Popen[bytes]] = []

    def terminate(number: int, frame: Any) -> None:
        for child in children:
            child.terminate()

    if threading.current_thread() is not threading.main_thread():
        yield children  # only the main thread hears signals
        return
    handlers = {signal.SIGINT: lambda number, frame: None, signal.SIGTERM: terminate}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
