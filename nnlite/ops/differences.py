"""Values on a grid: differences of neighbours, slopes and integrals, all made of operations."""

import numpy as np

from nnlite.ops.axes import along, axes_of, axis_of, integer, lying_along
from nnlite.ops.operation import implements


@implements(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours along an axis, ``n`` times; first other arrays may be joined."""
    n = integer(n, "the number of differences")
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"np.diff: the number of differences n must not be negative; got {n}.")
    if not np.ndim(a):
        raise ValueError("np.diff takes differences along an axis; a single number has none.")
    axis = axis_of(axis, a.ndim)
    row = [1 if i == axis else k for i, k in enumerate(a.shape)]  # what a single number stands for
    parts = [e for e in (prepend, a, append) if e is not None]
    if len(parts) > 1:
        a = np.concatenate([e if np.ndim(e) else np.broadcast_to(e, row) for e in parts], axis)
    for _ in range(n):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(None, -1))]
    return a


@implements(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """Slopes along each axis: central differences inside, one-sided ones at both ends.

    Spacings are numbers or coordinates, one for all axes or one for each, as in NumPy. Where they
    are uneven, the three-point formula weighs both sides so that parabolas are met exactly
    (Fornberg 1988).
    """
    f = f if hasattr(f, "dtype") else np.asarray(f)
    f = f if f.dtype.kind == "f" else f.astype(np.float64)  # differences of bytes would overflow
    axes = axes_of(axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(
            f"np.gradient along {len(axes)} axes takes no spacing, one, or one for each axis; "
            f"got {len(varargs)}."
        )
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order is 1 or 2; got {edge_order!r}.")
    spacings = varargs * (len(axes) if len(varargs) == 1 else 1) or (1.0,) * len(axes)
    slopes = tuple(_slopes(f, h, a, edge_order) for h, a in zip(spacings, axes, strict=True))
    return slopes[0] if len(axes) == 1 else slopes


def _slopes(f, h, axis, edge_order):
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"np.gradient needs {edge_order + 1} values or more along an axis for edge_order="
            f"{edge_order}; axis {axis} has {n}."
        )
    if np.ndim(h) > 1 or (np.ndim(h) == 1 and np.shape(h) != (n,)):
        raise ValueError(
            f"np.gradient: coordinates of shape {np.shape(h)} for axis {axis} of length {n}."
        )
    column = lying_along(0, f.ndim - axis)  # the axis and those after it
    h = h if hasattr(h, "dtype") else np.asarray(h)
    h = h.astype(f.dtype)  # NumPy's result has the dtype of f, whatever that of the spacing
    steps = np.diff(h) if h.ndim else np.broadcast_to(h, (n - 1,))
    steps = np.reshape(steps, column)
    rises = np.diff(f, axis=axis) / steps
    first, last = rises[along(axis, slice(0, 1))], rises[along(axis, slice(-1, None))]
    if n == 2:
        return np.concatenate([first, last], axis)
    left, right = steps[:-1], steps[1:]
    before, after = rises[along(axis, slice(None, -1))], rises[along(axis, slice(1, None))]
    if h.ndim:
        inside = (right * before + left * after) / (left + right)
    else:
        inside = (f[along(axis, slice(2, None))] - f[along(axis, slice(None, -2))]) / (2 * h)
    if edge_order == 2:  # the slope of the parabola through the last three points
        bend = (after - before) / (left + right)
        first = first - left[:1] * bend[along(axis, slice(0, 1))]
        last = last + right[-1:] * bend[along(axis, slice(-1, None))]
    return np.concatenate([first, inside, last], axis)


@implements(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral along an axis by the trapezoidal rule, at points ``x`` or with spacing ``dx``."""
    axis = axis_of(axis, np.ndim(y))
    means = (y[along(axis, slice(1, None))] + y[along(axis, slice(None, -1))]) / 2
    if x is None:
        return np.sum(means * dx, axis=axis)
    if np.ndim(x) == 1:
        x = np.reshape(x, lying_along(axis, np.ndim(y)))
    return np.sum(means * np.diff(x, axis=axis), axis=axis)
