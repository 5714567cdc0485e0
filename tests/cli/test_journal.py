"""What a kernel wrote down is compared with what its notebook shows."""

import json
from pathlib import Path

import pytest
from nbformat import NotebookNode

from nnlite.checks import Check
from nnlite.checks.closed_forms.recording import CHECK_MIME
from nnlite.cli.journal import Journal


def _journal(folder: Path, *entries):
    path = folder / "journal"
    lines = [{"process": 1, "kernel": True}, *entries]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"torn', "utf-8")
    journal = Journal(path)
    journal.read(1)
    return journal


def _shows(*checks, **metadata):
    outputs = [{"data": {CHECK_MIME: check.to_json()}} for check in checks]
    cell = NotebookNode(cell_type="code", metadata=metadata, outputs=outputs)
    return NotebookNode(cells=[cell])


def test_equal_rows_are_compared_by_their_number(tmp_path):
    check = Check("same", 1.0, 1.0, 0.0, "exact", True)
    made = {"process": 1, "check": check.to_json()}
    journal = _journal(tmp_path, made, made)
    assert journal.faults(_shows(check, check)) == []
    assert [f.status for f in journal.faults(_shows(check))] == ["hidden check"]
    assert [f.status for f in journal.faults(_shows(check, check, check))] == ["forged check"]


def test_a_row_shown_with_another_number_is_both_hidden_and_forged(tmp_path):
    made, shown = (Check("c", x, 1.0, 0.5, "atol 0.5", True) for x in (1.4, 1.0))
    journal = _journal(tmp_path, {"process": 1, "check": made.to_json()})
    statuses = [fault.status for fault in journal.faults(_shows(shown))]
    assert statuses == ["hidden check", "forged check"]


def test_a_cell_that_is_meant_to_raise_may_raise_but_not_fail_a_check(tmp_path):
    failed = Check("c", 1.0, 2.0, 0.0, "exact", False)
    journal = _journal(
        tmp_path,
        {"process": 1, "error": "ZeroDivisionError", "message": "division by zero"},
        {"process": 1, "check": failed.to_json()},
    )
    faults = journal.faults(_shows(failed, tags=["raises-exception"]))
    assert [fault.status for fault in faults] == ["failed check"]


@pytest.mark.parametrize("text", [None, "", "torn and wrong\n" * 20])
def test_a_journal_that_somebody_changed_is_an_error(tmp_path, text):
    journal = _journal(tmp_path)
    if text is None:
        journal.path.unlink()
    else:
        journal.path.write_text(text)
    journal.read(2)
    (fault,) = journal.faults(_shows())
    assert (fault.status, fault.cell) == ("hidden error", 2)
    assert "changed or removed" in fault.problem


def test_a_kernel_that_never_started_has_an_empty_journal(tmp_path):
    journal = Journal(tmp_path / "nothing")
    journal.read(1)
    assert (journal.kernel, journal.checks()) == (None, [])
