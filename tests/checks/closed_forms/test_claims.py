"""nnlite.checks.closed_forms: what passes, what fails, what is refused, and how it reads."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnlite
from nnlite.checks import ClosedFormMismatch, closed_form
from nnlite.checks.closed_forms.recording import recorded

# --- what passes and what fails -------------------------------------------------------------------


def test_a_number_within_its_tolerance_passes_and_is_recorded(capsys):
    check = closed_form("two", 2.0000001, 2, rtol=1e-6)
    assert check.passed
    assert recorded() == (check,)
    assert re.match(r"✓ pass +2\.\d+ == 2\.\d+ +rtol 1e-6 +two\n", capsys.readouterr().out)


def test_a_number_outside_its_tolerance_raises_with_both_numbers():
    with pytest.raises(ClosedFormMismatch) as caught:
        closed_form(
            "noise variance", 3.18, 5, rtol=1e-3, formula=r"E r^2", source="Author 1999, eq. 1"
        )
    message = str(caught.value)
    for part in ("noise variance", "3.18", "5.00", "rtol 0.001", "E r²", "Author 1999, eq. 1"):
        assert part in message
    assert isinstance(caught.value, AssertionError)
    assert caught.value.check.measured == 3.18
    assert not recorded()[0].passed


@given(
    expected=st.floats(-1e6, 1e6),
    rtol=st.floats(0, 0.1),
    atol=st.floats(0, 10),
    offset=st.floats(-2, 2),
)
def test_the_verdict_is_the_inequality_of_the_docstring(expected, rtol, atol, offset):
    measured = expected + offset * (atol + rtol * abs(expected))
    holds = abs(measured - expected) <= atol + rtol * abs(expected)
    try:
        assert closed_form("hypothesis", measured, expected, rtol=rtol, atol=atol).passed
        assert holds
    except ClosedFormMismatch:
        assert not holds


@pytest.mark.parametrize(
    ("relation", "measured", "passes"),
    [
        ("<=", 0.9, True),
        ("<=", 1.05, True),
        ("<=", 1.2, False),
        (">=", 1.1, True),
        (">=", 0.95, True),
        (">=", 0.8, False),
    ],
)
def test_a_bound_is_one_sided_with_the_tolerance_as_slack(relation, measured, passes):
    if passes:
        assert closed_form("bound", measured, 1.0, atol=0.1, relation=relation).passed
    else:
        with pytest.raises(ClosedFormMismatch):
            closed_form("bound", measured, 1.0, atol=0.1, relation=relation)


@pytest.mark.parametrize(("z", "passes"), [(4.0, True), (2.0, False)])
def test_a_statistical_check_allows_z_standard_errors(z, passes):
    question = {"stderr": 0.1, "seeds": 300, "z": z}
    if passes:
        check = closed_form("mean", 1.3, 1.0, **question)
        assert check.allowed == pytest.approx(0.4)
        assert "0.1" in check.tolerance
        assert "300 seeds" in check.tolerance
    else:
        with pytest.raises(ClosedFormMismatch):
            closed_form("mean", 1.3, 1.0, **question)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("relation", ["==", "<=", ">="])
@pytest.mark.parametrize("where", ["measured", "expected", "both"])
def test_a_number_that_is_not_finite_never_passes(bad, relation, where):
    measured = bad if where != "expected" else 1.0
    expected = bad if where != "measured" else 1.0
    with pytest.raises(ClosedFormMismatch, match="not finite"):
        closed_form("finite", measured, expected, rtol=1.0, atol=1e300, relation=relation)


def test_one_nan_in_an_array_fails_and_is_the_entry_shown():
    measured = np.ones((2, 3))
    measured[1, 0] = np.nan
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1, 0\]"):
        closed_form("array", measured, np.ones((2, 3)), atol=1.0)


def test_of_an_array_the_worst_entry_is_shown():
    expected = np.array([[1.0, 1000.0], [1.0, 1.0]])
    measured = expected + np.array([[0.0, 0.5], [0.01, 0.0]])
    # Entry [0, 1] is 0.5 off and uses half of its share; entry [1, 0] is 0.01 off and exceeds its.
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1, 0\]") as caught:
        closed_form("array", measured, expected, rtol=1e-3)
    assert caught.value.check.measured == 1.01
    passing = closed_form("array", measured, expected, rtol=0.02)
    assert passing.index == (1, 0)
    assert passing.shape == (2, 2)


def test_a_failing_entry_is_shown_even_if_a_passing_one_is_nearer_to_its_limit():
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1\]"):
        closed_form("array", [2.0, 1e-40], [1.0, 0.0], rtol=1.0)


def test_one_expected_number_is_compared_with_every_entry():
    assert closed_form("all ones", np.ones(5), 1.0, atol=0).passed
    with pytest.raises(ClosedFormMismatch, match=r"entry \[4\]"):
        closed_form("all ones", [1.0, 1.0, 1.0, 1.0, 2.0], 1.0, atol=0)


def test_float32_and_integers_are_compared_in_double_precision():
    assert closed_form("sum", np.float32(0.1), 0.1, rtol=1e-7).passed
    with pytest.raises(ClosedFormMismatch):
        closed_form("sum", np.float32(0.1), 0.1, rtol=1e-9)
    # In uint8, 3 - 5 would be 254.
    assert closed_form("count", np.uint8(3), np.uint8(5), atol=2).passed


def test_complex_numbers_are_compared_by_modulus_and_have_no_order():
    assert closed_form("eigenvalue", -0.1 + 0.5j, -0.1 + 0.5j + 1e-9j, atol=1e-8).passed
    with pytest.raises(ClosedFormMismatch):
        closed_form("eigenvalue", 0.1 + 0.5j, 0.1 - 0.5j, atol=0.1)
    with pytest.raises(TypeError, match="no order"):
        closed_form("eigenvalue", 1j, 2j, atol=0, relation="<=")


class _TensorLike:
    """What the ledger asks of a tensor: ``detach()`` and an array called ``data``."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def detach(self):
        return _TensorLike(self.data)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("requires grad")


