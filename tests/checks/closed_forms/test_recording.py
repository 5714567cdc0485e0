"""What a notebook is shown, and how rows are kept and written down."""

import json
import os
import subprocess
import sys

import pytest

from nnlite.checks import Check, closed_form, ledger
from nnlite.checks.closed_forms.recording import CHECK_MIME, recorded, show_again


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), -0.1 + 0.5j])
def test_a_check_survives_strict_json(value):
    check = Check("c", value, 1.0, 0.1, "atol 0.1", False, index=(1, 2), shape=(3, 4))
    text = json.dumps(check.to_json(), allow_nan=False)
    assert repr(Check.from_json(json.loads(text))) == repr(check)


def test_a_row_of_another_version_is_refused():
    row = Check("c", 1.0, 1.0, 0.1, "atol 0.1", True).to_json()
    with pytest.raises(ValueError, match="colour"):
        Check.from_json({**row, "colour": "red"})


def test_a_notebook_gets_html_plain_text_and_a_machine_readable_part(notebook):
    check = closed_form("one", 1.0, 1.0, atol=1e-3)
    (bundle,) = notebook.shown
    assert set(bundle) == {"text/html", "text/plain", CHECK_MIME}
    assert Check.from_json(bundle[CHECK_MIME]) == check
    # As the last value of its cell the check is not shown a second time; in a later cell it is.
    show_again(check)
    assert len(notebook.shown) == 1
    notebook.execution_count += 1
    show_again(check)
    assert len(notebook.shown) == 2


def test_the_table_carries_no_machine_readable_part_so_no_check_is_counted_twice(notebook):
    closed_form("one", 1.0, 1.0, atol=1e-3)
    ledger()
    assert CHECK_MIME not in notebook.shown[-1]


def test_running_a_cell_again_replaces_its_rows_and_no_others(notebook):
    closed_form("same words", 1.0, 1.0, atol=0)
    notebook.cell, notebook.execution_count = "c3d4", 2
    closed_form("same words", 2.0, 2.0, atol=0)
    closed_form("same words", 3.0, 3.0, atol=0)
    assert [c.measured for c in recorded()] == [1.0, 2.0, 3.0]
    notebook.execution_count = 3
    closed_form("other words", 4.0, 4.0, atol=0)
    assert [c.measured for c in recorded()] == [1.0, 4.0]


def test_a_front_end_that_does_not_name_its_cells_loses_no_row(notebook):
    notebook.cell = None
    for notebook.execution_count in range(3):
        closed_form("same words", 1.0, 1.0, atol=0)
    assert len(recorded()) == 3


IN_IPYTHON = """
import sys
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
shell.display_pub = CapturingDisplayPublisher()
first = "from nnlite import closed_form\\nrow = closed_form('one', 1, 1, atol=0)\\nrow"
for cell in (first, "row"):
    shell.run_cell(cell, store_history=True)
    texts = [output["data"]["text/plain"] for output in shell.display_pub.outputs]
    print(len(texts), "shown", file=sys.stderr)
    assert all(text.startswith("✓ pass") for text in texts), texts
"""


def test_ipython_shows_a_row_once_in_its_cell_and_again_in_a_later_one(tmp_path):
    pytest.importorskip("IPython")
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", IN_IPYTHON],
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.split("\n")[:2] == ["1 shown", "2 shown"]
    assert "Check(" not in run.stdout  # nor as the value of a cell
