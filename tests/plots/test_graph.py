"""The drawing of the computation graph: what is in it, and what is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import nnlite
from nnlite.plots import graph


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def leaf(x):
    return nnlite.Tensor(np.array(x, float), requires_grad=True)


def texts(ax):
    """Title -> the lines below it, for each box."""
    found = [t.get_text() for t in ax.texts if t.get_text()]
    return list(zip(found[::2], found[1::2], strict=True))


def test_boxes_show_operation_shape_value_and_gradient():
    x = leaf([3.0, 4.0])
    boxes = dict(texts(graph(np.sum(x * np.exp(x) * 2), names={"x": x})))
    assert set(boxes) == {"x", "exp", "multiply", "multiply 2", "sum"}
    slope = 2 * np.exp(x.data) * (1 + x.data)
    assert boxes["x"] == f"shape (2,)\nvalue ‖·‖ = 5\ngrad ‖·‖ = {np.linalg.norm(slope):.3g}"
    assert boxes["sum"].startswith("one number\nvalue ")
    assert boxes["sum"].endswith("grad 1")


def test_drawing_touches_no_gradient_and_keeps_the_graph():
    x = leaf([3.0, 4.0])
    y = np.sum(x * x)
    graph(y)
    assert x.grad is None
    y.backward()
    np.testing.assert_array_equal(x.grad, [6, 8])


def test_results_and_constants_have_names_too():
    x = leaf([1.0, 2.0])
    h = np.tanh(x)
    titles = [title for title, _ in texts(graph(h @ np.ones(2), names={"x": x, "h": h}))]
    assert "x" in titles
    assert "h = tanh" in titles
    assert "constant" in titles


def test_a_result_of_several_numbers_is_drawn_without_gradients():
    boxes = dict(texts(graph(leaf([1.0, 2.0]) * 3)))
    assert not any("grad" in lines for lines in boxes.values())


def test_arrows_lead_down_and_lines_pass_beside_boxes():
    a = leaf(0.5)
    y = a
    for _ in range(4):
        y = y * a + a
    ax = graph(y)
    arrows = [t for t in ax.texts if not t.get_text()]
    assert len(arrows) >= 8
    assert all(t.xy[1] < t.xyann[1] for t in arrows)
    boxes = [p.get_extents().transformed(ax.transData.inverted()) for p in ax.patches]
    for i, p in enumerate(boxes):
        assert not any(p.overlaps(q) for q in boxes[i + 1 :])
    for line in ax.lines:  # (start, side, side): the upright part stays clear of all boxes
        x, (top, bottom) = line.get_xdata()[1], line.get_ydata()[1:]
        for box in boxes:
            beside = x < box.x0 or x > box.x1
            assert beside or top < box.y0 or bottom > box.y1


def test_boxes_hold_their_text_also_where_the_graph_drifts_sideways():
    x = leaf(np.ones(3))
    for _ in range(6):
        x = x + leaf([0.123456, 0.2, 0.3])  # each sum stands between its inputs: a diagonal
    ax = graph(np.sum(x * x))
    ax.figure.canvas.draw()
    boxes = [patch.get_window_extent().width for patch in ax.patches]
    widest = max(text.get_window_extent().width for text in ax.texts)
    assert min(boxes) > 0.97 * widest


def test_a_given_axes_is_used():
    ax = plt.figure().add_subplot()
    assert graph(leaf(1.0) * 2, ax=ax) is ax


def test_what_cannot_be_drawn_says_why():
    x = leaf([1.0])
    with pytest.raises(TypeError, match="draws Tensors; got ndarray"):
        graph(x.data)
    with pytest.raises(ValueError, match="nothing in this computation requires grad"):
        graph(nnlite.Tensor([1.0]) * 2)
    with pytest.raises(TypeError, match=r"names\['x'\] is ndarray"):
        graph(x * 2, names={"x": x.data})
    y = np.sum(x * 2)
    y.backward()
    with pytest.raises(ValueError, match=r"freed by backward.*retain_graph=True"):
        graph(y)
    deep = x
    for _ in range(70):
        deep = deep + 1
    with pytest.raises(ValueError, match=r"more than 60 boxes.*max_nodes="):
        graph(deep)
    assert len(texts(graph(deep, max_nodes=100))) == 71