def test_tensors_give_their_numbers_without_being_detached_by_hand():
    assert closed_form("tensor", _TensorLike([1.0, 2.0]), _TensorLike([1.0, 2.0]), atol=0).passed
    assert closed_form("list", [_TensorLike(1.0), _TensorLike(2.0)], [1.0, 2.0], atol=0).passed


def test_numpy_that_raises_does_not_stop_a_comparison():
    with np.errstate(all="raise"):
        assert closed_form("tiny", [1e-320, 1.0], [1e-320, 1.0], rtol=1e-9).passed
        assert closed_form("exact", [0.0, 1.0], [0.0, 1.0], rtol=0).passed
        with pytest.raises(ClosedFormMismatch):
            closed_form("far apart", 1e308, -1e308, atol=1.0)


def test_a_text_that_is_none_is_refused():
    with pytest.raises(TypeError, match="formula must be text, got 5"):
        closed_form("x", 1, 1, atol=0, formula=5)


def test_masked_and_sparse_numbers_do_not_get_through_the_gate():
    masked = np.ma.masked_array([1.0, 999.0], [0, 1])
    for pair in ((masked, [1.0, 999.0]), ([1.0, 999.0], masked), (masked * 1j, [1j, 999j])):
        with pytest.raises(ValueError, match="masked entries"):
            closed_form("masked", *pair, atol=0)
    assert closed_form("big-endian", np.array([1.5], ">f4"), 1.5, atol=0).passed
    assert recorded()[0].claim == "big-endian"


def test_of_entries_that_keep_the_claim_equally_well_the_largest_is_shown():
    check = closed_form("exact", [0.0, 1.0, -7.0, 2.0], [-0.0, 1.0, -7.0, 2.0], atol=0)
    assert (check.index, check.measured) == ((2,), -7.0)


