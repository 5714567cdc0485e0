"""Plans of convolutions: which pixels meet which taps, worked out once per geometry (lecture 08).

A convolution and a transposed convolution are both *gathers*: every output pixel sums taps over a
window of the input. They differ in the arithmetic of indices.

* Convolution: output (u, v) has its window at (u·stride - padding), taps ``dilation`` apart.
* Transposed convolution with stride s: the outputs fall into s × s *phases* by their position
  modulo s; within a phase all outputs use the same taps, and their windows move by one pixel per
  output. So each phase is a convolution of stride 1 with a part of the filter. Nothing is inserted,
  nothing is scattered, nothing is multiplied with zero.

Along one axis, output a + u·s of a phase receives tap i from input (a + u·s + p - i·d)/s where
that is whole. If i is one such tap, the next is s/gcd(s,d) taps on and d/gcd(s,d) inputs back.

A plan also cuts the work into *slots* (images, or bands of rows where images are large or few) and
says how much padded input the scratch memory must hold for one.
"""

from functools import lru_cache
from math import gcd
from typing import NamedTuple

import numpy as np

from nnlite.kernels.fast.product import WIDTH, padded_width
from nnlite.kernels.geometry import Pair, Window

#: Floats of padded input that a thread works on at a time: a good part of the second-level cache.
SCRATCH = 1 << 16
MOST_ROWS = 4096  #: output pixels in a thread's offset table


class Axis(NamedTuple):
    """One phase along one axis: outputs ``first + u·stride``, u < count, and their taps."""

    first: int
    count: int
    begin: int  #: input of the first tap, for u = 0; negative in the padding
    taps: tuple[int, ...]  #: indices into the filter, in order of the input


def conv_axis(outputs: int, k: int, padding: int) -> list[Axis]:
    """The one phase of a convolution."""
    return [Axis(0, outputs, -padding, tuple(range(k)))]


