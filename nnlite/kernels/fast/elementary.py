"""exp and log1p in float32, in a form that compilers turn into vector instructions.

``math.exp`` in a compiled loop calls the C library once per number where Numba has no vector
library of its own. A polynomial on a short interval is as accurate as float32 needs, and eight
times faster.
"""

import numpy as np

from nnlite.kernels.fast.compiling import exact

ZERO, HALF, ONE, TWO = (np.float32(v) for v in (0, 0.5, 1, 2))
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # their sum is log 2
ROUND = np.float32(1.5 * 2**23)  # adding this rounds to an integer, left in the lowest bits
ROUND_BITS = np.int32(ROUND.view(np.int32))
LOWEST = np.float32(-87)  # exp(-87) is about the smallest normal number
# Taylor's 1/k! up to k = 7: on |r| <= log(2)/2 the next term is below 6e-9.
E2, E3, E4, E5, E6, E7 = (np.float32(1 / f) for f in (2, 6, 24, 120, 720, 5040))
# 2 atanh(s) = 2 s (1 + s²/3 + s⁴/5 + ...): on s <= 1/3 the next term is below 2e-9.
A1, A2, A3, A4, A5, A6, A7, A8 = (np.float32(1 / k) for k in range(3, 19, 2))


@exact
def exp_negative(x):
    """e^x for x <= 0, relative error 1.2e-7; 0 below -87; NaN for NaN.

    With n = round(x / log 2), ``e^x = 2^n e^r`` and ``r = x - n log 2`` lies in ±log(2)/2; 2^n is
    put together from its exponent bits.
    """
    y = LOWEST if x < LOWEST else x
    shifted = y * LOG2_E + ROUND
    n = shifted - ROUND
    r = (y - n * LN2_HIGH) - n * LN2_LOW
    p = E7
    p = p * r + E6
    p = p * r + E5
    p = p * r + E4
    p = p * r + E3
    p = p * r + E2
    p = (p * r) * r + r + ONE
    exponent = np.int32(np.int32(np.float32(shifted).view(np.int32) - ROUND_BITS + 127) << 23)
    return ZERO if x < LOWEST else p * np.int32(exponent).view(np.float32)


@exact
def log1p_unit(e):
    """log(1 + e) for 0 <= e <= 1 as ``2 atanh(e / (2 + e))``, accurate for small e too."""
    s = e / (TWO + e)
    q = s * s
    p = A8
    p = p * q + A7
    p = p * q + A6
    p = p * q + A5
    p = p * q + A4
    p = p * q + A3
    p = p * q + A2
    p = p * q + A1
    return TWO * s + TWO * s * q * p
