"""Nothing that a notebook does hides a check that failed or an exception: all in real kernels."""

import json
import re

import pytest

from nnlite.checks.closed_forms.recording import CHECK_MIME
from nnlite.cli import execute, kernel
from nnlite.cli.execute import Runner
from nnlite.cli.find import Lecture
from nnlite.cli.kernel import kernel_environment

BAD = "closed_form({claim!r}, 1.0, 2.0, atol=0)"
CAUGHT = "try:\n    " + BAD + "\nexcept AssertionError:\n    pass\n"
GOOD = "closed_form({claim!r}, 1.0, 1.0, atol=0)"


def _run(folder, write_lecture, cells, timeout=60.0):
    path = write_lecture(folder, "01_lecture", *cells)
    return Runner(kernel_environment(1, False), timeout).run(Lecture(path), lambda *_: None)


# --- failed checks --------------------------------------------------------------------------------

# What hides a failed check: by name, the cell, which lets the lecture go on in every case.
HIDING = {
    "captured": "%%capture\n" + BAD,
    "caught": CAUGHT,
    "cleared": CAUGHT + "from IPython.display import clear_output\nclear_output()",
    "replaced": CAUGHT
    + "from IPython.display import clear_output\nclear_output(wait=True)\nprint(1)",
    "redirected": "import contextlib, io\n"
    "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(AssertionError):\n    "
    + BAD,
    "forgotten": CAUGHT
    + "import sys\nsys.modules['nnlite.checks.closed_forms.recording'].reset()\n"
    + "from IPython.display import clear_output\nclear_output()",
    "in a thread": "import threading\nthread = threading.Thread(target=lambda: " + BAD + ")\n"
    "thread.start()\nthread.join()",
    "in a task": "import asyncio\nasync def work():\n    "
    + BAD
    + "\ntask = asyncio.create_task(work())\nawait asyncio.wait([task])",
    "in another process": "import subprocess, sys\n"
    'code = "from nnlite import closed_form; {bad}"\n'
    "subprocess.run([sys.executable, '-c', code], capture_output=True)",
    "imported afresh": "import sys\nfor name in list(sys.modules):\n"
    "    if name.startswith('nnlite'):\n        del sys.modules[name]\n"
    "import os\nos.environ.pop('NNLITE_KERNELS', None)\nfrom nnlite import closed_form\n"
    + CAUGHT
    + "from IPython.display import clear_output\nclear_output()",
    "tagged to be skipped": BAD,
}


@pytest.fixture(scope="module")
def hiding(tmp_path_factory, write_lecture):
    """A lecture that hides a failed check in every cell, and its problem."""
    cells = []
    for name, cell in HIDING.items():
        bad = BAD.format(claim=name)
        cells.append(cell.replace("{bad}", bad).replace("{claim!r}", repr(name)))
    folder = tmp_path_factory.mktemp("hiding")
    path = write_lecture(folder, "01_lecture", *cells)
    notebook = json.loads(path.read_text("utf-8"))
    # A cell with this tag, Jupyter's own, may raise, so the lecture goes on; the other is skipped.
    notebook["cells"][-1]["metadata"]["tags"] = ["skip-execution", "raises-exception"]
    path.write_text(json.dumps(notebook), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute, "_MOST_FAULTS", 100)
        return Runner(kernel_environment(1, False), 60).run(Lecture(path), lambda *_: None)


@pytest.mark.parametrize("name", HIDING)
def test_a_failed_check_is_found_wherever_it_hides(hiding, name):
    assert hiding.status == "failed check", hiding.problem
    cell = 3 + list(HIDING).index(name)
    assert (cell, name) in [(n, check.claim) for n, check in hiding.checks]
    told = re.search(rf"(?:in cell {cell}, failed check: |\A){name}\n +measured", hiding.problem)
    assert told, hiding.problem


