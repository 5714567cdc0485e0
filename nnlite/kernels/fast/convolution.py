"""The convolution trio, compiled: twins of ``reference/convolution.py``.

Convolution and transposed convolution run one kernel on two kinds of plan (``gather.py``); the
weight gradient has its own, in which rows of the product are taps and the sum runs over pixels.
Few output channels (images) would leave most lanes of a register idle; ``paint.py`` treats them.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import check_conv, check_conv_gradient, check_epilogue
from nnlite.kernels.fast.activations import factor
from nnlite.kernels.fast.arrays import (
    all_float32,
    channels_last,
    finite,
    flat,
    padded_bias,
    scratch,
)
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.gather import Gather, plan_conv, plan_transposed
from nnlite.kernels.fast.paint import paint_conv, paint_transposed, pays
from nnlite.kernels.fast.product import (
    ROWS,
    WIDTH,
    copy,
    fill_rows,
    multiply,
    pack_columns,
    panel_width,
)
from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights
from nnlite.kernels.fast.transpose import transpose
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.geometry import Window

__all__ = ["conv2d", "conv2d_input_grad"]


@twin(reference.conv2d)
def conv2d(
    x: Any, w: Any, stride: Any = (1, 1), padding: Any = (0, 0), dilation: Any = (1, 1),
    groups: Any = 1, bias: Any = None, slope: Any = None,
) -> Any:  # fmt: skip
    if groups != 1 or not all_float32(x, w, bias):
        return reference.conv2d(x, w, stride, padding, dilation, groups, bias, slope)
    window = Window(tuple(stride), tuple(padding), tuple(dilation))
    size = check_conv(x.shape, w.shape, window, "conv2d")
    check_epilogue("conv2d", len(w), bias, slope)
    nt = threads(len(x) * size[0] * size[1] * w.size // 8)
    if window.stride == (1, 1) and pays(len(w), w.shape[2] * w.shape[3]) and finite(w):
        return paint_conv(x, w, (len(x), len(w), *size), window, bias, slope, nt)
    plan = plan_conv(x.shape, w.shape, size, window, nt)
    return _run(plan, x, w, (len(x), *size, len(w)), bias, slope, nt, False)


@twin(reference.conv2d_input_grad)
def conv2d_input_grad(
    g: Any, w: Any, input_shape: Any, stride: Any = (1, 1), padding: Any = (0, 0),
    dilation: Any = (1, 1), groups: Any = 1, bias: Any = None, slope: Any = None,
) -> Any:  # fmt: skip
    if groups != 1 or not all_float32(g, w, bias):
        return reference.conv2d_input_grad(
            g, w, input_shape, stride, padding, dilation, groups, bias, slope
        )
    window = Window(tuple(stride), tuple(padding), tuple(dilation))
    check_conv_gradient(g.shape, input_shape, w.shape, window, "conv2d_input_grad")
    n, c, height, width = input_shape
    check_epilogue("conv2d_input_grad", c, bias, slope)
    nt = threads(g.size * w.size // len(w) // 8)
    if pays(c, w.shape[2] * w.shape[3]):
        return paint_transposed(g, w, tuple(input_shape), window, bias, slope, nt)
    if not finite(w):
        return reference.conv2d_input_grad(g, w, input_shape, *window, bias, slope)
    plan = plan_transposed(g.shape, w.shape, (height, width), window, nt)
    return _run(plan, g, w, (n, height, width, c), bias, slope, nt, True)


def _run(
    plan: Gather,
    x: np.ndarray,
    w: np.ndarray,
    out_shape: tuple[int, ...],
    bias: np.ndarray | None,
    slope: float | None,
    nt: int,
    transposed: bool,
) -> np.ndarray:
    """Carry out a plan and return its output, indexed (N, C, H, W)."""
    y = np.empty(out_shape, np.float32)
    source, out, kk = channels_last(x).reshape(-1), y.reshape(-1), w.shape[2] * w.shape[3]
    bias, act = padded_bias(bias, out_shape[3]), factor(slope)
    filters, panels = flat(w), scratch("weights", plan.packed)
    panels = panels[: plan.packed]
    buffers = scratch("images", plan.scratch * nt)
    if nt == 1:
        count = -(-out_shape[3] // WIDTH)
        pack_weights(filters, transposed, kk, plan.plan, plan.phases, plan.taps, panels, 0, count)
        gather_slots(source, out, bias, act, plan.plan, plan.phases, buffers, panels, 0, plan.slots)
    else:
        _gather(
            source, filters, transposed, kk, out, bias, act, plan.plan, plan.phases, plan.taps,
            buffers, plan.scratch, panels, plan.slots, nt,
        )  # fmt: skip
    return y.transpose(0, 3, 1, 2)


@loop
def pad(x, base, hx, wx, c, top, rows, left, width, out, begin):
    """Copy rows top..top+rows and columns left..left+width of an image, with zeros outside it.

    The image begins at ``x[base]``, the copy at ``out[begin]``.
    """
    before = min(width, max(0, -left))
    inside = max(0, min(width - before, wx - max(0, left)))
    for i in range(rows):
        h = top + i
        to = begin + i * width * c
        row = out[to : to + width * c]
        if h < 0 or h >= hx or inside == 0:
            row[:] = ZERO
        else:
            at = base + (h * wx + max(0, left)) * c
            row[: before * c] = ZERO
            copy(x[at : at + inside * c], row[before * c : (before + inside) * c])
            row[(before + inside) * c :] = ZERO


@loop
def pack_conv(w, kk, plan, panels, lo, hi):
    """Pack the filters (o, c, kk) of a convolution, panels lo..hi of the output channels.

    A filter is c·kk numbers in a row; number (channel, tap) goes to row (tap, channel) of the
    panel, which meets that tap and channel of the window.
    """
    c, o = plan[0].c, plan[0].o
    k = kk * c
    table = np.empty(k, np.int64)
    for p in range(lo * WIDTH, min(o, hi * WIDTH), WIDTH):
        for channel in range(c):
            for tap in range(kk):
                table[channel * kk + tap] = (tap * c + channel) * panel_width(o - p)
        pack_columns(w, 0, k, k, o, p, panels, p * k, table)


@loop
def pack_transposed(w, kk, plan, phases, taps, panels, lo, hi):
    """Pack the filters (c, o, kk) of a transposed convolution, panels lo..hi of its outputs.

    Each phase has its own panels, and each tap belongs to one phase: a table says where its rows
    begin. Taps that no output receives (the image is smaller than the stride) go behind everything
    else.
    """
    c, o = plan[0].c, plan[0].o
    table = np.empty(kk, np.int64)
    for p in range(lo * WIDTH, min(o, hi * WIDTH), WIDTH):
        width = panel_width(o - p)
        columns = min(WIDTH, o - p)
        table[:] = panels.size - c * WIDTH
        for f in range(len(phases)):
            phase = phases[f]
            count = phase.taps_y * phase.taps_x
            for t in range(count):
                table[taps[phase.tap + t]] = phase.weights + (p * count + t * width) * c
        for channel in range(c):
            for tap in range(kk):
                row = table[tap] + channel * width
                panels[row + columns : row + width] = ZERO
            # (o, kk) of this channel -> (kk, o), a row of each tap's panel
            at = (channel * o + p) * kk
            transpose(w, at, kk, columns, kk, panels, channel * width, table)


@loop
def pack_weights(w, transposed, kk, plan, phases, taps, panels, lo, hi):
    if transposed:
        pack_transposed(w, kk, plan, phases, taps, panels, lo, hi)
    else:
        pack_conv(w, kk, plan, panels, lo, hi)


@loop
def fill_table(off, out, images, rows, plan, phase):
    """Write where the windows of a phase begin and where their outputs go.

    For ``images`` images and ``rows`` rows of outputs, relative to the first.
    """
    p = plan[0]
    m = 0
    for i in range(images):
        for u in range(rows):
            row_in = i * p.rows_in + u * p.step_y + phase.begin_y - p.top
            row_out = i * p.hy + u * p.out_y + phase.first_y
            for v in range(phase.count_x):
                column_in = v * p.step_x + phase.begin_x - p.left
                off[m] = (row_in * p.width + column_in) * p.c
                out[m] = (row_out * p.wy + v * p.out_x + phase.first_x) * p.o
                m += 1
    fill_rows(off, m)
    fill_rows(out, m)


@loop
def pad_slot(x, plan, image, group, u0, buffer):
    """Copy the padded input of outputs from row u0 on into the buffer, for ``group`` images."""
    p = plan[0]
    for i in range(group):
        begin = (image + i) * p.hx * p.wx * p.c
        top = u0 * p.step_y + p.top
        size = p.rows_in * p.width * p.c
        pad(x, begin, p.hx, p.wx, p.c, top, p.rows_in, p.left, p.width, buffer, i * size)


@loop
def gather_slots(x, y, bias, slope, plan, phases, buffer, panels, lo, hi):
    """Compute slots lo..hi: images, or bands of rows of images."""
    p = plan[0]
    off = np.empty(p.most + ROWS, np.int64)
    out = np.empty(p.most + ROWS, np.int64)
    filled_for = (0, 0)
    slot = lo
    while slot < hi:
        group = min(p.images, hi - slot) if p.bands == 1 else 1
        image, u0 = slot // p.bands, slot % p.bands * p.band
        source, x0 = buffer, 0
        if p.direct:
            source, x0 = x, (image * p.hx + u0 * p.step_y) * p.wx * p.c
        else:
            pad_slot(x, plan, image, group, u0, buffer)
        for f in range(len(phases)):
            phase = phases[f]
            rows = min(p.band, phase.count_y - u0)
            if rows <= 0 or phase.count_x <= 0:
                continue
            if len(phases) > 1 or filled_for != (group, rows):
                fill_table(off, out, group, rows, plan, phase)
                filled_for = (group, rows)
            row_step = p.tap_y * p.width * p.c
            if p.tap_x == 1:  # neighbouring taps: their channels lie in a row
                terms = Terms(1, 0, phase.taps_y, row_step, phase.taps_x * p.c, 1)
            else:
                terms = Terms(phase.taps_y, row_step, phase.taps_x, p.tap_x * p.c, p.c, 1)
            y0 = (image * p.hy + u0 * p.out_y) * p.wy * p.o
            multiply(
                group * rows * phase.count_x, p.o, Rows(source, off, x0), terms,
                Weights(panels, phase.weights, 0), Rows(y, out, y0),
                Epilogue(bias, 0, np.float32(slope), False),
            )  # fmt: skip
        slot += group


@threaded
def _gather(
    x, w, transposed, kk, y, bias, slope, plan, phases, taps, buffers, size, panels, slots, nt
):  # fmt: skip
    count = -(-plan[0].o // WIDTH)
    for t in prange(nt):
        lo, hi = t * count // nt, (t + 1) * count // nt
        pack_weights(w, transposed, kk, plan, phases, taps, panels, lo, hi)
    for t in prange(nt):
        lo, hi = t * slots // nt, (t + 1) * slots // nt
        gather_slots(x, y, bias, slope, plan, phases, buffers[t * size :], panels, lo, hi)
