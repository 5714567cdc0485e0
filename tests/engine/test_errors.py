"""Each message that teaches, pinned: what was seen, what was expected, what to write instead."""

import copy
import math
import pickle

import numpy as np
import pytest

import nnlite


def leaf(x=(1.0, 2.0)):
    return nnlite.Tensor(np.array(x), requires_grad=True)


def test_backward_from_more_than_one_number():
    with pytest.raises(
        ValueError, match=r"needs a single number; this tensor has shape \(2,\).*sum\(\)"
    ):
        (leaf() * 2).backward()


def test_backward_without_a_graph():
    with pytest.raises(RuntimeError, match=r"does not require grad.*requires_grad=True.*no_grad"):
        nnlite.Tensor([1.0]).backward()
    x = leaf()
    with nnlite.no_grad():
        y = np.sum(x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.backward()


def test_second_backward():
    y = np.sum(np.exp(leaf()))
    y.backward()
    with pytest.raises(RuntimeError, match=r"graph through 'sum' was freed.*retain_graph=True"):
        y.backward()


def test_a_part_of_the_graph_that_was_freed():
    h = np.exp(leaf())
    a, b = np.sum(h), np.sum(h * h)
    a.backward()
    with pytest.raises(RuntimeError, match=r"graph through 'exp' was freed"):
        b.backward()


def test_gradient_of_another_shape():
    with pytest.raises(ValueError, match=r"gradient has shape \(3,\); the tensor has shape \(2,\)"):
        (leaf() * 2).backward(np.ones(3))


@pytest.mark.parametrize(
    "convert", [np.asarray, np.array, lambda t: t.numpy(), lambda t: np.zeros(2) + np.asarray(t)]
)
def test_turning_into_an_array_would_drop_the_gradient(convert):
    with pytest.raises(RuntimeError, match=r"silently drop its gradient.*t\.detach\(\)"):
        convert(leaf())


def test_writing_a_tensor_into_an_array_would_drop_the_gradient():
    array = np.zeros(2)
    with pytest.raises(RuntimeError, match="silently drop its gradient"):
        array[:] = leaf()
    with pytest.raises(TypeError, match=r"does not take out=.*x = x \+ t, not x \+= t"):
        array += leaf()


@pytest.mark.parametrize("kind", [float, int])
def test_numbers_would_drop_the_gradient(kind):
    t = leaf([1.5])
    with pytest.raises(RuntimeError, match=rf"{kind.__name__}\(t\).*silently drop.*t\.item\(\)"):
        kind(t)
    assert kind(t.detach()) == kind(1.5)
    assert t.item() == 1.5


def test_truth_of_many_numbers():
    with pytest.raises(
        ValueError, match=r"truth value of a tensor of shape \(2,\).*np\.any or np\.all"
    ):
        bool(leaf())
    assert nnlite.Tensor(1.0)
    assert not nnlite.Tensor([0.0], requires_grad=True)  # a fact about a value, as a comparison is


def test_single_numbers_take_a_format():
    assert f"{leaf(1.23456):.2f}" == "1.23"
    assert f"{leaf([1.5])}" == "Tensor([1.5], requires_grad=True)"
    with pytest.raises(TypeError, match=r"single number takes the format '.2f'.*shape \(2,\)"):
        f"{leaf():.2f}"


def test_printing_shows_values_dtype_and_origin():
    x = nnlite.Tensor(np.ones(2, "float32"), requires_grad=True)
    assert repr(x) == "Tensor([1., 1.], dtype=float32, requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 2.], dtype=float32, op=multiply)"
    assert "shape=(20, 20)" in repr(nnlite.Tensor(np.ones((20, 20))))


def test_math_functions_are_sent_to_numpy():
    with pytest.raises(RuntimeError, match=r"np\.exp\(t\), not math\.exp\(t\)"):
        math.exp(leaf(1.0))


def test_item_of_many_numbers():
    with pytest.raises(ValueError, match=r"exactly one value; this tensor has shape \(2,\)"):
        leaf().item()


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda h: h.data.__setitem__(0, 5.0), "raw array"),
        (lambda h: h.__setitem__(0, 5.0), "t[...]"),
        (lambda h: h.__iadd__(1.0), "+="),
        (lambda h: setattr(h, "data", h.data - 1), "data = other array"),
    ],
)
def test_an_edit_of_a_needed_result_names_the_operation(edit, what):
    x = leaf()
    h = np.exp(x)  # exp reads its result
    y = np.sum(h)
    with nnlite.no_grad():
        edit(h)
    with pytest.raises(
        RuntimeError,
        match=r"derivative of 'exp' needs an array that was edited.*its result, of shape",
    ):
        y.backward()