@pytest.mark.parametrize(
    ("cell", "status", "message"),
    [
        (
            "import contextlib\n"
            "with contextlib.suppress(AssertionError), expected_failure('a bug'):\n    "
            + GOOD.format(claim="fine"),
            "failed check",
            r"^expected_failure\('a bug'\): the planted bug went unnoticed",
        ),
        (
            "import contextlib\nwith contextlib.suppress(AssertionError):\n    "
            "closed_form('weak', 1.0, 1.0, atol=2, wrong={'two': 2.0})",
            "failed check",
            r"^closed_form\('weak'\): the check has no power against 'two'",
        ),
        (
            "from nnlite import your_turn\nimport contextlib\n"
            "with contextlib.suppress(AssertionError), your_turn('nothing'):\n    pass",
            "failed check",
            r"^your_turn\('nothing'\): 0 checks ran",
        ),
        (
            "import threading, time\ndef late():\n    time.sleep(0.2)\n    "
            + BAD.format(claim="late")
            + "\nthreading.Thread(target=late).start()",
            "failed check",
            "^late\n",
        ),
        (
            CAUGHT.format(claim="gone")
            + "import os\npath = os.environ['NNLITE_JOURNAL']\nlines = list(open(path))\n"
            "open(path, 'w').writelines(x for x in lines if 'gone' not in x)\n"
            "from IPython.display import clear_output\nclear_output()\n"
            + GOOD.format(claim="after it"),
            "hidden check",
            "^1 line.* removed",
        ),
        (
            "import sys, numpy as np\ncompare = sys.modules['nnlite.checks.closed_forms.compare']\n"
            "judge, compare.worst = compare.worst, lambda *_: ((), True)\n"
            + BAD.format(claim="bribed")
            + "\ncompare.worst = judge",
            "forged check",
            "bribed\nsays that it passed, but its numbers do not agree",
        ),
        (
            "import sys\nrecording = sys.modules['nnlite.checks.closed_forms.recording']\n"
            "recording.write_down = lambda **_: None",
            "forged check",
            r"changed: nnlite\.checks\.closed_forms\.recording\.write_down is not",
        ),
        (
            "import nnlite\nnnlite.closed_form = lambda *_, **__: None",
            "forged check",
            r"nnlite\.closed_form is not",
        ),
        (
            "import nnlite.checks\nnnlite.checks.ledger = print",
            "forged check",
            r"nnlite\.checks\.ledger is not",
        ),
    ],
    ids=[
        "unnoticed",
        "no power",
        "no check",
        "left behind",
        "removed",
        "bribed",
        "not recorded",
        "replaced",
        "no ledger",
    ],
)
def test_a_check_that_was_evaded_is_found(tmp_path, write_lecture, cell, status, message):
    result = _run(tmp_path, write_lecture, [GOOD.format(claim="good"), cell])
    assert (result.status, result.cell) == (status, 4), result.problem
    assert re.search(message, result.problem, flags=re.MULTILINE), result.problem


def test_a_block_that_was_never_left_ends_with_its_cell(tmp_path, write_lecture):
    enter = "block = expected_failure('nothing')\nblock.__enter__()"
    result = _run(tmp_path, write_lecture, [enter, CAUGHT.format(claim="meant to pass")])
    assert (result.status, result.cell) == ("failed check", 4), result.problem


def test_a_task_that_never_ends_does_not_keep_the_lecture_from_ending(
    tmp_path, write_lecture, monkeypatch
):
    monkeypatch.setattr(kernel, "_PATIENCE", 1.0)
    busy = "import asyncio\nasync def work():\n    while True:\n        pass\n"
    busy += "task = asyncio.create_task(work())"
    result = _run(tmp_path, write_lecture, [GOOD.format(claim="good"), busy], timeout=5.0)
    assert not result.passed
    assert result.cell == 4


# --- exceptions -----------------------------------------------------------------------------------