def transposed_axis(outputs: int, k: int, s: int, p: int, d: int) -> list[Axis]:
    """The phases of a transposed convolution."""
    phases = []
    for a in range(min(s, outputs)):
        taps = [i for i in range(k) if (a + p - i * d) % s == 0][::-1]
        begin = (a + p - taps[0] * d) // s if taps else 0
        phases.append(Axis(a, -(-(outputs - a) // s), begin, tuple(taps)))
    return phases


def record(*names: str) -> np.dtype:
    """A record of integers that compiled code can read by name."""
    return np.dtype([(name, np.int64) for group in names for name in group.split()])


#: The numbers of a plan.
PLAN = record(
    "n hx wx c hy wy o",  # images, size and channels read, size and channels written
    "step_y step_x out_y out_x tap_y tap_x",  # distances of windows, of outputs, of taps
    "top left rows_in width",  # the piece of padded input: where it begins, and its size
    "bands band images",  # bands of an image, rows of a band, images worked on together
    "direct most",  # whether no padding is needed; most outputs in the offset table
)
#: A phase: its Axis along either axis, where its taps and its packed weights begin.
PHASE = record("first_y count_y begin_y taps_y", "first_x count_x begin_x taps_x", "tap weights")


class Gather(NamedTuple):
    """A plan in the form the compiled kernel reads."""

    plan: np.ndarray  #: one PLAN
    phases: np.ndarray  #: PHASEs
    taps: np.ndarray  #: filter taps of all phases, one after the other
    scratch: int  #: floats of padded input per thread
    packed: int  #: floats of packed weights
    slots: int  #: pieces of work: images, or bands of images


@lru_cache(maxsize=512)
def plan_conv(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], size: Pair, window: Window, nt: int
) -> Gather:
    """Plan conv2d of images (N, C, H, W)."""
    n, c, h, w = x_shape
    f, _, kh, kw = w_shape
    (sh, sw), (ph, pw), (dh, dw) = window[:3]
    axes = conv_axis(size[0], kh, ph), conv_axis(size[1], kw, pw)
    return _plan(n, (h, w, c), (*size, f), axes, (sh, sw), (1, 1), (dh, dw), kw, nt)


@lru_cache(maxsize=512)
def plan_transposed(
    g_shape: tuple[int, ...], w_shape: tuple[int, ...], out: Pair, window: Window, nt: int
) -> Gather:
    """Plan conv2d_input_grad of gradients (N, F, OH, OW) to images of size ``out``."""
    n, f, oh, ow = g_shape
    _, c, kh, kw = w_shape
    (sh, sw), (ph, pw), (dh, dw) = window[:3]
    axes = transposed_axis(out[0], kh, sh, ph, dh), transposed_axis(out[1], kw, sw, pw, dw)
    taps = dh // gcd(dh, sh), dw // gcd(dw, sw)
    return _plan(n, (oh, ow, f), (*out, c), axes, (1, 1), (sh, sw), taps, kw, nt)


def _plan(
    n: int,
    source: tuple[int, int, int],
    target: tuple[int, int, int],
    axes: tuple[list[Axis], list[Axis]],
    step: Pair,
    out: Pair,
    tap: Pair,
    kw: int,
    nt: int,
) -> Gather:
    """Combine the phases of both axes and divide the work.

    source, target : (height, width, channels) of the images read and written
    step : how far the window moves in the source per output of a phase
    out : distance of a phase's outputs in the target
    tap : distance of taps in the source
    """
    (hx, wx, c), (hy, wy, o) = source, target
    top, bottom, most_y = _extent(axes[0], step[0], tap[0])
    left, _, _ = _extent(axes[1], step[1], tap[1])
    most_x = max(a.count for a in axes[1])
    right = max((_last(a, a.count, step[1], tap[1]) for a in axes[1] if a.taps), default=1)
    below = max((_last(a, a.count, step[0], tap[0]) for a in axes[0] if a.taps), default=1)
    direct = top >= 0 and left >= 0 and right <= wx and below <= hx
    width = wx if direct else right - left

    per_row = width * c
    whole = ((most_y - 1) * step[0] + bottom - top) * per_row
    bands = max(-(-whole // (4 * SCRATCH)), -(-nt // max(n, 1)), -(-most_y * most_x // MOST_ROWS))
    band = max(1, -(-most_y // bands))
    bands = -(-most_y // band)
    images = 1
    if bands == 1:
        fit = min(SCRATCH // max(whole, 1), MOST_ROWS // max(most_y * most_x, 1))
        images = max(1, min(fit, -(-n // nt)))
    if direct:  # windows are read where they are
        rows_in, top, left = hx, 0, 0
    else:
        rows_in = (band - 1) * step[0] + bottom - top

    phases, taps = _phases(axes, kw, c * padded_width(o))
    plan = (
        n, hx, wx, c, hy, wy, o, *step, *out, *tap, top, left, rows_in, width, bands, band, images,
        direct, images * band * most_x,
    )  # fmt: skip
    return Gather(
        np.array([plan], PLAN),
        phases,
        taps,
        0 if direct else images * rows_in * per_row,
        len(taps) * c * padded_width(o) + c * WIDTH,  # see pack_transposed
        n * bands,
    )


def _phases(
    axes: tuple[list[Axis], list[Axis]], kw: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The PHASEs and their taps, each tap with packed weights of ``size`` numbers."""
    phases: list[tuple[int, ...]] = []
    taps: list[int] = []
    for y in axes[0]:
        for x in axes[1]:
            counts = (len(y.taps), len(x.taps)) if y.taps and x.taps else (0, 0)
            in_y = (y.first, y.count, y.begin, counts[0])
            in_x = (x.first, x.count, x.begin, counts[1])
            phases.append((*in_y, *in_x, len(taps), len(taps) * size))
            taps += [i * kw + j for i in y.taps for j in x.taps]
    return np.array(phases, PHASE), np.array(taps, np.int64)


def _last(a: Axis, count: int, step: int, tap: int) -> int:
    """One past the last input that ``count`` outputs of a phase read."""
    return (count - 1) * step + a.begin + (len(a.taps) - 1) * tap + 1


def _extent(axes: list[Axis], step: int, tap: int) -> tuple[int, int, int]:
    """Where the inputs of output u = 0 begin and end, and the most outputs of a phase."""
    used = [a for a in axes if a.taps]
    top = min((a.begin for a in used), default=0)
    bottom = max((_last(a, 1, step, tap) for a in used), default=top + 1)
    return top, bottom, max(a.count for a in axes)
