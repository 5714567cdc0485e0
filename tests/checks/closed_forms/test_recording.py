"""What a notebook is shown, and how rows are kept and written down."""

import json

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