ERRORS = {
    "captured": ("%%capture\n1 / 0", "ZeroDivisionError"),
    "not Python": ("%%capture\n1 +", "SyntaxError"),
    "in a thread": (
        "import threading\nt = threading.Thread(target=lambda: {}['W'], name='work')\n"
        "t.start()\nt.join()",
        "KeyError: 'W' (in work)",
    ),
    "in a callback": (
        "import asyncio\nasyncio.get_running_loop().call_soon(lambda: [].pop())\n"
        "await asyncio.sleep(0.1)",
        "IndexError: pop from empty list (Exception in callback",
    ),
    "in a finaliser": (
        "class Odd:\n    def __del__(self):\n        1 / 0\nodd = Odd()\ndel odd",
        "ZeroDivisionError: division by zero (Exception ignored in",
    ),
    "in a figure": (
        'import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.title(r"$\\frac{$");',
        "ValueError",
    ),
    "in a method that draws": (
        "class Broken:\n    def _repr_html_(self):\n        raise OverflowError('too long')\n"
        "    def __repr__(self):\n        return 'fine'\n"
        "from IPython.utils.capture import capture_output\n"
        "with capture_output():\n    display(Broken())",
        "OverflowError: too long",
    ),
}


def test_an_exception_that_does_not_stop_its_cell_is_found(tmp_path, write_lecture, monkeypatch):
    monkeypatch.setattr(execute, "_MOST_FAULTS", 100)
    cells = [cell for cell, _ in ERRORS.values()]
    result = _run(tmp_path, write_lecture, [*cells, GOOD.format(claim="good")])
    assert result.status == "hidden error"
    assert result.cell == 3
    told = result.problem.split("\n\nin cell ")
    for (name, (_, message)), problem in zip(ERRORS.items(), told, strict=True):
        assert message in problem, name


def test_an_exception_of_a_task_is_found_unless_somebody_asked_for_it(tmp_path, write_lecture):
    task = "import asyncio\nasync def work():\n    await asyncio.sleep(0.01)\n    [][1]\n"
    task += "task = asyncio.create_task(work())"
    asked = "try:\n    await task\nexcept IndexError:\n    pass\n" + GOOD.format(claim="good")
    assert _run(tmp_path, write_lecture, [task, asked]).passed
    result = _run(tmp_path, write_lecture, [GOOD.format(claim="good"), task])
    assert (result.status, result.cell) == ("hidden error", 4), result.problem
    assert "IndexError" in result.problem


# --- what is shown --------------------------------------------------------------------------------


def test_rows_that_are_not_shown_or_were_never_made_are_told(tmp_path, write_lecture):
    forged = (
        "check = " + GOOD.format(claim="real") + "\nrow = check.to_json()\nrow['claim'] = 'forged'"
        f"\ndisplay({{{CHECK_MIME!r}: row, 'text/plain': ''}}, raw=True)"
    )
    odd = f"display({{{CHECK_MIME!r}: [1], 'text/plain': ''}}, raw=True)"
    planted = "with expected_failure('a bug'):\n    " + BAD.format(claim="planted")
    result = _run(
        tmp_path,
        write_lecture,
        [
            "%%capture\n" + GOOD.format(claim="captured"),
            "%%capture\n" + planted,
            forged,
            odd,
            # These are shown by others, or shown twice, and nothing is wrong with that.
            GOOD.format(claim="shown again") + "\nledger()",
            "import threading\nthread = threading.Thread(target=lambda: "
            + GOOD.format(claim="thread")
            + ")\nthread.start()\nthread.join()",
            "!{__import__('sys').executable} -c "
            + "\"from nnlite import closed_form; closed_form('child', 1, 1, atol=0)\"",
            "def shout(word):\n    !echo {word}\nshout('hello')",
        ],
    )
    assert result.status == "hidden check"
    assert result.cell == 3
    assert re.search(r"^✓ pass .*captured\nwas checked but is not shown", result.problem)
    assert "in cell 4, hidden check: ✗ broken on purpose" in result.problem
    assert "in cell 5, forged check: the output shows a check that was not" in result.problem
    assert "environment): forged" in result.problem
    assert "in cell 6, forged check" in result.problem
    assert "in cell 7" not in result.problem
    assert "child" not in {check.claim for _, check in result.checks}