def test_an_edit_of_a_needed_argument_names_the_operation():
    x, batch = leaf(), np.array([3.0, 4.0])
    y = np.sum(x * batch)
    batch[:] = 0
    with pytest.raises(
        RuntimeError, match=r"'multiply' needs an array that was edited.*its argument 2"
    ):
        y.backward()


def test_an_edit_that_is_taken_back_leaves_the_graph_as_it_was():
    x = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    squares = x * x
    y = np.sum(np.exp(squares) * 3)
    x.data[0] = 5
    with pytest.raises(RuntimeError, match="was edited after the operation"):
        y.backward()  # has come through the sum and the exponential before it finds out
    assert x.grad is None
    x.data[0] = 1
    y.backward()
    np.testing.assert_allclose(x.grad, 6 * x.data * np.exp(x.data**2))


def test_an_edit_of_an_array_that_no_rule_reads_is_allowed():
    x, shift = leaf(), np.array([3.0, 4.0])
    y = np.sum(x + shift)
    shift[:] = 0
    x.data[:] = 7
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 1])


def test_an_edit_of_the_whole_of_a_large_array_is_caught():
    x, batch = leaf(np.ones((300, 70))), np.ones((300, 70))
    y = np.sum(x * batch)
    batch += 1e-9
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()


def test_a_step_in_the_middle_of_a_large_parameter_is_caught_through_the_tensor():
    w = leaf(np.ones((300, 70)))
    y = np.sum(w * w)
    with nnlite.no_grad():
        w[211, 13] = 5.0  # one entry, between those that are compared
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()


def test_an_index_array_may_be_reused():
    """The graph keeps its own copy of the index."""
    x, index = leaf([1.0, 2.0, 3.0]), np.array([0, 2])
    y = np.sum(x[index])
    index[:] = 1
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 0, 1])


def test_edits_of_a_leaf_that_requires_grad():
    x = leaf()
    for edit in (lambda: x.__setitem__(0, 1.0), lambda: x.__iadd__(1.0), lambda: x.__imul__(2.0)):
        with pytest.raises(RuntimeError, match=r"edits a tensor that requires grad.*no_grad"):
            edit()
    with nnlite.no_grad():
        x[0] = 5.0
        x *= 2
    np.testing.assert_array_equal(x.data, [10, 4])
    assert x.requires_grad


def test_assigning_a_gradient_into_a_plain_tensor():
    t = nnlite.Tensor(np.zeros(2))
    with pytest.raises(RuntimeError, match=r"drop the gradient of the value.*np\.stack"):
        t[0] = leaf()[0]


def test_in_place_operators_on_results_make_new_tensors():
    x = leaf()
    h = kept = x * 1
    h += 1
    h -= 2
    h *= x
    h /= 2
    h **= 2
    np.testing.assert_array_equal(kept.data, x.data)
    np.sum(h).backward()  # ((x - 1) x / 2)^2
    np.testing.assert_allclose(x.grad, (x.data - 1) * x.data / 2 * (2 * x.data - 1))


def test_what_a_tensor_holds():
    for bad in ("text", [1j], [object()], np.array(["a"])):
        with pytest.raises(
            TypeError, match=r"a Tensor's data (holds text|holds complex|must hold real)"
        ):
            nnlite.Tensor(bad)
    with pytest.raises(
        TypeError, match=r"only float32 and float64 tensors can require grad.*int.*Write 1\.0"
    ):
        nnlite.Tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="complex numbers"):
        leaf().data = np.array([1j])


