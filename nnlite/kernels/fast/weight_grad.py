"""Weight gradient of a convolution, compiled: twin of ``reference/convolution.py``.

The product that :mod:`convolution` computes with pixels as rows and taps as terms of the sum is
turned round: rows are taps, the sum runs over images and pixels, and the output gradient takes the
weights' place. Threads share out the images and keep sums of their own, which are added at the
end; or, if two such sums would not stay in the cache, each computes the sums of some filters.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import check_conv_gradient
from nnlite.kernels.fast.arrays import all_float32, channels_last, padded_bias, scratch
from nnlite.kernels.fast.compiling import INT0, INT1, loop, threaded, threads
from nnlite.kernels.fast.convolution import pad
from nnlite.kernels.fast.elementary import ONE, ZERO
from nnlite.kernels.fast.gather import SCRATCH, record
from nnlite.kernels.fast.product import (
    LANES,
    PIECE,
    ROWS,
    WIDTH,
    fill_rows,
    multiply,
    pack_rows,
    padded_width,
    share,
)
from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights
from nnlite.kernels.fast.transpose import transpose
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.geometry import Pair, Window

__all__ = ["conv2d_weight_grad"]

MOST_SUMS = 1 << 26  #: floats of partial sums in all threads together
LARGE_SUMS = 1 << 18  #: floats of a thread's sums that would fill its second-level cache
DIRECT_COLUMNS = 128  #: the output gradient is read in place up to this many channels


#: The numbers of a plan.
PLAN = record(
    "n h w c oh ow f kh kw sh sw dh dw ph pw",  # the convolution
    "rows_in width",  # size of the piece of padded input
    "bands band images",  # bands of an image, rows of a band, images worked on together
    "direct in_place",  # whether images need no padding, and gradients no packing
)


class Correlate(NamedTuple):
    """A plan in the form the compiled kernel reads."""

    plan: np.ndarray  #: one PLAN
    scratch: int  #: floats of padded images per thread
    packed: int  #: floats of packed output gradients per thread
    sums: int  #: floats of sums
    slots: int  #: pieces of work: images, or bands of images
    threads: int
    by_filters: bool  #: whether threads share out filters, not slots


@lru_cache(maxsize=512)
def plan_weight_grad(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], size: Pair, window: Window, nt: int
) -> Correlate:
    """Divide the images, or bands of rows, among threads and into pieces that fit the cache."""
    n, c, h, w = x_shape
    f, _, kh, kw = w_shape
    (sh, sw), (ph, pw), (dh, dw) = window[:3]
    (oh, ow) = size
    rows = kh * kw * c
    by_filters = nt > 1 and rows * f > LARGE_SUMS and f >= nt * WIDTH
    if not by_filters:
        nt = max(1, min(nt, MOST_SUMS // (rows * f)))
    reach_y, reach_x = (oh - 1) * sh + dh * (kh - 1) + 1, (ow - 1) * sw + dw * (kw - 1) + 1
    direct = ph == pw == 0
    width = w if direct else reach_x
    whole = reach_y * width * c
    bands = max(-(-whole // (4 * SCRATCH)), 1 if by_filters else -(-nt // max(n, 1)))
    band = max(1, -(-oh // bands))
    bands = -(-oh // band)
    images = 1
    if bands == 1:
        # what fits; small images until a sum is long, as far as one large image might go
        fit, most, long = 3 * SCRATCH // 2 // whole, 4 * SCRATCH // whole, -(-PIECE // (oh * ow))
        images = max(1, min(max(fit, min(long, most)), n if by_filters else -(-n // nt)))
    rows_in = h if direct else (band - 1) * sh + dh * (kh - 1) + 1
    in_place = f % LANES == 0 and f <= DIRECT_COLUMNS
    plan = (
        n, h, w, c, oh, ow, f, kh, kw, sh, sw, dh, dw, ph, pw, rows_in, width, bands, band, images,
        direct, in_place,
    )  # fmt: skip
    return Correlate(
        np.array([plan], PLAN),
        0 if direct else images * rows_in * width * c,
        0 if in_place else images * band * ow * padded_width(f),
        rows * f,
        n * bands,
        nt,
        by_filters,
    )


@twin(reference.conv2d_weight_grad)
def conv2d_weight_grad(
    x: Any, g: Any, weight_shape: Any, stride: Any = (1, 1), padding: Any = (0, 0),
    dilation: Any = (1, 1), groups: Any = 1,
) -> Any:  # fmt: skip
    if groups != 1 or not all_float32(x, g):
        return reference.conv2d_weight_grad(x, g, weight_shape, stride, padding, dilation, groups)
    window = Window(tuple(stride), tuple(padding), tuple(dilation))
    shape = tuple(weight_shape)
    size = check_conv_gradient(g.shape, x.shape, shape, window, "conv2d_weight_grad")
    dw = np.empty(shape, np.float32)
    if x.size == 0 or g.size == 0:
        dw[...] = 0
        return dw
    nt = threads(g.size * dw.size // len(dw) // 8)
    plan = plan_weight_grad(x.shape, shape, size, window, nt)
    nt = plan.threads
    source, gradient, out = (
        channels_last(x).reshape(-1),
        channels_last(g).reshape(-1),
        dw.reshape(-1),
    )
    zeros, buffers = padded_bias(None, len(dw)), scratch("images", nt * plan.scratch)
    packed = scratch("gradients", nt * plan.packed)
    sums = scratch("sums", plan.sums if plan.by_filters else nt * plan.sums)
    if nt == 1:
        correlate_slots(
            source, gradient, plan.plan, zeros, buffers, packed, sums, 0, plan.slots, 0, len(dw)
        )
        add_sums(sums, plan.sums, 1, out, plan.plan, 0, len(dw))
    else:
        _correlate(
            source, gradient, out, plan.plan, zeros, buffers, plan.scratch, packed, plan.packed,
            sums, plan.sums, plan.slots, plan.by_filters, nt,
        )  # fmt: skip
    return dw


@loop
def correlate_slots(x, g, plan, zeros, buffer, packed, sums, lo, hi, f0, f1):
    """Sum over slots lo..hi, for filters f0..f1: ``sums[(tap, channel), filter]``."""
    p = plan[0]
    rows = p.kh * p.kw * p.c
    if hi <= lo:  # no images for this thread; where filters are shared out all have some
        sums[: rows * p.f] = ZERO
        return
    off = np.empty(rows + ROWS, np.int64)
    out = np.empty(rows + ROWS, np.int64)
    m = 0
    for i in range(p.kh):
        for j in range(p.kw):
            for channel in range(p.c):
                off[m] = (i * p.dh * p.width + j * p.dw) * p.c + channel
                out[m] = m * p.f
                m += 1
    fill_rows(off, rows)
    fill_rows(out, rows)
    image_step = p.rows_in * p.width * p.c
    slot = lo
    while slot < hi:
        group = min(p.images, hi - slot) if p.bands == 1 else 1
        image, u0 = slot // p.bands, slot % p.bands * p.band
        u = min(p.band, p.oh - u0)
        source, x0 = buffer, 0
        if p.direct:
            source, x0 = x, (image * p.h + u0 * p.sh) * p.w * p.c
        else:
            for i in range(group):
                begin, top = (image + i) * p.h * p.w * p.c, u0 * p.sh - p.ph
                to = i * image_step
                pad(x, begin, p.h, p.w, p.c, top, p.rows_in, -p.pw, p.width, buffer, to)
        terms = Terms(group, image_step, u, p.sh * p.width * p.c, p.ow, p.sw * p.c)
        matrix, m0, ld = g, (image * p.oh + u0) * p.ow * p.f + f0, p.f
        if not p.in_place:
            k = group * u * p.ow
            for column in range(0, f1 - f0, WIDTH):
                pack_rows(g, m0, p.f, k, f1 - f0, column, packed, 0, k)
            matrix, m0, ld = packed, 0, 0
        multiply(
            rows, f1 - f0, Rows(source, off, x0), terms, Weights(matrix, m0, ld),
            Rows(sums, out, f0), Epilogue(zeros, 0, ONE, slot > lo),
        )  # fmt: skip
        slot += group


@loop
def add_sums(sums, size, nt, dw, plan, lo, hi):
    """Add the threads' sums ((tap, channel), filter) and write (filter, channel, tap), lo..hi.

    In blocks of filters × channels that stay in the cache while their order is changed: each tap's
    square is transposed, then the square of each filter's taps and channels.
    """
    c, f, kk = plan[0].c, plan[0].f, plan[0].kh * plan[0].kw
    block = np.empty(kk * LANES * LANES, np.float32)
    table, apart = np.arange(LANES) * LANES, np.arange(LANES) * kk
    for t in range(1, nt):
        for row in range(kk * c):
            at = row * f
            add(sums[t * size + at + lo : t * size + at + hi], sums[at + lo : at + hi])
    for f0 in range(lo, hi, LANES):
        filters = min(LANES, hi - f0)
        for c0 in range(0, c, LANES):
            channels = min(LANES, c - c0)
            for tap in range(kk):
                at, to = (tap * c + c0) * f + f0, tap * LANES * LANES
                transpose(sums, at, f, channels, filters, block, to, table)
            for j in range(filters):
                to = ((f0 + j) * c + c0) * kk
                transpose(block, j * LANES, LANES * LANES, kk, channels, dw, to, apart)


@loop
def add(src, dst):
    for i in range(dst.size):
        dst[i] += src[i]


@threaded
def _correlate(
    x, g, dw, plan, zeros, buffers, buffer_size, packed, packed_size, sums, size, slots, by_filters,
    nt,
):  # fmt: skip
    f = plan[0].f
    for i in prange(nt):
        t = np.int64(i)
        buffer, pack, own = buffers[t * buffer_size :], packed[t * packed_size :], sums
        lo, hi, f0, f1 = INT0, slots, INT0, f
        if by_filters:
            f0, f1 = share(-(-f // WIDTH), WIDTH, f, nt, t)
        else:
            lo, hi, own = t * slots // nt, (t + 1) * slots // nt, sums[t * size :]
        correlate_slots(x, g, plan, zeros, buffer, pack, own, lo, hi, f0, f1)
    parts = INT1 if by_filters else nt
    for i in prange(nt):
        t = np.int64(i)
        add_sums(sums, size, parts, dw, plan, t * f // nt, (t + 1) * f // nt)