# --- questions that are not well posed ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("", 1, 1), {"atol": 0}, "in words"),
        (("x", 1, 1), {}, "how near is near enough"),
        (("x", 1, 1), {"rtol": 0.1, "stderr": 0.1, "seeds": 9}, "not both"),
        (("x", 1, 1), {"stderr": 0.1}, "seeds"),
        (("x", 1, 1), {"atol": 0.1, "seeds": 9}, "belongs to stderr"),
        (("x", 1, 1), {"stderr": 0.1, "seeds": 1}, "at least 2 seeds"),
        (("x", 1, 1), {"stderr": 0.0, "seeds": 9}, "finite and > 0"),
        (("x", 1, 1), {"stderr": np.nan, "seeds": 9}, "finite and > 0"),
        (("x", 1, 1), {"stderr": 0.1, "seeds": 9, "z": 0}, "z must be"),
        (("x", 1, 1), {"rtol": -1e-6}, "rtol must be"),
        (("x", 1, 1), {"atol": np.nan}, "atol must be"),
        (("x", 0, 1e300), {"rtol": 1e10}, "allows everything"),
        (("x", 1, 1), {"atol": 0, "relation": "<"}, "relation must be"),
        (("x", [], []), {"atol": 0}, "empty"),
        (("x", np.ones(3), np.ones((3, 1))), {"atol": 0}, r"\(3,\).*\(3, 1\)"),
        (("x", 1.0, np.ones(3)), {"atol": 0}, r"\(\).*\(3,\)"),
        (("x", [[1], [1, 2]], 1), {"atol": 0}, "ragged list"),
        (("x", [1, 2], [1, 2]), {"stderr": [1, 1, 1], "seeds": 9}, r"stderr has shape \(3,\)"),
    ],
)
def test_a_question_that_is_not_well_posed_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        closed_form(*arguments, **options)
    assert recorded() == ()


@pytest.mark.parametrize("value", ["1.0", None, {"a": 1}])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(
        TypeError, match=r"closed_form: measured (holds text|is None|must hold real numbers)"
    ):
        closed_form("x", value, 1.0, atol=0)


def test_a_relative_tolerance_at_zero_says_what_is_missing():
    with pytest.raises(ClosedFormMismatch, match="give atol="):
        closed_form("zero", [1.0, 1e-17], [1.0, 0.0], rtol=1e-6)


def test_integers_that_double_precision_cannot_tell_apart_are_refused():
    for long in (2**53 + 1, np.array([1, 2**62 + 1]), [1, 10**400], np.uint64(2**64 - 1)):
        with pytest.raises(ValueError, match="to its last digit"):
            closed_form("c", long, 2.0**53, atol=0)
    assert closed_form("20!", math.factorial(20), 2.0**18 * 9280784638125, atol=0).passed
    assert closed_form("power", np.int64(2**62), 2**62, atol=0).passed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": "1e-3"}, "rtol holds text"),
        ({"atol": True}, "atol must be a number, got True"),
        ({"rtol": [0.1, 0.1]}, r"rtol must be one number for all entries, got shape \(2,\)"),
        ({"atol": 1j}, "atol holds complex"),
        ({"stderr": 0.1, "seeds": 4, "z": None}, "z is None"),
        ({"stderr": 0.1, "seeds": 4.0}, "seeds is how many runs there were, got 4.0"),
        ({"stderr": 0.1, "seeds": "4"}, "seeds is how many runs there were, got '4'"),
    ],
)
def test_a_tolerance_is_one_real_number(options, message):
    with pytest.raises(TypeError, match=message):
        closed_form("c", 1.0, 1.0, **options)


def test_a_tolerance_may_be_an_array_or_tensor_of_one_number():
    for tolerance in (np.array(0.1), nnlite.Tensor(0.1, requires_grad=True), np.float32(0.1)):
        assert closed_form("c", 1.05, 1.0, atol=tolerance).passed