def test_complex_numbers_beside_a_tensor():
    y = np.sum(leaf() * np.array([1.0, 1j]))
    with pytest.raises(TypeError, match="mixed a tensor with complex numbers"):
        y.backward(np.ones(()))


def test_requires_grad_cannot_be_switched_off_for_results():
    with pytest.raises(RuntimeError, match=r"result of multiply.*t\.detach\(\)"):
        (leaf() * 2).requires_grad_(False)
    assert not leaf().requires_grad_(False).requires_grad


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("view", r"t\.reshape"),
        ("permute", r"t\.transpose"),
        ("unsqueeze", r"np\.expand_dims"),
        ("numel", r"t\.size"),
        ("add_", r"t \+= value inside nnlite\.no_grad"),
        ("softmax", r"functional\.softmax"),
        ("reshpe", r"t\.reshape"),
        ("backwards", r"t\.backward"),
        ("arctan", r"np\.arctan\(t"),
        ("nonsense_name", r"see dir\(t\)"),
    ],
)
def test_an_unknown_attribute_says_what_to_write(name, advice):
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*{advice}"):
        getattr(leaf(), name)
    assert not hasattr(leaf(), name)


def test_a_misspelt_assignment_is_an_error():
    with pytest.raises(AttributeError):
        leaf().requires_gard = True


def test_size_is_a_number():
    t = leaf()
    assert t.size == 2
    assert isinstance(t.size, int)
    with pytest.raises(AttributeError, match=r"t\.size is the number of values.*t\.shape\[0\]"):
        t.size(0)


def test_len_and_iteration_of_single_numbers():
    with pytest.raises(TypeError, match="without axes has no length"):
        len(leaf(1.0))
    with pytest.raises(TypeError, match="without axes cannot be iterated"):
        iter(leaf(1.0))


def test_results_are_neither_copied_nor_pickled():
    with pytest.raises(RuntimeError, match=r"only leaves can be copied.*multiply"):
        copy.deepcopy(leaf() * 2)
    with pytest.raises(TypeError, match="only leaves can be pickled"):
        pickle.dumps(leaf() * 2)
    again = pickle.loads(pickle.dumps(leaf()))
    assert again.requires_grad
    np.testing.assert_array_equal(again.data, [1, 2])
    twin = copy.deepcopy(leaf())
    assert twin.requires_grad
    assert twin.is_leaf


def test_only_integers_are_indices():
    with pytest.raises(TypeError, match="only an integer tensor without axes can be an index"):
        range(5)[nnlite.Tensor(1.0)]
    assert range(5)[nnlite.Tensor(3)] == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: nnlite.grad(3.0, x), r"grad: output must be a Tensor; got float"),
        (lambda x: nnlite.grad(np.sum(x), [x, np.ones(2)]), r"inputs\[1\] must be a Tensor"),
        (lambda x: nnlite.grad(np.sum(x), x.detach()), r"inputs\[0\] does not require grad"),
        (lambda x: nnlite.grad(np.sum(x), leaf()), r"not depend on inputs\[0\].*allow_unused"),
        (lambda x: nnlite.grad(x * 2, x), r"needs a single number"),
        (lambda x: nnlite.hessian(lambda t: t * 2, [1.0, 2.0]), r"this one has shape \(2,\)"),
        (lambda x: nnlite.jacobian(lambda t: t.data, [1.0]), r"the function returned ndarray"),
        (lambda x: nnlite.hvp(np.sum, [1.0, 2.0], [1.0]), r"v has shape \(1,\); x has"),
        (lambda x: nnlite.jacobian(np.sin, ["a"]), r"takes an array of real numbers"),
        (lambda x: nnlite.default_dtype("int32"), r"float32 or float64; got dtype int32"),
    ],
)  # fmt: skip
def test_functions_of_derivatives_explain_their_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(leaf())
